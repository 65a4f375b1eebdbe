import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carillon", "0006_campaign_started")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="stop_words",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=30), blank=True, default=list, size=None
            ),
        ),
    ]
