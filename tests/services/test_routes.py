"""Which of several ways a message takes: priority, then cost, then the weights; and what happens when the first is down."""

from __future__ import annotations

from collections import Counter

from carillon.services.routes import Candidate, Router

FRANCE = {"country": "FR", "traffic": "MKG"}


def way(
    connector_id: int, *, priority: int = 100, cost: int = 0, weight: int = 1, country: str = "", is_up: bool = True
) -> Candidate:
    name = f"carrier {connector_id}"
    return Candidate(connector_id, name, name, priority, weight, country=country, cost=cost, is_up=is_up)


def chosen(*ways: Candidate) -> Counter[int | None]:
    router = Router(ways)
    return Counter(router.choose(msisdn=33_600_000_000 + n, **FRANCE) for n in range(1000))


def test_priority_goes_before_cost() -> None:
    assert chosen(way(1, priority=1, cost=500), way(2, priority=2, cost=1)) == {1: 1000}


def test_the_cheapest_of_one_priority_carries_everything() -> None:
    assert chosen(way(1, cost=500), way(2, cost=300), way(3, cost=400)) == {2: 1000}


def test_equal_costs_share_by_weight() -> None:
    shares = chosen(way(1, cost=300, weight=3), way(2, cost=300), way(3, cost=400, weight=9))
    assert set(shares) == {1, 2}
    assert 700 < shares[1] < 800


def test_a_dearer_way_serves_while_the_cheapest_is_down() -> None:
    assert chosen(way(1, cost=300, is_up=False), way(2, cost=400), way(3, cost=500)) == {2: 1000}


def test_what_is_down_keeps_its_messages_when_nothing_else_is_up() -> None:
    assert chosen(way(1, cost=300, is_up=False), way(2, cost=400, is_up=False)) == {1: 1000}


def test_others_are_offered_for_failover_cheapest_first() -> None:
    router = Router([way(1, cost=300), way(2, cost=500), way(3, cost=400), way(4, country="BE")])
    assert router.alternatives(msisdn=33_600_000_000, without=1, **FRANCE) == [3, 2]


def test_a_number_always_takes_the_same_way() -> None:
    router = Router([way(1), way(2)])
    assert len({router.choose(msisdn=33_612_345_678, **FRANCE) for _ in range(20)}) == 1
