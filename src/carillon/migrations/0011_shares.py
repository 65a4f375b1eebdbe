"""Weights of campaigns, what makes a repeated text recognisable, and providers' second secrets encrypted."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

SECRETS = {"twilio": "auth_token", "kannel": "callback_token", "smsfactor": "signature"}


def seal_options(apps: Any, schema_editor: Any) -> None:
    from carillon.services.sealing import seal

    for connector in apps.get_model("carillon", "Connector").objects.filter(kind__in=SECRETS):
        name = SECRETS[connector.kind]
        value = connector.options.get(name)
        if isinstance(value, str) and value:
            connector.options[name] = {"sealed": seal(value)}
            connector.save(update_fields=["options"])


def open_options(apps: Any, schema_editor: Any) -> None:
    from carillon.services.sealing import unseal

    for connector in apps.get_model("carillon", "Connector").objects.filter(kind__in=SECRETS):
        value = connector.options.get(SECRETS[connector.kind])
        if isinstance(value, dict) and "sealed" in value:
            connector.options[SECRETS[connector.kind]] = unseal(value["sealed"])
            connector.save(update_fields=["options"])


class Migration(migrations.Migration):
    dependencies = [("carillon", "0010_optout_number")]
    operations = [
        migrations.AddField("account", "weight", models.SmallIntegerField(db_default=1, default=1)),
        migrations.AddField("campaign", "weight", models.SmallIntegerField(db_default=0, default=0)),
        migrations.AddField("reply", "fingerprint", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("reply", "session_id", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("reply", "is_answered", models.BooleanField(db_default=True, default=True)),
        migrations.AddIndex(
            "reply",
            models.Index(
                condition=models.Q(("is_answered", False)),
                fields=["connector_id", "fingerprint"],
                name="reply_unanswered",
            ),
        ),
        migrations.RunPython(seal_options, open_options),
    ]
