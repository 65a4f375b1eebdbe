"""What a campaign says to each recipient: the domain's composer fed with the campaign's text, lists and links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import connection

from carillon.domain import replying, senders
from carillon.domain.compose import Composed, Composer, Link, Options, StopRule
from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.fields import Columns
from carillon.domain.msisdn import country_of
from carillon.domain.segments import Measure, is_gsm, measure
from carillon.domain.status import Status
from carillon.models import Campaign, List, Sender
from carillon.services import campaigns, links

STRICT_ORIGINS = ("web", "cli", "test")  # an unknown field is refused there; the API warns (X32)


class Writable(Protocol):
    """What a row composer fills in, for someone of this country."""

    country: str
    status: int
    text: str
    segments: int
    reason: str


def columns_of(item: List, *, more: Sequence[str] = ()) -> Columns:
    """`more`: fields to the right of its own, which its rows leave empty."""
    index = item.header.index(item.mobile_column) if item.mobile_column in item.header else None
    return Columns([*item.header, *more], mobile_index=index)


def _columns_in(campaign: Campaign, item: List) -> Columns:
    """Who was typed in on the page has the fields of the other lists too: empty, so that the default stands there."""
    columns = columns_of(item)
    if item.kind != List.Kind.INLINE or campaign.origin != "web":
        return columns
    return columns_of(item, more=_others(campaign, columns))


def _others(campaign: Campaign, columns: Columns) -> list[str]:
    """Fields of the campaign's lists that these columns lack."""
    return [name for name in header_of(campaign) if columns.index(name) is None]


def options_of(campaign: Campaign) -> Options:
    return Options(
        allow_ucs2=campaign.allow_ucs2,
        replace_emoji=campaign.auto_replace_emoji,
        replace_gsm7=campaign.auto_replace_gsm7,
        max_segments=campaign.account.max_segments,
    )


def stop_rule(campaign: Campaign, *, by_link: bool = False) -> StopRule:
    """`by_link`: for people who cannot answer STOP, whatever the sender is."""
    if by_link:
        return StopRule(is_marketing=campaign.is_marketing, is_sender_personalised=True, words=replying.WORDS)
    return StopRule(
        is_marketing=campaign.is_marketing, is_sender_personalised=bool(campaign.sender), number=campaign.short_code
    )


def composer_for(
    campaign: Campaign,
    item: List | None = None,
    *,
    columns: Columns | None = None,
    message: str | None = None,
    link_texts: Mapping[str, Link] | None = None,
    by_link: bool = False,
) -> Composer:
    """For the rows of one list (or given columns). Raises InvalidInput when the campaign as a whole cannot be sent.

    `link_texts`: what links.texts_for would give, for a caller that has it. `by_link`: as in stop_rule.
    """
    if columns is None:
        columns = _columns_in(campaign, item) if item is not None else Columns([])
    text = campaign.message if message is None else message
    return Composer(
        replying.with_link(text) if by_link and campaign.is_marketing else text,
        columns,
        renderer=campaign.renderer,
        defaults=campaign.defaults,
        options=options_of(campaign),
        stop=stop_rule(campaign, by_link=by_link),
        links=links.texts_for(campaign) if link_texts is None else link_texts,
    )


def row_composer(campaign: Campaign, item: List) -> Callable[[Writable, Sequence[str], int], None]:
    """Compose into a judged row: (row, fields, message id). Who cannot answer STOP gets a link instead."""
    usual = writer(composer_for(campaign, item))
    if not campaign.is_marketing:
        return usual
    linked: list[Callable[[Writable, Sequence[str], int], None]] = []

    def write(judged: Writable, fields: Sequence[str], message_id: int) -> None:
        if judged.country not in replying.OPT_OUT_BY_LINK:
            return usual(judged, fields, message_id)
        if not linked:
            linked.append(writer(composer_for(campaign, item, by_link=True)))
        linked[0](judged, fields, message_id)

    return write


def writer(composer: Composer) -> Callable[[Writable, Sequence[str], int], None]:
    compose = composer.compose

    def write(judged: Writable, fields: Sequence[str], message_id: int) -> None:
        text, _, segments, status, reason = compose(fields, message_id)
        if status is Status.IN_PROGRESS:
            judged.text, judged.segments = text, segments
        else:
            judged.status, judged.reason = int(status), reason

    return write


def check(campaign: Campaign, lists: Sequence[List]) -> list[dict[str, Any]]:
    """Warnings as {code, message, subject}; raises InvalidInput for what forbids the whole campaign."""
    check_sender(campaign)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in lists:
        composer = composer_for(campaign, item)
        if campaign.origin in STRICT_ORIGINS:
            composer.require_known_fields()
        found |= {(w["code"], w["subject"]): w for w in warnings_of(composer)}
        found |= {(w["code"], w["subject"]): w for w in _link_warnings(campaign, composer.columns)}
    return list(found.values())


