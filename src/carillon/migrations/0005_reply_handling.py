from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carillon", "0004_api_rate")]
    operations = [
        migrations.AddField("reply", "handled_at", models.DateTimeField(null=True)),
        migrations.AddField("reply", "is_counted", models.BooleanField(default=False)),
        migrations.AddIndex(
            "reply", models.Index(condition=models.Q(("handled_at", None)), fields=["id"], name="reply_waiting")
        ),
    ]
