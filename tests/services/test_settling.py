"""What time and late news settle: receipts that missed their answer, doubts, the end of validity, the end of campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from carillon.domain.traffic import Answer, Receipt
from carillon.models import Campaign, Connector
from carillon.services import completion, expiry, matching, safeguards
from tests import builders
from tests.desk import Desk, answers, receipt

NOW = timedelta()


@pytest.fixture
def connector(shared_db: str) -> Connector:
    return builders.make_connector()


@pytest.fixture
def desk(shared_db: str, connector: Connector) -> Iterator[Desk]:
    sitting = Desk(shared_db, connector)
    yield sitting
    sitting.close()


def make(connector: Connector, n: int = 1, **changes: object) -> Campaign:
    account = builders.make_account(balance=1_000_000)
    return builders.make_sendable_campaign(connector, n=n, account=account, **changes)  # type: ignore[arg-type]


def finding_of(desk: Desk, *campaigns: Campaign) -> tuple[list[str], int]:
    finding = desk.audit(*(campaign.account for campaign in campaigns))
    return finding.faults, finding.in_doubt


def test_a_receipt_another_process_kept_finds_its_answer(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    (message,) = desk.take_all()
    desk.tick(receipts=[receipt(message, 16)])
    desk.run.unmatched.clear()  # as if the other seat had read it
    desk.tick(answered=[answers(message, 24)])
    assert desk.statuses(campaign.pk) == {24: 1}
    assert matching.match_known() >= 1
    assert desk.statuses(campaign.pk) == {16: 1}
    assert finding_of(desk, campaign) == ([], 0)


def test_a_doubt_is_settled_by_the_receipt_for_its_number(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2)
    known, unknown = desk.take_all()
    desk.tick(lost=[(known, []), (unknown, [])])
    desk.tick(receipts=[Receipt("nobody knows this id", 20, 5, known.msisdn)])
    matching.settle_by_number(after=timedelta(hours=1))
    assert desk.statuses(campaign.pk) == {9: 2}
    matching.settle_by_number(after=NOW)
    assert desk.statuses(campaign.pk) == {20: 1, 9: 1}
    assert finding_of(desk, campaign) == ([], 1)


def test_two_doubts_of_one_number_wait_for_both_receipts(desk: Desk, connector: Connector) -> None:
    campaigns = [make(connector, first_msisdn=33603000001), make(connector, first_msisdn=33603000001)]
    desk.tick(lost=[(message, []) for message in desk.take_all()])
    desk.tick(receipts=[Receipt("one", 16, 0, 33603000001)])
    matching.settle_by_number(after=NOW)
    assert finding_of(desk, *campaigns) == ([], 2)
    desk.tick(receipts=[Receipt("two", 20, 0, 33603000001)])
    matching.settle_by_number(after=NOW)
    assert finding_of(desk, *campaigns) == ([], 0)
    assert [desk.statuses(campaign.pk) for campaign in campaigns] == [{16: 1}, {20: 1}]


def test_a_long_message_in_doubt_needs_a_receipt_for_each_segment(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, segments=2, price=200, first_msisdn=33604000001)
    (message,) = desk.take_all()
    desk.tick(lost=[(message, [Answer(message.message_id, 1, 2, 24, "first half")])])
    desk.tick(receipts=[Receipt("first half", 16)])
    matching.settle_by_number(after=NOW)
    assert finding_of(desk, campaign) == ([], 1)
    desk.tick(receipts=[Receipt("second half", 16, 0, message.msisdn)])
    matching.settle_by_number(after=NOW)
    assert finding_of(desk, campaign) == ([], 0)
    assert desk.statuses(campaign.pk) == {16: 1}


def age(desk: Desk, campaign: Campaign, hours: int) -> None:
    desk.connection.execute(
        "UPDATE campaign SET launched_at = launched_at - %(h)s * interval '1 hour',"
        " scheduled_at = scheduled_at - %(h)s * interval '1 hour' WHERE id = %(k)s",
        {"h": hours, "k": campaign.pk},
    )
    desk.connection.execute(
        "UPDATE submission SET submitted_at = submitted_at - %s * interval '1 hour' WHERE campaign_id = %s",
        [hours, campaign.pk],
    )
    desk.connection.execute(
        "UPDATE doubt SET at = at - %s * interval '1 hour' WHERE campaign_id = %s", [hours, campaign.pk]
    )


@pytest.mark.parametrize(("is_notification", "posted"), [(False, 10), (True, 28)])
def test_at_the_end_of_validity(desk: Desk, connector: Connector, is_notification: bool, posted: int) -> None:
    campaign = make(connector, 4, is_notification=is_notification)
    silent, away, lost, delivered = desk.take_all()
    desk.tick(answered=[answers(message, 24) for message in (silent, away, delivered)], lost=[(lost, [])])
    desk.tick(receipts=[receipt(away, 31), receipt(delivered, 16)])
    age(desk, campaign, 47)
    expiry.expire(now=timezone.now())
    assert desk.statuses(campaign.pk)[24] == 1
    age(desk, campaign, 2)
    expiry.expire(now=timezone.now())
    expiry.expire(now=timezone.now())
    assert desk.statuses(campaign.pk) == {posted: 1, 22: 1, 12: 1, 21 if is_notification else 16: 1}
    assert finding_of(desk, campaign) == ([], 0)
    assert desk.one("SELECT sum(held) FROM ledger WHERE kind = 'refund' AND connector_id = %(c)s") == -100


def test_a_long_message_whose_smsc_told_one_receipt_for_all_is_settled_by_it_in_the_end(
    desk: Desk, connector: Connector
) -> None:
    campaign = make(connector, segments=3, price=300, first_msisdn=33605000001)
    (message,) = desk.take_all()
    desk.tick(lost=[(message, [])], receipts=[Receipt("one for all", 16, 0, message.msisdn)])
    matching.settle_by_number(after=NOW)
    assert desk.statuses(campaign.pk) == {9: 1}
    age(desk, campaign, 49)
    expiry.expire(now=timezone.now())
    assert desk.statuses(campaign.pk) == {16: 1}
    assert finding_of(desk, campaign) == ([], 0)


def test_a_long_message_expires_as_one(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, segments=2, price=200)
    (message,) = desk.take_all()
    desk.tick(answered=[answers(message, 24, 24)], receipts=[receipt(message, 16)])
    age(desk, campaign, 49)
    expiry.expire(now=timezone.now())
    assert desk.statuses(campaign.pk) == {10: 1}
    assert finding_of(desk, campaign) == ([], 0)


def test_a_campaign_is_sent_when_its_slices_are_done_and_finished_when_all_is_final(
    desk: Desk, connector: Connector
) -> None:
    campaign = make(connector, 2)
    first, second = desk.take_all()
    desk.tick(answered=[answers(first, 24), answers(second, 24)])
    assert campaign.pk not in completion.mark_sent(now=timezone.now())
    desk.tick(finished=[first.slice_id], receipts=[receipt(first, 16)])
    assert campaign.pk in completion.mark_sent(now=timezone.now())
    campaign.refresh_from_db()
    assert (campaign.state, campaign.is_sending) == ("INJECTED", False)
    assert campaign.pk not in completion.mark_finished(now=timezone.now())
    desk.tick(receipts=[receipt(second, 20)])
    assert campaign.pk in completion.mark_finished(now=timezone.now())
    assert campaign.pk not in completion.mark_finished(now=timezone.now())
    told = desk.connection.execute(
        "SELECT payload FROM outbox WHERE event = 'campaign.finished' AND account_id = %s", [campaign.account_id]
    ).fetchall()
    assert told == [({"campaign_id": campaign.pk, "counts": {"16": 1, "20": 1}},)]


def test_posted_counts_as_final_after_48_hours(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    (message,) = desk.take_all()
    desk.tick(answered=[answers(message, 24)], receipts=[receipt(message, 10)], finished=[message.slice_id])
    completion.mark_sent(now=timezone.now())
    assert campaign.pk not in completion.mark_finished(now=timezone.now())
    assert campaign.pk in completion.mark_finished(now=timezone.now() + timedelta(hours=49))


def test_a_campaign_whose_messages_fail_is_paused_with_the_reason(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 400)
    messages = desk.take_all()
    desk.tick(answered=[answers(message, 24) for message in messages[:200]])
    desk.tick(receipts=[receipt(message, 16) for message in messages[:40]])
    assert campaign.pk not in safeguards.pause_failing(now=timezone.now())
    desk.tick(receipts=[receipt(message, 29) for message in messages[40:150]])
    assert campaign.pk in safeguards.pause_failing(now=timezone.now())
    campaign.refresh_from_db()
    assert not campaign.is_sending
    assert campaign.paused_reason == "failure_rate:110:150:29:110"
    Campaign.objects.filter(pk=campaign.pk).update(is_sending=True, paused_at=None)
    assert campaign.pk not in safeguards.pause_failing(now=timezone.now())
