"""Finding a few messages of a report: the short way through the lists and the long way through the messages agree."""

from __future__ import annotations

import pytest

from carillon.models import Campaign
from carillon.services import list_rows, preparation, report_search
from tests.builders import make_account, make_campaign, make_connector, make_list

pytestmark = pytest.mark.django_db
ROWS = [
    ("0612345601", "Zoé 100%"), ("0612345602", "Max"), ("0612345601", "Zoé la même"), ("12", "Zoé sans numéro"),
    ("0612345603", "Zoé"), ("0612345604", "Anne"),
]  # fmt: skip


def prepared(account_rows: list[tuple[str, str]] = ROWS) -> Campaign:
    make_connector()
    account = make_account(max_segments=3)
    make_list(account, account_rows, header=("SMS", "Nom"))  # nobody writes to it
    item = make_list(account, account_rows, header=("SMS", "Nom"))
    return preparation.prepare(make_campaign(account, lists=[item]).pk)


def lines(campaign: Campaign, text: str, **more: int) -> list[int]:
    return [row.line for row in report_search.find(campaign, text=text, **more)[0]]


@pytest.mark.parametrize("few", [0, 1_000])
@pytest.mark.parametrize(
    ("text", "found"), [("zo", [1, 3, 4, 5]), ("100%", [1]), ("34560", [1, 2, 3, 5, 6]), ("anne", [6]), ("nobody", [])]
)
def test_a_word_or_a_part_of_a_number(few: int, text: str, found: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_search, "FEW", few)
    assert lines(prepared(), text) == found


def test_the_next_ones_follow() -> None:
    campaign = prepared()
    first, more = report_search.find(campaign, text="zo", limit=2)
    assert [row.line for row in first] == [1, 3]
    assert lines(campaign, "zo", limit=2, after=more or 0) == [4, 5]


def test_nothing_is_missed_when_rows_have_left_the_list() -> None:
    campaign = prepared()
    item = campaign.lists.get()
    list_rows.remove_numbers(item, ["0612345602"])
    assert lines(campaign, "zo") == [1, 3, 4, 5]


def test_messages_far_from_each_other_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = prepared()
    near = report_search.find(campaign, text="zo")[0]
    monkeypatch.setattr(report_search, "GAP", 0)
    monkeypatch.setattr(report_search, "SCATTERED", 1)
    assert report_search.find(campaign, text="zo")[0] == near
