"""NPAI: unassigned numbers an account no longer writes to. Advice: only those unassigned in two campaigns in a row (D8, X33)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from carillon.domain.status import Status
from carillon.models import Account, Campaign, Npai

UNASSIGNED = [int(Status.UNASSIGNED), int(Status.UNASSIGNED_P2P)]

CANDIDATES = """
WITH gone AS (
    SELECT DISTINCT m.msisdn, m.id FROM submission s JOIN message m ON m.id = s.message_id
    WHERE s.message_id BETWEEN %(first)s AND %(last)s AND s.campaign_id = %(campaign)s AND s.submitted_at >= %(launched)s
      AND s.status = ANY(%(unassigned)s) AND m.campaign_id = %(campaign)s
)
SELECT g.msisdn, EXISTS (
    SELECT 1 FROM (
        SELECT p.id FROM message p JOIN campaign c ON c.id = p.campaign_id
        WHERE p.msisdn = g.msisdn AND p.account_id = %(account)s AND p.id < g.id AND p.status = 1
          AND p.campaign_id <> %(campaign)s AND c.origin NOT IN ('test', 'system')
        ORDER BY p.id DESC LIMIT 1
    ) before JOIN submission s ON s.message_id = before.id WHERE s.status = ANY(%(unassigned)s)
) FROM gone g WHERE NOT EXISTS (SELECT 1 FROM npai n WHERE n.account_id = %(account)s AND n.msisdn = g.msisdn)
"""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Numbers of one report that are not kept as NPAI yet. `twice`: also unassigned in the campaign before this one."""

    all: list[int]
    twice: list[int]


def candidates(campaign: Campaign) -> Candidates:
    if campaign.first_message_id is None or campaign.launched_at is None:
        return Candidates([], [])
    with connection.cursor() as cursor:
        cursor.execute(
            CANDIDATES,
            {
                "first": campaign.first_message_id,
                "last": campaign.last_message_id,
                "campaign": campaign.pk,
                "account": campaign.account_id,
                "launched": campaign.launched_at,
                "unassigned": UNASSIGNED,
            },
        )
        rows = cursor.fetchall()
    return Candidates(sorted({n for n, _ in rows}), sorted({n for n, is_twice in rows if is_twice}))


def add(account: Account, msisdns: Iterable[int], *, source: str, campaign_id: int | None = None) -> int:
    """Never write to these numbers again; returns how many are new. `source`: report, web or import."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO npai (account_id, msisdn, source, campaign_id) SELECT %s, n, %s, %s FROM unnest(%s::bigint[]) AS n"
            " ON CONFLICT DO NOTHING",
            [account.pk, source, campaign_id, sorted(set(msisdns))],
        )
        return int(cursor.rowcount)


def visible(account: Account, *, text: str = "") -> QuerySet[Npai]:
    """Newest first. `text`: the beginning of a number, in any writing."""
    found = Npai.objects.filter(account_id=account.pk).order_by("-created_at", "msisdn")
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    return found.filter(begins_with(digits)) if digits else found


def begins_with(digits: str) -> Q:
    """Numbers that begin so, in international or French writing: ranges, which an index can find."""
    condition = Q(msisdn=-1)
    for start in (digits, f"33{digits}"):
        for more in range(max(16 - len(start), 0)):
            condition |= Q(msisdn__gte=int(start) * 10**more, msisdn__lt=(int(start) + 1) * 10**more)
    return condition


def remove(account: Account, msisdns: Iterable[int]) -> int:
    """These numbers may be written to again; gives how many were there."""
    deleted, _ = Npai.objects.filter(account_id=account.pk, msisdn__in=list(msisdns)).delete()
    return deleted


def csv_pieces(account: Account) -> Iterator[bytes]:
    yield "\ufeffMOBILE;ORIGINE;CAMPAGNE;DATE\r\n".encode()
    after = 0
    while rows := list(Npai.objects.filter(account_id=account.pk, msisdn__gt=after).order_by("msisdn")[:5000]):
        after = rows[-1].msisdn
        lines = (
            f"{r.msisdn};{r.source};{r.campaign_id or ''};{timezone.localtime(r.created_at):%d/%m/%Y %H:%M:%S}\r\n"
            for r in rows
        )
        yield "".join(lines).encode()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A campaign some of whose numbers were unassigned twice in a row and are not kept as NPAI yet."""

    campaign: Campaign
    twice: int
    all: int


def proposals(account: Account, *, most: int = 5) -> list[Proposal]:
    """Looks at the last campaigns that met unassigned numbers: for a part of a page that comes after the rest."""
    found = Campaign.objects.filter(account=account, launched_at__isnull=False, deleted_at=None)
    found = found.exclude(origin__in=("test", "system")).order_by("-launched_at")
    made = []
    for campaign in found[:most]:
        known = candidates(campaign)
        if known.all:
            made.append(Proposal(campaign, len(known.twice), len(known.all)))
    return made
