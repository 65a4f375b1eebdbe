"""Reports over a period: messages of many campaigns in the order of their ids, found in pages, at a bounded cost.

A day of single texts is as many campaigns as messages, so pages are read across campaigns, never one campaign after another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from carillon.domain import fiql
from carillon.domain.errors import InvalidInput
from carillon.domain.fiql import Node
from carillon.domain.status import NOT_SENT_STATUSES, Status
from carillon.models import Campaign, User
from carillon.services import fiql_sql, period_rows
from carillon.services.fiql_sql import Header
from carillon.services.report_rows import MessageRow
from carillon.services.report_search import WAITING

PAGE = 5_000
STRETCH = 100_000  # ids looked at together when nothing is searched for
TIMEOUT_MS = 20_000  # of one page's search
MAX_HEADERS = 500  # different headers a search by column looks at
MAX_COLUMNS = 500
HIDDEN = ("test", "system")

CAMPAIGNS = """
c.account_id = %(account)s AND c.scheduled_at >= %(since)s AND c.scheduled_at < %(until)s AND c.launched_at IS NOT NULL
AND c.deleted_at IS NULL AND c.origin <> ALL(%(hidden)s) AND c.state IN ('INPROGRESS', 'INJECTED')
AND (%(user)s::bigint IS NULL OR c.user_id = %(user)s) AND (%(media)s::text[] IS NULL OR c.medium = ANY(%(media)s))
"""

HEADERS = f"""
SELECT DISTINCT l.header, l.mobile_column FROM campaign c JOIN campaign_list cl ON cl.campaign_id = c.id
LEFT JOIN list_member v ON v.from_list_id = cl.list_id
JOIN list l ON l.id IN (cl.list_id, v.to_list_id)
WHERE {CAMPAIGNS} LIMIT {MAX_HEADERS + 1}
"""  # noqa: S608 - constants only

# Every message with one of these statuses is among them; a few others too.
OF_STATUSES = """
AND m.id IN (
    SELECT s.message_id FROM submission s
    WHERE s.message_id > %(after)s AND s.message_id <= %(last)s AND s.account_id = %(account)s AND s.status = ANY(%(handed)s)
    UNION
    SELECT j.id FROM message j
    WHERE j.id > %(after)s AND j.id <= %(last)s AND j.account_id = %(account)s AND j.status = ANY(%(judged)s)
    UNION
    SELECT y.message_id FROM reply y
    WHERE %(stopped)s AND y.message_id > %(after)s AND y.message_id <= %(last)s AND y.kind = 'stop'
)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report covers. `user_id` None: everybody of the account; `media` None: all; `statuses` with their twins."""

    account_id: int
    since: datetime
    until: datetime
    user_id: int | None = None
    media: Collection[str] | None = None
    statuses: Collection[int] | None = None
    search: Node | None = None
    parameters: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self.parameters.update(
            account=self.account_id,
            since=self.since,
            until=self.until,
            hidden=list(HIDDEN),
            user=self.user_id,
            media=None if self.media is None else list(self.media),
        )


def wanted(
    *,
    actor: User,
    account_id: int,
    since: datetime,
    until: datetime,
    user_public_id: str | None = None,
    media: Collection[str] | None = None,
    statuses: Collection[int] | None = None,
    search: str = "",
) -> Wanted:
    """Rights and search checked. An administrator sees everybody, or the user he names; others see their own campaigns."""
    node = fiql.parse(search)
    user_id: int | None = None if actor.is_admin else actor.pk
    if user_public_id and user_public_id != actor.public_id:
        found = User.objects.filter(public_id=user_public_id, account_id=account_id).first() if actor.is_admin else None
        if found is None:
            raise InvalidInput(f"The account has no user {user_public_id[:40]} that you may see", field="userID")
        user_id = found.pk
    elif user_public_id:
        user_id = actor.pk
    return Wanted(account_id, since, until, user_id, media, statuses, node)


def headers(report: Wanted) -> list[Header]:
    """Every different header of the lists of the period. Raises InvalidInput when there are too many."""
    found = [Header(tuple(names), mobile) for names, mobile in _bounded(HEADERS, report.parameters)]
    if len(found) > MAX_HEADERS:
        raise InvalidInput(
            f"The lists of this period have more than {MAX_HEADERS} different headers: shorten it", field="from"
        )
    return found


def columns_of(found: Sequence[Header]) -> list[str]:
    """Columns of all lists, in order of appearance, once each."""
    names = list(dict.fromkeys(name for header in found for name in header.names))
    return names[:MAX_COLUMNS]


def rows(report: Wanted) -> Iterator[tuple[Campaign, MessageRow]]:
    """In the order of ids. Raises InvalidInput (search_too_slow) when a page of the search takes too long."""
    if report.media is not None and not set(report.media) & {"SMS", "VMS"}:
        return
    sql, values = _search(report)
    first, last = _span(report)
    after = first - 1
    known: dict[int, Campaign] = {}
    while after < last:
        end = last if report.search is not None else min(after + STRETCH, last)
        page = _bounded(sql, values | {"after": after, "last": end})
        after = page[-1][0] if len(page) == PAGE else end
        if not page:
            continue
        campaigns = _campaigns({campaign_id for _, campaign_id in page}, known)
        for row, campaign_id in period_rows.read(page, campaigns, account_id=report.account_id):
            if report.statuses is None or row.status in report.statuses:
                yield campaigns[campaign_id], row


def _search(report: Wanted) -> tuple[str, dict[str, Any]]:
    """The page's statement; FIQL values become named parameters beside the period's own."""
    joins, extra, values = "", "", dict(report.parameters)
    if report.search is None:
        if report.statuses is not None and not set(report.statuses) & WAITING:
            extra = OF_STATUSES
            values |= _of_statuses(set(report.statuses))
    else:
        by_row = fiql_sql.needs_rows(report.search)
        sql, given = fiql_sql.condition(report.search, headers(report) if by_row else [])
        for number, value in enumerate(given):
            sql = sql.replace("%s", f"%(q{number})s", 1)
            values[f"q{number}"] = value
        extra = f"AND {sql}"
        if by_row:
            joins = "JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id JOIN list l ON l.id = r.list_id"
    statement = (
        f"SELECT m.id, m.campaign_id FROM message m JOIN campaign c ON c.id = m.campaign_id {joins} WHERE {CAMPAIGNS} {extra}"  # noqa: S608
        f" AND m.account_id = %(account)s AND m.id > %(after)s AND m.id <= %(last)s ORDER BY m.id LIMIT {PAGE}"
    )
    return statement, values


def _of_statuses(wanted: set[int]) -> dict[str, Any]:
    return {
        "judged": sorted(wanted & NOT_SENT_STATUSES), "handed": sorted(wanted), "stopped": Status.STOPPED in wanted,
    }  # fmt: skip


def _span(report: Wanted) -> tuple[int, int]:
    """First and last message id of the period's campaigns."""
    sql = f"SELECT min(c.first_message_id), max(c.last_message_id) FROM campaign c WHERE {CAMPAIGNS}"  # noqa: S608
    ((first, last),) = _bounded(sql, report.parameters)
    return (1, 0) if first is None else (int(first), int(last))


def _bounded(sql: str, values: dict[str, Any]) -> list[Any]:
    """Rows of one statement that may take TIMEOUT_MS. Raises InvalidInput (search_too_slow)."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")
            cursor.execute(sql, values)
            rows = list(cursor.fetchall())
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
            return rows
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":  # query_canceled
            raise InvalidInput(
                "The search looks at too many messages: shorten the period or name a number", field="search",
                code="search_too_slow",
            ) from None  # fmt: skip
        raise


def _campaigns(ids: set[int], known: dict[int, Campaign]) -> dict[int, Campaign]:
    """Those of a page; what the page before needed and this one does not is forgotten."""
    for gone in set(known) - ids:
        del known[gone]
    missing = ids - set(known)
    if missing:
        known.update(Campaign.objects.select_related("account").in_bulk(missing))
    return known
