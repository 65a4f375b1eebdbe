"""A few inline recipients sent at once, in two round trips: what API clients do all day (codes, alerts, reminders).

The same judgement as services.preparation and the same rows as preparation and launch together would leave, but read by one
pipeline and written by one. Whatever is not the plain case (no credit, closed hours, nobody valid, a cap) is answered None and
takes the general road, which explains it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

import psycopg
from django.db import connection, models, transaction

from carillon.domain import msisdn as numbers
from carillon.domain import replying
from carillon.domain.renderers import LINK
from carillon.domain.status import Status
from carillon.models import Account, Brand, Campaign, Connector, List, Route, User
from carillon.services import campaigns, composing, credits, inline, launching, optouts, preparation, routes
from carillon.services.preparation import Judge, Judged

MOST = 50

CONNECTORS = "SELECT id, name, is_simulator, state FROM connector WHERE is_enabled AND medium = 'SMS'"
ROUTES = (
    "SELECT id, name, priority, connector_id, traffic, country, prefix, account_id, weight FROM route"
    " WHERE is_enabled AND medium = 'SMS' AND (account_id IS NULL OR account_id = %s)"
)
TARIFFS = (
    "SELECT account_id, country, price FROM tariff WHERE medium = 'SMS' AND (account_id IS NULL OR account_id = ANY(%s))"
    " AND country = ANY(%s)"
)
NPAI = "SELECT msisdn FROM npai WHERE account_id = %s AND msisdn = ANY(%s)"
IDS = (
    "SELECT nextval('campaign_id_seq'), nextval('list_id_seq'), take_ids('message_ids', %s), take_ids('slice_ids', %s),"
    " take_ids('recipient_ids', %s)"
)
RESERVE = "UPDATE account SET held = held + %s WHERE id = %s AND (credit_mode = 'postpaid' OR balance - held >= %s) RETURNING id"


@dataclass(frozen=True, slots=True)
class Sent:
    campaign: Campaign
    by_status: dict[int, int]


@dataclass(slots=True)
class _Found:
    """What one pipeline read."""

    router: routes.Router
    tariff: dict[str, int]
    barred: dict[int, int]
    npai: set[int]
    campaign_id: int
    list_id: int
    first_message: int
    first_slice: int
    first_recipient: int


class _NoCredit(Exception):
    """Undo: the general road says what is missing."""


class _UnitJudge(Judge):
    """The campaign's judge, with the opt-outs read beforehand."""

    def __init__(self, campaign: Campaign, found: _Found) -> None:
        super().__init__(campaign, router=found.router, tariff=found.tariff, excluded=set())
        self._found = found

    def bars(self, numbers: list[int]) -> tuple[dict[int, int], set[int], set[int]]:
        return ({}, set(), set()) if self.spares else (self._found.barred, self._found.npai, set())


def send(
    *, actor: User, user: User, brand: Brand | None, rows: Sequence[Mapping[str, str]], now: datetime, **fields: Any
) -> Sent | None:
    """Launched, or None: take the general road. Raises what composing and preparation raise for a campaign as a whole.

    `rows` as inline.add_recipients takes them, the number under "mobile"; `fields` as campaigns.create takes them.
    """
    account = actor.account
    campaign = _campaign(account, user, brand, now, fields)
    if (campaign.is_marketing and account.cap_messages) or not 1 <= len(rows) <= MOST:
        return None
    if not launching.window_at(campaign, now).is_open:
        return None
    parsed = [numbers.parse(row["mobile"]) for row in rows]
    if _needs_links(campaign, {p.country for p in parsed}):
        return None
    item = _list(campaign, rows)
    composing.check_sender(campaign)
    composer = composing.composer_for(campaign, item, link_texts={})
    try:
        with transaction.atomic():
            found = _read(
                campaign, [p.msisdn for p in parsed if p.msisdn is not None], {p.country for p in parsed}, len(rows)
            )
            judge = _UnitJudge(campaign, found)
            judge.begin(item, composer)
            recipients = _recipients(item, rows, parsed, found.first_recipient)
            judged = judge.batch([(r[0], r[3], r[4], r[5], r[6]) for r in recipients], found.first_message)
            by_status = Counter(j.status for j in judged)
            if not by_status[Status.IN_PROGRESS]:
                return None
            campaign.warnings = [*composing.warnings_of(composer), *judge.warnings()]
            _fill(campaign, item, judged, found, recipients)
            _write(campaign, item, recipients, judged, by_status, found)
    except _NoCredit:
        return None
    return Sent(campaign, dict(by_status))


