"""Who leaves next: notifications first, everyone in turn, and no faster than a campaign asks."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from carillon.gateway.book import Book, Held
from carillon.gateway.pace import SenderRates
from carillon.services.ticks import Claimed, Intent


def claim(
    slice_id: int, campaign_id: int, *, n: int, priority: int = 1, pace: int = 0, calendar: str = "", weight: int = 1
) -> Claimed:
    first = slice_id * 1000
    return Claimed(
        slice_id, campaign_id, 1, 1, first - 1, first + n - 1, priority, calendar, 20, "ACME", priority == 0, 48, 0, pace,
        False, False, weight=weight,
    )  # fmt: skip


def hold(
    book: Book, slice_id: int, campaign_id: int, *, sender: str = "ACME", segments: int = 1, **changes: object
) -> Held:
    made = claim(slice_id, campaign_id, **changes)  # type: ignore[arg-type]
    ids = range(made.cursor_id + 1, made.last_id + 1)
    return book.add(
        made,
        [Intent(i, 33600000000 + i, "x", sender, segments, campaign_id=campaign_id, slice_id=slice_id) for i in ids],
    )


def campaigns(chosen: Iterable[tuple[Held, list[Intent]]]) -> list[int]:
    return [message.campaign_id for _, messages in chosen for message in messages]


def choose(book: Book, room: int, *, now: float = 0.0, closed: Iterable[str] = ()) -> list[tuple[Held, list[Intent]]]:
    return book.choose(room, is_open=lambda key: key not in set(closed), now=now)


def test_ten_messages_are_not_behind_a_million() -> None:
    book = Book()
    hold(book, 1, 100, n=900)
    hold(book, 2, 200, n=10)
    assert campaigns(choose(book, 60)).count(200) == 10


def test_everyone_has_a_turn_and_the_next_choice_begins_where_the_last_ended() -> None:
    book = Book()
    for number in range(1, 6):
        hold(book, number, number, n=100)
    assert set(campaigns(choose(book, 40))) == {1, 2}
    assert set(campaigns(choose(book, 60))) == {3, 4, 5}


def test_a_campaign_of_weight_3_advances_three_times_as_fast_whatever_the_room() -> None:
    book = Book()
    hold(book, 1, 100, n=5000, weight=3)
    hold(book, 2, 200, n=5000)
    sent = [one for room in (7, 32, 500, 1, 60, 33, 7, 700, 260) for one in campaigns(choose(book, room))]
    assert sent.count(100) == pytest.approx(1200, abs=20)
    assert sent.count(200) == pytest.approx(400, abs=20)


def test_the_lightest_is_served_beside_the_heaviest() -> None:
    book = Book()
    hold(book, 1, 100, n=5000, weight=100)
    hold(book, 2, 200, n=5000)
    assert campaigns(choose(book, 4000)).count(200) == pytest.approx(40, abs=20)


def test_weights_share_among_marketing_and_never_put_it_before_notifications() -> None:
    book = Book()
    hold(book, 1, 100, n=100, weight=100)
    hold(book, 2, 200, n=50, priority=0)
    assert campaigns(choose(book, 50)) == [200] * 50


def test_who_comes_back_after_a_while_catches_nothing_up() -> None:
    book = Book()
    hold(book, 1, 100, n=900)
    hold(book, 2, 200, n=900, calendar="RE")
    choose(book, 600, closed=["RE@20"])
    sent = campaigns(choose(book, 200)) + campaigns(choose(book, 200))
    assert sent.count(100) >= 100


def test_a_sender_keeps_its_rate_across_campaigns_and_others_go_past() -> None:
    book = Book(rates=SenderRates({"ACME": 10.0, "short_code": 5.0}))
    hold(book, 1, 100, n=500)
    hold(book, 2, 200, n=500, priority=0)
    hold(book, 3, 300, n=500, sender="36184")
    hold(book, 4, 400, n=500, sender="BETA")
    sent = [one for tick in range(100) for one in campaigns(choose(book, 30, now=tick / 10))]  # 10 seconds
    assert sent.count(200) == pytest.approx(100, abs=2)  # the notification has all of ACME's
    assert sent.count(100) <= 2
    assert sent.count(300) == pytest.approx(50, abs=2)
    assert sent.count(400) == 500


def test_what_a_sender_holds_back_counts_not_as_work_in_hand() -> None:
    book = Book(rates=SenderRates({"ACME": 1.0}))
    hold(book, 1, 100, n=500)
    hold(book, 2, 200, n=30, sender="BETA")
    choose(book, 10)
    assert (book.held_back, book.waiting()) == ({100}, 30 - 9)


def test_a_long_message_costs_its_sender_all_its_segments() -> None:
    book = Book(rates=SenderRates({"ACME": 1.0}))
    hold(book, 1, 100, n=500, segments=3)
    sent = sum(len(campaigns(choose(book, 10, now=tick / 10))) for tick in range(300))
    assert sent == pytest.approx(10, abs=1)


def test_gateways_share_a_senders_rate() -> None:
    book = Book(rates=SenderRates({"ACME": 10.0}))
    book.rates.sharers = 2
    hold(book, 1, 100, n=500)
    sent = sum(len(campaigns(choose(book, 10, now=tick / 10))) for tick in range(100))
    assert sent == pytest.approx(50, abs=2)


def test_notifications_leave_before_marketing() -> None:
    book = Book()
    hold(book, 1, 100, n=50)
    hold(book, 2, 200, n=50, priority=0)
    chosen = campaigns(choose(book, 70))
    assert chosen[:50] == [200] * 50
    assert chosen[50:] == [100] * 20


def test_the_messages_of_a_slice_keep_their_order() -> None:
    book = Book()
    held = hold(book, 1, 100, n=50)
    hold(book, 2, 200, n=50)
    taken = [m.message_id for _ in range(5) for h, messages in choose(book, 30) if h is held for m in messages]
    assert taken == list(range(1000, 1050))
    assert held.is_spent


def test_a_closed_calendar_waits() -> None:
    book = Book()
    hold(book, 1, 100, n=5, calendar="RE")
    hold(book, 2, 200, n=5, calendar="FR")
    assert set(campaigns(choose(book, 100, closed=["RE@20"]))) == {200}
    assert set(campaigns(choose(book, 100))) == {100}


def test_a_pace_holds_one_campaign_back_and_nobody_else() -> None:
    book = Book()
    hold(book, 1, 100, n=500, pace=3600)  # one a second
    hold(book, 2, 200, n=500)
    assert campaigns(choose(book, 100, now=0.0)).count(100) == 1
    assert campaigns(choose(book, 100, now=0.1)).count(100) == 0
    sent = sum(campaigns(choose(book, 10, now=tick / 10)).count(100) for tick in range(2, 102))
    assert 9 <= sent <= 11


def test_gateways_that_share_a_paced_campaign_share_its_pace() -> None:
    book = Book()
    hold(book, 1, 100, n=500, pace=3600)
    book.paces[100].sharers = 2
    sent = sum(len(campaigns(choose(book, 10, now=tick / 10))) for tick in range(200))
    assert 9 <= sent <= 12


def test_dropping_the_last_slice_forgets_the_pace() -> None:
    book = Book()
    hold(book, 1, 100, n=1, pace=60)
    book.drop(1)
    assert (book.slices, book.paces) == ({}, {})
