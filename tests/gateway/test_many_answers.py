"""Many answers in one tick: every message recorded and counted once, also when the carrier gives an id twice."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from carillon.domain.status import Status
from carillon.domain.traffic import Receipt
from carillon.gateway.writer import Writer
from carillon.services.ticks import Job
from tests import builders
from tests.desk import Desk, answers, receipt


@pytest.fixture
def desk(shared_db: str) -> Iterator[Desk]:
    desk = Desk(shared_db, builders.make_connector())
    yield desk
    desk.close()


def test_ids_given_before_are_recorded_under_an_id_of_ours(shared_db: str, desk: Desk) -> None:
    account = builders.make_account(balance=100_000)
    campaign = builders.make_sendable_campaign(desk.connector, n=100, account=account)
    messages = desk.take_all()
    writer = Writer(lambda: psycopg.connect(shared_db, autocommit=True))
    writer.run = desk.run
    assert not desk.run.repeats_ids
    for half in (messages[:50], messages[50:]):  # the SMSC began to count anew
        writer.perform(Job(answered=[answers(m, Status.SENT, ids=[str(n)]) for n, m in enumerate(half)]))
    writer.perform(Job(receipts=[Receipt(str(n), Status.DELIVERED) for n in range(50)]))
    writer.close()
    assert desk.one("SELECT count(DISTINCT message_id) FROM submission WHERE connector_id = %(c)s") == 100
    assert desk.statuses(campaign.pk) == {Status.DELIVERED: 50, Status.SENT: 50}
    assert desk.audit(account).faults == []


def test_many_long_messages_are_paid_once_and_delivered_with_their_last_segment(desk: Desk) -> None:
    account = builders.make_account(balance=100_000)
    campaign = builders.make_sendable_campaign(desk.connector, n=40, account=account, segments=2, price=200)
    messages = desk.take_all()
    desk.tick(receipts=[receipt(m, Status.DELIVERED) for m in messages[:5]])  # before their answers
    desk.tick(answered=[answers(m, Status.SENT, Status.SENT) for m in messages])
    assert desk.statuses(campaign.pk) == {Status.SENT: 40}
    assert desk.one("SELECT sum(price) FROM submission WHERE connector_id = %(c)s") == 40 * 200
    desk.tick(receipts=[receipt(m, Status.DELIVERED, segment=2) for m in messages])
    assert desk.statuses(campaign.pk) == {Status.SENT: 35, Status.DELIVERED: 5}
    desk.tick(receipts=[receipt(m, Status.DELIVERED) for m in messages[5:]])
    assert desk.statuses(campaign.pk) == {Status.DELIVERED: 40}
    assert desk.audit(account).faults == []
