"""Period reports find the campaigns of an account by the moment they started."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carillon", "0005_reply_handling")]

    operations = [
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                fields=["account", "scheduled_at"],
                name="campaign_started",
                condition=models.Q(("launched_at__isnull", False)),
            ),
        ),
    ]
