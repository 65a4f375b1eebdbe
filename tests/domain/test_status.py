from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import status
from carillon.domain.status import Advice, Billed, Family, Outcome, Status

CODES = st.sampled_from(list(Status))
PAIRS = [(10, 28), (16, 21), (20, 25), (29, 30)]

# code, FR label, billed, SMS colour, final: the guide's annex, cell by cell
ANNEX = [
    (1, "En cours de traitement", "intermediate", "green", False),
    (9, "En cours d'envoi", "intermediate", "green", False),
    (10, "Posté", "yes", "green", False),
    (28, "Posté", "yes", "green", False),
    (24, "Envoyé", "yes", "green", False),
    (16, "Délivré", "yes", "green", True),
    (21, "Délivré", "yes", "green", True),
    (17, "Délivré + STOP demandé", "yes", "green", True),
    (20, "Non délivré", "yes", "orange", True),
    (25, "Non délivré", "yes", "orange", True),
    (29, "Numéro non attribué", "yes", "orange", True),
    (30, "Numéro non attribué", "yes", "orange", True),
    (31, "Mobile non disponible", "yes", "orange", False),
    (32, "SMS rejeté", "yes", "orange", True),
    (13, "Refus opérateur", "yes", "orange", True),
    (27, "Rejet opérateur", "yes", "orange", True),
    (2, "Numéro mal formaté", "no", "orange", True),
    (22, "Message expiré", "yes", "green", True),
    (23, "Message supprimé", "yes", "green", True),
    (26, "Erreur inconnue", "yes", "yellow", True),
    (3, "Destination non autorisée", "no", "yellow", True),
    (5, "Erreur de personnalisation", "no", "yellow", True),
    (6, "Caractère UCS2 non autorisé", "no", "yellow", True),
    (7, "Message trop long", "no", "yellow", True),
    (8, "Crédit insuffisant", "no", "yellow", True),
    (12, "Erreur de traitement", "no", "yellow", True),
    (4, "Doublons", "no", "grey", True),
    (19, "Tarif manquant", "no", "orange", True),
    (14, "Destinataire dans votre blacklist", "no", "grey", True),
    (15, "Destinataire dans notre blacklist globale", "no", "grey", True),
    (18, "Destinataire dans votre blacklist client", "no", "grey", True),
]


@pytest.mark.parametrize(("code", "label", "billed", "colour", "final"), ANNEX, ids=[str(line[0]) for line in ANNEX])
def test_the_table_is_the_annex(code: int, label: str, billed: str, colour: str, final: bool) -> None:
    row = status.row(code)
    assert (row.code, status.label(code), row.billed, status.colour(code), row.is_final) == (
        code, label, billed, colour, final,
    )  # fmt: skip


def test_every_status_has_one_complete_line() -> None:
    assert set(status.TABLE) == set(Status) == {Status(line[0]) for line in ANNEX} | {Status.VOICE_UNDELIVERED}
    for row in status.TABLE.values():
        assert row.label_fr and row.label_en and row.meaning_fr.endswith(".") and row.meaning_en.endswith(".")
    with pytest.raises(ValueError, match="11"):
        status.row(11)


def test_labels_and_meanings_come_in_two_languages() -> None:
    assert status.label(17, language="en-gb") == "Delivered + STOP requested"
    assert status.meaning(24) == "Remis pour acheminement vers l'opérateur."
    assert status.meaning(24, language="en") == "Posted for routing to the operator."


@pytest.mark.parametrize(
    ("code", "colour"),
    [
        (1, "green"),
        (9, "green"),
        (2, "red"),
        (21, "green"),
        (117, "red"),
        (8, "orange"),
        (14, "grey"),
        (15, "black"),
        (3, "yellow"),
        (4, "grey"),
        (12, "yellow"),
    ],
)
def test_voice_has_its_own_colours_and_else_those_of_sms(code: int, colour: str) -> None:
    assert status.colour(code, medium="voice") == colour


def test_what_is_not_billed_is_refunded() -> None:
    refunded = {code for code in Status if status.is_refunded(code)}
    assert refunded == {2, 3, 4, 5, 6, 7, 8, 12, 14, 15, 18, 19}


def test_expired_and_deleted_are_billed_and_green_but_no_success() -> None:
    for code in (22, 23):
        assert status.row(code).billed is Billed.YES
        assert status.row(code).outcome is Outcome.NOT_DELIVERED


