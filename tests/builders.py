"""Plain functions that make one thing with sensible values, changed by keyword. Everyone extends them, carefully."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from carillon.domain import msisdn
from carillon.domain.recipients.layout import is_mobile_name
from carillon.domain.status import is_final
from carillon.models import Account, Campaign, Connector, List, OptOut, User
from carillon.services import campaigns, counts, credits, ids

_numbers = itertools.count(1)
PASSWORD = "Carillon-2026!"


def make_account(**changes: Any) -> Account:
    """A customer with 1,000 credits. Amounts are hundredths of a credit."""
    number = next(_numbers)
    values: dict[str, Any] = {"name": f"Account {number}", "balance": 100_000}
    account = Account.objects.create(**(values | changes))
    return account


def make_user(*, account: Account | None = None, password: str = PASSWORD, **changes: Any) -> User:
    """A colleague of `account` (or of a new one) who can sign in with `password`."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "login": f"user{number}@example.test",
        "email": f"user{number}@example.test",
        "account": account or make_account(),
        "role": User.Role.USER,
    }
    user = User(**(values | changes))
    user.set_password(password)
    user.save()
    return user


def make_connector(**changes: Any) -> Connector:
    """An enabled SMPP connector that nobody connects."""
    values: dict[str, Any] = {"name": f"connector-{next(_numbers)}", "kind": "smpp", "options": {"host": "127.0.0.1"}}
    return Connector.objects.create(**(values | changes))


def make_list(
    account: Account, rows: Sequence[str | Sequence[str]], *, header: Sequence[str] = ("SMS",), **changes: Any
) -> List:
    """A READY list of these rows, judged as an import would; the first column named like a mobile is the number's."""
    names = list(header)
    mobile = next((name for name in names if is_mobile_name(name)), names[0])
    values: dict[str, Any] = {
        "name": f"list {next(_numbers)}", "account": account, "state": List.State.READY, "header": names,
        "mobile_column": mobile, "size": len(rows), "kind": List.Kind.CSV,
    }  # fmt: skip
    item = List.objects.create(**(values | changes))
    first = ids.take_block("recipient", max(len(rows), 1))
    seen: set[int] = set()
    records = []
    for i, row in enumerate(rows):
        fields = [row] if isinstance(row, str) else list(row)
        parsed = msisdn.parse(fields[names.index(mobile)])
        number = parsed.msisdn if parsed.is_mobile else None
        verdict = 2 if number is None else 4 if number in seen else 1
        if number is not None:
            seen.add(number)
        records.append((account.pk, first + i, item.pk, i + 1, number, parsed.country, verdict, fields))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            records,
        )
    verdicts = [r[6] for r in records]
    item.valid_count, item.invalid_count = len(records) - verdicts.count(2), verdicts.count(2)
    item.duplicate_count = verdicts.count(4)
    item.save()
    return item


def make_campaign(
    account: Account | None = None, *, lists: Sequence[List] = (), excluded: Sequence[List] = (), **changes: Any
) -> Campaign:
    """A draft of the extranet; not prepared."""
    values: dict[str, Any] = {"message": "Bonjour de Carillon", "actor": None, "account": account or make_account()}
    campaign = campaigns.create(**(values | changes))
    return campaigns.set_lists(campaign, lists=lists, excluded=excluded) if lists or excluded else campaign


def make_optout(account: Account | None, number: int, **changes: Any) -> OptOut:
    """An opt-out of the account, or (None) of the platform."""
    values: dict[str, Any] = {
        "account_id": account.pk if account else 0, "id": ids.take_block("optout", 1), "msisdn": number,
        "medium": "MOBILE", "level": "account" if account else "platform", "brand_id": 0, "source": "web",
        "description": "", "created_at": timezone.now(),
    }  # fmt: skip
    return OptOut.objects.create(**(values | changes))


def make_sendable_campaign(
    connector: Connector, *, n: int = 10, account: Account | None = None, first_msisdn: int = 33600000001,
    text: str = "Bonjour", segments: int = 1, price: int = 100, slice_size: int = 500, calendar: str = "",
    is_notification: bool = False, **changes: Any,
) -> Campaign:  # fmt: skip
    """A launched campaign of `n` messages to consecutive numbers, its credits reserved: what a gateway finds.

    No list and no preparation: message and slice rows are written as those would write them.
    """
    account = account or make_account(balance=n * price)
    first, last = (start := ids.take_block("message", n)), start + n - 1
    values: dict[str, Any] = {
        "account": account, "payer": account, "name": f"campaign {next(_numbers)}", "message": text, "state": "INPROGRESS",
        "is_sending": True, "traffic": "NOTIFICATION" if is_notification else "MKG", "launched_at": timezone.now(),
        "prepared_at": timezone.now(), "scheduled_at": timezone.now(), "first_message_id": first, "last_message_id": last,
        "recipient_count": n, "valid_count": n, "segment_count": n * segments, "max_segments": segments,
        "price": n * price, "reserved": n * price,
    }  # fmt: skip
    campaign = Campaign.objects.create(**(values | changes))
    starts = range(first, last + 1, slice_size)
    slice_id = ids.take_block("slice", len(starts))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments,"
            " price, text) SELECT %s + i, %s, %s, %s, 0, %s + i, 'FR', 1, %s, %s, %s FROM generate_series(0, %s) i",
            [first, connector.pk, account.pk, campaign.pk, first_msisdn, segments, price, text, n - 1],
        )
        cursor.executemany(
            "INSERT INTO slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, priority, calendar)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    slice_id + i, connector.pk, account.pk, campaign.pk, start, min(start + slice_size - 1, last), start - 1,
                    min(slice_size, last - start + 1), 0 if is_notification else 1, calendar,
                )
                for i, start in enumerate(starts)
            ],
        )  # fmt: skip
    counts.add(campaign.pk, {1: n})
    credits.write(account.pk, "reserve", held=n * price, campaign_id=campaign.pk)
    return campaign


def make_outcomes(campaign: Campaign, *statuses: int) -> None:
    """What the network said of a launched campaign's messages, in turn: one submission each, counters and slices as after a gateway."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, connector_id, price FROM message WHERE campaign_id = %s AND status = 1 ORDER BY id",
            [campaign.pk],
        )
        rows = cursor.fetchall()
        moved: dict[int, int] = {1: -len(rows)}
        for i, (message_id, connector_id, price) in enumerate(rows):
            status = statuses[i % len(statuses)]
            moved[status] = moved.get(status, 0) + 1
            cursor.execute(
                "INSERT INTO submission (message_id, segment, segments, submitted_at, done_at, account_id, campaign_id, connector_id,"
                " status, error, price, carrier_message_id) VALUES (%s, 1, 1, %s, %s, %s, %s, %s, %s, 0, %s, %s)",
                [
                    message_id, now, now if is_final(status) else None, campaign.account_id, campaign.pk, connector_id, status, price,
                    f"c{message_id}",
                ],
            )  # fmt: skip
        cursor.execute("UPDATE slice SET cursor_id = last_id, state = 3 WHERE campaign_id = %s", [campaign.pk])
    counts.add(campaign.pk, moved)
