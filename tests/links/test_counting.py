"""Visits are counted once each, people apart from machines."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from carillon.models import Campaign, Click, ClickCount, Message, Outbox, Webhook
from carillon.services import clicks, links, report_figures, reports
from carillon.services.clicks import Visit
from carillon.web.click_writer import ClickWriter
from tests.links.asking import PREVIEWER, Caller, codes, linked

PREFETCH = {"sec_purpose": "prefetch;prerender"}


def counts(campaign: Campaign) -> list[tuple[int, int, int]]:
    """(link, all visits, people) of each counter."""
    found = ClickCount.objects.filter(campaign_id=campaign.pk).order_by("message_id", "link_index")
    return [(c.link_index, c.n, c.human_n) for c in found]


def test_a_person_who_clicks_twice_counts_twice_and_is_one_person(caller: Caller) -> None:
    campaign = linked()
    path = codes(campaign)[0]
    caller.ask(path)
    caller.ask(path)
    caller.store()
    assert counts(campaign) == [(0, 2, 2)]
    assert report_figures.answers(campaign) == (0, 1)
    first = Click.objects.filter(campaign_id=campaign.pk).earliest("id")
    assert (first.kind, first.confidence, first.device, first.brand, first.model, first.os) == (
        "click", 95, "phone", "Apple", "iPhone", "iOS 17.4"
    )  # fmt: skip
    assert len(first.address_hash) == 16


def test_machines_are_counted_apart(caller: Caller) -> None:
    campaign = linked()
    path = codes(campaign)[0]
    caller.ask(path, method="HEAD")
    caller.ask(path, agent=PREVIEWER)
    caller.ask(path, agent="Mozilla/5.0 (compatible; SafeLinks scanner)")
    caller.ask(path, **PREFETCH)
    caller.ask(path, agent="")
    caller.ask(path, sec_fetch_user="?1")
    caller.store()
    kinds = Click.objects.filter(campaign_id=campaign.pk).order_by("id").values_list("kind", "confidence")
    assert list(kinds) == [("head", 100), ("preview", 95), ("scan", 95), ("scan", 90), ("scan", 80), ("click", 98)]
    assert counts(campaign) == [(0, 6, 1)]


def test_nobody_reads_within_a_second_of_sending(caller: Caller) -> None:
    campaign = linked()
    message = Message.objects.filter(campaign_id=campaign.pk).earliest("id")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, account_id, campaign_id, connector_id, status,"
            " price, carrier_message_id) VALUES (%s, 1, 1, now() + interval '1 hour', %s, %s, %s, 24, 0, %s)",
            [message.id, campaign.account_id, campaign.pk, message.connector_id, f"quick-{message.id}"],
        )
    caller.ask(codes(campaign)[0])
    caller.store()
    assert [(c.kind, c.confidence) for c in Click.objects.filter(campaign_id=campaign.pk)] == [("scan", 60)]


def test_ten_thousand_clicks_from_one_address_are_no_crowd(caller: Caller) -> None:
    caller.redirector.bursts.WINDOW_S = 1e9  # however slow this machine is
    campaign = linked()
    path = codes(campaign)[0]
    for _ in range(10_000):
        caller.ask(path)
    caller.store()
    assert counts(campaign) == [(0, 10_000, 30)]


def test_the_report_shows_the_first_click_of_a_person_and_how_many(caller: Caller) -> None:
    campaign = linked()
    path = codes(campaign)[0]
    caller.ask(path, agent=PREVIEWER)
    caller.ask(path)
    caller.ask(path)
    caller.store()
    made = reports.Report(campaign)
    text = b"".join(reports.csv_pieces(made.columns(), made.rows())).decode("utf-8-sig")
    header, first, second = [line.split(";") for line in text.splitlines()]
    row = dict(zip(header, first, strict=True))
    assert row["TRACK_1_COUNTER"] == "2" and len(row["TRACK_1"]) == len("01/12/2026 11:00:00")
    assert dict(zip(header, second, strict=True))["TRACK_1"] == ""


def test_a_webhook_is_told_of_people_only(caller: Caller) -> None:
    campaign, other = linked(), linked()
    Webhook.objects.create(account=campaign.account, url="https://hooks.example", events=["click"])
    for path in (*codes(campaign)[:1], *codes(other)[:1]):
        caller.ask(path)
        caller.ask(path, agent=PREVIEWER)
    caller.ask(codes(campaign, links.OPT_OUT)[0])  # a page where one may opt out: no click on a link of the text
    caller.store()
    found = Outbox.objects.filter(event="click", account_id__in=[campaign.account_id, other.account_id])
    click = Click.objects.get(campaign_id=campaign.pk, kind="click", link_index=0)
    assert [(row.account_id, row.payload) for row in found] == [(campaign.account_id, {"click_id": click.pk})]


def test_figures_over_time_and_by_device(caller: Caller) -> None:
    campaign = linked()
    assert clicks.of_campaign(campaign) is None
    for path in codes(campaign):
        caller.ask(path)
    caller.ask(path, agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0 Safari/537.36")
    caller.ask(path, agent=PREVIEWER)
    caller.store()
    found = clicks.of_campaign(campaign)
    assert found is not None
    assert (found.people, found.human, found.raw, sum(found.over_time)) == (2, 3, 4, 3)
    assert (found.by_device, found.by_brand["Apple"]) == ({"phone": 2, "computer": 1}, 2)
    assert found.step == timedelta(minutes=1)


# --- the writer --------------------------------------------------------------------------------------------------------


class Tables:
    """Stands for the database: away `n` times, then refuses what is marked bad."""

    def __init__(self, *, away: int = 0, bad: Any = None) -> None:
        self.away, self.bad = away, bad
        self.kept: list[Visit] = []
        self.is_there = threading.Event()

    def store(self, visits: Sequence[Visit]) -> None:
        if self.away:
            self.away -= 1
            raise OperationalError("the database is away")
        if self.bad in visits:
            raise ValueError("no column holds this")
        self.is_there.set()
        self.kept += visits


@pytest.mark.parametrize("tables", [Tables(), Tables(away=1)])
def test_stopping_stores_what_waits(tables: Tables, shared_db: str, caplog: pytest.LogCaptureFixture) -> None:
    writer = ClickWriter(tables.store)
    visits: Any = [f"visit {i}" for i in range(12_000)]
    for visit in visits:
        writer.add(visit)
    writer.start()
    assert tables.is_there.wait(60)
    writer.stop()
    assert tables.kept == visits


def test_one_visit_that_cannot_be_stored_holds_up_no_other(shared_db: str) -> None:
    tables = Tables(bad="visit 3")
    writer = ClickWriter(tables.store)
    for i in range(6):
        writer.add(f"visit {i}")  # type: ignore[arg-type]
    writer.start()
    writer.stop()
    assert tables.kept == [f"visit {i}" for i in (0, 1, 2, 4, 5)]
