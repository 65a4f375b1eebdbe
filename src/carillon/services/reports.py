"""The per-recipient report: columns in the order of the guides, streamed as rows, CSV or JSON.

CSV: UTF-8 with BOM, `;`, dates JJ/MM/AAAA HH:MM:SS in the account's zone, cells that a spreadsheet would run are quoted with '.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from carillon.domain.fields import Columns
from carillon.domain.status import Status, expand_aliases, label
from carillon.models import Campaign, Link, List
from carillon.services import report_rows, routes
from carillon.services.report_rows import MessageRow

FIXED_BEFORE = ("REF_LIST", "ID_LINE", "INT_MOBILE", "STATUS_CODE", "STATUS_TEXT", "DELIVERYDATE")
FIXED_AFTER = ("MF_ALLOW", "MF_VALID", "MF_COUNTRY")
DATE = "%d/%m/%Y %H:%M:%S"
MAX_DATES = 20_000  # seconds remembered
encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps would make one for each row
BATCH = 500  # rows per piece of a stream: 64 kB or so
RISKY = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """One campaign's report. `details` limits the original columns (case and accents ignored); None keeps all."""

    def __init__(
        self,
        campaign: Campaign,
        *,
        statuses: Collection[int] | None = None,
        details: Sequence[str] | None = None,
        language: str = "fr",
        legacy: bool = False,
    ) -> None:
        self.campaign = campaign
        self.statuses = None if statuses is None else expand_aliases(statuses)
        self.zone = ZoneInfo(campaign.account.time_zone)
        self.links = sorted(Link.objects.filter(campaign=campaign).values_list("index", flat=True))
        self.allowed = routes.allowed_countries(campaign.account)
        self.legacy = legacy
        self.labels = {int(s): label(s, language=language) for s in Status}
        self.lists = {item.pk: item for item in List.objects.filter(campaignlist__campaign=campaign)}
        self.original = self._original_columns(details)
        self._dates = Dates(self.zone)
        self._positions: dict[int, list[int | None]] = {}

    def _original_columns(self, details: Sequence[str] | None) -> list[str]:
        found: dict[str, None] = {}
        for item in self.lists.values():
            found.update(dict.fromkeys(item.header))
        for item in self.lists.values():
            found.update(dict.fromkeys(h for member in item.members.all() for h in member.header))
        if details is None:
            return list(found)
        columns = Columns(list(found))
        wanted = [columns.index(name) for name in details if name.strip()]
        return [list(found)[i] for i in dict.fromkeys(w for w in wanted if w is not None)]

    def columns(self) -> list[str]:
        names = [*FIXED_BEFORE, "REPLY", "PREVIEW", "PREVIEW_COUNTER"]
        for index in self.links:
            names += [f"TRACK_{index + 1}", f"TRACK_{index + 1}_COUNTER"]
        if self.legacy:
            names.append("REPLY")
        return [*names, *FIXED_AFTER, *self.original]

    def rows(self) -> Iterator[list[str]]:
        for message in report_rows.read(self.campaign, statuses=self.statuses):
            yield self.row(message)

    def row(self, m: MessageRow) -> list[str]:
        reply = "#".join(m.replies)
        cells = [
            self._list_name(m.list_id),
            str(m.line) if m.line else "",
            str(m.msisdn) if m.msisdn else "",
            str(int(m.status)),
            self.labels.get(m.status, ""),
            self.date(m.done_at),
            reply,
            *self._click(m, -1),
        ]
        for index in self.links:
            cells += self._click(m, index)
        if self.legacy:
            cells.append(reply)
        cells += [
            str(m.country in self.allowed),
            str(m.status != Status.MALFORMED),
            m.country,
            *self._original(m),
        ]
        return cells

    def date(self, at: datetime | None) -> str:
        return "" if at is None else self._dates(at)

    def _click(self, m: MessageRow, index: int) -> tuple[str, str]:
        first, n = m.clicks.get(index, (None, 0))
        return self.date(first), str(n) if n else ""

    def _list_name(self, list_id: int) -> str:
        item = self._list(list_id)
        return (item.description or item.name) if item is not None else ""

    def _list(self, list_id: int) -> List | None:
        if list_id and list_id not in self.lists:
            found = List.objects.filter(pk=list_id).first()
            if found is not None:
                self.lists[list_id] = found
        return self.lists.get(list_id)

    def _original(self, m: MessageRow) -> list[str]:
        positions = self._positions.get(m.list_id)
        if positions is None:
            item = self._list(m.list_id)
            header = list(item.header) if item is not None else []
            positions = [header.index(name) if name in header else None for name in self.original]
            self._positions[m.list_id] = positions
        fields, n = m.fields, len(m.fields)
        return [fields[p] if p is not None and p < n else "" for p in positions]


class Dates:
    """Moments as DATE in one zone. Receipts come many in a second: each second is written once."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[datetime, str] = {}

    def __call__(self, at: datetime) -> str:
        second = at.replace(microsecond=0)
        text = self._known.get(second)
        if text is None:
            if len(self._known) > MAX_DATES:
                self._known.clear()
            text = self._known[second] = second.astimezone(self.zone).strftime(DATE)
        return text


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers such as -3 or +33612345678 stay as they are."""
    if cell.startswith(RISKY) and not cell[1:].replace(".", "", 1).replace(",", "", 1).replace(" ", "").isdigit():
        return "'" + cell
    return cell


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """UTF-8 with BOM, `;`, CRLF; pieces of some hundred rows."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([harmless(cell) for cell in header])
    for n, row in enumerate(rows, 1):
        writer.writerow([harmless(cell) if cell[:1] in RISKY else cell for cell in row])
        if n % BATCH == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def json_pieces(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """An array of objects with the CSV's column names as keys, in order; the first of two equal names wins."""
    kept = [i for i, name in enumerate(header) if name not in header[:i]]
    names = [header[i] for i in kept]
    batch: list[str] = []
    yield b"["
    separator = ""
    for row in rows:
        batch.append(encode(dict(zip(names, (row[i] for i in kept), strict=True))))
        if len(batch) == BATCH:
            yield (separator + ",\n".join(batch)).encode()
            separator, batch = ",\n", []
    if batch:
        yield (separator + ",\n".join(batch)).encode()
    yield b"]\n"
