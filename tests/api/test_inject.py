"""campaigns/inject against the guide's own examples (§2.1), kept as files beside this one."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carillon.models import Account, Brand, Campaign
from tests.api.callers import SUNDAY, TUESDAY_NOON, Caller, at, content, refusal
from tests.builders import make_account, make_list, make_user

GUIDE = Path(__file__).parent / "guide"


def golden(name: str) -> Any:
    return json.loads((GUIDE / name).read_text(encoding="utf-8"))


def messages_of(campaign_id: int) -> list[tuple[int, str, int]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT msisdn, text, status FROM message WHERE campaign_id = %s ORDER BY id", [campaign_id])
        return cursor.fetchall()


def test_a_prepared_campaign_is_answered_as_the_guide_prints_it(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """§2.1.3.1. Only what the platform chooses itself differs: ids, dates, and the warnings (ours)."""
    expected = golden("prepared_answer.json")
    request = {
        "listRecipient": [{"mobile": "0632545311"}],
        "msg": expected["message"],
        "campaignName": expected["campaignName"],
    }
    answer = alice.post("campaigns/inject", request).json()
    warnings = answer.pop("warnings")
    assert list(answer) == list(expected)
    chosen = {"userOwnerID", "customerID", "id", "creationDate", "updateDate", "pathToCampaign"}
    assert {k: v for k, v in answer.items() if k not in chosen} == {
        k: v for k, v in expected.items() if k not in chosen
    }
    assert any("PRENOM" in warning for warning in warnings)
    assert answer["userOwnerID"] == alice.user.public_id and len(answer["userOwnerID"]) == 24


def test_the_path_is_the_bytes_of_the_number() -> None:
    from carillon.api.campaign_answer import path_of

    assert path_of(golden("prepared_answer.json")["id"]) == "af/03/"
    assert path_of(7) == "07/00/" and path_of(0x012345) == "45/23/01/"


def test_dates_are_written_as_the_guide_does() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from carillon.api.fields import us_date, utc_date

    moment = datetime(2021, 6, 16, 16, 29, 7, tzinfo=UTC)
    assert us_date(moment, ZoneInfo("Europe/Paris")) == golden("prepared_answer.json")["creationDate"]
    assert us_date(moment.replace(hour=22), ZoneInfo("Europe/Paris")) == "Jun 17, 2021 12:29:07 AM"
    assert utc_date(datetime(2021, 6, 25, 8, 46, 45, 937_000, tzinfo=UTC)) == "2021-06-25T08:46:45.937Z[UTC]"


def test_the_prepared_campaign_is_launched_by_its_number(alice: Caller, account: Account) -> None:
    """§2.1.3.2"""
    prepared = alice.inject(startNow=False).json()
    assert (prepared["status"], prepared["creditAfterInjection"], messages_of(prepared["id"])[0][2]) == (
        "DRAFT",
        0.0,
        1,
    )
    request = golden("launch_request.json") | {"campaignId": prepared["id"]}
    sent = alice.post("campaigns/inject", request).json()
    assert (sent["id"], sent["status"], sent["globalCounter"], sent["creditAfterInjection"]) == (
        prepared["id"], "INPROGRESS", 1, 1.0
    )  # fmt: skip
    account.refresh_from_db()
    assert account.held == 100
    assert refusal(alice.post("campaigns/inject", request))[:2] == (409, "not_a_draft")


def test_a_new_sender_may_come_with_the_launch(alice: Caller) -> None:
    """§2.1, sender: {"campaignId": 832455, "sender": "SENDER2", "startNow": true}"""
    number = alice.inject().json()["id"]
    sent = alice.post("campaigns/inject", {"campaignId": number, "sender": "SENDER2", "startNow": True}).json()
    assert (sent["sender"], sent["status"]) == ("SENDER2", "INPROGRESS")


def test_the_guides_long_example_breaks_the_guides_own_sender_rule(alice: Caller) -> None:
    """§2.1.2 uses "SMS_sender": refused naming the character and proposing another, never changed silently."""
    response = alice.post("campaigns/inject", golden("long_request.json"))
    assert refusal(response) == (422, "sender_invalid", "sender")
    assert "'_'" in response.json()["message"] and "SMSsender" in response.json()["message"]
    assert not Campaign.objects.exists()


def test_the_guides_long_example_with_a_legal_sender_is_sent(alice: Caller, account: Account) -> None:
    account.max_segments = 3
    account.save()
    answer = alice.post("campaigns/inject", golden("long_request.json") | {"sender": "SMSsender"}).json()
    assert (answer["status"], answer["sender"], answer["typeSelect"]) == ("INPROGRESS", "SMSsender", "NOTIFICATION")
    assert answer["tinyList"][0]["urlToRedirect"] == "http://www.myurl.com/?ref=${NAME_OF_MY_LIST_5_FIELD}"
    ((msisdn, text, status),) = messages_of(answer["id"])
    assert (msisdn, status) == (33632545311, 1)
    assert text.startswith(
        "Your package VEEPEE is available at your relay point PROXI LEBON from 10:00. Your ref BTZ14554432."
    )
    assert "${" not in text


@pytest.mark.parametrize(
    "extended",
    [
        [{"Adresse": "3 av Victor Hugo", "CP": "92200"}],
        [{"Adresse": "3 av Victor Hugo"}, {"CP": "92200"}],
        [{"keyName": "Adresse", "keyValue": "3 av Victor Hugo"}, {"keyName": "CP", "keyValue": 92200}],
        {"Adresse": "3 av Victor Hugo", "CP": 92200},
    ],
    ids=["one object", "several objects", "keyName and keyValue", "not in a list"],
)
def test_all_forms_of_extended_keys(alice: Caller, extended: Any) -> None:
    person = {"mobile": "0632545311", "firstName": "Anne", "extendedKeys": extended}
    answer = alice.inject(listRecipient=[person], msg="${FIRSTNAME}, ${adresse} ${CP}", startNow=True).json()
    assert messages_of(answer["id"])[0][1] == "Anne, 3 av Victor Hugo 92200"


@pytest.mark.parametrize("name", ["mobile", "sms", "portable", "gsm", "SMS"])
def test_the_number_stands_under_any_of_its_names(alice: Caller, name: str) -> None:
    assert (
        messages_of(alice.inject(listRecipient=[{name: "0632545311"}], startNow=True).json()["id"])[0][0] == 33632545311
    )


def test_booleans_and_numbers_may_be_texts(alice: Caller) -> None:
    number = alice.inject(startNow="FALSE", checkDuplicate="FALSE", allowUCS2="true").json()["id"]
    stored = Campaign.objects.get(pk=number)
    assert (stored.check_duplicate, stored.allow_ucs2) == (False, True)
    assert (
        alice.post("campaigns/inject", {"campaignId": str(number), "startNow": "TRUE"}).json()["status"] == "INPROGRESS"
    )


def test_duplicates_are_left_out_unless_asked_for(alice: Caller) -> None:
    people = [{"mobile": "0632545311"}, {"mobile": "+33 6 32 54 53 11"}]
    once = alice.inject(listRecipient=people, startNow=True).json()
    assert (once["countDuplicate"], once["countDuplicateRecipient"], once["creditCount"]) == (1, 1, 1.0)
    twice = alice.inject(listRecipient=people, startNow=True, checkDuplicate=False).json()
    assert (twice["countDuplicate"], twice["creditCount"]) == (0, 2.0)


def test_fifty_numbers_pass_and_fifty_one_do_not(alice: Caller) -> None:
    people = [{"mobile": f"06325453{n:02}"} for n in range(51)]
    assert alice.inject(listRecipient=people[:50], startNow=True).json()["countValid"] == 50
    assert refusal(alice.inject(listRecipient=people)) == (422, "too_many_recipients", "listRecipient")


def test_lists_and_single_people_combine(alice: Caller, account: Account) -> None:
    item = make_list(account, [["0611111111", "Anne"], ["0611111112", "Bea"]], header=["SMS", "Nom"], user=alice.user)
    for given in (item.pk, [item.pk], str(item.pk)):
        answer = alice.inject(listsId=given, msg="Bonjour ${Nom}", defaultForHeader={"nom": "Madame"}).json()
        assert answer["countRecipient"] == 3
        assert [entry["idlistItems"] for entry in answer["listInCampaign"]["listsItems"]] == [item.pk]
    assert {text for _, text, _ in messages_of(answer["id"])} >= {"Bonjour Anne", "Bonjour Bea"}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"msg": None}, "msg"),
        ({"msg": "   "}, "msg"),
        ({"listRecipient": None}, "listRecipient"),
        ({"listRecipient": [{"firstName": "Anne"}]}, "listRecipient[0].mobile"),
        ({"listRecipient": [{"mobile": "0632545311", "extendedKeys": "x"}]}, "listRecipient[0].extendedKeys"),
        ({"typeSelect": "FAX"}, "typeSelect"),
        ({"renderer": "JINJA"}, "renderer"),
        ({"startNow": "perhaps"}, "startNow"),
        ({"campaignId": "twelve"}, "campaignId"),
        ({"campaignId": 2**70}, "campaignId"),
        ({"defaultForHeader": "Mr"}, "defaultForHeader"),
        ({"scheduleOn": "tomorrow"}, "scheduleOn"),
        ({"tinyList": [{"type": "REDIRECT", "urlToRedirect": "http://a.fr"}]}, "tinyList[0].index"),
        ({"tinyList": [{"type": "REDIRECT", "index": 0}]}, "tinyList[0].urlToRedirect"),
        (
            {"tinyList": [{"type": "REDIRECT", "index": 0, "urlToRedirect": "javascript:alert(1)"}]},
            "tinyList[0].urlToRedirect",
        ),
        ({"tinyList": [{"type": "LOCAL", "index": 0, "nameToLocalHTML": "a.html"}]}, "tinyList[0].b64ZipLocal"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing(alice: Caller, changes: dict[str, Any], param: str) -> None:
    assert refusal(alice.inject(**{"startNow": True} | changes)) == (422, "invalid_input", param)
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    "text", ["2026-12-03T09:30:58Z", "2026-12-03T10:30:58+01:00", "2026-12-03T10:30:58", "2026-12-03 10:30:58"]
)
def test_a_date_with_and_without_zone(alice: Caller, text: str) -> None:
    answer = alice.inject(startNow=True, scheduleOn=text).json()
    assert (answer["status"], answer["scheduled"], answer["isInScheduler"]) == ("SCHEDULED", True, True)
    assert answer["scheduleOn"] == "2026-12-03T10:30:58+01:00"


def test_five_minutes_ahead_at_least(alice: Caller) -> None:
    soon = (TUESDAY_NOON + timedelta(minutes=4, seconds=59)).isoformat()
    assert refusal(alice.inject(startNow=True, scheduleOn=soon)) == (422, "date_too_close", "scheduleOn")
    assert alice.inject(startNow=True, scheduleOn=(TUESDAY_NOON + timedelta(minutes=5)).isoformat()).status_code == 200


def test_the_five_minutes_of_a_prepared_campaign_count_at_its_launch(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = alice.inject(scheduleOn="2026-12-01T12:03:00").json()["id"]  # three minutes ahead: nothing is ordered yet
    launch = {"campaignId": number, "startNow": True}
    assert refusal(alice.post("campaigns/inject", launch))[:2] == (422, "date_too_close")
    answer = alice.post("campaigns/inject", launch | {"scheduleOn": "2026-12-01T12:30:00"}).json()
    assert (answer["status"], answer["scheduleOn"]) == ("SCHEDULED", "2026-12-01T12:30:00+01:00")


def test_the_date_of_a_prepared_campaign_can_be_changed_before_its_launch(alice: Caller) -> None:
    number = alice.inject().json()["id"]
    kept = alice.post("campaigns/inject", {"campaignId": number, "scheduleOn": "2026-12-03T10:30:00"}).json()
    assert (kept["status"], kept["scheduleOn"], kept["scheduled"]) == ("DRAFT", "2026-12-03T10:30:00+01:00", False)
    assert alice.post("campaigns/inject", {"campaignId": number, "startNow": True}).json()["status"] == "SCHEDULED"


def test_marketing_on_a_sunday_waits_and_says_so(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, SUNDAY)
    answer = alice.inject(typeSelect="MKG", startNow=True).json()
    assert answer["status"] == "SCHEDULED" and answer["scheduleOn"] == "2026-12-07T08:00:00+01:00"
    assert any("2026-12-07T08:00" in warning for warning in answer["warnings"])
    assert alice.inject(typeSelect="NOTIFICATION", startNow=True).json()["status"] == "INPROGRESS"


def test_a_date_outside_the_legal_hours_is_refused_with_the_next_one(alice: Caller) -> None:
    response = alice.inject(typeSelect="MKG", startNow=True, scheduleOn="2026-12-06T12:00:00")
    assert refusal(response) == (422, "out_of_hours", "scheduleOn") and "2026-12-07" in response.json()["message"]


def test_stop_is_put_back_behind_a_personalised_sender(alice: Caller) -> None:
    answer = alice.inject(typeSelect="MKG", sender="MYBRAND", msg="Sales today", startNow=True).json()
    assert messages_of(answer["id"])[0][1] == "Sales today STOP 36184"
    assert any("STOP 36184" in warning for warning in answer["warnings"])
    plain = alice.inject(typeSelect="MKG", msg="Sales today", startNow=True).json()
    assert (messages_of(plain["id"])[0][1], plain["sender"]) == ("Sales today", "36184")


def test_without_enough_credit_every_recipient_ends_with_status_8(alice: Caller, account: Account) -> None:
    Account.objects.update(balance=0)
    answer = alice.inject(startNow=True).json()
    assert answer["status"] == "INJECTED" and any("credit" in warning for warning in answer["warnings"])
    assert b";8;" in content(alice.get(f"campaigns/report/{answer['id']}"))


def test_a_prepared_campaign_without_enough_credit_stays_a_draft(alice: Caller) -> None:
    number = alice.inject().json()["id"]
    Account.objects.update(balance=0)
    assert refusal(alice.post("campaigns/inject", {"campaignId": number, "startNow": True}))[:2] == (
        402,
        "insufficient_credit",
    )
    assert Campaign.objects.get().state == "DRAFT"


def test_only_an_administrator_sends_for_another_user(alice: Caller, bob: Caller, charlie: Caller) -> None:
    answer = alice.inject(userOwnerID=bob.user.public_id, startNow=True).json()
    assert answer["userOwnerID"] == bob.user.public_id
    assert bob.get(f"campaigns/{answer['id']}").status_code == 200
    assert refusal(bob.inject(userOwnerID=alice.user.public_id)) == (403, "forbidden", "userOwnerID")
    assert refusal(alice.inject(userOwnerID=charlie.user.public_id)) == (404, "not_found", "userOwnerID")
    assert bob.inject(userOwnerID=bob.user.public_id).status_code == 200


def test_a_brand_needs_an_account_of_several(alice: Caller, account: Account) -> None:
    assert refusal(alice.inject(brand="Nord")) == (403, "forbidden", "brand")
    account.is_multi_brand = True
    account.save()
    first = alice.inject(brand="Nord").json()
    assert first["brand"] == "Nord" and any("new brand" in warning for warning in first["warnings"])
    assert "warnings" not in alice.inject(brand="Nord").json()
    assert Brand.objects.count() == 1


def test_the_billing_code_and_the_name_are_kept(alice: Caller) -> None:
    answer = alice.inject(billingCode="PO-7", campaignName="Reminder").json()
    assert (answer["billingCode"], answer["campaignName"]) == ("PO-7", "Reminder")
    assert alice.inject().json()["campaignName"].endswith(" campaign API")


def test_a_test_token_reaches_the_simulator_only(account: Account, alice: Caller) -> None:
    caller = Caller(alice.user, is_test=True)
    assert refusal(caller.inject(startNow=True))[:2] == (409, "no_connector")  # the only connector is a real one
    from tests.builders import make_connector

    make_connector(is_simulator=True)
    assert Campaign.objects.get(pk=caller.inject(startNow=True).json()["id"]).simulator_only


def test_a_test_token_does_not_launch_what_was_prepared_to_be_sent(alice: Caller) -> None:
    real = alice.inject().json()["id"]
    caller = Caller(alice.user, is_test=True)
    assert refusal(caller.post("campaigns/inject", {"campaignId": real, "startNow": True}))[:2] == (403, "forbidden")
    assert Campaign.objects.get(pk=real).state == "DRAFT"


def test_emoji_need_ucs2(alice: Caller) -> None:
    answer = alice.inject(msg="Hi :-)", autoREPLACEEMOJI=True, startNow=True).json()
    assert any("allowUCS2" in warning for warning in answer["warnings"]) and messages_of(answer["id"])[0][1] == "Hi :-)"
    answer = alice.inject(msg="Hi :-)", autoREPLACEEMOJI=True, allowUCS2=True, startNow=True).json()
    assert "🙂" in messages_of(answer["id"])[0][1] or "😊" in messages_of(answer["id"])[0][1]


def test_a_strangers_list_and_campaign_do_not_exist(alice: Caller, charlie: Caller, account: Account) -> None:
    item = make_list(account, ["0611111111"], user=alice.user)
    assert refusal(charlie.inject(listsId=item.pk))[:2] == (404, "list_not_found")
    number = alice.inject().json()["id"]
    assert refusal(charlie.post("campaigns/inject", {"campaignId": number, "startNow": True}))[:2] == (
        404,
        "campaign_not_found",
    )


def test_a_user_sees_his_own_campaigns_only(alice: Caller, bob: Caller) -> None:
    number = alice.inject().json()["id"]
    assert refusal(bob.get(f"campaigns/{number}"))[:2] == (404, "campaign_not_found")
    assert alice.get(f"campaigns/{bob.inject().json()['id']}").status_code == 200


def test_a_user_of_another_account_never_owns_a_campaign(db: None, alice: Caller) -> None:
    other = make_user(account=make_account())
    assert refusal(alice.inject(userOwnerID=other.public_id))[:2] == (404, "not_found")


def test_a_pace_can_be_set(alice: Caller) -> None:
    sent = alice.post(
        "campaigns/inject",
        {"listRecipient": [{"mobile": "0632545311"}], "msg": "Rappelez-nous", "startNow": True, "pacePerHour": "600",
         "typeSelect": "NOTIFICATION"},
    ).json()  # fmt: skip
    assert Campaign.objects.get(pk=sent["id"]).pace_per_hour == 600
    assert alice.post("campaigns/inject", {"msg": "x", "pacePerHour": -1}).status_code == 422
