"""Requests of a token in one minute. UNLOGGED: a minute's counters need not outlive a crash."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carillon", "0003_tariffs")]

    operations = [
        migrations.CreateModel(
            name="ApiRate",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "token_id", "window_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_id", models.BigIntegerField()),
                ("window_at", models.BigIntegerField()),
                ("n", models.IntegerField(default=0)),
            ],
            options={"db_table": "api_rate"},
        ),
        migrations.RunSQL("ALTER TABLE api_rate SET UNLOGGED", "ALTER TABLE api_rate SET LOGGED"),
    ]
