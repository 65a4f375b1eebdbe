"""Credits: every movement is a ledger row, and `account.balance` / `account.held` are their sums.

Amounts are hundredths of a credit. `reserve` holds at launch, `settle` takes what was held when a message was handed over,
`refund` lets go of what will never be billed. The gateway's ticks write ledger and balance_delta rows; `fold` adds the deltas up.
"""

from __future__ import annotations

from django.db import connection, transaction

from carillon.domain.errors import InsufficientCredit, InvalidInput
from carillon.models import Account, Campaign, User


def write(
    account_id: int,
    kind: str,
    *,
    balance: int = 0,
    held: int = 0,
    campaign_id: int | None = None,
    note: str = "",
    user: User | None = None,
) -> None:
    """One ledger row and its effect on the account, in the caller's transaction. Refuses nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger (account_id, campaign_id, kind, balance, held, note, user_id) VALUES (%s,%s,%s,%s,%s,%s,%s)",
            [account_id, campaign_id, kind, balance, held, note, user.pk if user else None],
        )
        cursor.execute(
            "UPDATE account SET balance = balance + %s, held = held + %s WHERE id = %s", [balance, held, account_id]
        )


def payer_of(account: Account) -> Account:
    """Whose credits a send of this account takes: an unlimited sub-account spends its parent's."""
    while account.credit_mode == Account.CreditMode.UNLIMITED and account.parent is not None:
        account = account.parent
    return account


@transaction.atomic
def grant(account: Account, amount: int, *, note: str = "", user: User | None = None) -> None:
    """Give (or, negative, take back) credits. Raises InvalidInput when that would leave less than is held."""
    locked = Account.objects.select_for_update().get(pk=account.pk)
    if amount < 0 and locked.available + amount < 0:
        raise InvalidInput(
            f"{locked.name} has only {locked.available / 100:g} credits to take", field="amount", code="not_that_many"
        )
    write(account.pk, "grant", balance=amount, note=note, user=user)


@transaction.atomic
def transfer(source: Account, target: Account, amount: int, *, note: str = "", user: User | None = None) -> None:
    """Move credits between two accounts. Both rows are locked in id order, so two transfers never wait for each other."""
    if amount <= 0:
        raise InvalidInput("Transfer a positive number of credits", field="amount")
    locked = {a.pk: a for a in Account.objects.select_for_update().filter(pk__in=[source.pk, target.pk]).order_by("pk")}
    available = locked[source.pk].available
    if available < amount:
        raise InsufficientCredit(
            f"{source.name} has {available / 100:g} credits, {amount / 100:g} are needed",
            needed=amount,
            available=available,
        )
    write(source.pk, "transfer", balance=-amount, note=note or f"→ {target.name}", user=user)
    write(target.pk, "transfer", balance=amount, note=note or f"← {source.name}", user=user)


def reserve(campaign: Campaign, amount: int, *, user: User | None = None) -> None:
    """Hold `amount` for a launch, in the caller's transaction. Raises InsufficientCredit and changes nothing."""
    payer = Account.objects.select_for_update().get(pk=campaign.payer_id)
    if payer.credit_mode != Account.CreditMode.POSTPAID and payer.available < amount:
        raise InsufficientCredit(
            f"This campaign needs {amount / 100:g} credits and {payer.name} has {max(payer.available, 0) / 100:g}",
            needed=amount,
            available=payer.available,
        )
    write(payer.pk, "reserve", held=amount, campaign_id=campaign.pk, user=user)


def settle(payer_id: int, campaign_id: int, amount: int, *, note: str = "") -> None:
    """Take what was held. For single texts; the gateway does it by its own ticks."""
    write(payer_id, "settle", balance=-amount, held=-amount, campaign_id=campaign_id, note=note)


def refund(payer_id: int, campaign_id: int, amount: int, *, note: str = "", user: User | None = None) -> None:
    """Let go of what was held and will not be billed."""
    if amount:
        write(payer_id, "refund", held=-amount, campaign_id=campaign_id, note=note, user=user)


FOLD = """
WITH taken AS (
    DELETE FROM balance_delta WHERE id IN (SELECT id FROM balance_delta ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING account_id, balance, held
), summed AS (
    SELECT account_id, sum(balance) AS balance, sum(held) AS held FROM taken GROUP BY account_id
), locked AS (
    SELECT id FROM account WHERE id IN (SELECT account_id FROM summed) ORDER BY id FOR UPDATE
), folded AS (
    UPDATE account a SET balance = a.balance + s.balance, held = a.held + s.held
    FROM summed s, locked l WHERE a.id = s.account_id AND l.id = a.id
)
SELECT count(*) FROM taken
"""


@transaction.atomic
def fold(limit: int = 20_000) -> int:
    """Add the gateways' waiting deltas to the accounts; returns how many rows were taken."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [limit])
        row = cursor.fetchone()
    return int(row[0])
