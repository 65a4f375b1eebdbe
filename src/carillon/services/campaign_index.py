"""Finding campaigns: the filters of "Mes campagnes", and the export of what they find.

Statuses as a person sees them (guide §3): a campaign is finished when every recipient is final or 48 hours have passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from carillon.models import Campaign, User
from carillon.services import campaigns

FINISHED_AFTER = timedelta(hours=48)
State = Campaign.State


class Stage(StrEnum):
    DRAFT = "draft"  # « En création »
    SCHEDULED = "scheduled"
    RUNNING = "running"
    FINISHED = "finished"


class Flow(StrEnum):
    SMS = "sms"
    VMS = "vms"
    UNIT = "unit"  # one inline recipient
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person asked for; empty values ask nothing. `text` is part of a name, or a campaign's number."""

    text: str = ""
    user_id: int | None = None
    flow: Flow | None = None
    stage: Stage | None = None
    since: date | None = None
    until: date | None = None


def stage(campaign: Campaign, *, now: datetime) -> Stage:
    if campaign.state == State.DRAFT:
        return Stage.DRAFT
    if campaign.state == State.SCHEDULED:
        return Stage.SCHEDULED
    if campaign.state == State.FAILED or campaign.finished_at or campaign.cancelled_at:
        return Stage.FINISHED
    is_old = campaign.state == State.INJECTED and campaign.launched_at and campaign.launched_at < now - FINISHED_AFTER
    return Stage.FINISHED if is_old else Stage.RUNNING


def search(actor: User, filters: Filters, *, now: datetime) -> QuerySet[Campaign]:
    """The actor's campaigns that match, newest first. Test sends are not campaigns of their own and stay out."""
    found = campaigns.visible(actor).filter(parent__isnull=True).exclude(origin="system")
    if filters.text:
        found = found.filter(_named(filters.text))
    if filters.user_id is not None:
        found = found.filter(user_id=filters.user_id)
    if filters.flow is not None:
        found = found.filter(_FLOWS[filters.flow])
    if filters.stage is not None:
        found = found.filter(_in_stage(filters.stage, now))
    if filters.since or filters.until:
        found = _dated(found, filters)
    return found.select_related("user", "account").order_by("-created_at", "-id")


def latest(actor: User, *, drafts: bool, limit: int = 10) -> list[Campaign]:
    """The dashboard's two blocks: last drafts, or last campaigns that are scheduled, running or finished."""
    found = campaigns.visible(actor).filter(parent__isnull=True).exclude(origin="system")
    found = found.filter(state=State.DRAFT) if drafts else found.exclude(state=State.DRAFT)
    return list(
        found.select_related("user", "account").order_by("-updated_at" if drafts else "-created_at", "-id")[:limit]
    )


def _named(text: str) -> Q:
    named = Q(name__icontains=text)
    return named | Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else named


_FLOWS = {
    Flow.SMS: Q(medium="SMS"),
    Flow.VMS: Q(medium="VMS"),
    Flow.UNIT: Q(is_unit=True),
    Flow.CAMPAIGN: Q(is_unit=False),
}


def _in_stage(wanted: Stage, now: datetime) -> Q:
    if wanted is Stage.DRAFT:
        return Q(state=State.DRAFT)
    if wanted is Stage.SCHEDULED:
        return Q(state=State.SCHEDULED)
    is_started = Q(state__in=[State.INJECTING, State.INPROGRESS, State.INJECTED])
    is_old = Q(state=State.INJECTED, launched_at__lt=now - FINISHED_AFTER)
    is_finished = Q(state=State.FAILED) | is_started & (
        Q(finished_at__isnull=False) | Q(cancelled_at__isnull=False) | is_old
    )
    return is_finished if wanted is Stage.FINISHED else is_started & ~is_finished


def _dated(found: QuerySet[Campaign], filters: Filters) -> QuerySet[Campaign]:
    """By the day it was or will be sent, else made, in the time zone of the request."""
    found = found.alias(at=Coalesce("scheduled_at", "launched_at", "created_at"))
    if filters.since:
        found = found.filter(at__gte=timezone.make_aware(datetime.combine(filters.since, time.min)))
    if filters.until and filters.until < date.max:
        found = found.filter(at__lt=timezone.make_aware(datetime.combine(filters.until + timedelta(days=1), time.min)))
    return found
