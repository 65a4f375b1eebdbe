"""What the charts of a report say of visits whose rows are gone."""

from django.db import migrations

FORWARD = """
CREATE TABLE click_sum (
    campaign_id bigint NOT NULL,
    at          timestamptz NOT NULL,               -- start of the hour
    device      text NOT NULL,
    brand       text NOT NULL,
    os          text NOT NULL,
    n           bigint NOT NULL,                    -- clicks of people on links of the text
    PRIMARY KEY (campaign_id, at, device, brand, os)
);
"""


class Migration(migrations.Migration):
    dependencies = [("carillon", "0011_shares")]
    operations = [migrations.RunSQL(FORWARD, "DROP TABLE click_sum")]
