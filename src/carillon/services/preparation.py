"""Judge every recipient of a draft at once, in one transaction: message rows, slices, counters, price.

    list rows ──> verdict ──> compose ──> price ──> route ──> COPY message, slices of SLICE messages

The rows of the next batch, and who of them opted out, are read while this one is composed.
An interrupted preparation leaves nothing behind. Order of judgement, first match wins:
2 malformed · 4 duplicate · 3 country not allowed · 15/14/18 opt-outs, NPAI, cap · 19 no rate or no route · 5 6 7 composing · 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from carillon.domain import hours
from carillon.domain.compose import Composer
from carillon.domain.errors import Conflict, InvalidInput
from carillon.domain.fields import Columns
from carillon.domain.status import Status
from carillon.models import Campaign, List
from carillon.services import campaigns, composing, counts, ids, launching, optouts, read_ahead, routes

BATCH = 5_000  # recipients read, judged and copied at once
SLICE = 500  # messages a gateway claims at once
POSTCODES = ("cp", "code postal", "codepostal", "postcode", "zip", "zip code", "code_postal")

Progress = Callable[[int, int], None]  # judged so far, total
ShouldStop = Callable[[], bool]


class Cancelled(Conflict):
    code = "cancelled"


@dataclass(slots=True)
class Judged:
    """One recipient and what was decided."""

    recipient_id: int
    msisdn: int | None
    country: str
    status: int = Status.IN_PROGRESS
    text: str = ""
    segments: int = 0
    price: int = 0
    connector_id: int = 0
    calendar: str = ""
    reason: str = ""
    sender: str | None = None


@dataclass(slots=True)
class Totals:
    by_status: Counter[int] = field(default_factory=Counter)
    recipients: int = 0
    segments: int = 0
    price: int = 0
    most_segments: int = 0

    def add(self, judged: Sequence[Judged]) -> None:
        self.recipients += len(judged)
        for j in judged:
            self.by_status[j.status] += 1
            if j.status == Status.IN_PROGRESS:
                self.segments += j.segments
                self.price += j.price
                self.most_segments = max(self.most_segments, j.segments)


def prepare(
    campaign_id: int,
    *,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    is_injecting: bool = False,
) -> Campaign:
    """Judge and store; idempotent: a second call starts over. Raises InvalidInput when the campaign as a whole cannot be sent
    (no text, no recipient, bad sender, unknown field in the extranet …), Conflict without any connector, Cancelled.
    """
    campaign = Campaign.objects.select_related("account", "payer").get(pk=campaign_id)
    seen = (campaign.version, campaign.prepared_at)
    with transaction.atomic():
        lists = sources_of(campaign)
        total = sum(item.size for item in lists)
        warnings = composing.check(campaign, lists)
        judge = Judge(campaign)
        first_id = ids.take_block("message", max(total, 1))
        totals, next_id = Totals(), first_id
        for item in lists:
            judge.begin(item)
            for judged in _judged(judge, item, next_id):
                next_id = _store(campaign, judged, next_id)
                totals.add(judged)
                if progress is not None:
                    progress(totals.recipients, total)
                if should_stop is not None and should_stop():
                    raise Cancelled("The preparation was cancelled")
        # The row is locked only now: a draft can be read and saved while a million recipients are judged.
        campaign = campaigns.lock_draft(campaign_id, is_injecting=is_injecting)
        if (campaign.version, campaign.prepared_at) != seen:
            raise Conflict("The campaign was changed while it was being prepared", code="changed_meanwhile")
        campaigns.discard_preparation(campaign)
        _finish(campaign, totals, first_id, next_id, [*warnings, *judge.warnings()])
    if totals.recipients >= BATCH:
        with connection.cursor() as cursor:  # the planner must know the new rows before reports and ticks read them
            cursor.execute("ANALYZE message")
    return campaign


def sources_of(campaign: Campaign) -> list[List]:
    """The lists to read, virtual ones opened. Raises InvalidInput when there is nobody to write to."""
    found: dict[int, List] = {}
    for item in campaigns.lists_of(campaign):
        for source in [item, *item.members.all()] if item.kind == List.Kind.VIRTUAL else [item]:
            found[source.pk] = source
    waiting = next((s for s in found.values() if s.state in (List.State.WAITING, List.State.IMPORTING)), None)
    if waiting is not None:
        raise Conflict(f"The list '{waiting.name}' is still being imported", code="list_not_ready")
    usable = [s for s in found.values() if s.state == List.State.READY and s.size and s.deleted_at is None]
    if not usable:
        raise InvalidInput("Choose at least one recipient", field="recipients", code="no_recipient")
    return usable


Row = tuple[Any, ...]  # id, msisdn, country, verdict, fields
# Opted out, with the status to give; unassigned; those who got enough marketing lately.
Bars = tuple[dict[int, int], set[int], set[int]]


def _judged(judge: Judge, item: List, first_id: int) -> Iterator[list[Judged]]:
    """Batches in the order of their lines: a million rows never stand in memory. Nothing is being read while the caller has one."""
    with read_ahead.thread() as start:
        reading = start(_read, judge, item, 0)
        while True:
            rows, bars = reading.result()
            if not rows:
                return
            reading = start(_read, judge, item, rows[-1][0])
            judged = judge.batch(rows, first_id, bars)
            first_id += len(judged)
            futures.wait([reading])
            yield judged


def _read(judge: Judge, item: List, after: int) -> tuple[list[Row], Bars]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, msisdn, country, verdict, fields FROM recipient WHERE list_id = %s AND id > %s"
            " ORDER BY list_id, id LIMIT %s",
            [item.pk, after, BATCH],
        )
        rows = cursor.fetchall()
    return rows, judge.bars([row[1] for row in rows if row[1] is not None])


class Judge:
    """Everything that decides about one recipient, loaded once."""

    def __init__(
        self,
        campaign: Campaign,
        *,
        router: routes.Router | None = None,
        tariff: Mapping[str, int] | None = None,
        excluded: set[int] | None = None,
    ) -> None:
        """What is not given is read."""
        self.campaign = campaign
        account = campaign.account
        self.router = router or routes.Router.load(
            account, medium=campaign.medium, simulator_only=campaign.simulator_only
        )
        if self.router.is_empty:
            raise Conflict(
                "No connector can carry this campaign: add one first (carillon connector add …)", code="no_connector"
            )
        self.allowed = routes.allowed_countries(account)
        self.tariff = routes.tariff_of(account, medium=campaign.medium) if tariff is None else tariff
        self.keeps_duplicates = not campaign.check_duplicate
        self.spares = account.optout_spares_notifications and not campaign.is_marketing
        self.is_free_of_hours = launching.is_free_of_hours(campaign)
        self.seen: set[int] = set()
        self.excluded = self._excluded_numbers() if excluded is None else excluded
        self.excluded_count = 0
        self.by_country: dict[str, str | None] = {}

    def _excluded_numbers(self) -> set[int]:
        lists = [item.pk for item in campaigns.lists_of(self.campaign, excluded=True)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT msisdn FROM recipient WHERE list_id = ANY(%s) AND msisdn IS NOT NULL", [lists])
            return {row[0] for row in cursor.fetchall()}

    def begin(self, item: List, composer: Composer | None = None) -> None:
        """The next rows are of this list."""
        self.compose = composing.writer(composer) if composer else composing.row_composer(self.campaign, item)
        columns = Columns(item.header)
        self.postcode = next((i for name in POSTCODES if (i := columns.index(name)) is not None), None)

    def bars(self, numbers: list[int]) -> Bars:
        barred: dict[int, int] = {}
        npai: set[int] = set()
        if not self.spares:
            barred = optouts.levels_of(self.campaign.account_id, numbers, brand_id=self.campaign.brand_id)
            npai = optouts.npai_of(self.campaign.account_id, numbers)
        return barred, npai, optouts.capped(self.campaign, numbers)

    def batch(self, rows: Sequence[Row], first_id: int, bars: Bars) -> list[Judged]:
        """Everyone of one batch in the order of their message ids, which start at `first_id` (short links need them)."""
        barred, npai, capped = bars
        judged, texts = [], {}
        for recipient_id, msisdn, country, verdict, fields in rows:
            if msisdn in self.excluded:
                self.excluded_count += 1
                continue
            j = Judged(recipient_id, msisdn, country)
            judged.append(j)
            self._decide(j, verdict, barred, npai, capped)
            if j.status == Status.IN_PROGRESS:
                self._route(j, fields)
                texts[recipient_id] = fields
        if len({(j.connector_id, j.calendar) for j in judged if j.connector_id}) > 1:
            judged.sort(
                key=lambda j: (j.connector_id, j.calendar)
            )  # one connector and calendar stand together: few slices
        for message_id, j in enumerate(judged, first_id):
            if j.connector_id:
                self._write(j, texts[j.recipient_id], message_id)
        return judged

    def _decide(self, j: Judged, verdict: int, barred: dict[int, int], npai: set[int], capped: set[int]) -> None:
        msisdn = j.msisdn
        if msisdn is None or verdict == Status.MALFORMED:
            j.status = Status.MALFORMED
            return
        if not self.keeps_duplicates:
            if msisdn in self.seen:
                j.status = Status.DUPLICATE
                return
            self.seen.add(msisdn)
        if j.country not in self.allowed:
            j.status = Status.NOT_AUTHORISED
        elif msisdn in barred:
            j.status = barred[msisdn]
        elif msisdn in npai:
            j.status, j.reason = Status.BLACKLISTED, "npai"
        elif msisdn in capped:
            j.status, j.reason = Status.BLACKLISTED, "cap"
        elif j.country not in self.tariff:
            j.status = Status.NO_TARIFF

    def _route(self, j: Judged, fields: Sequence[str]) -> None:
        msisdn = j.msisdn or 0
        connector_id = self.router.choose(country=j.country, msisdn=msisdn, traffic=self.campaign.traffic)
        if connector_id is None:
            j.status, j.reason = Status.NO_TARIFF, "no route"
            return
        j.connector_id = connector_id
        if not self.is_free_of_hours:
            postcode = fields[self.postcode] if self.postcode is not None and self.postcode < len(fields) else None
            j.calendar = hours.calendar_for(j.country, msisdn, postcode)

    def _write(self, j: Judged, fields: Sequence[str], message_id: int) -> None:
        self.compose(j, fields, message_id)
        if j.status != Status.IN_PROGRESS:
            j.connector_id, j.calendar = 0, ""
            return
        j.price = j.segments * self.tariff[j.country]
        if j.country not in self.by_country:
            self.by_country[j.country] = composing.sender_for(self.campaign, j.country)
        j.sender = self.by_country[j.country]

    def warnings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if self.excluded_count:
            found.append({"code": "excluded", "count": self.excluded_count})
        changed = sorted(c for c, sender in self.by_country.items() if sender is not None)
        if changed:
            found.append({"code": "sender_replaced", "countries": changed})
        return found


MESSAGE_COLUMNS = (
    "message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments, price, sender, text,"
    " reason)"
)
SLICE_COLUMNS = "slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, priority, calendar)"


def _store(campaign: Campaign, judged: list[Judged], next_id: int) -> int:
    """COPY one batch and its slices; returns the next free id."""
    if not judged:
        return next_id
    lines = [_copy_line(campaign, message_id, j) for message_id, j in enumerate(judged, next_id)]
    groups = groups_of(judged, next_id)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {MESSAGE_COLUMNS} FROM STDIN") as copy:
            copy.write("".join(lines))
        if groups:
            cursor.executemany(
                f"INSERT INTO {SLICE_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",  # noqa: S608 (our own words)
                slice_rows(campaign, groups, ids.take_block("slice", len(groups))),
            )
    return next_id + len(judged)


def groups_of(judged: Sequence[Judged], first_id: int) -> list[list[Any]]:
    """Runs that become slices: [connector, calendar, first id, last id, n]. Refused messages in between have connector 0."""
    groups: list[list[Any]] = []
    for message_id, j in enumerate(judged, first_id):
        if not j.connector_id:
            continue
        last = groups[-1] if groups else None
        if last is None or last[0] != j.connector_id or last[1] != j.calendar or last[4] >= SLICE:
            groups.append([j.connector_id, j.calendar, message_id, message_id, 1])
        else:
            last[3] = message_id
            last[4] += 1
    return groups


def slice_rows(campaign: Campaign, groups: Sequence[Sequence[Any]], first_id: int) -> list[tuple[Any, ...]]:
    """Rows for SLICE_COLUMNS."""
    priority = 1 if campaign.is_marketing else 0
    return [
        (first_id + i, connector, campaign.account_id, campaign.pk, low, high, low - 1, n, priority, calendar)
        for i, (connector, calendar, low, high, n) in enumerate(groups)
    ]


ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy_line(campaign: Campaign, message_id: int, j: Judged) -> str:
    """One line of COPY's text format."""
    text = j.text.translate(ESCAPES) if not j.text.isprintable() or "\\" in j.text else j.text
    msisdn = "\\N" if j.msisdn is None else j.msisdn
    reason = j.reason.translate(ESCAPES) if j.reason else "\\N"
    return (
        f"{message_id}\t{j.connector_id}\t{campaign.account_id}\t{campaign.pk}\t{j.recipient_id}\t{msisdn}\t{j.country}\t"
        f"{int(j.status)}\t{j.segments}\t{j.price}\t{j.sender or chr(92) + 'N'}\t{text}\t{reason}\n"
    )