def test_unassigned_numbers_are_removed_only_after_two_campaigns() -> None:
    assert {code for code in Status if status.row(code).advice is Advice.TWO_CAMPAIGNS} == {29, 30}
    assert status.row(31).family is Family.TEMPORARY
    assert status.row(31).advice is Advice.KEEP


def test_at_the_end_of_life_unavailable_expires_and_sent_is_posted() -> None:
    assert status.at_end_of_life(31) is Status.EXPIRED
    assert status.at_end_of_life(24) is Status.POSTED
    assert status.at_end_of_life(16) is Status.DELIVERED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, 9),
        (1, 14),
        (9, 24),
        (9, 16),
        (24, 16),
        (24, 31),
        (31, 16),
        (31, 22),
        (10, 20),
        (28, 21),
        (16, 17),
        (21, 17),
        (9, 23),
        (9, 14),
        (24, 10),
        (24, 17),
    ],
)
def test_moves_forward_are_allowed(old: int, new: int) -> None:
    assert status.can_move(old, new)
    assert status.advance(old, new) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (16, 20),
        (20, 16),
        (24, 9),
        (24, 1),
        (16, 21),
        (31, 24),
        (17, 16),
        (2, 1),
        (24, 14),
        (24, 8),
        (10, 28),
        (22, 16),
        (20, 17),
        (31, 10),
    ],
)
def test_news_that_comes_late_changes_nothing(old: int, new: int) -> None:
    assert not status.can_move(old, new)
    assert status.advance(old, new) == old


@given(CODES, CODES)
def test_final_statuses_stay_but_for_a_stop(old: Status, new: Status) -> None:
    if status.is_final(old) and status.advance(old, new) != old:
        assert (old in (16, 21), new) == (True, 17)


@given(CODES, st.lists(CODES, max_size=30))
def test_any_run_of_news_changes_a_status_a_few_times_at_most(start: Status, news: list[Status]) -> None:
    seen = [start]
    for new in news:
        moved = status.advance(seen[-1], new)
        if moved != seen[-1]:
            seen.append(moved)
    assert len(set(seen)) == len(seen) <= 6  # 1 9 24 10 31 16 17: never back to one already left
    assert status.advance(seen[-1], seen[-1]) == seen[-1]


def test_open_and_final_share_the_table() -> None:
    assert set(Status) == status.OPEN_STATUSES | status.FINAL_STATUSES
    assert set(status.OPEN_STATUSES) == {1, 9, 24, 10, 28, 31}


@pytest.mark.parametrize(("marketing", "notification"), PAIRS)
def test_twins_are_one_group_for_filters(marketing: int, notification: int) -> None:
    assert status.expand_aliases([marketing]) == status.expand_aliases([notification]) == {marketing, notification}
    assert status.aliases(marketing) == status.aliases(notification) == {marketing, notification}
    assert status.for_traffic(notification, is_notification=False) == marketing
    assert status.for_traffic(marketing, is_notification=True) == notification
    assert status.for_traffic(marketing, is_notification=False) == marketing


def test_unknown_codes_pass_through_a_filter() -> None:
    assert status.expand_aliases([16, 110, 7]) == {16, 21, 110, 7}
    assert status.aliases(14) == {14}
    assert status.for_traffic(24, is_notification=True) == 24


@pytest.mark.parametrize(
    ("segments", "whole"),
    [
        ([16], 16),
        ([16, 16], 16),
        ([16, 24], 24),
        ([24, 20, 16], 20),
        ([10, 24], 24),
        ([16, 17], 17),
        ([31, 16], 31),
        ([21, 25], 25),
        ([28, 21], 28),
        ([29, 20], 29),
        ([9, 24], 9),
        ([22, 24], 22),
        ([1], 1),
    ],
    ids=str,
)
def test_a_message_is_as_good_as_its_worst_segment(segments: list[int], whole: int) -> None:
    for order in itertools.permutations(segments):
        assert status.joined(order) == whole


def test_a_message_without_segments_has_no_status() -> None:
    with pytest.raises(ValueError, match="empty"):
        status.joined([])


@given(st.lists(CODES, min_size=1, max_size=6))
def test_a_failed_segment_is_never_hidden(codes: list[Status]) -> None:
    whole = status.row(status.joined(codes)).outcome
    outcomes = {status.row(code).outcome for code in codes}
    if outcomes & {Outcome.NOT_DELIVERED, Outcome.NOT_SENT}:
        assert whole in (Outcome.NOT_DELIVERED, Outcome.NOT_SENT)
    else:
        assert whole is (Outcome.PENDING if Outcome.PENDING in outcomes else Outcome.DELIVERED)
