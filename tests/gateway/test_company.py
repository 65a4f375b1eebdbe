"""Two gateways of one connector: a receipt read by one before the other has committed its answer."""

from __future__ import annotations

from carillon.domain.traffic import Receipt
from carillon.gateway.company import DELAYS_S, Company
from carillon.models import Connector
from tests import builders
from tests.desk import Desk, answers, receipt


def test_a_receipt_is_tried_again_later_and_later_then_left_to_the_worker() -> None:
    company = Company()
    unknown = Receipt("x", 16)
    now = 0.0
    company.keep([unknown], now)
    for delay in DELAYS_S:
        assert company.due(now + 0.9 * delay) == []
        now += 1.1 * delay
        assert company.due(now) == [unknown]
        company.keep([unknown], now)
    assert company.due(now + 1000) == []


def test_what_found_its_answer_is_not_tried_again() -> None:
    company = Company()
    company.keep([Receipt("x", 16), Receipt("y", 16)], 0.0)
    assert len(company.due(1.0)) == 2
    company.keep([Receipt("y", 16)], 1.0)
    assert [one.carrier_message_id for one in company.due(10.0)] == ["y"]


def test_the_answer_of_the_other_gateway_is_found_at_the_next_try(committed_db: str) -> None:
    connector: Connector = builders.make_connector()
    campaign = builders.make_sendable_campaign(connector, n=1)
    one, other = Desk(committed_db, connector, seats=2), Desk(committed_db, connector, seats=2)
    (message,) = one.take_all()
    kept = other.tick(receipts=[receipt(message, 16)]).kept
    assert len(kept) == 1
    assert len(other.tick(again=kept).kept) == 1
    one.tick(answered=[answers(message, 24)])
    assert other.tick(again=kept).kept == []
    assert one.statuses(campaign.pk) == {16: 1}
    assert one.one("SELECT count(*) FROM receipt_unmatched") == 0
    one.close()
    other.close()
