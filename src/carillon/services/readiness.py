"""Before the last button: the draft judged afresh, and who will have to wait for their own legal hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from carillon.domain import hours
from carillon.models import Campaign, List
from carillon.services import campaigns, launching, preparation
from carillon.services.deferral import defer

AT_ONCE = 20_000  # recipients judged while the page is asked for: well under a second
STALE_AFTER = timedelta(minutes=10)  # opt-outs, tariffs and routes change


def is_fresh(campaign: Campaign, *, now: datetime) -> bool:
    """Whether what the preparation found still holds."""
    if campaign.prepared_at is None or campaign.prepared_at < now - STALE_AFTER:
        return False
    return not any(item.updated_at > campaign.prepared_at for item in _lists(campaign))


def _lists(campaign: Campaign) -> list[List]:
    return [*campaigns.lists_of(campaign), *campaigns.lists_of(campaign, excluded=True)]


def ensure(campaign: Campaign, *, now: datetime) -> Campaign:
    """Prepare a short campaign now, ask for a long one's preparation in the background (then `prepared_at` may still be None).

    Raises InvalidInput or Conflict when the campaign as a whole cannot be sent, as the preparation does.
    """
    if is_fresh(campaign, now=now):
        return campaign
    if sum(item.size for item in preparation.sources_of(campaign)) <= AT_ONCE:
        return preparation.prepare(campaign.pk)
    drafts = Campaign.objects.filter(pk=campaign.pk, state__in=(Campaign.State.DRAFT, Campaign.State.FAILED))
    drafts.update(error="", prepared_at=None, done_count=0)  # it may just have been launched in another window
    defer(
        "campaigns.prepare",
        campaign_id=campaign.pk,
        lock=f"campaign-{campaign.pk}",
        queueing_lock=f"prepare-{campaign.pk}",
    )
    campaign.refresh_from_db()
    return campaign


@dataclass(frozen=True, slots=True)
class Waiting:
    """Recipients of one calendar for whom the chosen moment is closed."""

    calendar: str
    n: int
    closure: hours.Closure
    opens_at: datetime


def waiting(campaign: Campaign, at: datetime) -> list[Waiting]:
    """Whom a start at `at` will make wait: other time zones, other holidays. Most recipients first."""
    if launching.is_free_of_hours(campaign):
        return []
    closing = campaign.account.closes_at_hour
    with connection.cursor() as cursor:
        cursor.execute("SELECT calendar, sum(n) FROM slice WHERE campaign_id = %s GROUP BY calendar", [campaign.pk])
        counted = cursor.fetchall()
    found = []
    for calendar, n in counted:
        closure = hours.explain(calendar, at, closing) if calendar else None
        if closure is not None:
            found.append(Waiting(calendar, int(n), closure, hours.next_open(calendar, at, closing)))
    return sorted(found, key=lambda one: -one.n)