def _needs_links(campaign: Campaign, countries: set[str]) -> bool:
    """An opt-out link stands in the text, or must for these countries."""
    return bool(LINK.search(campaign.message) or (campaign.is_marketing and countries & replying.OPT_OUT_BY_LINK))


def _campaign(account: Account, user: User, brand: Brand | None, now: datetime, fields: Mapping[str, Any]) -> Campaign:
    """As campaigns.create, prepared and launched; not saved yet."""
    given = dict(fields)
    name = given.pop("name", "") or campaigns.default_name("api")
    campaigns.check_brand(account, brand)
    campaign = Campaign(
        account=account, user=user, payer=credits.payer_of(account), brand=brand, name=name, origin="api", **given
    )
    campaign.simulator_only = campaign.simulator_only or account.is_test
    campaign.state, campaign.is_sending = Campaign.State.INPROGRESS, True
    campaign.prepared_at = campaign.launched_at = campaign.scheduled_at = now
    campaign.version = 2
    return campaign


def _list(campaign: Campaign, rows: Sequence[Mapping[str, str]]) -> List:
    header = list(dict.fromkeys(["mobile", *(column for row in rows for column in row)]))
    return List(
        account_id=campaign.account_id, user_id=campaign.user_id, name=campaign.name, kind=List.Kind.INLINE, origin="api",
        state=List.State.READY, mobile_column="mobile", header=header, size=len(rows),
    )  # fmt: skip


def _read(campaign: Campaign, wanted: list[int], countries: set[str], n: int) -> _Found:
    account = campaign.account
    chain = routes.tariff_chain(account)
    with _raw().pipeline():
        connectors = _run(CONNECTORS)
        rules = _run(ROUTES, [account.pk])
        tariffs = _run(TARIFFS, [chain[1:], list(countries)])
        levels = _run(optouts.LEVELS, [[optouts.PLATFORM, account.pk], "MOBILE", [0, campaign.brand_id or 0], wanted])
        npai = _run(NPAI, [account.pk, wanted])
        taken = _run(IDS, [n, n, n])
    taken_ids = taken.fetchone()
    assert taken_ids is not None
    campaign_id, list_id, first_message, first_slice, first_recipient = taken_ids
    router = routes.Router.of(
        [Connector(pk=pk, name=name, is_simulator=sim, state=state) for pk, name, sim, state in connectors],
        [_route(row) for row in rules],
        account_id=account.pk,
        simulator_only=campaign.simulator_only,
    )
    return _Found(
        router=router,
        tariff=routes.merge_tariff(chain, tariffs.fetchall()),
        barred=optouts.strongest(levels.fetchall()),
        npai={row[0] for row in npai},
        campaign_id=campaign_id,
        list_id=list_id,
        first_message=first_message,
        first_slice=first_slice,
        first_recipient=first_recipient,
    )


def _route(row: Sequence[Any]) -> Route:
    names = ("id", "name", "priority", "connector_id", "traffic", "country", "prefix", "account_id", "weight")
    return Route(**dict(zip(names, row, strict=True)))


def _recipients(
    item: List, rows: Sequence[Mapping[str, str]], parsed: Sequence[numbers.Parsed], first: int
) -> list[tuple[Any, ...]]:
    """(id, list, line, msisdn, country, verdict, fields), counting in the list what an import counts."""
    seen: set[int] = set()
    found = []
    for i, (row, number) in enumerate(zip(rows, parsed, strict=True)):
        verdict = inline.verdict_of(number, seen)
        item.valid_count += verdict != Status.MALFORMED
        item.invalid_count += verdict == Status.MALFORMED
        item.duplicate_count += verdict == Status.DUPLICATE
        msisdn = number.msisdn if verdict != Status.MALFORMED else None
        fields = [row.get(column, "") for column in item.header]
        found.append((first + i, item, i + 1, msisdn, number.country, int(verdict), fields))
    return found


