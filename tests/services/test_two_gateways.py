"""Two gateways of one connector: a receipt may come to the one while the other is just recording the answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carillon.services import delivery, matching, receipts
from carillon.services.ticks import Job, Tick
from tests import builders
from tests.desk import Desk, answers, receipt


@pytest.fixture
def desks(shared_db: str) -> Iterator[tuple[Desk, Desk]]:
    connector = builders.make_connector()
    pair = Desk(shared_db, connector, seats=2), Desk(shared_db, connector, seats=2)
    yield pair
    for desk in pair:
        desk.close()


def test_an_answer_committed_between_two_statements_of_the_receipts_tick(desks: tuple[Desk, Desk]) -> None:
    sender, receiver = desks
    campaign = builders.make_sendable_campaign(sender.connector, n=1)
    (message,) = sender.take_all()
    with receiver.connection.transaction():
        tick = Tick(receiver.connection, receiver.run)
        applied = receipts.begin(tick, [receipt(message, 16)], [])  # finds nothing yet
        sender.tick(answered=[answers(message, 24)])
        receipts.finish(tick, applied)
        tick.write_sums()
    assert sender.statuses(campaign.pk) == {16: 1}


def test_an_answer_committed_after_the_receipts_tick(desks: tuple[Desk, Desk]) -> None:
    sender, receiver = desks
    campaign = builders.make_sendable_campaign(sender.connector, n=3)
    messages = sender.take_all()
    outcome = delivery.tick(
        sender.connection, sender.run, Job(answered=[answers(m, 24) for m in messages]),
        committing=lambda _: receiver.tick(receipts=[receipt(message, 16) for message in messages]),
    )  # fmt: skip
    delivery.committed(sender.run, outcome)
    assert sender.statuses(campaign.pk) == {24: 3}
    assert matching.match_known() >= 3
    assert sender.statuses(campaign.pk) == {16: 3}
