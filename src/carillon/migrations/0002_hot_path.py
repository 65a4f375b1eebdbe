"""The bulk tables of the send path, in plain SQL: partitions, fill factors and COLLATE "C" are not Django's."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "sql" / "hot_path.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("carillon", "0001_initial")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