def _link_warnings(campaign: Campaign, columns: Columns) -> list[dict[str, Any]]:
    unknown = links.unknown_fields(campaign, columns)
    if unknown and campaign.origin in STRICT_ORIGINS:
        raise InvalidInput(
            f"No column is named {', '.join(map(repr, unknown))}, which stands in the address of a link",
            field="url",
            code="unknown_field",
        )
    found = [
        {"code": "link_field", "message": f"No column is named {name!r}: it is left out of the link.", "subject": name}
        for name in unknown
    ]
    return found + [
        {
            "code": "link_host",
            "message": f"A link leads to {host}: its name has letters other than a to z.",
            "subject": host,
        }
        for host in links.foreign_hosts(campaign)
    ]


def lacking(campaign: Campaign) -> tuple[List, tuple[str, ...]] | None:
    """The first list without a field of the text, and these fields: the campaign would be refused."""
    for item in sources(campaign):
        if item.state == List.State.READY and item.size:
            unknown = composer_for(campaign, item).unknown_fields
            if unknown:
                return item, unknown
    return None


def check_sender(campaign: Campaign) -> None:
    """Raises InvalidInput: sender_invalid by the rules of names, sender_refused when the register says so."""
    account = campaign.account
    if not campaign.sender:
        return
    senders.check(campaign.sender, country=(account.countries or ["FR"])[0], allows_spaces=account.allows_sender_spaces)
    barred = (Sender.State.REFUSED, Sender.State.DISABLED)
    if Sender.objects.filter(account=account, name__iexact=campaign.sender, state__in=barred).exists():
        raise InvalidInput(
            f"The operators refused the sender {campaign.sender!r}: choose another",
            field="sender",
            code="sender_refused",
        )


def warnings_of(composer: Composer) -> list[dict[str, Any]]:
    return [{"code": code, "message": message, "subject": subject} for code, message, subject in composer.warnings()]


def sender_for(campaign: Campaign, country: str) -> str | None:
    """What replaces the campaign's sender in this country (X6): None when the sender is fine there."""
    spaces = campaign.account.allows_sender_spaces
    if senders.is_accepted(campaign.sender, country=country, allows_spaces=spaces):
        return None
    return campaign.short_code


def header_of(campaign: Campaign) -> list[str]:
    """The fields a text may use: the columns of every list, in order, once each."""
    return list(dict.fromkeys(name for item in sources(campaign) for name in item.header))


def sources(campaign: Campaign) -> list[List]:
    """The lists it sends to, and those that a list of lists holds."""
    read = _read.get()
    if read is not None and campaign.pk in read.sources:
        return read.sources[campaign.pk]
    found = []
    for item in campaigns.lists_of(campaign):
        found += [item, *item.members.all()] if item.kind == List.Kind.VIRTUAL else [item]
    if read is not None:
        read.sources[campaign.pk] = found
    return found


@dataclass(slots=True)
class Extremes:
    """Per column: the value that costs most in GSM 7-bit, and characters that force UCS-2 (none: no entry)."""

    longest: dict[str, str]
    foreign: dict[str, str]
    empty: frozenset[str]


@dataclass(slots=True)
class _Read:
    """campaign -> what was read of its lists"""

    sources: dict[int, list[List]] = field(default_factory=dict)
    extremes: dict[int, Extremes] = field(default_factory=dict)


_read: ContextVar[_Read | None] = ContextVar("carillon_lists_read", default=None)


@contextmanager
def reading_lists_once() -> Iterator[None]:
    """Inside, the lists of a campaign are read once: for a page that shows a text in many ways and changes no list."""
    token = _read.set(_Read())
    try:
        yield
    finally:
        _read.reset(token)


def extremes(campaign: Campaign) -> Extremes:
    read = _read.get()
    if read is None:
        return _extremes(campaign)
    if campaign.pk not in read.extremes:
        read.extremes[campaign.pk] = _extremes(campaign)
    return read.extremes[campaign.pk]


def _extremes(campaign: Campaign) -> Extremes:
    longest: dict[str, str] = {}
    foreign: dict[str, str] = {}
    empty: set[str] = set()
    for item in sources(campaign):
        own = _of_rows(item) if item.kind == List.Kind.INLINE else _of_analysis(item)
        for name, value in own.longest.items():
            if measure(value).units >= measure(longest.get(name, "")).units:
                longest[name] = value
        for name, value in own.foreign.items():
            foreign[name] = foreign.get(name, "") + value
        empty |= own.empty
        if item.kind == List.Kind.INLINE and campaign.origin == "web" and item.size:
            empty |= set(_others(campaign, columns_of(item)))
    return Extremes(longest, foreign, frozenset(empty))


