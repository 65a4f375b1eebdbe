"""A text that the SMSC brings twice is kept once; a person who writes the same twice is heard twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from carillon.domain.traffic import Inbound
from carillon.models import Reply
from carillon.services import inbound
from tests.builders import make_connector

pytestmark = pytest.mark.django_db
PERSON = 33612345678


def ok(*, session: int, fingerprint: int = 7, **changes: object) -> Inbound:
    return Inbound(PERSON, "36184", "OK", fingerprint=fingerprint, session_id=session, **changes)  # type: ignore[arg-type]


@pytest.fixture
def connector_id() -> int:
    return int(make_connector().pk)


def count() -> int:
    return Reply.objects.count()


def test_a_repeat_by_another_session_is_the_same_text(connector_id: int) -> None:
    (first,) = inbound.keep([ok(session=1)], connector_id=connector_id)
    assert inbound.keep([ok(session=2)], connector_id=connector_id) == [first]
    assert inbound.keep([ok(session=3)], connector_id=connector_id) == [first]  # its answer was lost again
    assert count() == 1


def test_who_writes_ok_twice_is_heard_twice_also_when_both_are_repeated(connector_id: int) -> None:
    texts = inbound.keep([ok(session=1), ok(session=1)], connector_id=connector_id)
    assert len(set(texts)) == 2
    assert inbound.keep([ok(session=2)], connector_id=connector_id) == texts[:1]
    assert inbound.keep([ok(session=2)], connector_id=connector_id) == texts[1:]
    inbound.keep([ok(session=2)], connector_id=connector_id)
    assert count() == 3


def test_the_same_words_by_two_sessions_that_both_stand_are_two_texts(connector_id: int) -> None:
    inbound.keep([ok(session=1)], connector_id=connector_id, sessions={1, 2})
    inbound.keep([ok(session=2)], connector_id=connector_id, sessions={1, 2})
    assert count() == 2


def test_after_its_answer_surely_arrived_the_same_words_are_another_text(connector_id: int) -> None:
    inbound.answered(inbound.keep([ok(session=1)], connector_id=connector_id))
    inbound.keep([ok(session=2)], connector_id=connector_id)
    assert count() == 2


def test_nothing_is_a_repeat_after_a_quarter_of_an_hour(connector_id: int) -> None:
    inbound.keep([ok(session=1)], connector_id=connector_id)
    Reply.objects.update(received_at=timezone.now() - timedelta(minutes=16))
    inbound.keep([ok(session=2)], connector_id=connector_id)
    assert count() == 2


def test_other_octets_another_connector_or_an_id_make_another_text(connector_id: int) -> None:
    inbound.keep([ok(session=1)], connector_id=connector_id)
    inbound.keep([ok(session=2, fingerprint=8)], connector_id=connector_id)
    inbound.keep([ok(session=2)], connector_id=make_connector().pk)
    for session in (3, 4):
        inbound.keep([ok(session=session, carrier_message_id="mo-1")], connector_id=connector_id)
    assert count() == 4


def test_a_repeat_is_known_though_the_gateways_clock_jumped(connector_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = inbound.keep([ok(session=1)], connector_id=connector_id)
    later = timezone.now() + timedelta(hours=3)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert inbound.keep([ok(session=2)], connector_id=connector_id) == [first]


def test_a_repeat_that_comes_before_the_first_is_stored_is_the_same_text(connector_id: int) -> None:
    kept = inbound.keep([ok(session=1), ok(session=2), ok(session=2)], connector_id=connector_id, sessions={2})
    assert kept[0] == kept[1] != kept[2]
    assert count() == 2
