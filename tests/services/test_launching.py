"""From a prepared draft to a running, scheduled, paused or cancelled campaign; and what happens to the credits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carillon.domain.errors import Conflict, InsufficientCredit, InvalidInput
from carillon.models import Account, Campaign, Ledger, Slice
from carillon.services import counts, credits, injection, launching, preparation
from tests.builders import make_account, make_campaign, make_connector, make_list

pytestmark = pytest.mark.django_db

OPEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in Paris
NIGHT = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 12, 6, 10, 0, tzinfo=UTC)


def prepared(numbers: int = 2, **changes: object) -> Campaign:
    make_connector()
    account = make_account(**{k: v for k, v in changes.items() if k in ACCOUNT})
    item = make_list(account, [f"06123456{n:02}" for n in range(numbers)])
    campaign = make_campaign(account, lists=[item], **{k: v for k, v in changes.items() if k not in ACCOUNT})
    return preparation.prepare(campaign.pk)


ACCOUNT = {"balance", "is_test", "ignores_legal_hours", "credit_mode", "parent"}


def money(campaign: Campaign) -> tuple[int, int]:
    account = Account.objects.get(pk=campaign.payer_id)
    return account.balance, account.held


def test_launching_now_reserves_and_starts() -> None:
    campaign = launching.launch(prepared(), actor=None, now=OPEN)
    assert (campaign.state, campaign.is_sending, campaign.reserved) == ("INPROGRESS", True, 200)
    assert money(campaign) == (100_000, 200)
    assert list(Ledger.objects.filter(campaign_id=campaign.pk).values_list("kind", "held")) == [("reserve", 200)]


def test_launching_twice_sends_once() -> None:
    campaign = prepared()
    launching.launch(campaign, actor=None, now=OPEN)
    with pytest.raises(Conflict, match="INPROGRESS"):
        launching.launch(campaign, actor=None, now=OPEN)
    assert money(campaign) == (100_000, 200)


def test_an_unprepared_campaign_is_not_launched() -> None:
    with pytest.raises(Conflict, match="Prepare"):
        launching.launch(make_campaign(), actor=None, now=OPEN)


@pytest.mark.parametrize(("now", "opens"), [(NIGHT, (2, 7)), (SUNDAY, (7, 7))], ids=["night", "sunday"])
def test_marketing_out_of_hours_waits_for_the_next_legal_moment(now: datetime, opens: tuple[int, int]) -> None:
    campaign = launching.launch(prepared(), actor=None, now=now)
    assert campaign.state == "SCHEDULED" and not campaign.is_sending
    assert campaign.scheduled_at == datetime(2026, 12, *opens, tzinfo=UTC)
    assert "out_of_hours" in [w["code"] for w in campaign.warnings]


def test_notifications_leave_at_any_hour() -> None:
    assert launching.launch(prepared(traffic="NOTIFICATION"), actor=None, now=SUNDAY).state == "INPROGRESS"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (OPEN - timedelta(hours=1), "date_in_the_past"),
        (OPEN + timedelta(minutes=4), "date_too_close"),
        (NIGHT, "out_of_hours"),
        (datetime(2026, 12, 25, 10, 0, tzinfo=UTC), "out_of_hours"),
    ],
)
def test_dates_that_are_refused(at: datetime, code: str) -> None:
    campaign = prepared()
    with pytest.raises(InvalidInput) as refusal:
        launching.launch(campaign, actor=None, at=at, now=OPEN)
    assert refusal.value.code == code
    assert money(campaign) == (100_000, 0)


def test_a_scheduled_campaign_starts_at_its_time_and_only_once() -> None:
    at = OPEN + timedelta(hours=2)
    campaign = launching.launch(prepared(), actor=None, at=at, now=OPEN)
    assert not launching.start(campaign.pk, now=at - timedelta(seconds=1))
    assert launching.start_due(at) == 1
    assert launching.start_due(at) == 0
    campaign.refresh_from_db()
    assert (campaign.state, campaign.is_sending) == ("INPROGRESS", True)


def test_cancelling_a_schedule_gives_the_credits_back_until_ten_seconds_before() -> None:
    at = OPEN + timedelta(hours=2)
    campaign = launching.launch(prepared(), actor=None, at=at, now=OPEN)
    with pytest.raises(Conflict, match="10 seconds"):
        launching.cancel_schedule(campaign, actor=None, now=at - timedelta(seconds=9))
    campaign = launching.cancel_schedule(campaign, actor=None, now=at - timedelta(seconds=11))
    assert campaign.state == "DRAFT"
    assert money(campaign) == (100_000, 0)
    assert launching.launch(campaign, actor=None, now=OPEN).state == "INPROGRESS"


def test_lacking_credit_refuses_or_marks() -> None:
    campaign = prepared(balance=100)
    with pytest.raises(InsufficientCredit) as refusal:
        launching.launch(campaign, actor=None, now=OPEN)
    assert (refusal.value.needed, refusal.value.available) == (200, 100)
    campaign = launching.launch(campaign, actor=None, now=OPEN, on_lack="mark")
    assert (campaign.state, campaign.is_sending) == ("INJECTED", False)
    assert counts.by_status(campaign.pk) == {8: 2}
    assert money(campaign) == (100, 0)


def test_postpaid_accounts_never_lack_credit() -> None:
    assert launching.launch(prepared(balance=0, credit_mode="postpaid"), actor=None, now=OPEN).state == "INPROGRESS"


def test_an_unlimited_sub_account_spends_its_parents_credits() -> None:
    parent = make_account(balance=1000)
    campaign = launching.launch(prepared(balance=0, credit_mode="unlimited", parent=parent), actor=None, now=OPEN)
    assert campaign.payer_id == parent.pk
    assert money(campaign) == (1000, 200)


def test_a_draft_of_a_sub_account_that_is_no_longer_unlimited_spends_its_own_credits() -> None:
    parent = make_account(balance=500)
    campaign = prepared(parent=parent, credit_mode="unlimited", balance=0)
    Account.objects.filter(pk=campaign.account_id).update(credit_mode="limited")
    with pytest.raises(InsufficientCredit):
        launching.launch(campaign, actor=None, now=OPEN)
    assert money(campaign) == (500, 0)
    Account.objects.filter(pk=campaign.account_id).update(balance=500)
    launched = launching.launch(campaign, actor=None, now=OPEN)
    assert launched.payer_id == campaign.account_id and money(launched) == (500, 200)
    assert money(campaign) == (500, 0)


def test_pause_resume_and_cancel_the_rest() -> None:
    campaign = launching.launch(prepared(), actor=None, now=OPEN)
    campaign = launching.pause(campaign, reason="by hand", now=OPEN)
    assert not campaign.is_sending and campaign.paused_reason == "by hand"
    with pytest.raises(Conflict):
        launching.pause(prepared(), now=OPEN)
    assert launching.resume(campaign).is_sending
    Slice.objects.filter(campaign_id=campaign.pk).update(cursor_id=campaign.first_message_id)  # one is handed over
    campaign = launching.cancel_rest(campaign, actor=None, now=OPEN)
    assert counts.by_status(campaign.pk) == {1: 1, 23: 1}
    assert money(campaign) == (100_000, 100)
    assert launching.sweep_cancelled(campaign.pk) == 0


def test_injection_prepares_and_launches_and_says_why_it_failed() -> None:
    make_connector()
    account = make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    campaign = injection.order(campaign, actor=None, at=None, now=OPEN)
    assert campaign.state == "INJECTING"
    assert injection.inject(campaign.pk, actor=None, now=OPEN).state == "INPROGRESS"

    broken = injection.order(make_campaign(account), actor=None, at=None, now=OPEN)
    with pytest.raises(InvalidInput):
        injection.inject(broken.pk, actor=None, now=OPEN)
    broken.refresh_from_db()
    assert broken.state == "FAILED" and "recipient" in broken.error


def test_transfers_and_grants_are_kept_in_the_ledger() -> None:
    one, two = make_account(balance=1000), make_account(balance=0)
    credits.transfer(one, two, 300)
    with pytest.raises(InsufficientCredit):
        credits.transfer(one, two, 701)
    credits.grant(two, 50, note="gift")
    with pytest.raises(InvalidInput):
        credits.grant(two, -351)
    for account, expected in ((one, 700), (two, 350)):
        account.refresh_from_db()
        assert account.balance == expected
    assert Ledger.objects.filter(account_id=two.pk).count() == 2
