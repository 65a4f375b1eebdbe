"""Ticks, one by one: what is recorded, counted, paid; always the rows, the counters and the ledger tell the same story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from carillon.domain.traffic import Answer, Receipt
from carillon.models import Campaign, Connector
from carillon.services.ticks import Fenced, Refusal
from tests import builders
from tests.desk import Desk, answers, receipt


@pytest.fixture
def connector(shared_db: str) -> Connector:
    return builders.make_connector()


@pytest.fixture
def desk(shared_db: str, connector: Connector) -> Iterator[Desk]:
    sitting = Desk(shared_db, connector)
    yield sitting
    sitting.close()


def make(connector: Connector, n: int = 3, **changes: object) -> Campaign:
    account = builders.make_account(balance=1_000_000)
    return builders.make_sendable_campaign(connector, n=n, account=account, **changes)  # type: ignore[arg-type]


def faults(desk: Desk, *campaigns: Campaign) -> list[str]:
    return desk.audit(*(campaign.account for campaign in campaigns)).faults


def test_an_accepted_message_is_sent_and_paid(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    messages = desk.take_all()
    desk.tick(answered=[answers(message, 24) for message in messages])
    assert desk.statuses(campaign.pk) == {24: 3}
    assert desk.one("SELECT sum(balance) FROM ledger WHERE connector_id = %(c)s AND kind = 'settle'") == -300
    assert faults(desk, campaign) == []


def test_a_refused_message_is_paid_as_the_table_of_statuses_says(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    refused, unbilled, sent = desk.take_all()
    desk.tick(answered=[answers(refused, 32, error=11), answers(unbilled, 12), answers(sent, 24)])
    assert desk.statuses(campaign.pk) == {32: 1, 12: 1, 24: 1}
    assert desk.one("SELECT sum(balance) FROM ledger WHERE connector_id = %(c)s AND kind = 'settle'") == -200
    assert desk.one("SELECT sum(held) FROM ledger WHERE connector_id = %(c)s AND kind = 'refund'") == -100
    assert desk.one("SELECT error FROM submission WHERE status = 32 AND connector_id = %(c)s") == 11
    assert faults(desk, campaign) == []


def test_a_person_who_opted_out_since_the_preparation_is_not_written_to(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, first_msisdn=33601000001)
    builders.make_optout(campaign.account, 33601000002)
    builders.make_optout(None, 33601000003)
    (batch,) = desk.claim()
    assert [message.msisdn for message in batch.messages] == [33601000001]
    assert [(refusal.message.msisdn, refusal.status) for refusal in batch.refusals] == [
        (33601000002, 14),
        (33601000003, 15),
    ]
    desk.tick(refusals=batch.refusals)
    assert desk.statuses(campaign.pk) == {1: 1, 14: 1, 15: 1}
    assert (
        desk.one(
            "SELECT count(*) FROM submission WHERE connector_id = %(c)s AND segment = 0 AND carrier_message_id LIKE 'self:%%'"
        )
        == 2
    )
    assert faults(desk, campaign) == []


def test_opt_outs_are_looked_at_again_when_a_message_waited_in_the_gateway(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    (batch,) = desk.claim()
    builders.make_optout(campaign.account, 33600000002)
    outcome = desk.tick(intents=[(batch.claim.id, batch.claim.last_id)], recheck=[(batch.claim, batch.messages)])
    assert outcome.opted_out == {batch.messages[1].message_id: 14}
    desk.tick(refusals=[Refusal(batch.messages[1], 14)], answered=[answers(m, 24) for m in batch.messages[::2]])
    assert faults(desk, campaign) == []


def test_alerts_pass_an_opt_out_of_the_account_when_it_chose_so(desk: Desk, connector: Connector) -> None:
    account = builders.make_account(balance=1000, optout_spares_notifications=True)
    builders.make_sendable_campaign(connector, n=2, first_msisdn=33602000001, account=account, is_notification=True)
    builders.make_optout(account, 33602000001)
    builders.make_optout(None, 33602000002)
    (batch,) = desk.claim()
    assert [message.msisdn for message in batch.messages] == [33602000001]


def test_several_segments_are_one_message_and_one_price(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2, segments=3, price=300)
    first, second = desk.take_all()
    desk.tick(answered=[answers(first, 24, 24, 24), answers(second, 24, 27, 24)])
    assert desk.statuses(campaign.pk) == {24: 1, 27: 1}
    assert desk.one("SELECT sum(price) FROM submission WHERE connector_id = %(c)s") == 600
    assert faults(desk, campaign) == []


def test_a_message_is_delivered_when_its_last_segment_is(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2, segments=2, price=200)
    first, second = desk.take_all()
    desk.tick(answered=[answers(first, 24, 24), answers(second, 24, 24)], receipts=[receipt(first, 16, segment=2)])
    assert desk.statuses(campaign.pk) == {24: 2}
    desk.tick(receipts=[receipt(first, 16), receipt(second, 16), receipt(second, 20, segment=2)])
    assert desk.statuses(campaign.pk) == {16: 1, 20: 1}
    assert faults(desk, campaign) == []


def test_two_gateways_told_of_one_message_each_by_half_count_it_once(shared_db: str) -> None:
    connector = builders.make_connector()
    campaign = make(connector, 1, segments=2, price=200)
    one, other = Desk(shared_db, connector, seats=2), Desk(shared_db, connector, seats=2)
    (message,) = one.take_all()
    one.tick(answered=[answers(message, 24, 24)])
    one.tick(receipts=[receipt(message, 16)])
    other.tick(receipts=[receipt(message, 16, segment=2)])
    assert one.statuses(campaign.pk) == {16: 1}
    assert faults(one, campaign) == []
    one.close()
    other.close()


def test_the_twin_of_a_status_is_used_for_notifications(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2, is_notification=True)
    first, second = desk.take_all()
    desk.tick(answered=[answers(first, 24), answers(second, 24)], receipts=[receipt(first, 16), receipt(second, 29)])
    assert desk.statuses(campaign.pk) == {21: 1, 30: 1}


def test_a_receipt_before_its_answer_is_kept_and_applied_with_it(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 1)
    (message,) = desk.take_all()
    desk.tick(receipts=[receipt(message, 16)])
    assert desk.one("SELECT count(*) FROM receipt_unmatched WHERE connector_id = %(c)s") == 1
    desk.tick(answered=[answers(message, 24)])
    assert desk.statuses(campaign.pk) == {16: 1}
    assert desk.one("SELECT count(*) FROM receipt_unmatched WHERE connector_id = %(c)s") == 0
    assert desk.run.unmatched == {}
    assert faults(desk, campaign) == []


IN_A_ROW = {
    "repeats count once": ([16, 16, 16], 16),
    "the first final one wins": ([16, 20], 16),
    "also when it is the bad news": ([20, 16], 20),
    "unavailable, then delivered": ([31, 16], 16),
    "unavailable, then expired": ([31, 31, 22], 22),
    "posted, unavailable, delivered": ([10, 31, 16], 16),
    "enroute says nothing new": ([9], 24),
    "never backwards": ([31, 10], 31),
    "intermediate after the end": ([16, 31], 16),
}


@pytest.mark.parametrize("is_one_tick", [True, False], ids=["one tick", "several ticks"])
def test_receipts_of_one_message_in_a_row(desk: Desk, connector: Connector, is_one_tick: bool) -> None:
    campaign = make(connector, len(IN_A_ROW))
    messages = dict(zip(IN_A_ROW, desk.take_all(), strict=True))
    desk.tick(answered=[answers(message, 24) for message in messages.values()])
    told = {name: [receipt(messages[name], status) for status in row] for name, (row, _) in IN_A_ROW.items()}
    if is_one_tick:
        desk.tick(receipts=[one for row in told.values() for one in row])
    else:
        for turn in range(3):
            desk.tick(receipts=[row[turn] for row in told.values() if turn < len(row)])
    ended = dict(desk.rows("SELECT message_id, status FROM submission WHERE connector_id = %(c)s"))
    assert {name: ended[messages[name].message_id] for name in IN_A_ROW} == {
        name: end for name, (_, end) in IN_A_ROW.items()
    }
    assert faults(desk, campaign) == []


def test_a_receipt_cannot_say_that_a_sent_message_was_never_sent(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2)
    first, second = desk.take_all()
    desk.tick(answered=[answers(first, 24), answers(second, 24)], receipts=[receipt(first, 12), receipt(second, 11)])
    assert desk.statuses(campaign.pk) == {20: 1, 26: 1}
    assert faults(desk, campaign) == []


def test_ids_nobody_could_have_thought_of(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 5)
    messages = desk.take_all()
    ids = ['a","b', "\\", "NULL", "{}, '); DROP TABLE message --", 'é"\\"' + "x" * 246]
    desk.tick(answered=[answers(message, 24, ids=[key + "\0"]) for message, key in zip(messages, ids, strict=True)])
    assert {row[0] for row in desk.rows("SELECT carrier_message_id FROM submission WHERE connector_id = %(c)s")} == set(
        ids
    )
    desk.tick(receipts=[Receipt(key, 16) for key in ids])
    assert desk.statuses(campaign.pk) == {16: 5}


def test_a_carrier_that_gives_one_id_twice_or_none_loses_no_message(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 4)
    a, b, c, d = desk.take_all()
    desk.tick(answered=[answers(a, 24, ids=["same"]), answers(b, 24, ids=["same"])])
    desk.tick(answered=[answers(c, 24, ids=["same"]), answers(d, 24, ids=[""])])
    assert desk.statuses(campaign.pk) == {24: 4}
    assert faults(desk, campaign) == []


def test_lost_before_the_answer_is_in_doubt_with_its_credit_held(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 2)
    lost, sent = desk.take_all()
    desk.tick(lost=[(lost, [])], answered=[answers(sent, 24)])
    assert desk.statuses(campaign.pk) == {9: 1, 24: 1}
    finding = desk.audit(campaign.account)
    assert (finding.faults, finding.in_doubt) == ([], 1)


@pytest.mark.parametrize(("status", "ends"), [(24, 24), (32, 32)])
def test_a_late_answer_settles_the_doubt(desk: Desk, connector: Connector, status: int, ends: int) -> None:
    campaign = make(connector, 1)
    (message,) = desk.take_all()
    desk.tick(lost=[(message, [])])
    late = Answer(message.message_id, 1, 1, status, "late-1")
    desk.tick(late=[late])
    desk.tick(late=[late])
    assert desk.statuses(campaign.pk) == {ends: 1}
    finding = desk.audit(campaign.account)
    assert (finding.faults, finding.in_doubt) == ([], 0)


def test_half_a_long_message_is_in_doubt_until_its_other_half_is_told(desk: Desk, connector: Connector) -> None:
    campaign = make(connector, 1, segments=2, price=200)
    (message,) = desk.take_all()
    desk.tick(lost=[(message, [Answer(message.message_id, 1, 2, 24, "half")])])
    assert desk.statuses(campaign.pk) == {9: 1}
    assert faults(desk, campaign) == []
    desk.tick(late=[Answer(message.message_id, 2, 2, 24, "other half")])
    assert desk.statuses(campaign.pk) == {24: 1}
    assert faults(desk, campaign) == []


def test_a_run_that_lost_its_seat_commits_nothing(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    messages = desk.take_all()
    desk.connection.execute("UPDATE gateway_run SET alive = false WHERE id = %s", [desk.run.id])
    with pytest.raises(Fenced):
        desk.tick(answered=[answers(message, 24) for message in messages])
    desk.connection.execute("ROLLBACK")
    assert desk.statuses(campaign.pk) == {1: 3}


def test_facts_for_webhooks_go_by_batch(desk: Desk, connector: Connector) -> None:
    campaign = make(connector)
    messages = desk.take_all()
    desk.tick(answered=[answers(message, 24) for message in messages], receipts=[receipt(m, 16) for m in messages])
    payload = desk.one("SELECT payload FROM outbox WHERE connector_id = %(c)s")
    assert sorted(payload.pop("messages")) == [m.message_id for m in messages]
    assert payload == {"campaign_id": campaign.pk, "status": 16}
    assert timezone.now() > desk.one("SELECT max(done_at) FROM submission WHERE connector_id = %(c)s")
