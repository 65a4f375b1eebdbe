"""Orders without prior validation (API startNow, or a launch of something not prepared): prepare and launch in one go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from carillon.domain.errors import CarillonError
from carillon.models import Campaign, User
from carillon.services import campaigns, launching, preparation
from carillon.services.deferral import defer

Progress = Callable[[int, int], None]


def order(campaign: Campaign, *, actor: User | None, at: datetime | None, now: datetime) -> Campaign:
    """Answer at once with INJECTING; the job "campaigns.inject" does the rest. A date that is refused is refused here."""
    launching.check_date(campaign, at, now)
    with transaction.atomic():
        fresh = campaigns.lock_draft(campaign.pk)
        fresh.state = Campaign.State.INJECTING
        fresh.save()
        defer(
            "campaigns.inject",
            campaign_id=fresh.pk,
            user_id=actor.pk if actor else None,
            scheduled=at.isoformat() if at else None,
        )
    return fresh


def inject(
    campaign_id: int, *, actor: User | None, at: datetime | None = None, now: datetime, progress: Progress | None = None
) -> Campaign:
    """Lacking credit ends as status 8 for everyone. What breaks leaves the campaign FAILED with the sentence that says why."""
    try:
        campaign = preparation.prepare(campaign_id, progress=progress, is_injecting=True)
        return launching.launch(campaign, actor=actor, at=at, now=now, on_lack="mark", is_injecting=True)
    except CarillonError as error:
        Campaign.objects.filter(pk=campaign_id, state=Campaign.State.INJECTING).update(
            state=Campaign.State.FAILED, error=error.kept()
        )
        raise
