"""Drafts are found at once among very many campaigns of single texts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carillon", "0008_described_optouts")]

    operations = [
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                fields=["account", "-updated_at"], name="campaign_draft", condition=models.Q(("state", "DRAFT"))
            ),
        ),
    ]
