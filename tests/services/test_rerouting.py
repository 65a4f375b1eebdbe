"""Failover: messages of a connector that is out of use go by another one the routes allow, each once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from carillon.models import Connector, Route
from carillon.services import rerouting
from carillon.services.ticks import Returned
from tests import builders
from tests.desk import Desk, answers


def up(connector: Connector, **changes: Any) -> Connector:
    values = {"state": "bound", "state_at": timezone.now(), "health": {}} | changes
    Connector.objects.filter(pk=connector.pk).update(**values)
    return connector


def down(connector: Connector, *, seconds: int) -> Connector:
    since = timezone.now() - timedelta(seconds=seconds)
    return up(connector, state="down", health={"down_since": since.isoformat()})


@pytest.fixture
def pair(committed_db: str) -> tuple[Connector, Connector]:
    first, second = up(builders.make_connector()), up(builders.make_connector())
    Route.objects.create(name="main", connector=first, priority=10)
    Route.objects.create(name="spare", connector=second, priority=20)
    return first, second


def test_what_was_not_intended_moves_and_what_was_stays(committed_db: str, pair: tuple[Connector, Connector]) -> None:
    first, second = pair
    campaign = builders.make_sendable_campaign(first, n=20, slice_size=5)
    dying = Desk(committed_db, first)
    sent = dying.intend(dying.claim(wants=1))
    dying.tick(answered=[answers(message, 24) for message in sent], finished=[sent[0].slice_id])
    down(first, seconds=60)
    assert rerouting.move_stuck(now=timezone.now()) == 15
    assert rerouting.move_stuck(now=timezone.now()) == 0
    other = Desk(committed_db, second)
    moved = other.take_all()
    assert len(moved) == 15
    assert {message.message_id for message in moved}.isdisjoint(message.message_id for message in sent)
    other.tick(answered=[answers(message, 24) for message in moved])
    assert other.statuses(campaign.pk) == {24: 20}
    assert dying.take_all() == []
    dying.close()
    other.close()


def test_a_short_outage_moves_nothing(committed_db: str, pair: tuple[Connector, Connector]) -> None:
    builders.make_sendable_campaign(down(pair[0], seconds=5), n=5)
    assert rerouting.move_stuck(now=timezone.now()) == 0


def test_nothing_moves_to_a_connector_that_is_out_of_use_too(
    committed_db: str, pair: tuple[Connector, Connector]
) -> None:
    builders.make_sendable_campaign(down(pair[0], seconds=60), n=5)
    down(pair[1], seconds=60)
    assert rerouting.move_stuck(now=timezone.now()) == 0


def test_a_disabled_connector_gives_everything_away(committed_db: str, pair: tuple[Connector, Connector]) -> None:
    builders.make_sendable_campaign(up(pair[0], is_enabled=False), n=5)
    assert rerouting.move_stuck(now=timezone.now()) == 5


def test_what_a_carrier_refuses_for_now_may_go_by_another(committed_db: str, pair: tuple[Connector, Connector]) -> None:
    builders.make_sendable_campaign(pair[0], n=5)
    refusing = Desk(committed_db, pair[0])
    messages = refusing.take_all()
    returned = Returned(
        messages[0].slice_id, messages[1].message_id, messages[2].message_id, 2, wait_s=30, is_refused=True
    )
    refusing.tick(returned=[returned])
    assert refusing.claim() == []
    assert rerouting.move_stuck(now=timezone.now()) == 2
    other = Desk(committed_db, pair[1])
    assert [message.message_id for message in other.take_all()] == [messages[1].message_id, messages[2].message_id]
    refusing.close()
    other.close()