def _of_analysis(item: List) -> Extremes:
    analysis = item.analysis
    more = analysis.get("_more", analysis)
    longest = dict(analysis.get("maxDatasMap", {}))
    for name, value in more.get("costliest", {}).items():
        if measure(value).units > measure(longest.get(name, "")).units:
            longest[name] = value
    return Extremes(longest, dict(more.get("widest", {})), frozenset(analysis.get("emptyKeys", ())))


def _of_rows(item: List) -> Extremes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT fields FROM recipient WHERE list_id = %s LIMIT 5000", [item.pk])
        rows = [row[0] for row in cursor.fetchall()]
    columns = {name: [r[i] if i < len(r) else "" for r in rows] for i, name in enumerate(item.header)}
    longest = {n: max(values, key=lambda v: measure(v).units, default="") for n, values in columns.items()}
    wide = {n: "".join(dict.fromkeys("".join(v for v in values if not is_gsm(v)))) for n, values in columns.items()}
    return Extremes(
        longest,
        {n: v for n, v in wide.items() if v},
        frozenset(n for n, values in columns.items() if any(not v.strip() for v in values)),
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """One message as its person will see it. `row` 0 is the worst case; `total` rows can be looked at."""

    row: int
    total: int
    text: str
    sender: str
    segments: int
    units: int
    capacity: int
    encoding: str
    refusal: int = 0  # a status, 0 when it can be sent
    reason: str = ""
    msisdn: int | None = None
    is_stop_added: bool = False


def preview(campaign: Campaign, row: int = 0, *, message: str | None = None) -> Preview:
    """`message` instead of the stored text, for what is being typed. Raises NotFound for a row that is not there."""
    total = sum(item.size for item in sources(campaign))
    if row == 0:
        found = extremes(campaign)
        columns = Columns(header_of(campaign))
        longest = [found.longest.get(n, "") for n in columns.names]
        foreign = [found.foreign.get(n, "") for n in columns.names]
        ways = [False, True] if campaign.is_marketing and _has_people_by_link(campaign) else [False]
        tried = []
        for by_link in ways:
            composer = composer_for(campaign, columns=columns, message=message, by_link=by_link)
            tried.append((composer, composer.worst_case(longest, foreign)))
        composer, worst = max(tried, key=lambda pair: (pair[1].measure.segments, pair[1].measure.units))
        return _preview(campaign, 0, total, worst.composed, worst.measure, composer, None)
    item, fields, msisdn = recipient_at(campaign, row)
    by_link = msisdn is not None and country_of(msisdn) in replying.OPT_OUT_BY_LINK
    composer = composer_for(campaign, item, message=message, by_link=by_link and campaign.is_marketing)
    composed = composer.compose(fields)
    return _preview(campaign, row, total, composed, measure(composed.text), composer, msisdn)


def _has_people_by_link(campaign: Campaign) -> bool:
    found: set[str] = set()
    for item in sources(campaign):
        analysis = item.analysis or {}
        found |= set(analysis.get("_more", analysis).get("countries", ()))
    return bool(found & replying.OPT_OUT_BY_LINK)


def _preview(
    campaign: Campaign, row: int, total: int, composed: Composed, found: Measure, composer: Composer, msisdn: int | None
) -> Preview:
    return Preview(
        row=row,
        total=total,
        text=composed.text,
        sender=campaign.effective_sender,
        segments=found.segments,
        units=found.units,
        capacity=found.capacity,
        encoding=str(found.encoding),
        refusal=int(composed.status) if composed.is_refused else 0,
        reason=composed.reason,
        msisdn=msisdn,
        is_stop_added=composer.is_stop_added,
    )


def recipient_at(campaign: Campaign, row: int) -> tuple[List, list[str], int | None]:
    """The `row`-th recipient (from 1) over all lists in order: (list, fields, msisdn)."""
    left = row
    for item in sources(campaign):
        if 0 < left <= item.size:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT fields, msisdn FROM recipient WHERE list_id = %s ORDER BY list_id, id LIMIT 1 OFFSET %s",
                    [item.pk, left - 1],
                )
                found = cursor.fetchone()
            if found is not None:
                return item, list(found[0]), found[1]
        left -= item.size
    raise NotFound(f"There is no recipient {row}", code="row_not_found")
