"""What became of each message, in the columns of the guides."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from django.db import connection

from carillon.models import Campaign, ClickCount, Link, Message, Reply, Slice
from carillon.services import launching, preparation
from carillon.services.reports import Report, csv_pieces, harmless, json_pieces
from tests.builders import make_account, make_campaign, make_connector, make_list

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def launched(rows: list[tuple[str, str]], **changes: object) -> Campaign:
    make_connector()
    account = make_account(max_segments=3)
    item = make_list(account, rows, header=["SMS", "Nom"], name="Clients")
    campaign = make_campaign(account, lists=[item], **changes)
    return launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW)


def submit(campaign: Campaign, at: int, status: int, *, segment: int = 1, segments: int = 1, done: bool = True) -> int:
    """The `at`-th message was handed over and has this status now; returns its id."""
    message = Message.objects.filter(campaign_id=campaign.pk).order_by("id")[at]
    Slice.objects.filter(campaign_id=campaign.pk).update(cursor_id=message.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, done_at, account_id, campaign_id,"
            " connector_id, status, price, carrier_message_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 100, %s)",
            [message.id, segment, segments, NOW, datetime(2026, 12, 1, 10, 0, 5, tzinfo=UTC) if done else None,
             campaign.account_id, campaign.pk, message.connector_id, status, f"{message.id}-{segment}"],
        )  # fmt: skip
    return message.id


def table(campaign: Campaign, **options: object) -> list[dict[str, str]]:
    report = Report(campaign, **options)
    text = b"".join(csv_pieces(report.columns(), report.rows())).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_columns_stand_in_the_guides_order() -> None:
    campaign = launched([("0612345678", "Martin")])
    Link.objects.create(campaign=campaign, index=0, url="https://example.test", domain="clic-ici.net")
    assert Report(campaign).columns() == [
        "REF_LIST", "ID_LINE", "INT_MOBILE", "STATUS_CODE", "STATUS_TEXT", "DELIVERYDATE", "REPLY", "PREVIEW",
        "PREVIEW_COUNTER", "TRACK_1", "TRACK_1_COUNTER", "MF_ALLOW", "MF_VALID", "MF_COUNTRY", "SMS", "Nom",
    ]  # fmt: skip
    assert Report(campaign, legacy=True).columns().count("REPLY") == 2


def test_each_kind_of_outcome() -> None:
    campaign = launched([(f"06123456{n:02}", f"n{n}") for n in range(5)] + [("bad", "x"), ("0612345600", "twice")])
    submit(campaign, 0, 16)
    submit(campaign, 1, 20)
    submit(campaign, 2, 24, done=False)
    rows = table(campaign)
    assert [r["STATUS_CODE"] for r in rows] == ["16", "20", "24", "1", "1", "2", "4"]
    assert [r["ID_LINE"] for r in rows] == ["1", "2", "3", "4", "5", "6", "7"]
    assert (rows[0]["STATUS_TEXT"], rows[0]["DELIVERYDATE"]) == ("Délivré", "01/12/2026 11:00:05")
    assert rows[2]["DELIVERYDATE"] == ""
    assert (rows[5]["INT_MOBILE"], rows[5]["MF_VALID"], rows[0]["MF_VALID"]) == ("", "False", "True")
    assert (rows[0]["REF_LIST"], rows[0]["MF_COUNTRY"], rows[0]["MF_ALLOW"]) == ("Clients", "FR", "True")


def test_segments_are_joined_into_one_status() -> None:
    campaign = launched([("0612345678", "a" * 200), ("0612345679", "a" * 200)], message="Bonjour ${nom}")
    submit(campaign, 0, 16, segment=1, segments=2)
    submit(campaign, 0, 20, segment=2, segments=2)
    submit(campaign, 1, 16, segment=1, segments=2)
    submit(campaign, 1, 24, segment=2, segments=2, done=False)
    assert [r["STATUS_CODE"] for r in table(campaign)] == ["20", "24"]


def test_what_was_intended_and_what_was_cancelled() -> None:
    campaign = launched([(f"06123456{n:02}", "") for n in range(3)])
    Slice.objects.filter(campaign_id=campaign.pk).update(cursor_id=campaign.first_message_id)
    launching.cancel_rest(campaign, actor=None, now=NOW)
    campaign.refresh_from_db()
    assert [r["STATUS_CODE"] for r in table(campaign)] == ["9", "23", "23"]


def test_replies_and_clicks_stand_beside_their_message() -> None:
    campaign = launched([("0612345678", "Martin"), ("0612345679", "Durand")])
    Link.objects.create(campaign=campaign, index=0, url="https://example.test", domain="clic-ici.net")
    first = submit(campaign, 0, 16)
    for text, kind in (("merci", "reply"), ("STOP", "stop")):
        Reply.objects.create(
            account=campaign.account, campaign_id=campaign.pk, message_id=first, msisdn=33612345678, to="36184", text=text,
            kind=kind, received_at=NOW,
        )  # fmt: skip
    ClickCount.objects.create(campaign_id=campaign.pk, message_id=first, link_index=0, first_at=NOW, n=4, human_n=3)
    rows = table(campaign)
    assert (rows[0]["STATUS_CODE"], rows[0]["REPLY"]) == ("17", "merci#STOP")
    assert (rows[0]["TRACK_1"], rows[0]["TRACK_1_COUNTER"], rows[1]["TRACK_1"]) == ("01/12/2026 11:00:00", "3", "")


def test_filters_take_alias_groups_and_chosen_columns() -> None:
    campaign = launched([("0612345678", "Martin"), ("0612345679", "Durand")])
    submit(campaign, 0, 16)
    submit(campaign, 1, 25)
    rows = table(campaign, statuses=[21], details=["nom", "nothing"])
    assert [(r["INT_MOBILE"], r["Nom"], "SMS" in r) for r in rows] == [("33612345678", "Martin", False)]
    assert len(table(campaign, statuses=[20])) == 1


def test_lack_of_credit_is_status_8_for_everyone() -> None:
    make_connector()
    account = make_account(balance=0)
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW, on_lack="mark")
    assert [r["STATUS_CODE"] for r in table(campaign)] == ["8"]


def test_json_has_the_same_columns_as_keys() -> None:
    campaign = launched([("0612345678", 'quote " and ; and \u2028')])
    report = Report(campaign)
    rows = json.loads(b"".join(json_pieces(report.columns(), report.rows())))
    assert list(rows[0]) == report.columns()
    assert rows[0]["Nom"] == 'quote " and ; and \u2028'
    assert json.loads(b"".join(json_pieces(["A"], []))) == []


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-3", "-3"),
        ("+33612345678", "+33612345678"),
        ("-cmd", "'-cmd"),
        ("a", "a"),
    ],
)
def test_cells_that_a_spreadsheet_would_run(cell: str, kept: str) -> None:
    assert harmless(cell) == kept


def test_a_draft_shows_its_judgement() -> None:
    make_connector()
    account = make_account()
    item = make_list(account, ["0612345678", "bad"])
    campaign = preparation.prepare(make_campaign(account, lists=[item]).pk)
    assert [r["STATUS_CODE"] for r in table(campaign)] == ["1", "2"]
