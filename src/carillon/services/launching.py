"""From a prepared draft to a campaign that runs: launch, schedule, cancel, pause, resume, cancel the rest.

The row's state is the queue: `is_sending` is what gateways look at before each intent, so pause and cancel need no job surgery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from carillon.domain import hours, pauses
from carillon.domain.errors import Conflict, InsufficientCredit, InvalidInput
from carillon.domain.status import Status
from carillon.models import Account, Campaign, Link, Slice, User
from carillon.services import accounts, campaigns, counts, credits
from carillon.services.deferral import defer

LEAST_AHEAD = timedelta(minutes=5)  # API guide §2.1, scheduleOn
CANCEL_UNTIL = timedelta(seconds=10)  # API guide §2.8
HOLD = timedelta(seconds=10)  # how long a person may call an immediate launch back
LACK_OF_CREDIT = "insufficient_credit"


@dataclass(frozen=True, slots=True)
class Window:
    """When a campaign may go. `is_open` now; else `opens_at` and why it is closed."""

    is_open: bool
    opens_at: datetime
    closure: hours.Closure | None = None

    @property
    def why(self) -> str:
        return self.closure.sentence("en") if self.closure is not None else ""


def is_free_of_hours(campaign: Campaign) -> bool:
    """Notifications may go at any time; so may a test account that chose to ignore the hours."""
    account = campaign.account
    return not campaign.is_marketing or (account.is_test and account.ignores_legal_hours)


def window_at(campaign: Campaign, at: datetime) -> Window:
    """The legal window of the account's own calendar; recipients elsewhere have their own, looked at while sending."""
    if is_free_of_hours(campaign):
        return Window(True, at)
    calendar, closing = base_calendar(campaign), campaign.account.closes_at_hour
    if hours.is_open(calendar, at, closes_at_hour=closing):
        return Window(True, at)
    opens = hours.next_open(calendar, at, closes_at_hour=closing)
    return Window(False, opens, hours.explain(calendar, at, closes_at_hour=closing))


def base_calendar(campaign: Campaign) -> str:
    first = (campaign.account.countries or ["FR"])[0]
    return hours.calendar_for("FR" if "FR" in (campaign.account.countries or ["FR"]) else first)


def launch(
    campaign: Campaign,
    *,
    actor: User | None,
    at: datetime | None = None,
    now: datetime,
    on_lack: str = "refuse",
    is_injecting: bool = False,
    hold: timedelta = timedelta(0),
) -> Campaign:
    """Reserve credits, then start or schedule. The campaign must be prepared.

    `at` (aware) must be 5 minutes ahead and within legal hours; without it, a marketing campaign launched out of hours is
    scheduled at the next legal moment, and its `warnings` say so.
    `on_lack` is "refuse" (InsufficientCredit, nothing changes) or "mark" (every recipient ends with status 8).
    `hold`: an immediate launch waits so long (HOLD at most), SCHEDULED, and may be cancelled until it starts.
    """
    opening = check_date(campaign, at, now)
    when = now + min(hold, HOLD) if opening == now else opening
    with transaction.atomic():
        fresh = campaigns.lock_draft(campaign.pk, is_injecting=is_injecting)
        check_open(fresh)
        if fresh.prepared_at is None:
            raise Conflict("Prepare the campaign before launching it", code="not_prepared")
        if fresh.valid_count == 0:
            return _finish_empty(fresh, now)
        try:
            credits.reserve(fresh, fresh.price, user=actor)
        except InsufficientCredit:
            if on_lack != "mark":
                raise
            return _mark_lack(fresh, now)
        fresh.reserved = fresh.price
        fresh.launched_at = now
        fresh.cancelled_at = fresh.paused_at = fresh.finished_at = None
        if when > now:
            if at is None and opening > now:
                fresh.warnings = [*fresh.warnings, {"code": "out_of_hours", "at": when.isoformat()}]
            fresh.state, fresh.scheduled_at = Campaign.State.SCHEDULED, when
            defer("campaigns.start", campaign_id=fresh.pk, at=when)
        else:
            _start(fresh, now)
        fresh.version += 1
        fresh.save()
    return fresh


