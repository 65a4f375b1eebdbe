"""Opt-outs are looked up by number: an index that begins with it compares integers on its way, not names of media."""

from django.db import migrations

FORWARD = """
CREATE UNIQUE INDEX optout_number ON optout (msisdn, account_id, medium, brand_id);
CREATE INDEX optout_voice ON optout (account_id, id) WHERE medium = 'VMS';
DROP INDEX optout_once;
"""
BACKWARD = """
CREATE UNIQUE INDEX optout_once ON optout (account_id, medium, msisdn, brand_id);
DROP INDEX optout_voice;
DROP INDEX optout_number;
"""


class Migration(migrations.Migration):
    dependencies = [("carillon", "0009_campaign_draft")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
