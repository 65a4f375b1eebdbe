"""A campaign's own recipients, typed in or given by the API (listRecipient): kept as a list of kind INLINE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from carillon.domain import msisdn as numbers
from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.recipients.layout import is_mobile_name
from carillon.domain.status import Status
from carillon.models import Campaign, CampaignList, List
from carillon.services import campaigns, ids

NAME = "Saisie manuelle"
MAX_ROWS = 5_000  # beyond that it is a file


@transaction.atomic
def add_recipients(campaign: Campaign, rows: Sequence[Mapping[str, str]], *, name: str = NAME) -> List:
    """Add rows ({column: value}; one column is the mobile number) to the campaign's own list, created when there is none.

    New columns go to the right; earlier rows have them empty. Malformed numbers are kept with verdict 2, repeats with 4.
    """
    if len(rows) > MAX_ROWS:
        raise InvalidInput(f"At most {MAX_ROWS} recipients can be typed in; import a file", field="recipients")
    fresh = campaigns.lock_draft(campaign.pk)
    inline = _own_list(fresh) or _new_list(fresh, name)
    _widen(inline, rows)
    seen = _numbers_of(inline)
    first = ids.take_block("recipient", len(rows)) if rows else 0
    records = []
    for i, row in enumerate(rows):
        parsed = numbers.parse(row.get(inline.mobile_column, ""))
        verdict = verdict_of(parsed, seen)
        inline.valid_count += verdict != Status.MALFORMED
        inline.invalid_count += verdict == Status.MALFORMED
        inline.duplicate_count += verdict == Status.DUPLICATE
        fields = [str(row.get(column, "")) for column in inline.header]
        number = parsed.msisdn if verdict != Status.MALFORMED else None
        records.append(
            (inline.account_id, first + i, inline.pk, inline.size + i + 1, number, parsed.country, verdict, fields)
        )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            records,
        )
    inline.size += len(rows)
    inline.save()
    campaigns.touch(fresh)
    return inline


def verdict_of(parsed: numbers.Parsed, seen: set[int]) -> int:
    if parsed.msisdn is None or not parsed.is_mobile:
        return Status.MALFORMED
    if parsed.msisdn in seen:
        return Status.DUPLICATE
    seen.add(parsed.msisdn)
    return Status.IN_PROGRESS


def remove_recipient(campaign: Campaign, recipient_id: int) -> None:
    """Take one typed-in row out again."""
    with transaction.atomic():
        fresh = campaigns.lock_draft(campaign.pk)
        inline = _own_list(fresh)
        if inline is None:
            raise NotFound("There is no such recipient", code="recipient_not_found")
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM recipient WHERE account_id = %s AND id = %s AND list_id = %s RETURNING verdict",
                [inline.account_id, recipient_id, inline.pk],
            )
            row = cursor.fetchone()
        if row is None:
            raise NotFound("There is no such recipient", code="recipient_not_found")
        inline.valid_count -= row[0] != Status.MALFORMED
        inline.invalid_count -= row[0] == Status.MALFORMED
        inline.duplicate_count -= row[0] == Status.DUPLICATE
        inline.save()
        campaigns.touch(fresh)


def _own_list(campaign: Campaign) -> List | None:
    link = CampaignList.objects.filter(campaign=campaign, list__kind=List.Kind.INLINE).select_related("list").first()
    return link.list if link else None


def _new_list(campaign: Campaign, name: str) -> List:
    inline = List.objects.create(
        account_id=campaign.account_id,
        user_id=campaign.user_id,
        name=name,
        kind=List.Kind.INLINE,
        origin=campaign.origin if campaign.origin in ("web", "api", "cli") else "web",
        state=List.State.READY,
        mobile_column="mobile",
        header=["mobile"],
    )
    CampaignList.objects.create(campaign=campaign, list=inline, position=999)
    return inline


def _widen(inline: List, rows: Sequence[Mapping[str, str]]) -> None:
    """Add the rows' columns to the header; the mobile column keeps the name of the first rows."""
    for row in rows:
        for column in row:
            if inline.size == 0 and inline.mobile_column == "mobile" and column != "mobile" and is_mobile_name(column):
                inline.header[inline.header.index("mobile")] = inline.mobile_column = column
            elif column not in inline.header:
                inline.header.append(column)


def _numbers_of(inline: List) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT msisdn FROM recipient WHERE list_id = %s AND msisdn IS NOT NULL", [inline.pk])
        return {row[0] for row in cursor.fetchall()}
