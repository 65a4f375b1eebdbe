"""A few inline recipients sent at once, in two statements: what API clients do all day (codes, alerts, reminders).

The same judgement as services.preparation and the same rows as preparation and launch together would leave, but read by one
statement and written by one. Whatever is not the plain case (no credit, closed hours, nobody valid, a cap) is answered None and
takes the general road, which explains it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from itertools import count, islice
from typing import Any

from django.db import DataError, connection, models, transaction
from psycopg.errors import DivisionByZero
from psycopg.types.json import Jsonb

from carillon.domain import msisdn as numbers
from carillon.domain import replying
from carillon.domain.renderers import LINK
from carillon.domain.status import Status
from carillon.models import Account, Brand, Campaign, Connector, List, Route, User
from carillon.services import campaigns, composing, credits, inline, launching, optouts, preparation, prepared, routes
from carillon.services.preparation import Judge, Judged

MOST = 50

# Everything that decides and every id that is needed, in one statement; each list comes as JSON.
READ = """
SELECT
  (SELECT json_agg(json_build_array(id, name, is_simulator, state)) FROM connector WHERE is_enabled AND medium = 'SMS'),
  (SELECT json_agg(json_build_array(id, name, priority, connector_id, traffic, country, prefix, account_id, weight)) FROM route
    WHERE is_enabled AND medium = 'SMS' AND (account_id IS NULL OR account_id = $1)),
  (SELECT json_agg(json_build_array(account_id, country, price)) FROM tariff
    WHERE medium = 'SMS' AND (account_id IS NULL OR account_id = ANY($2)) AND country = ANY($3)),
  (SELECT json_agg(json_build_array(msisdn, account_id, brand_id)) FROM optout
    WHERE account_id = ANY($4) AND medium = 'MOBILE' AND brand_id = ANY($5) AND msisdn = ANY($6)),
  (SELECT array_agg(msisdn) FROM npai WHERE account_id = $1 AND msisdn = ANY($6)),
  nextval('campaign_id_seq'), nextval('list_id_seq'),
  take_ids('message_ids', $7), take_ids('slice_ids', $7), take_ids('recipient_ids', $7)
"""
# Holds the credits; without enough of them it divides by zero, which undoes the whole statement.
RESERVE = (
    "held AS (UPDATE account SET held = held + {} WHERE id = {} AND (credit_mode = 'postpaid' OR balance - held >= {})"
    " RETURNING id) SELECT 1 / count(*) FROM held"
)
CAMPAIGN_LIST = "campaign_list (campaign_id, list_id, is_excluded, position)"
RECIPIENT = "recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)"
DELTA = "campaign_delta (connector_id, campaign_id, status, n)"
LEDGER = "ledger (account_id, campaign_id, kind, held, user_id)"


@dataclass(frozen=True, slots=True)
class Sent:
    campaign: Campaign
    by_status: dict[int, int]


@dataclass(slots=True)
class _Found:
    """What READ found."""

    router: routes.Router
    tariff: dict[str, int]
    barred: dict[int, int]
    npai: set[int]
    campaign_id: int
    list_id: int
    first_message: int
    first_slice: int
    first_recipient: int


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
    wanted = [p.msisdn for p in parsed if p.msisdn is not None]
    found = _read(campaign, wanted, {p.country for p in parsed}, len(rows))
    judge = Judge(campaign, router=found.router, tariff=found.tariff, excluded=set())
    judge.begin(item, composer)
    recipients = _recipients(item, rows, parsed, found.first_recipient)
    bars: preparation.Bars = ({}, set(), set()) if judge.spares else (found.barred, found.npai, set())
    judged = judge.batch([(r[0], r[3], r[4], r[5], r[6]) for r in recipients], found.first_message, bars)
    by_status = Counter(j.status for j in judged)
    if not by_status[Status.IN_PROGRESS]:
        return None
    campaign.warnings = [*composing.warnings_of(composer), *judge.warnings()]
    _fill(campaign, item, judged, found, recipients)
    try:
        # One statement is a transaction by itself; inside another one it must be undoable alone.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            _write(campaign, item, recipients, judged, by_status, found)
    except DataError as error:
        if isinstance(error.__cause__, DivisionByZero):  # not enough credit: the general road says what is missing
            return None
        raise
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
    owners, brands = [optouts.PLATFORM, account.pk], [0, campaign.brand_id or 0]
    row = prepared.first_row(READ, [account.pk, chain[1:], list(countries), owners, brands, wanted, n])
    assert row is not None
    connectors, rules, tariffs, optouts_found, npai, *taken = row
    router = routes.Router.of(
        [Connector(pk=pk, name=name, is_simulator=sim, state=state) for pk, name, sim, state in connectors or ()],
        [_route(rule) for rule in rules or ()],
        account_id=account.pk,
        simulator_only=campaign.simulator_only,
    )
    barred = optouts.strongest(optouts_found or ())
    return _Found(router, routes.merge_tariff(chain, tariffs or ()), barred, set(npai or ()), *taken)


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
    counted = [(0, campaign.pk, int(status), n) for status, n in by_status.items()]
    tables: list[tuple[str, Sequence[Sequence[Any]]]] = [
        (_into(Campaign), [_values(campaign)]),
        (_into(List), [_values(item)]),
        (CAMPAIGN_LIST, [(campaign.pk, item.pk, False, 999)]),
        (RECIPIENT, people),
        (preparation.MESSAGE_COLUMNS, messages),
        (preparation.SLICE_COLUMNS, slices),
        (DELTA, counted),
        (LEDGER, [(payer_id, campaign.pk, "reserve", price, campaign.user_id)]),
    ]
    shape = tuple((into, len(rows), len(rows[0])) for into, rows in tables)
    values = [value for _, rows in tables for row in rows for value in row]
    prepared.first_row(_writing(shape), [*values, price, payer_id, price])


@lru_cache(maxsize=200)
def _writing(shape: tuple[tuple[str, int, int], ...]) -> str:
    """The statement for so many (table, rows, columns): every row is written, then the credits are held, or nothing is."""
    places = (f"${number}" for number in count(1))
    parts = []
    for number, (into, rows, columns) in enumerate(shape):
        values = ", ".join("(" + ", ".join(islice(places, columns)) + ")" for _ in range(rows))
        parts.append(f"part{number} AS (INSERT INTO {into} VALUES {values})")  # noqa: S608 - our own names
    return f"WITH {', '.join(parts)}, {RESERVE.format(*islice(places, 3))}"


@lru_cache(maxsize=8)
def _into(model: type[models.Model]) -> str:
    """All the columns of a model, in the order of `_values`."""
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return f'"{model._meta.db_table}" ({columns})'


def _values(row: models.Model) -> list[Any]:
    """As Django would save them, without asking each field how: that took a tenth of the whole request."""
    return [
        field.pre_save(row, True) if is_auto else _plain(getattr(row, field.attname), is_json)
        for field, is_auto, is_json in _fields(type(row))
    ]


def _plain(value: Any, is_json: bool) -> Any:
    if is_json:
        return Jsonb(value)
    return value.value if isinstance(value, Enum) else value


@lru_cache(maxsize=8)
def _fields(model: type[models.Model]) -> list[tuple[models.Field[Any, Any], bool, bool]]:
    """(field, set at each saving, JSON) for every column."""
    return [
        (
            field,
            getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False),
            isinstance(field, models.JSONField),
        )
        for field in model._meta.concrete_fields
    ]
