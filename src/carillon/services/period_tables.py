"""The table of a period report: the columns of a campaign's report, CAMPAIGN_ID, then the original columns of every list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from carillon.domain.fields import Columns, fold
from carillon.domain.status import Status, label
from carillon.models import Account, Campaign, Link, List
from carillon.services import period_reports, routes
from carillon.services.period_reports import Wanted
from carillon.services.report_rows import MessageRow
from carillon.services.reports import BATCH, FIXED_AFTER, FIXED_BEFORE, Dates, encode

MAX_KNOWN = 20_000  # lists and links kept in memory at once


class Table:
    """`details` limits the original columns; None keeps all. Cells are texts, as in a campaign's report."""

    def __init__(
        self, wanted: Wanted, *, account: Account, details: Sequence[str] | None = None, language: str = "fr"
    ) -> None:
        self.wanted = wanted
        self._dates = Dates(ZoneInfo(account.time_zone))
        self.allowed = routes.allowed_countries(account)
        self.labels = {int(s): label(s, language=language) for s in Status}
        self.details = details
        self._lists: dict[int, List] = {}
        self._original: list[str] | None = None
        self._positions: dict[tuple[str, ...], list[int | None]] = {}
        self.links = self._link_indexes()

    def _link_indexes(self) -> list[int]:
        """Links that a campaign of the period has: TRACK_1 …, the same for every row of the CSV."""
        indexes = Link.objects.filter(
            campaign__account_id=self.wanted.account_id,
            campaign__scheduled_at__gte=self.wanted.since,
            campaign__scheduled_at__lt=self.wanted.until,
        )
        return sorted(set(indexes.values_list("index", flat=True).distinct()))

    def columns(self) -> list[str]:
        return [*self._fixed(), *self.original()]

    def _fixed(self) -> list[str]:
        names = [*FIXED_BEFORE, "REPLY", "PREVIEW", "PREVIEW_COUNTER"]
        for index in self.links:
            names += [f"TRACK_{index + 1}", f"TRACK_{index + 1}_COUNTER"]
        return [*names, *FIXED_AFTER, "CAMPAIGN_ID"]

    def original(self) -> list[str]:
        """Found once: a period may have very many lists."""
        if self._original is None:
            self._original = self._find_original()
        return self._original

    def _find_original(self) -> list[str]:
        found = period_reports.columns_of(period_reports.headers(self.wanted))
        if self.details is None:
            return found
        columns = Columns(found)
        indexes = [columns.index(name) for name in self.details]
        return [found[i] for i in dict.fromkeys(i for i in indexes if i is not None)]

    def rows(self) -> Iterator[list[str]]:
        """Cells in the order of `columns`."""
        original = self.original()
        for campaign, message in period_reports.rows(self.wanted):
            item = self._list(message.list_id)
            header = tuple(item.header) if item is not None else ()
            positions = self._positions.get(header)
            if positions is None:
                positions = self._positions[header] = [
                    header.index(name) if name in header else None for name in original
                ]
            fields, n = message.fields, len(message.fields)
            own = [fields[p] if p is not None and p < n else "" for p in positions]
            yield [*self._cells(campaign, message, item), *own]

    def json_pieces(self) -> Iterator[bytes]:
        """An array of objects; each has the columns of its own list, those named by `details` only when given."""
        fixed = self._fixed()
        kept = None if self.details is None else {fold(name) for name in self.details}
        batch: list[str] = []
        yield b"["
        separator = ""
        for campaign, message in period_reports.rows(self.wanted):
            item = self._list(message.list_id)
            row: dict[str, Any] = dict(zip(fixed, self._cells(campaign, message, item), strict=True))
            for name, value in zip(item.header if item is not None else (), message.fields, strict=False):
                if kept is None or fold(name) in kept:
                    row.setdefault(name, value)
            batch.append(encode(row))
            if len(batch) == BATCH:
                yield (separator + ",\n".join(batch)).encode()
                separator, batch = ",\n", []
        if batch:
            yield (separator + ",\n".join(batch)).encode()
        yield b"]\n"

    def _cells(self, campaign: Campaign, m: MessageRow, item: List | None) -> list[str]:
        cells = [
            (item.description or item.name) if item is not None else "",
            str(m.line) if m.line else "",
            str(m.msisdn) if m.msisdn else "",
            str(int(m.status)),
            self.labels.get(m.status, ""),
            self._date(m.done_at),
            "#".join(m.replies),
        ]
        for index in (-1, *self.links):
            first, n = m.clicks.get(index, (None, 0))
            cells += [self._date(first), str(n) if n else ""]
        return [
            *cells,
            str(m.country in self.allowed),
            str(m.status != Status.MALFORMED),
            m.country,
            str(campaign.pk),
        ]

    def _date(self, at: Any) -> str:
        return "" if at is None else self._dates(at)

    def _list(self, list_id: int) -> List | None:
        if list_id and list_id not in self._lists:
            if len(self._lists) > MAX_KNOWN:
                self._lists.clear()
            found = List.objects.only("id", "name", "description", "header").filter(pk=list_id).first()
            if found is not None:
                self._lists[list_id] = found
        return self._lists.get(list_id)
