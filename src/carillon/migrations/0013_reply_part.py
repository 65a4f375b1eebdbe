"""Parts of long texts that wait for the others."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("carillon", "0012_click_sum")]
    operations = [
        migrations.CreateModel(
            "ReplyPart",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("connector_id", models.SmallIntegerField()),
                ("msisdn", models.BigIntegerField()),
                ("to", models.CharField(max_length=20)),
                ("reference", models.IntegerField()),
                ("total", models.SmallIntegerField()),
                ("number", models.SmallIntegerField()),
                ("text", models.TextField()),
                ("printed", models.BinaryField()),
                ("at", models.DateTimeField(db_default=Now())),
                ("until", models.DateTimeField()),
                ("is_used", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "reply_part",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["connector_id", "msisdn", "to", "reference", "total", "number"], name="reply_part_once"
                    )
                ],
            },
        )
    ]
