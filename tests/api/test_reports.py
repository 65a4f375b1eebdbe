"""Reports of one campaign: the guide's columns, statuses by groups, the columns asked for (guide §2.4, §2.5, §4)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from carillon.models import Account
from tests.api.callers import Caller, content, refusal
from tests.api.outcomes import click, deliver, message_ids, reply
from tests.builders import make_list

LINK = [{"index": 0, "type": "REDIRECT", "urlToRedirect": "http://example.test/"}]
ROWS = [
    ["0611111111", "Anne", "=1+1"],
    ["0611111112", "Bea", "x"],
    ["0611111113", "Cléa", ""],
    ["0111111111", "Dora", ""],
]


@pytest.fixture
def campaign_id(alice: Caller, account: Account) -> int:
    item = make_list(account, ROWS, header=["SMS", "Prénom", "REF"], user=alice.user, name="clients")
    body = {
        "listsId": item.pk,
        "msg": "Bonjour ${Prénom} ${track_1}",
        "tinyList": LINK,
        "typeSelect": "NOTIFICATION",
        "startNow": True,
    }
    number: int = alice.post("campaigns/inject", body).json()["id"]
    first, second, third, _ = message_ids(number)
    deliver(first, 21)
    reply(first, "Merci")
    reply(first, "STOP", kind="stop")
    click(first, n=3)
    deliver(second, 25)
    deliver(third, 21)
    return number


def table(response: Any) -> list[dict[str, str]]:
    text = content(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def codes(rows: list[dict[str, str]]) -> list[str]:
    return [row["STATUS_CODE"] for row in rows]


def test_the_columns_are_the_guides_then_the_lists_own(alice: Caller, campaign_id: int) -> None:
    response = alice.get(f"campaigns/report/{campaign_id}")
    assert response["Content-Type"] == "text/csv; charset=utf-8" and "attachment" in response["Content-Disposition"]
    rows = table(response)
    assert list(rows[0]) == [
        "REF_LIST", "ID_LINE", "INT_MOBILE", "STATUS_CODE", "STATUS_TEXT", "DELIVERYDATE", "REPLY", "PREVIEW",
        "PREVIEW_COUNTER", "TRACK_1", "TRACK_1_COUNTER", "MF_ALLOW", "MF_VALID", "MF_COUNTRY", "SMS", "Prénom", "REF",
    ]  # fmt: skip
    assert codes(rows) == ["17", "25", "21", "2"]
    first = rows[0]
    assert (first["REF_LIST"], first["ID_LINE"], first["INT_MOBILE"]) == ("clients", "1", "33611111111")
    assert (first["STATUS_TEXT"], first["DELIVERYDATE"]) == ("Délivré + STOP demandé", "01/12/2026 12:00:32")
    assert (first["REPLY"], first["TRACK_1"], first["TRACK_1_COUNTER"]) == ("Merci#STOP", "01/12/2026 12:10:00", "3")
    assert (first["MF_ALLOW"], first["MF_VALID"], first["MF_COUNTRY"], first["Prénom"]) == (
        "True",
        "True",
        "FR",
        "Anne",
    )
    assert (rows[3]["MF_VALID"], rows[3]["INT_MOBILE"]) == ("False", "")


def test_cells_that_a_spreadsheet_would_run_are_harmless(alice: Caller, campaign_id: int) -> None:
    assert table(alice.get(f"campaigns/report/{campaign_id}"))[0]["REF"] == "'=1+1"


def test_json_has_the_same_columns_as_keys(alice: Caller, campaign_id: int) -> None:
    response = alice.get(f"campaigns/reportjson/{campaign_id}")
    assert response["Content-Type"].startswith("application/json")
    rows = json.loads(content(response))
    plain = table(alice.get(f"campaigns/report/{campaign_id}"))
    assert [list(row) for row in rows] == [list(row) for row in plain]
    assert rows[0]["REF"] == "=1+1" and rows[1] == plain[1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("16", ["21"]),  # 16 and 21 are one group
        ("20,2", ["25", "2"]),
        ("20;2", ["25", "2"]),
        ("17", ["17"]),
        ("110;111;112;113", []),  # the guide's own sample: codes in no table
        ("16,999", ["21"]),
    ],
)
def test_statuses_are_filtered_by_group_with_both_separators(
    alice: Caller, campaign_id: int, status: str, expected: list[str]
) -> None:
    assert codes(table(alice.get(f"campaigns/report/{campaign_id}?status={status}"))) == expected
    assert codes(json.loads(content(alice.get(f"campaigns/reportjson/{campaign_id}?status={status}")))) == expected


def test_a_status_that_is_no_code_is_refused(alice: Caller, campaign_id: int) -> None:
    assert refusal(alice.get(f"campaigns/report/{campaign_id}?status=delivered")) == (422, "invalid_input", "status")


@pytest.mark.parametrize("details", ["prenom;ref", "REF,PRÉNOM", "Prénom;REF;nothing"])
def test_only_the_columns_asked_for(alice: Caller, campaign_id: int, details: str) -> None:
    row = table(alice.get(f"campaigns/report/{campaign_id}", QUERY_STRING=f"details={details}"))[0]
    assert set(row) & {"SMS", "Prénom", "REF"} == {"Prénom", "REF"}


def test_the_same_by_post_with_the_names_in_the_body(alice: Caller, campaign_id: int) -> None:
    posted = alice.post(f"campaigns/report/{campaign_id}/", {"status": "16", "details": "REF"})
    assert content(posted) == content(alice.get(f"campaigns/report/{campaign_id}?status=16&details=REF"))


def test_the_column_reply_can_be_repeated_as_the_extranets_guide_has_it(alice: Caller, campaign_id: int) -> None:
    header = content(alice.get(f"campaigns/report/{campaign_id}?legacy=1")).decode("utf-8-sig").splitlines()[0]
    assert header.split(";").count("REPLY") == 2


def test_a_draft_has_its_judgement_only(alice: Caller) -> None:
    number = alice.inject().json()["id"]
    assert codes(table(alice.get(f"campaigns/report/{number}"))) == ["1"]


def test_a_stranger_gets_nothing(charlie: Caller, campaign_id: int) -> None:
    for path in ("report", "reportjson"):
        assert refusal(charlie.get(f"campaigns/{path}/{campaign_id}"))[:2] == (404, "campaign_not_found")


def test_unknown_names_are_told_in_a_header(alice: Caller, campaign_id: int) -> None:
    assert "statut" in alice.get(f"campaigns/report/{campaign_id}?statut=16")["X-Warnings"]
