"""The platform's first tariff: one credit a segment in France and its territories."""

from django.db import migrations

TERRITORIES = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")


def fill(apps, schema_editor):
    tariff = apps.get_model("carillon", "Tariff")
    for medium in ("SMS", "VMS"):
        tariff.objects.bulk_create([tariff(medium=medium, country=country, price=100) for country in TERRITORIES])


class Migration(migrations.Migration):
    dependencies = [("carillon", "0002_hot_path")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