def check_open(campaign: Campaign) -> None:
    if not accounts.is_open(campaign.account):
        raise Conflict("This account is closed: nothing leaves it", code="account_closed")


def check_date(campaign: Campaign, at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return window_at(campaign, now).opens_at
    if at < now:
        raise InvalidInput("This date is in the past", field="scheduleOn", code="date_in_the_past")
    if at < now + LEAST_AHEAD:
        raise InvalidInput(
            "A scheduled campaign must start at least 5 minutes from now", field="scheduleOn", code="date_too_close"
        )
    window = window_at(campaign, at)
    if not window.is_open:
        raise InvalidInput(
            f"Marketing is not allowed then ({window.why}); the next allowed moment is {window.opens_at.isoformat()}",
            field="scheduleOn",
            code="out_of_hours",
        )
    return at


def _start(campaign: Campaign, now: datetime) -> None:
    campaign.state, campaign.is_sending = Campaign.State.INPROGRESS, True
    campaign.scheduled_at = campaign.scheduled_at or now
    for link in Link.objects.filter(campaign=campaign):
        link.ends_at = now + timedelta(days=link.life_days)
        link.save(update_fields=["ends_at"])


def _finish_empty(campaign: Campaign, now: datetime) -> Campaign:
    """Every recipient was refused: the campaign is over as soon as it starts."""
    campaign.state, campaign.is_sending = Campaign.State.INJECTED, False
    campaign.launched_at = campaign.finished_at = campaign.scheduled_at = now
    campaign.version += 1
    campaign.save()
    return campaign


def _mark_lack(campaign: Campaign, now: datetime) -> Campaign:
    Slice.objects.filter(campaign_id=campaign.pk).update(state=Slice.CANCELLED)
    counts.add(campaign.pk, {Status.IN_PROGRESS: -campaign.valid_count, Status.CREDIT: campaign.valid_count})
    campaign.error = LACK_OF_CREDIT
    return _finish_empty(campaign, now)


@transaction.atomic
def start(campaign_id: int, *, now: datetime) -> bool:
    """Start a scheduled campaign whose time has come; False when there is nothing to start. May be called again at will."""
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("account").get(pk=campaign_id)
    if campaign.state != Campaign.State.SCHEDULED or (campaign.scheduled_at or now) > now:
        return False
    if not accounts.is_open(campaign.account):
        return False
    _start(campaign, now)
    campaign.save()
    return True


def start_due(now: datetime) -> int:
    """Start every scheduled campaign that is due (a safety net under the job deferred at launch)."""
    due = Campaign.objects.filter(state=Campaign.State.SCHEDULED, scheduled_at__lte=now).values_list("pk", flat=True)
    return sum(start(pk, now=now) for pk in list(due))


@transaction.atomic
def cancel_schedule(campaign: Campaign, *, actor: User | None, now: datetime) -> Campaign:
    """Back to DRAFT, up to 10 seconds before the start (a held one: until it starts); what was reserved is released."""
    fresh = Campaign.objects.select_for_update(of=("self",)).select_related("account", "payer").get(pk=campaign.pk)
    if fresh.state != Campaign.State.SCHEDULED:
        raise Conflict(f"Campaign {fresh.pk} is {fresh.state}, not SCHEDULED", code="not_scheduled")
    if fresh.scheduled_at is not None and fresh.scheduled_at - now < CANCEL_UNTIL and not is_held(fresh):
        raise Conflict("It starts in less than 10 seconds: too late to cancel", code="too_late")
    return _unscheduled(fresh, actor=actor, note="schedule cancelled")


def _unscheduled(fresh: Campaign, *, actor: User | None, note: str) -> Campaign:
    credits.refund(fresh.payer_id, fresh.pk, fresh.reserved, note=note, user=actor)
    fresh.state, fresh.reserved, fresh.launched_at, fresh.scheduled_at = Campaign.State.DRAFT, 0, None, None
    fresh.warnings = [w for w in fresh.warnings if w.get("code") != "out_of_hours"]
    fresh.version += 1
    fresh.save()
    return fresh


@transaction.atomic
def stop_all(account: Account, *, now: datetime) -> None:
    """The account and its sub-accounts are closed: what is scheduled becomes a draft again, what runs is paused."""
    mine = Campaign.objects.filter(Q(account=account) | Q(account__parent=account))
    for fresh in mine.filter(state=Campaign.State.SCHEDULED).select_for_update(of=("self",)):
        _unscheduled(fresh, actor=None, note="account closed")
    running = mine.filter(state=Campaign.State.INPROGRESS, is_sending=True, cancelled_at=None)
    running.exclude(origin="system").update(is_sending=False, paused_at=now, paused_reason=pauses.ACCOUNT_CLOSED)


def is_held(campaign: Campaign) -> bool:
    """Launched for at once, and still in the seconds in which it may be called back."""
    begun, starts = campaign.launched_at, campaign.scheduled_at
    return campaign.state == Campaign.State.SCHEDULED and None not in (begun, starts) and starts - begun <= HOLD  # type: ignore[operator]


def pause(campaign: Campaign, *, reason: str = "", now: datetime) -> Campaign:
    """Stop within one window of the gateway. Raises Conflict unless it runs."""
    done = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.INPROGRESS, cancelled_at=None).update(
        is_sending=False, paused_at=now, paused_reason=reason
    )
    if not done:
        raise Conflict(f"Campaign {campaign.pk} is not running", code="not_running")
    campaign.refresh_from_db()
    return campaign


