"""Parts of a long text that come by several gateways are one text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from carillon.domain.traffic import Inbound, TextPart, fingerprint_of
from carillon.models import Reply, ReplyPart
from carillon.services import inbound
from tests.builders import make_connector

pytestmark = pytest.mark.django_db
PERSON = 33612345678
WORDS = ("Je viens ", "samedi ", "avec Zoé")


def part(number: int, *, session: int = 1, reference: int = 7, words: tuple[str, ...] = WORDS) -> Inbound:
    text = words[number - 1]
    return Inbound(
        PERSON, "36184", text, session_id=session, fingerprint=number,
        part=TextPart(reference, len(words), number, text.encode().ljust(16), 60.0),
    )  # fmt: skip


@pytest.fixture
def connector_id() -> int:
    return int(make_connector().pk)


def texts() -> list[str]:
    return list(Reply.objects.order_by("id").values_list("text", flat=True))


def test_parts_of_two_gateways_in_any_order_are_one_text(connector_id: int) -> None:
    assert inbound.keep([part(3), part(1)], connector_id=connector_id) == [0, 0]
    assert texts() == []
    (key,) = inbound.keep([part(2, session=2)], connector_id=connector_id)
    assert (Reply.objects.get(pk=key).text, len(texts())) == ("Je viens samedi avec Zoé", 1)


def joined(*, session: int = 1) -> Inbound:
    """All parts by one bind."""
    parts = tuple(one for n in (1, 2, 3) if (one := part(n).part) is not None)
    fingerprint = fingerprint_of(one.printed for one in parts)
    return Inbound(PERSON, "36184", "".join(WORDS), session_id=session, fingerprint=fingerprint, parts=parts)


def late_texts() -> int:
    ReplyPart.objects.update(until=timezone.now() - timedelta(seconds=1))
    return inbound.keep_incomplete()


def test_a_part_whose_answer_alone_was_lost_comes_again_and_changes_nothing(connector_id: int) -> None:
    inbound.keep([joined()], connector_id=connector_id)
    assert inbound.keep([part(2, session=2)], connector_id=connector_id) == [0]
    assert (late_texts(), texts()) == (0, ["Je viens samedi avec Zoé"])


def test_a_part_kept_by_one_gateway_belongs_to_the_text_that_came_whole_by_another(connector_id: int) -> None:
    inbound.keep([part(1)], connector_id=connector_id)
    inbound.keep([joined(session=2)], connector_id=connector_id)
    assert (late_texts(), texts()) == (0, ["Je viens samedi avec Zoé"])


def test_parts_that_come_again_change_nothing(connector_id: int) -> None:
    for session in (1, 2, 3):
        inbound.keep([part(n, session=session) for n in (1, 2, 3)], connector_id=connector_id)
    whole = Inbound(
        PERSON, "36184", "".join(WORDS), session_id=4, fingerprint=fingerprint_of(w.encode().ljust(16) for w in WORDS)
    )
    inbound.keep([whole], connector_id=connector_id)  # all of them by one bind this time
    assert texts() == ["Je viens samedi avec Zoé"]


def test_a_reference_that_comes_round_again_makes_another_text(connector_id: int) -> None:
    inbound.keep([part(n) for n in (1, 2, 3)], connector_id=connector_id)
    inbound.keep([part(n, words=("Ou ", "plutôt ", "lundi")) for n in (1, 2, 3)], connector_id=connector_id)
    assert texts() == ["Je viens samedi avec Zoé", "Ou plutôt lundi"]


def test_what_stays_incomplete_is_kept_with_its_gap_once(connector_id: int) -> None:
    inbound.keep([part(1), part(3)], connector_id=connector_id)
    assert inbound.keep_incomplete() == 0
    ReplyPart.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert (inbound.keep_incomplete(), inbound.keep_incomplete()) == (1, 0)
    assert texts() == ["Je viens […]avec Zoé"]


def test_an_incomplete_text_is_not_lost_to_another_of_its_reference(connector_id: int) -> None:
    inbound.keep([part(1)], connector_id=connector_id)
    inbound.keep([part(n, words=("Ou ", "plutôt ", "lundi")) for n in (1, 2, 3)], connector_id=connector_id)
    assert late_texts() == 1
    assert texts() == ["Ou plutôt lundi", "Je viens […][…]"]
