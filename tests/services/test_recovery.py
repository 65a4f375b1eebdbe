"""After a gateway died: its seat, its slices, and each message it had intended."""

from __future__ import annotations

import pytest

from carillon.models import Campaign, Connector
from carillon.services import recovery
from carillon.services.ticks import Returned, Run
from tests import builders
from tests.desk import Desk, answers


@pytest.fixture
def connector(shared_db: str) -> Connector:
    return builders.make_connector()


def make(connector: Connector, n: int = 10, **changes: object) -> Campaign:
    return builders.make_sendable_campaign(connector, n=n, **changes)  # type: ignore[arg-type]


def die(desk: Desk) -> None:
    """As after a kill: the row still says alive, the lease runs."""
    desk.connection.execute("UPDATE gateway_run SET host = 'gone' WHERE id = %s", [desk.run.id])
    desk.close()


def succeed(shared_db: str, connector: Connector, *, written: set[int] | None) -> tuple[Desk, recovery.Recovered]:
    desk = Desk(shared_db, connector)
    return desk, recovery.recover(desk.connection, desk.run, written_by=lambda run_id: written)


def finding_of(desk: Desk, campaign: Campaign) -> tuple[list[str], int]:
    account = campaign.account
    finding = desk.audit(account)
    return finding.faults, finding.in_doubt


def test_never_written_is_sent_later_and_written_is_in_doubt(shared_db: str, connector: Connector) -> None:
    campaign = make(connector)
    first = Desk(shared_db, connector)
    messages = first.take_all()
    first.tick(answered=[answers(message, 24) for message in messages[:4]])
    die(first)
    second, found = succeed(shared_db, connector, written={message.message_id for message in messages[:6]})
    assert (found.slices, found.ready, found.in_doubt) == (1, 4, 2)
    assert second.statuses(campaign.pk) == {24: 4, 9: 2, 1: 4}
    again = second.take_all()
    assert [message.message_id for message in again] == [message.message_id for message in messages[6:]]
    second.tick(answered=[answers(message, 24) for message in again])
    assert finding_of(second, campaign) == ([], 2)
    second.close()


def test_without_a_flight_recorder_every_intent_without_result_is_in_doubt(
    shared_db: str, connector: Connector
) -> None:
    campaign = make(connector)
    first = Desk(shared_db, connector)
    (batch,) = first.claim()
    first.tick(intents=[(batch.claim.id, batch.messages[6].message_id)])
    die(first)
    second, found = succeed(shared_db, connector, written=None)
    assert (found.ready, found.in_doubt) == (0, 7)
    assert [message.message_id for message in second.take_all()] == [m.message_id for m in batch.messages[7:]]
    assert finding_of(second, campaign) == ([], 7)
    second.close()


def test_notifications_in_doubt_are_sent_again_when_the_account_chose_so(shared_db: str, connector: Connector) -> None:
    account = builders.make_account(balance=1000, resends_notifications_in_doubt=True)
    make(connector, account=account, is_notification=True)
    first = Desk(shared_db, connector)
    messages = first.take_all()
    die(first)
    second, found = succeed(shared_db, connector, written=None)
    assert (found.ready, found.in_doubt) == (10, 0)
    assert len(second.take_all()) == len(messages)
    second.close()


def test_what_was_given_back_belongs_to_its_new_slice_alone(shared_db: str, connector: Connector) -> None:
    campaign = make(connector)
    first = Desk(shared_db, connector)
    messages = first.take_all()
    ids = [message.message_id for message in messages]
    first.tick(returned=[Returned(messages[0].slice_id, ids[5], ids[9], 5)])
    die(first)
    second, found = succeed(shared_db, connector, written=set(ids[:5]))
    assert (found.ready, found.in_doubt) == (0, 5)
    assert [message.message_id for message in second.take_all()] == ids[5:]
    assert finding_of(second, campaign) == ([], 5)
    second.close()


def test_two_deaths_in_a_row(shared_db: str, connector: Connector) -> None:
    campaign = make(connector)
    first = Desk(shared_db, connector)
    messages = first.take_all()
    die(first)
    second, _ = succeed(shared_db, connector, written=set())
    again = second.take_all()
    assert len(again) == 10
    die(second)
    third, found = succeed(shared_db, connector, written={messages[0].message_id})
    assert (found.ready, found.in_doubt) == (9, 1)
    assert finding_of(third, campaign) == ([], 1)
    third.close()


def test_a_seat_is_taken_over_only_when_its_lease_is_over_or_its_process_gone(
    shared_db: str, connector: Connector
) -> None:
    first = Desk(shared_db, connector)

    def take(is_gone: bool, seats: int = 1) -> Run | None:
        return recovery.take_seat(
            first.connection, connector.pk, seat_count=seats, host="here", pid=2, is_gone=lambda seat: is_gone
        )

    assert take(False) is None
    beside = take(False, seats=2)
    assert beside is not None
    assert beside.seat == 1
    first.connection.execute(
        "UPDATE gateway_run SET lease_until = now() - interval '1 s' WHERE id = %s", [first.run.id]
    )
    after = take(False)
    assert after is not None
    assert after.seat == 0
    instead = take(True)
    assert instead is not None
    assert instead.id > after.id
    first.close()


def test_a_clean_end_frees_the_seat_at_once(shared_db: str, connector: Connector) -> None:
    first = Desk(shared_db, connector)
    recovery.end_run(first.connection, first.run)
    Desk(shared_db, connector).close()
    first.close()


def test_neighbours() -> None:
    assert recovery.consecutive([1, 2, 3, 7, 9, 10]) == [(1, 3, 3), (7, 7, 1), (9, 10, 2)]
    assert recovery.consecutive([]) == []
