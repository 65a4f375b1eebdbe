"""A blacklist of millions is searched by its descriptions, which STOPs have none of."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("carillon", "0007_stop_words")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX optout_described ON optout (account_id, id) WHERE description <> ''",
            "DROP INDEX optout_described",
        )
    ]
