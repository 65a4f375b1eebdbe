"""Finding a few messages of a report among very many: by number, by a word of the recipient's row, by status."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db import connection

from carillon.domain import msisdn as numbers
from carillon.domain.status import NOT_SENT_STATUSES, Status, expand_aliases
from carillon.models import Campaign
from carillon.services import composing, period_rows, report_rows
from carillon.services.report_rows import MessageRow

WINDOW = 5_000
GAP = 200  # ids closer than that are read together …
SCATTERED = 3  # … when there are no more such runs than that
WAITING = frozenset({Status.IN_PROGRESS, Status.SENDING, Status.DELETED, Status.CREDIT})  # known from slices only

BY_STATUS = """
SELECT id FROM (
    SELECT s.message_id AS id FROM submission s
    WHERE s.message_id BETWEEN %(after)s AND %(last)s AND s.campaign_id = %(campaign)s AND s.submitted_at >= %(launched)s
      AND s.status = ANY(%(handed)s)
    UNION
    SELECT m.id FROM message m
    WHERE m.id BETWEEN %(after)s AND %(last)s AND m.campaign_id = %(campaign)s AND m.status = ANY(%(judged)s)
    UNION
    SELECT r.message_id FROM reply r
    WHERE %(stopped)s AND r.campaign_id = %(campaign)s AND r.kind = 'stop' AND r.message_id BETWEEN %(after)s AND %(last)s
    UNION
    SELECT m.id FROM message m
    WHERE %(waiting)s AND m.id BETWEEN %(after)s AND %(last)s AND m.campaign_id = %(campaign)s AND m.status = 1
      AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.message_id = m.id AND s.submitted_at >= %(launched)s)
) found ORDER BY id LIMIT %(limit)s
"""

BY_NUMBER = (
    "SELECT id FROM message WHERE msisdn = %s AND id BETWEEN %s AND %s AND campaign_id = %s ORDER BY id LIMIT %s"
)

BY_WORD = """
SELECT m.id FROM message m JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id
WHERE m.id BETWEEN %(after)s AND %(last)s AND m.campaign_id = %(campaign)s
  AND (array_to_string(r.fields, ' ') ILIKE %(word)s OR m.msisdn::text LIKE %(word)s) ORDER BY m.id LIMIT %(limit)s
"""

# Lists that are not much longer than the campaign are read in one go, without asking for each message's row.
BY_WORD_IN_LISTS = """
WITH few AS MATERIALIZED (
    SELECT id, msisdn FROM recipient r WHERE r.list_id = ANY(%(lists)s)
      AND (array_to_string(r.fields, ' ') ILIKE %(word)s OR r.msisdn::text LIKE %(word)s) LIMIT %(most)s
), full_number AS (
    SELECT m.id FROM few JOIN message m ON m.msisdn = few.msisdn AND m.id BETWEEN %(first)s AND %(last)s
    WHERE m.recipient_id = few.id AND m.campaign_id = %(campaign)s
), no_number AS (
    SELECT m.id FROM message m WHERE m.msisdn IS NULL AND m.id BETWEEN %(first)s AND %(last)s AND m.campaign_id = %(campaign)s
      AND m.recipient_id IN (SELECT few.id FROM few WHERE few.msisdn IS NULL)
)
SELECT id FROM full_number UNION ALL SELECT id FROM no_number
UNION ALL SELECT -count(*) FROM few  -- ids are positive
"""
FEW = 1_000


def find(
    campaign: Campaign, *, text: str = "", statuses: Collection[int] | None = None, after: int = 0, limit: int = 25
) -> tuple[list[MessageRow], int | None]:
    """(messages in order of id, the id to give as `after` for more or None). Empty criteria find everything.

    `text` is a telephone number in any form, or a part of any column of the recipient's row.
    """
    if campaign.first_message_id is None or campaign.last_message_id is None:
        return [], None
    wanted = None if statuses is None else expand_aliases(statuses)
    start = max(after + 1, campaign.first_message_id)
    ids = _candidates(campaign, text.strip(), wanted, start, limit + 1)
    more = ids[limit - 1] if len(ids) > limit else None
    rows = _read(campaign, ids[:limit])
    return [row for row in rows if wanted is None or row.status in wanted], more


def _candidates(campaign: Campaign, text: str, wanted: set[int] | None, start: int, limit: int) -> list[int]:
    last = campaign.last_message_id or 0
    if text:
        parsed = numbers.parse(text)
        if parsed.msisdn is not None:
            return _ids(BY_NUMBER, [parsed.msisdn, start, last, campaign.pk, limit])
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        word = f"%{escaped}%"
        few = _in_lists(campaign, word)
        if few is not None:
            return [i for i in few if i >= start][:limit]
        return _windows(BY_WORD, start, last, limit, campaign=campaign.pk, word=word)
    if wanted is None:
        return _ids(
            "SELECT id FROM message WHERE id BETWEEN %s AND %s AND campaign_id = %s ORDER BY id LIMIT %s",
            [start, last, campaign.pk, limit],
        )
    return _windows(
        BY_STATUS,
        start,
        last,
        limit,
        campaign=campaign.pk,
        launched=campaign.launched_at,
        handed=sorted(wanted - {Status.STOPPED}),
        judged=sorted(wanted & NOT_SENT_STATUSES),
        stopped=Status.STOPPED in wanted,
        waiting=bool(wanted & WAITING),
    )


def _in_lists(campaign: Campaign, word: str) -> list[int] | None:
    """Every message of the few rows with that word; None when they are many, or when the lists are long to read."""
    lists = composing.sources(campaign)
    size = sum(item.size for item in lists)
    if not campaign.recipient_count <= size <= 2 * campaign.recipient_count + WINDOW:  # less: rows have left their list
        return None
    found = _ids(
        BY_WORD_IN_LISTS,
        {
            "lists": [item.pk for item in lists], "word": word, "most": FEW + 1, "campaign": campaign.pk,
            "first": campaign.first_message_id, "last": campaign.last_message_id,
        },
    )  # fmt: skip
    return sorted(i for i in found if i > 0) if -min(found) <= FEW else None


def _windows(sql: str, start: int, last: int, limit: int, **given: object) -> list[int]:
    """Reads growing stretches of ids until enough are found: what is frequent is found at once, whatever the campaign's size."""
    found: list[int] = []
    length = WINDOW
    while start <= last and len(found) < limit:
        end = min(start + length - 1, last)
        found += _ids(sql, given | {"after": start, "last": end, "limit": limit - len(found)})
        start, length = end + 1, length * 4
    return found


def _ids(sql: str, parameters: object) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)  # type: ignore[arg-type]
        return [row[0] for row in cursor.fetchall()]


def _read(campaign: Campaign, ids: list[int]) -> list[MessageRow]:
    runs = list(_runs(ids))
    if len(runs) > SCATTERED:  # far from each other: asked for by their ids, all at once
        page = [(i, campaign.pk) for i in ids]
        found = period_rows.read(page, {campaign.pk: campaign}, account_id=campaign.account_id, with_text=True)
        return [row for row, _ in found]
    return [row for run in runs for row in report_rows.read(campaign, message_ids=run, with_text=True)]


def _runs(ids: list[int]) -> Iterator[list[int]]:
    """Neighbours together: reading one run reads everything between its ends."""
    run: list[int] = []
    for i in ids:
        if run and i - run[-1] > GAP:
            yield run
            run = []
        run.append(i)
    if run:
        yield run