def _finish(campaign: Campaign, totals: Totals, first_id: int, next_id: int, warnings: list[dict[str, Any]]) -> None:
    if totals.recipients == 0:
        raise InvalidInput(
            "Every recipient is excluded: nobody is left to write to", field="recipients", code="no_recipient"
        )
    campaign.first_message_id, campaign.last_message_id = first_id, next_id - 1
    campaign.recipient_count = totals.recipients
    campaign.valid_count = totals.by_status[Status.IN_PROGRESS]
    campaign.segment_count, campaign.price = totals.segments, totals.price
    campaign.max_segments = totals.most_segments
    campaign.prepared_at = timezone.now()
    campaign.done_count = totals.recipients
    campaign.warnings = warnings
    campaign.is_unit = totals.recipients == 1
    campaign.save()
    counts.add(campaign.pk, totals.by_status)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the strip above the wizard and the summary window show. Amounts in hundredths of a credit."""

    recipients: int
    valid: int
    invalid: int
    duplicates: int
    refused: dict[int, int]  # other statuses
    price: int
    available: int
    max_segments: int
    lists: int


def summary(campaign: Campaign) -> Summary:
    found = counts.by_status(campaign.pk)
    other = {s: n for s, n in found.items() if s not in (Status.IN_PROGRESS, Status.MALFORMED, Status.DUPLICATE)}
    payer = campaign.payer
    payer.refresh_from_db()
    return Summary(
        recipients=campaign.recipient_count,
        valid=campaign.valid_count,
        invalid=found.get(Status.MALFORMED, 0),
        duplicates=found.get(Status.DUPLICATE, 0),
        refused=other,
        price=campaign.price,
        available=payer.available,
        max_segments=campaign.max_segments,
        lists=len(campaigns.lists_of(campaign)),
    )
