"""What the guide does not have: simulate, messages with their history, credits, templates, idempotency, the request log."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from carillon.models import Account, ApiRequest, Campaign, IdempotencyKey, List
from carillon.services import request_log
from tests.api.callers import TUESDAY_NOON, Caller, content, refusal
from tests.api.outcomes import click, deliver, message_ids, reply
from tests.builders import make_account, make_list, make_optout, make_user


def test_a_simulation_tells_everything_and_stores_nothing(alice: Caller, account: Account) -> None:
    make_optout(account, 33612345679)
    people = [{"mobile": number} for number in ("0612345678", "0612345679", "0112345678", "06 12 34 56 78")]
    body = {"listRecipient": people, "msg": "Été ${mobile}", "typeSelect": "NOTIFICATION"}
    answer = alice.post("campaigns/simulate", body).json()
    assert [(line["status"], line["segments"]) for line in answer["recipients"]] == [(1, 1), (14, 0), (2, 0), (4, 0)]
    assert answer["recipients"][0]["text"] == "Été 0612345678".replace("É", "É")
    assert (answer["countRecipient"], answer["countValid"], answer["creditCount"]) == (4, 1, 1.0)
    assert answer["countsByStatus"] == {"1": 1, "2": 1, "4": 1, "14": 1}
    assert (answer["creditAvailable"], answer["isAffordable"]) == (1000.0, True)
    assert answer["startsAt"] == "2026-12-01T11:00:00.000Z"
    assert not Campaign.objects.exists() and not List.objects.exists()
    account.refresh_from_db()
    assert account.held == 0


def test_a_simulation_refuses_what_inject_refuses(alice: Caller) -> None:
    body = {"listRecipient": [{"mobile": "0612345678"}], "msg": "Hi", "sender": "a_b"}
    assert refusal(alice.post("campaigns/simulate", body))[:2] == (422, "sender_invalid")


def test_a_message_tells_its_whole_history(alice: Caller, charlie: Caller) -> None:
    person = {"mobile": "0612345678", "extendedKeys": [{"REF": "A1"}]}
    link = [{"index": 0, "type": "REDIRECT", "urlToRedirect": "http://example.test/"}]
    sent = alice.inject(listRecipient=[person], msg="Hi ${REF} ${track_1}", tinyList=link, startNow=True).json()
    (number,) = message_ids(sent["id"])
    assert alice.get(f"messages/{number}").json()["status"] == 1
    deliver(number, 21)
    reply(number, "Thanks")
    click(number)
    answer = alice.get(f"messages/{number}").json()
    assert (answer["status"], answer["mobile"], answer["campaignId"]) == (21, "33612345678", sent["id"])
    assert answer["text"].startswith("Hi A1 ") and answer["fields"] == {"mobile": "0612345678", "REF": "A1"}
    kinds = [event["kind"] for event in answer["history"]]
    kinds.remove("prepared")  # really now; the rest happens on the test's own Tuesday
    assert kinds == ["submitted", "receipt", "reply", "click"]
    assert refusal(charlie.get(f"messages/{number}"))[:2] == (404, "not_found")
    assert refusal(alice.get(f"messages/{number + 1}"))[:2] == (404, "not_found")


def test_credits_are_those_of_who_pays(alice: Caller, account: Account) -> None:
    alice.inject(startNow=True)
    answer = alice.get("credits").json()
    assert (answer["credits"], answer["balance"], answer["held"]) == (999.0, 1000.0, 1.0)
    child = make_account(parent=account, balance=0, credit_mode="unlimited")
    assert Caller(make_user(account=child)).get("credits").json()["credits"] == 999.0


def test_the_ledger_is_read_page_by_page(alice: Caller, charlie: Caller) -> None:
    numbers = [alice.inject(startNow=True).json()["id"] for _ in range(3)]
    page = alice.get("credits/ledger?limit=2").json()
    assert [(row["kind"], row["held"], row["campaignId"]) for row in page["movements"]] == [
        ("reserve", 1.0, numbers[2]), ("reserve", 1.0, numbers[1])
    ]  # fmt: skip
    rest = alice.get(f"credits/ledger?before={page['nextBefore']}").json()
    assert [row["campaignId"] for row in rest["movements"]] == numbers[:1] and rest["nextBefore"] is None
    assert charlie.get("credits/ledger").json()["movements"] == []


def test_a_user_reads_the_movements_of_his_own_campaigns(alice: Caller, bob: Caller) -> None:
    alice.inject(startNow=True)
    own = bob.inject(startNow=True).json()["id"]
    assert [line["campaignId"] for line in bob.get("credits/ledger").json()["movements"]] == [own]
    assert len(alice.get("credits/ledger").json()["movements"]) == 2


def test_templates_are_made_read_changed_and_deleted(alice: Caller, bob: Caller, charlie: Caller) -> None:
    made = alice.post("templates", {"name": "Reminder", "msg": "See you, ${FIRSTNAME}", "typeSelect": "NOTIFICATION"})
    assert made.status_code == 201
    number = made.json()["id"]
    assert bob.get(f"templates/{number}").json() == made.json()
    assert [t["id"] for t in bob.get("templates").json()["templates"]] == [number]
    changed = bob.put(f"templates/{number}", {"msg": "Bye"}).json()
    assert (changed["name"], changed["msg"], changed["typeSelect"]) == ("Reminder", "Bye", "NOTIFICATION")
    for verb in (charlie.get, charlie.put, charlie.delete):
        assert refusal(verb(f"templates/{number}"))[:2] == (404, "not_found")
    assert refusal(alice.post("templates", {"name": "Reminder", "msg": "x"}))[0] == 422
    assert refusal(alice.post("templates", {"msg": "x"})) == (422, "invalid_input", "name")
    assert alice.delete(f"templates/{number}").json() == {"deleted": number}


def test_webhooks_are_made_read_changed_tried_and_deleted(alice: Caller, bob: Caller, charlie: Caller) -> None:
    made = alice.post("webhooks", {"url": "https://example.com/sms", "events": "receipt;stop", "batchSize": "50"})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    number = made.json()["id"]
    read = alice.get(f"webhooks/{number}").json()
    assert (read["url"], read["events"], read["batchSize"]) == ("https://example.com/sms", ["receipt", "stop"], 50)
    assert "secret" not in read and read["isEnabled"] is True
    assert alice.put(f"webhooks/{number}", {"isEnabled": False}).json()["isEnabled"] is False
    secret = alice.post(f"webhooks/{number}/secret").json()["secret"]
    assert secret.startswith("whsec_") and secret != made.json()["secret"]
    assert alice.post(f"webhooks/{number}/test").json()["event"] == "test"
    assert [d["event"] for d in alice.get(f"webhooks/{number}/deliveries").json()["deliveries"]] == ["test"]
    assert refusal(bob.get("webhooks"))[:2] == (403, "forbidden")
    assert refusal(charlie.get(f"webhooks/{number}"))[:2] == (404, "not_found")
    assert charlie.get("webhooks").json() == {"webhooks": []}
    assert alice.delete(f"webhooks/{number}").json() == {"deleted": number}


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://10.0.0.1/", "ftp://example.com", "https://example.com:22/"]
)
def test_webhooks_never_point_into_the_network(alice: Caller, settings: Any, url: str) -> None:
    settings.WEBHOOK_PRIVATE = False
    assert refusal(alice.post("webhooks", {"url": url})) == (422, "invalid_input", "url")


KEY = {"HTTP_IDEMPOTENCY_KEY": "order-1"}
BODY: dict[str, Any] = {
    "listRecipient": [{"mobile": "0612345678"}],
    "msg": "Hi",
    "typeSelect": "NOTIFICATION",
    "startNow": True,
}


def test_the_same_key_sends_once_and_answers_the_same(alice: Caller, account: Account) -> None:
    first = alice.post("campaigns/inject", BODY, **KEY)
    again = alice.post("campaigns/inject", BODY, **KEY)
    assert first.json() == again.json() and again["Idempotent-Replay"] == "true" and "Idempotent-Replay" not in first
    assert Campaign.objects.count() == 1
    account.refresh_from_db()
    assert account.held == 100


def test_the_same_key_with_another_request_is_refused(alice: Caller) -> None:
    alice.post("campaigns/inject", BODY, **KEY)
    assert refusal(alice.post("campaigns/inject", BODY | {"msg": "Ho"}, **KEY))[:2] == (422, "idempotency_mismatch")


def test_a_key_belongs_to_its_account(alice: Caller, charlie: Caller) -> None:
    one, two = (caller.post("campaigns/inject", BODY, **KEY).json()["id"] for caller in (alice, charlie))
    assert one != two


def test_a_refusal_does_not_use_the_key_up(alice: Caller) -> None:
    assert alice.post("campaigns/inject", BODY | {"sender": "a_b"}, **KEY).status_code == 422
    assert alice.post("campaigns/inject", BODY, **KEY).status_code == 200


def test_a_key_lives_for_a_day(alice: Caller) -> None:
    first = alice.post("campaigns/inject", BODY, **KEY).json()["id"]
    from carillon.services import idempotency

    IdempotencyKey.objects.update(created_at=TUESDAY_NOON - idempotency.LIFE * 1.01)
    assert alice.post("campaigns/inject", BODY, **KEY).json()["id"] != first


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_one_to_two_hundred_characters(alice: Caller, key: str) -> None:
    response = alice.post("campaigns/inject", BODY, HTTP_IDEMPOTENCY_KEY=key)
    assert refusal(response) == (422, "invalid_input", "Idempotency-Key")


def test_a_key_works_for_a_list_too(alice: Caller, account: Account) -> None:
    item = make_list(account, ["0611111111", "0611111112"], user=alice.user)
    body = {"listsId": item.pk, "msg": "Hi", "typeSelect": "NOTIFICATION", "startNow": True}
    assert alice.post("campaigns/inject", body, **KEY).json() == alice.post("campaigns/inject", body, **KEY).json()
    assert Campaign.objects.count() == 1


def test_every_request_is_logged_without_its_secrets(alice: Caller) -> None:
    alice.inject(startNow=True, b64ImagePreview="A" * 50)
    alice.client.post("/api/v1/auth/login", {"username": "x", "password": "hunter2"}, content_type="application/json")
    sent, login = request_log.visible(alice.user)[0], ApiRequest.objects.order_by("-id")[0]
    assert (sent.method, sent.path, sent.status, sent.token_id) == (
        "POST",
        "/api/v1/campaigns/inject",
        200,
        alice.token.pk,
    )
    assert (
        "0632545311" in sent.request_body and "AAAA" not in sent.request_body and '"INPROGRESS"' in sent.response_body
    )
    assert login.status == 401 and login.request_body == "" and login.account_id is None


def test_the_log_shows_ones_own_account_and_a_week(alice: Caller, charlie: Caller) -> None:
    alice.get("credits")
    assert request_log.visible(alice.user).count() == 1 and request_log.visible(charlie.user).count() == 0
    now = timezone.now()
    ApiRequest.objects.update(at=now - request_log.LIFE * 1.01)
    assert request_log.purge(now=now) == 1


def test_the_tokens_of_the_log_are_masked() -> None:
    assert (
        request_log.mask('{"token": "cr_live_abc", "x": "Bearer cr_test_def-1"}')
        == '{"token": "…", "x": "Bearer cr_test_…"}'
    )
    assert request_log.mask("username=a&password=b") == "username=a&password=…"
    assert len(request_log.mask("x" * 100_000)) == request_log.MAX_BODY


def test_every_error_has_a_page(client: Any, db: None) -> None:
    from carillon.api.errors import CODES

    for code in CODES:
        response = client.get(f"/api/errors/{code}")
        assert response.status_code == 200 and code in content(response).decode()
    assert client.get("/api/errors/nothing").status_code == 404
    index = client.get("/api/errors/").content.decode()
    assert all(code in index for code in CODES)
