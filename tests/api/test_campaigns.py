"""After inject: sender, test, cancel, read, list (guide §2.2, §2.3, §2.8, and our additions)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from carillon.models import Account, Campaign
from tests.api.callers import TUESDAY_NOON, Caller, at, refusal

LATER = "2026-12-03T10:30:00"


def tests_of(campaign_id: int) -> list[tuple[int, str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.msisdn, m.text, c.sender, m.price FROM message m JOIN campaign c ON c.id = m.campaign_id"
            " WHERE c.parent_id = %s ORDER BY m.id",
            [campaign_id],
        )
        return cursor.fetchall()


tests_of.__test__ = False  # type: ignore[attr-defined]


def test_the_sender_of_a_draft_can_be_changed(alice: Caller) -> None:
    number = alice.inject(typeSelect="MKG").json()["id"]
    answer = alice.put(f"campaigns/{number}/sender", {"sender": "NEWNAME"}).json()
    assert (answer["sender"], answer["status"], answer["countValid"]) == ("NEWNAME", "DRAFT", 1)
    assert Campaign.objects.get().prepared_at is not None  # prepared again: the STOP mention is in the text now
    assert alice.put(f"campaigns/{number}/sender", {}).json()["sender"] == "36184"


def test_a_bad_sender_is_refused_and_the_old_one_kept(alice: Caller) -> None:
    number = alice.inject(sender="GOODNAME").json()["id"]
    for bad in ("é", "ab", "123456", "TWELVELETTERS", "with space"):
        assert refusal(alice.put(f"campaigns/{number}/sender", {"sender": bad}))[:2] == (422, "sender_invalid")
    assert Campaign.objects.get().sender == "GOODNAME"


def test_only_a_drafts_sender_can_be_changed(alice: Caller) -> None:
    number = alice.inject(startNow=True).json()["id"]
    assert refusal(alice.put(f"campaigns/{number}/sender", {"sender": "NEWNAME"}))[:2] == (409, "not_a_draft")


def test_a_test_goes_to_the_given_numbers_with_their_own_sender(alice: Caller) -> None:
    person = {"mobile": "0632545311", "extendedKeys": [{"REF": "A12"}]}
    number = alice.inject(listRecipient=[person], msg="Order ${REF}").json()["id"]
    answer = alice.put(
        f"campaigns/{number}/test", {"phoneNumbers": "33685812475; 33685812476", "sender": "TESTNAME", "row": 1}
    )
    assert (answer.status_code, answer.json()["status"], answer.json()["sender"]) == (200, "DRAFT", "38184")
    assert tests_of(number) == [
        (33685812475, "Order A12", "TESTNAME", 100),
        (33685812476, "Order A12", "TESTNAME", 100),
    ]


def test_a_test_to_ones_own_mobile_is_free(alice: Caller) -> None:
    alice.user.mobile = "06 85 81 24 75"
    alice.user.save()
    number = alice.inject().json()["id"]
    alice.put(f"campaigns/{number}/test", {"phoneNumbers": "0685812475,0685812476"})
    assert [price for *_, price in tests_of(number)] == [0, 100]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "phoneNumbers"),
        ({"phoneNumbers": "0112345678"}, "phoneNumbers"),
        ({"phoneNumbers": "abc;def"}, "phoneNumbers"),
    ],
)
def test_a_test_needs_mobile_numbers(alice: Caller, body: dict[str, str], param: str) -> None:
    number = alice.inject().json()["id"]
    assert refusal(alice.put(f"campaigns/{number}/test", body)) == (422, "invalid_input", param)


def test_a_scheduled_campaign_is_cancelled_and_its_credits_released(alice: Caller, account: Account) -> None:
    for verb in (alice.put, alice.post, alice.delete):
        number = alice.inject(startNow=True, scheduleOn=LATER).json()["id"]
        answer = verb(f"campaigns/{number}/cancel").json()
        assert (answer["status"], answer["scheduled"], answer["creditAfterInjection"]) == ("DRAFT", False, 0.0)
    account.refresh_from_db()
    assert account.held == 0


def test_ten_seconds_before_is_the_last_moment(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    when = TUESDAY_NOON + timedelta(hours=1)
    number = alice.inject(startNow=True, scheduleOn=when.isoformat()).json()["id"]
    at(monkeypatch, when - timedelta(seconds=9))
    assert refusal(alice.put(f"campaigns/{number}/cancel"))[:2] == (409, "too_late")
    at(monkeypatch, when - timedelta(seconds=10))
    assert alice.put(f"campaigns/{number}/cancel").json()["status"] == "DRAFT"


def test_what_is_not_scheduled_cannot_be_cancelled(alice: Caller) -> None:
    assert refusal(alice.put(f"campaigns/{alice.inject().json()['id']}/cancel"))[:2] == (409, "not_scheduled")


def test_a_campaign_is_read_with_its_people_and_counters(alice: Caller) -> None:
    made = alice.inject(listRecipient=[{"mobile": "0632545311", "firstName": "Anne"}], startNow=True).json()
    read = alice.get(f"campaigns/{made['id']}").json()
    assert read == made
    assert read["listInCampaign"]["recipients"] == [
        {"mobile": "0632545311", "groupID": 0, "id": 0, "firstName": "Anne"}
    ]


@pytest.mark.parametrize("number", ["abc", "-1", "0x10", "99999999999999999999", "1.5"])
def test_a_number_that_is_none_is_refused(alice: Caller, number: str) -> None:
    assert refusal(alice.get(f"campaigns/{number}")) == (422, "invalid_input", "campaign_id")


def test_the_list_is_read_page_by_page(alice: Caller) -> None:
    numbers = [alice.inject(campaignName=f"c{n}").json()["id"] for n in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = alice.get(f"campaigns?limit=2&cursor={cursor}").json()
        seen += [line["id"] for line in page["campaigns"]]
        cursor = page["nextCursor"] or ""
        if len(seen) == 2:
            alice.inject(campaignName="made meanwhile")
    assert seen == numbers[::-1] and not cursor


def test_the_list_is_filtered(alice: Caller, bob: Caller) -> None:
    alice.inject(campaignName="Winter sale", typeSelect="MKG")
    sent = alice.inject(campaignName="Code", startNow=True).json()["id"]
    own = bob.inject(campaignName="Bob's").json()["id"]

    def found(query: str) -> list[str]:
        return sorted(line["campaignName"] for line in alice.get(f"campaigns?{query}").json()["campaigns"])

    assert found("status=INPROGRESS") == ["Code"]
    assert found("status=DRAFT;SCHEDULED") == ["Bob's", "Winter sale"]
    assert found("typeSelect=MKG") == ["Winter sale"]
    assert found("search=winter") == ["Winter sale"] and found(f"search={sent}") == ["Code"]
    assert found(f"userID={bob.user.public_id}") == ["Bob's"]
    assert found("until=2020-01-01") == [] and len(found("since=2020-01-01")) == 3
    assert [line["id"] for line in bob.get("campaigns").json()["campaigns"]] == [own]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=MjAyMCA1", "limit=0", "limit=1000", "status=LOST", "since=x"])
def test_filters_that_mean_nothing_are_refused(alice: Caller, query: str) -> None:
    assert refusal(alice.get(f"campaigns?{query}"))[:2] == (422, "invalid_input")


def test_test_sends_are_not_campaigns_of_their_own(alice: Caller) -> None:
    number = alice.inject().json()["id"]
    alice.put(f"campaigns/{number}/test", {"phoneNumbers": "0685812475"})
    assert [line["id"] for line in alice.get("campaigns").json()["campaigns"]] == [number]
