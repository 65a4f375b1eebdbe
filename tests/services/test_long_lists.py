"""Pages of what may be millions of rows."""

from __future__ import annotations

import pytest
from django.core.paginator import Paginator

from carillon.services import blacklist, list_search
from carillon.services.long_lists import LongList
from tests.builders import make_account, make_list, make_optout

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("n", "count", "is_cut"), [(4, 4, False), (5, 5, False), (6, 5, True), (9, 5, True)])
def test_rows_are_counted_to_a_limit_and_there_it_says_so(n: int, count: int, is_cut: bool) -> None:
    account = make_account()
    for i in range(n):
        make_optout(account, 33600000001 + i)
    found = LongList(blacklist.visible(account), most=5)
    page = Paginator(found, 2).get_page(99)
    assert (page.paginator.count, found.is_cut) == (count, is_cut)
    assert list(page.object_list)[-1].msisdn == 33600000001 + n - count  # the newest come first


@pytest.mark.parametrize("few", [0, 100])
def test_numbers_are_found_newest_first_few_or_many(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blacklist, "FEW", few)
    account = make_account()
    for number in (33611000002, 33622000000, 33611000001, 33611000003):
        make_optout(account, number)
    make_optout(make_account(), 33611000004)
    found = blacklist.visible(account, text="06 11")
    assert [row.msisdn for row in found] == [33611000003, 33611000001, 33611000002]


def test_a_search_crosses_the_stretches_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_search, "WINDOW", 3)
    account = make_account()
    make_list(account, ["0612345600"])  # ids before and after belong to others
    item = make_list(
        account, [[f"06123456{i:02d}", "Zoé" if i % 4 else "Max"] for i in range(20)], header=("SMS", "Nom")
    )
    make_list(account, ["0612345699"])
    assert [row.line for row in list_search.find(item, "zoé")[:100]] == [i + 1 for i in range(20) if i % 4]
    some = list_search.find(item, "max", most=3)
    assert ([row.line for row in some[:10]], len(some), some.is_cut) == ([1, 5, 9], 3, True)
    assert [row.line for row in list_search.find(item, "0612345607")[:10]] == [8]
    assert list_search.find(item, "nobody")[:5] == []


def test_every_page_of_a_list_holds_its_lines() -> None:
    item = make_list(make_account(), [f"06123456{i:02d}" for i in range(25)])
    pages = Paginator(list_search.pages(item), 10)
    assert [[row.line for row in page.object_list] for page in pages] == [
        list(range(1, 11)), list(range(11, 21)), list(range(21, 26)),
    ]  # fmt: skip