def resume(campaign: Campaign) -> Campaign:
    check_open(campaign)
    done = (
        Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.INPROGRESS, cancelled_at=None)
        .exclude(paused_at=None)
        .update(is_sending=True, paused_at=None, paused_reason="")
    )
    if not done:
        raise Conflict(f"Campaign {campaign.pk} is not paused", code="not_paused")
    campaign.refresh_from_db()
    return campaign


def cancel_rest(campaign: Campaign, *, actor: User | None, now: datetime) -> Campaign:
    """Never hand over what is not handed over yet: those end as 23 and are refunded (X20).

    Slices a gateway still holds come back to ready by themselves; `sweep_cancelled` takes them then.
    """
    done = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.INPROGRESS, cancelled_at=None).update(
        is_sending=False, cancelled_at=now, paused_at=None
    )
    if not done:
        raise Conflict(f"Campaign {campaign.pk} is not running", code="not_running")
    sweep_cancelled(campaign.pk, actor=actor)
    defer("campaigns.sweep_cancelled")
    campaign.refresh_from_db()
    return campaign


CANCEL_READY = """
WITH taken AS (
    UPDATE slice SET state = 4 WHERE campaign_id = %s AND state = 1 RETURNING connector_id, cursor_id, last_id
)
SELECT count(m.id), coalesce(sum(m.price), 0) FROM taken t
JOIN message m ON m.connector_id = t.connector_id AND m.id > t.cursor_id AND m.id <= t.last_id AND m.campaign_id = %s
"""


@transaction.atomic
def sweep_cancelled(campaign_id: int, *, actor: User | None = None) -> int:
    """Cancel the ready slices of a cancelled campaign; returns how many messages were taken back."""
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign_id)
    if campaign.cancelled_at is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(CANCEL_READY, [campaign_id, campaign_id])
        n, price = cursor.fetchone()
    if n:
        counts.add(campaign_id, {Status.IN_PROGRESS: -n, Status.DELETED: n})
        credits.refund(campaign.payer_id, campaign_id, int(price), note="rest cancelled", user=actor)
    return int(n)


def sweep_all_cancelled() -> int:
    """For the periodic job: every cancelled campaign that still has ready slices."""
    open_ids = Campaign.objects.filter(state=Campaign.State.INPROGRESS).exclude(cancelled_at=None)
    return sum(sweep_cancelled(pk) for pk in list(open_ids.values_list("pk", flat=True)))
