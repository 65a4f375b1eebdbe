"""Reports of a period: at most seven days, both ends included, narrowed by FIQL (guide §2.6, §2.7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from carillon.models import Campaign, Reply
from carillon.services import period_reports
from tests.api.callers import Caller, at, content, refusal
from tests.api.outcomes import deliver, message_ids
from tests.api.test_reports import codes, table
from tests.builders import make_optout

DAYS = [datetime(2026, 11, 23 + n, 11, 0, tzinfo=UTC) for n in range(7)]  # Monday to Sunday


def fetch(caller: Caller, **query: str) -> Any:
    return caller.get("campaigns/reportjson/?" + urlencode({"from": "2026-11-23", "to": "2026-11-29"} | query))


def rows(caller: Caller, **query: str) -> list[dict[str, str]]:
    response = fetch(caller, **query)
    assert response.status_code == 200, response.content
    return json.loads(content(response))


def numbers(found: list[dict[str, str]]) -> list[str]:
    return [row["INT_MOBILE"][-4:] for row in found]


@pytest.fixture
def week(alice: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """One campaign a day from Monday to Friday: 3 by alice, 2 by bob."""
    for n, caller in enumerate((alice, alice, alice, bob, bob)):
        at(monkeypatch, DAYS[n])
        people = [
            {"mobile": f"063254{n}{m}00", "extendedKeys": [{"REF": f"R{n}{m}", "Ville": "Saint-Étienne"}]}
            for m in range(2)
        ]
        text = ("Hello ${REF}", "Say hello: ${REF}", "Othello ${REF}", "Hellooo", "50% off_${REF}")[n]
        kind = "MKG" if n % 2 == 0 else "NOTIFICATION"
        answer = caller.inject(listRecipient=people, msg=text, typeSelect=kind, startNow=True).json()
        assert answer["status"] == "INPROGRESS", answer
        deliver(message_ids(answer["id"])[0], 16, at=DAYS[n] + timedelta(seconds=5))
    at(monkeypatch, DAYS[6])


def test_a_period_holds_every_message_of_its_campaigns(alice: Caller, week: None) -> None:
    found = rows(alice)
    assert numbers(found) == ["0000", "0100", "1000", "1100", "2000", "2100", "3000", "3100", "4000", "4100"]
    assert codes(found) == ["16", "1"] * 5
    assert (found[0]["REF"], found[0]["Ville"]) == ("R00", "Saint-Étienne")
    assert found[0]["CAMPAIGN_ID"] == str(Campaign.objects.order_by("pk").first().pk)  # type: ignore[union-attr]


def test_the_csv_has_the_same_rows_and_all_columns(alice: Caller, week: None) -> None:
    plain = table(alice.get("campaigns/report/?from=2026-11-23&to=2026-11-29"))
    assert numbers(plain) == numbers(rows(alice))
    assert list(plain[0])[-4:] == ["CAMPAIGN_ID", "mobile", "REF", "Ville"]
    only = table(alice.get("campaigns/report/?from=2026-11-23&to=2026-11-29&keyField=ref"))
    assert list(only[0])[-2:] == ["CAMPAIGN_ID", "REF"]


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ({"from": "2026-11-24", "to": "2026-11-25"}, [1, 2]),  # both days whole
        ({"from": "2026-11-24", "to": "2026-11-24"}, [1]),
        ({"from": "2026-11-24 12:00", "to": "2026-11-25 11:59"}, [1]),  # 11:00 UTC is 12:00 in Paris
        ({"from": "2026-11-24 12:01", "to": "2026-11-25 12:00"}, [2]),
    ],
)
def test_ends_are_included_in_the_accounts_time(
    alice: Caller, week: None, given: dict[str, str], days: list[int]
) -> None:
    assert {int(number[0]) for number in numbers(rows(alice, **given))} == set(days)


def test_without_an_end_it_is_since_that_day(alice: Caller, week: None) -> None:
    response = alice.get("campaigns/reportjson/?from=2026-11-26")
    assert {int(number[0]) for number in numbers(json.loads(content(response)))} == {3, 4}


def test_more_than_seven_days_are_refused_with_the_longest_end(alice: Caller) -> None:
    response = alice.get("campaigns/report/?from=2026-11-20&to=2026-11-27")
    assert refusal(response) == (400, "period_too_long", "to") and "2026-11-27 00:00" in response.json()["message"]
    assert refusal(alice.get("campaigns/report/?from=2026-11-20"))[:2] == (400, "period_too_long")
    assert alice.get("campaigns/report/?from=2026-11-20&to=2026-11-26").status_code == 200


def test_seven_local_days_may_hold_one_hour_more(alice: Caller) -> None:
    assert alice.get("campaigns/report/?from=2026-10-20&to=2026-10-26").status_code == 200  # the 25th has 25 hours


@pytest.mark.parametrize(
    ("query", "param"),
    [("", "from"), ("from=x", "from"), ("from=2026-02-30", "from"), ("from=2026-11-24&to=9999-12-31", "to"),
     ("from=2026-11-24&to=2026-11-20", "to"), ("from=2026-11-27&types=FAX", "types"), ("from=2026-11-27&status=x", "status")],
)  # fmt: skip
def test_a_period_that_means_nothing_is_refused(alice: Caller, query: str, param: str) -> None:
    assert refusal(alice.get(f"campaigns/report?{query}")) == (422, "invalid_input", param)


def test_an_administrator_sees_all_users_or_one(alice: Caller, bob: Caller, charlie: Caller, week: None) -> None:
    assert len(rows(alice)) == 10 and len(rows(alice, userID=bob.user.public_id)) == 4
    assert len(rows(alice, userID=alice.user.public_id)) == 6
    assert len(rows(bob)) == 4 and rows(charlie) == []
    assert refusal(fetch(bob, userID=alice.user.public_id)) == (422, "invalid_input", "userID")
    assert refusal(fetch(alice, userID=charlie.user.public_id)) == (422, "invalid_input", "userID")


def test_statuses_and_media(alice: Caller, week: None) -> None:
    assert codes(rows(alice, status="21;999")) == ["16"] * 5
    assert rows(alice, status="110;111;112;113") == []
    assert len(rows(alice, types="SMS;EMAIL;VOCAL")) == 10
    assert rows(alice, types="EMAIL") == [] and rows(alice, types="VOCAL") == []


@pytest.mark.parametrize("stretch", [1, 3, 100_000])
def test_every_status_finds_what_the_whole_report_says(
    alice: Caller, week: None, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_optout(alice.user.account, 33632545100)
    people = [{"mobile": f"06325450{m}0"} for m in range(3)] + [{"mobile": "0632545100"}, {"mobile": "12"}]
    number = alice.inject(listRecipient=people, msg="Soldes", typeSelect="NOTIFICATION", startNow=True).json()["id"]
    ids = message_ids(number)
    deliver(ids[0], 16)
    deliver(ids[1], 22)
    Reply.objects.create(
        account=alice.user.account, campaign_id=number, message_id=ids[0], msisdn=33632545000, to="36184", text="STOP", kind="stop",
        received_at=DAYS[6],
    )  # fmt: skip
    whole = rows(alice)
    monkeypatch.setattr(period_reports, "STRETCH", stretch)
    found = {code: numbers(rows(alice, status=code)) for code in sorted({*codes(whole), "13"})}
    assert found == {code: numbers([row for row in whole if row["STATUS_CODE"] == code]) for code in found}
    assert set(found) == {"1", "13", "14", "16", "17", "2", "22"} and not found["13"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("item ==0632541000", ["1000"]),  # printed with a blank in the guide
        ("item==+33 6 32 54 10 00", ["1000"]),
        ("item=re=336325420*", ["2000"]),
        ("item=re=06325442*", []),
        ("item=re=*", "all"),
        ("item!=0632541000;type==P2P", ["1100", "3000", "3100"]),
        ("type==BCAST_MKG", ["0000", "0100", "2000", "2100", "4000", "4100"]),
        ("type==P2P", ["1000", "1100", "3000", "3100"]),
        ("type==OTHER", []),
        ("msg=re=Hello*", ["0000", "0100", "1000", "1100", "3000", "3100"]),  # any word that begins so; not Othello
        ("msg=re=Hello", ["0000", "0100", "1000", "1100"]),  # the word itself
        ("msg==Hello R01", ["0100"]),
        ("msg=re=50%25 off_*", ["4000", "4100"]),  # neither % nor _ is a wildcard
        ("fields.REF==R21", ["2100"]),
        ("fields.ref=re=R1*", ["1000", "1100"]),
        ("fields.VILLE==Saint-Étienne;fields.REF==R00", ["0000"]),
        ("fields.REF==DRAFT;fields.REF==value", []),  # the guide's sample can never be true
        ("fields.REF==R00,fields.REF==R41", ["0000", "4100"]),
        ("(item==0632540000,item==0632541000);type==P2P", ["1000"]),
        ("fields.NOWHERE==x", []),
        ("fields.REF==R%", []),
        ("fields.REF==' OR 1=1 --", []),
    ],
)
def test_fiql(alice: Caller, week: None, search: str, expected: Any) -> None:
    found = numbers(rows(alice, search=search))
    assert found == (numbers(rows(alice)) if expected == "all" else expected)


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("item", "fiql_syntax"),
        ("item==1;", "fiql_syntax"),
        ("(item==1", "fiql_syntax"),
        ("secret==1", "fiql_field"),
        (",".join(["item==1"] * 1000), "fiql_too_large"),
        ("(" * 100 + "item==1" + ")" * 100, "fiql_too_large"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused(alice: Caller, search: str, code: str) -> None:
    assert refusal(fetch(alice, search=search)) == (400, code, "search")


def test_ten_thousand_terms_are_refused(alice: Caller) -> None:
    search = ",".join(["item==0632541000"] * 10_000)
    response = alice.post("campaigns/reportjson", {"from": "2026-11-23", "to": "2026-11-29", "search": search})
    assert refusal(response)[0] in (400, 422)


def test_pages_follow_one_another(alice: Caller, week: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(alice)
    monkeypatch.setattr(period_reports, "PAGE", 3)
    assert rows(alice) == whole
    assert numbers(rows(alice, search="type==BCAST_MKG")) == ["0000", "0100", "2000", "2100", "4000", "4100"]


def test_a_search_that_takes_too_long_is_stopped(alice: Caller, week: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(period_reports, "TIMEOUT_MS", 100)
    monkeypatch.setattr(period_reports, "_search", lambda report: ("SELECT 1, 1 FROM pg_sleep(60)", {}))
    assert refusal(fetch(alice))[:2] == (400, "search_too_slow")