def _fill(
    campaign: Campaign, item: List, judged: Sequence[Judged], found: _Found, recipients: Sequence[tuple[Any, ...]]
) -> None:
    """The figures that preparation and launch note on the campaign."""
    totals = preparation.Totals()
    totals.add(judged)
    campaign.pk, item.pk = found.campaign_id, found.list_id
    campaign.first_message_id, campaign.last_message_id = found.first_message, found.first_message + len(judged) - 1
    campaign.recipient_count = campaign.done_count = totals.recipients
    campaign.valid_count = totals.by_status[Status.IN_PROGRESS]
    campaign.segment_count, campaign.price, campaign.max_segments = totals.segments, totals.price, totals.most_segments
    campaign.reserved = totals.price
    campaign.is_unit = len(recipients) == 1


def _write(
    campaign: Campaign,
    item: List,
    recipients: Sequence[tuple[Any, ...]],
    judged: Sequence[Judged],
    by_status: Mapping[int, int],
    found: _Found,
) -> None:
    account_id, payer_id, price = campaign.account_id, campaign.payer_id, campaign.price
    people = [(account_id, r[0], item.pk, r[2], r[3], r[4], r[5], r[6]) for r in recipients]
    messages = [
        (i, j.connector_id, account_id, campaign.pk, j.recipient_id, j.msisdn, j.country, int(j.status), j.segments,
         j.price, j.sender, j.text, j.reason or None)
        for i, j in enumerate(judged, found.first_message)
    ]  # fmt: skip
    slices = preparation.slice_rows(campaign, preparation.groups_of(judged, found.first_message), found.first_slice)
    with _raw().pipeline():
        _insert(campaign)
        _insert(item)
        _run(
            "INSERT INTO campaign_list (campaign_id, list_id, is_excluded, position) VALUES (%s, %s, false, 999)",
            [campaign.pk, item.pk],
        )
        _run_many("recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)", people)
        _run_many(preparation.MESSAGE_COLUMNS, messages)
        _run_many(preparation.SLICE_COLUMNS, slices)
        counted = [(0, campaign.pk, int(status), n) for status, n in by_status.items()]
        _run_many("campaign_delta (connector_id, campaign_id, status, n)", counted)
        if price:
            _run(
                "INSERT INTO ledger (account_id, campaign_id, kind, held, user_id) VALUES (%s, %s, 'reserve', %s, %s)",
                [payer_id, campaign.pk, price, campaign.user_id],
            )
        reserved = _run(RESERVE, [price, payer_id, price])  # last: the account's row is locked as briefly as can be
    if reserved.fetchone() is None:
        raise _NoCredit


def _raw() -> psycopg.Connection[Any]:
    """psycopg's own connection, in Django's transaction: pipelines are not in Django's interface."""
    connection.ensure_connection()
    return cast("psycopg.Connection[Any]", connection.connection)


def _run(sql: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
    return psycopg.Cursor(_raw()).execute(sql, parameters)


def _run_many(into: str, rows: Sequence[Sequence[Any]]) -> None:
    """`into` is "table (columns)", ours."""
    one = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    values = ", ".join([one] * len(rows))
    _run(f"INSERT INTO {into} VALUES {values}", [value for row in rows for value in row])  # noqa: S608


def _insert(row: models.Model) -> None:
    """One row with all its columns, its id given."""
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    _run(_insertion(type(row)), values)


@lru_cache(maxsize=8)
def _insertion(model: type[models.Model]) -> str:
    columns = [f'"{field.column}"' for field in model._meta.concrete_fields]
    places = ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES ({places})'  # noqa: S608 - our own names
