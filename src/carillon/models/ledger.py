"""Every movement of credits, append-only. Amounts in hundredths of a credit, signed as they change `balance`.

kinds: grant, transfer, reserve (amount 0 on balance, `held` up), settle (-), refund (held down), correction.
"""

from __future__ import annotations

from django.db import models


class Ledger(models.Model):
    """UNIQUE(connector_id, run_id, tick, campaign_id, kind): what a gateway tick writes twice is written once."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()  # the payer
    campaign_id = models.BigIntegerField(null=True)
    connector_id = models.SmallIntegerField()  # 0 = none
    kind = models.TextField()
    balance = models.BigIntegerField()  # change of balance
    held = models.BigIntegerField()  # change of held
    run_id = models.BigIntegerField()
    tick = models.BigIntegerField()
    note = models.TextField()
    user_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger"
        managed = False


class BalanceDelta(models.Model):
    """What ticks changed and the folding job has not yet added to `account`."""

    id = models.BigAutoField(primary_key=True)
    connector_id = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    balance = models.BigIntegerField()
    held = models.BigIntegerField()

    class Meta:
        db_table = "balance_delta"
        managed = False
