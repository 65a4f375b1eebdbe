"""Each provider's request and the meaning of its answers, as tables a person can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from carillon.carriers.http.base import Outcome, Provider, Response, judge_http
from carillon.carriers.registry import PROVIDERS, provider
from carillon.domain.errors import InvalidInput
from tests.carriers.ear import outbound

CALLBACK = "https://sms.example.fr/carriers/k3y"
OPTIONS: dict[str, dict[str, Any]] = {
    "smsfactor": {},
    "smsmode": {},
    "twilio": {"account_sid": "AC1"},
    "kannel": {"url": "http://kannel.example:13013", "username": "carillon"},
    "generic": {
        "url": "https://sms.example.com/v2/{sender}/send",
        "headers": {"Authorization": "Bearer {secret}"},
        "json": {"to": "{to}", "plus": "{to_plus}", "text": "{text}", "refs": [{"id": "{message_id}"}], "ttl": 3,
                 "cb": "{callback_url}"},
        "accepted": {"statuses": [200], "path": "state", "equals": ["queued"]},
        "message_id": {"path": "data.ids.0"},
        "refusals": [
            {"path": "error.code", "equals": ["bad_number"], "status": 2},
            {"pattern": "no credit", "outcome": "blocked"},
            {"pattern": "slow down", "outcome": "later"},
        ],
    },
}  # fmt: skip


def make(kind: str, **more: Any) -> Provider:
    return provider(kind, {**OPTIONS[kind], "callback_url": CALLBACK, **more}, "s3cret")


def judged(kind: str, status: int, body: Any, **more: Any):
    response = Response(status, body if isinstance(body, bytes) else json.dumps(body).encode())
    return judge_http(response) or make(kind, **more).read(outbound(7), response)


def test_smsfactor_asks():
    request = make("smsfactor").request(outbound(7, text="Noël"))
    assert (request.method, request.url) == ("POST", "https://api.smsfactor.com/send")
    assert request.headers == {"Authorization": "Bearer s3cret", "Accept": "application/json"}
    assert request.json == {
        "sms": {
            "message": {"text": "Noël", "pushtype": "marketing", "sender": "ACME", "unicode": 1},
            "recipients": {"gsm": [{"value": "33612345678", "gsmsmsid": "7"}]},
        }
    }
    alert = make("smsfactor").request(outbound(is_notification=True, sender="")).json["sms"]["message"]
    assert alert == {"text": "Bonjour", "pushtype": "alert"}
    kept = make("smsfactor", marketing_pushtype="alert").request(outbound()).json["sms"]["message"]
    assert kept["pushtype"] == "alert"


def test_smsmode_asks():
    request = make("smsmode").request(outbound(7, text="Noël"))
    assert (request.method, request.url) == ("POST", "https://rest.smsmode.com/sms/v1/messages")
    assert request.headers["X-Api-Key"] == "s3cret"
    assert request.json == {
        "recipient": {"to": "33612345678"}, "body": {"text": "Noël", "encoding": "UNICODE"}, "refClient": "7",
        "from": "ACME", "callbackUrlStatus": CALLBACK, "callbackUrlMo": CALLBACK,
    }  # fmt: skip


def test_twilio_asks():
    request = make("twilio").request(outbound(7))
    assert request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert request.basic == ("AC1", "s3cret")
    assert request.form == {
        "To": "+33612345678", "From": "ACME", "Body": "Bonjour", "StatusCallback": CALLBACK, "ValidityPeriod": "36000",
    }  # fmt: skip
    request = make("twilio", api_key_sid="SK1", messaging_service_sid="MG1").request(outbound(sender="33644631234"))
    assert request.basic == ("SK1", "s3cret")
    assert (request.form["From"], request.form["MessagingServiceSid"]) == ("+33644631234", "MG1")


def test_kannel_asks():
    request = make("kannel", callback_token="t&k", smsc="sfr").request(outbound(7, text="Noël", is_notification=True))
    assert (request.method, request.url) == ("GET", "http://kannel.example:13013/cgi-bin/sendsms")
    assert request.query == {
        "username": "carillon", "password": "s3cret", "from": "ACME", "to": "+33612345678", "text": "Noël",
        "charset": "UTF-8", "coding": "2", "validity": "2880", "priority": "1", "smsc": "sfr", "dlr-mask": "27",
        "dlr-url": f"{CALLBACK}?id=7&type=%d&reply=%A&number=%p&token=t%26k",
    }  # fmt: skip


def test_generic_asks():
    request = make("generic").request(outbound(7, text="{secret} {to}", sender="A/B"))
    assert request.url == "https://sms.example.com/v2/A%2FB/send"
    assert request.headers == {"Authorization": "Bearer s3cret"}
    assert request.json == {
        "to": "33612345678", "plus": "+33612345678", "text": "{secret} {to}", "refs": [{"id": "7"}], "ttl": 3, "cb": CALLBACK,
    }  # fmt: skip
    options = {"json": None, "method": "GET", "query": {"t": "{text}"}, "url": "http://x.example/send"}
    assert make("generic", **options).request(outbound()).query == {"t": "Bonjour"}
    raw = make("generic", json=None, body="<m to='{to}'>{text}</m>").request(outbound())
    assert raw.content == b"<m to='33612345678'>Bonjour</m>"


REAL = {"status": 1, "message": "OK", "ticket": "193501097", "cost": 0, "credits": 3484, "total": 1, "blacklisted": 0,
        "duplicated": 0, "npai": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("label", "kind", "status", "body", "outcome", "ours", "message_id"),
    [
        ("sent", "smsfactor", 200, {**REAL, "sent": 1, "invalid": 0}, "accepted", 24, "7"),
        ("a number it refuses", "smsfactor", 200, {**REAL, "sent": 0, "invalid": 1}, "refused", 2, ""),
        ("npai", "smsfactor", 200, {**REAL, "sent": 0, "invalid": 0, "npai": 1}, "refused", 29, ""),
        ("blacklisted there", "smsfactor", 200, {**REAL, "sent": 0, "invalid": 0, "blacklisted": 1}, "refused", 14, ""),
        (
            "counts as texts",
            "smsfactor",
            200,
            {**REAL, "sent": "0", "invalid": "0", "not_allowed": "1"},
            "refused",
            3,
            "",
        ),
        ("bad token", "smsfactor", 200, {"status": -1, "message": "…", "details": "Token invalide"}, "blocked", 12, ""),
        ("no credit", "smsfactor", 200, {"status": -3, "message": "…"}, "blocked", 12, ""),
        ("moderation is not asked again", "smsfactor", 200, {"status": -8, "message": "…"}, "accepted", 24, "7"),
        ("data", "smsfactor", 200, {"status": -7, "message": "…"}, "refused", 32, ""),
        ("XML instead of JSON", "smsfactor", 200, b"<response><status>1</status></response>", "doubt", 24, ""),
        ("unknown status", "smsfactor", 200, {"status": 77}, "doubt", 24, ""),
        ("created", "smsmode", 201, {"messageId": "abc", "price": {"amount": 1}}, "accepted", 24, "abc"),
        ("created without id", "smsmode", 201, {}, "doubt", 24, ""),
        (
            "bad recipient",
            "smsmode",
            400,
            {"errorCode": 31, "message": "Bad recipient", "detail": "x"},
            "refused",
            2,
            "",
        ),
        ("bad sender", "smsmode", 400, {"errorCode": "E1", "message": "Invalid from"}, "refused", 32, ""),
        ("no credit", "smsmode", 402, {"message": "Not enough credit"}, "blocked", 24, ""),
        ("created", "twilio", 201, {"sid": "SM1", "status": "queued"}, "accepted", 24, "SM1"),
        ("no sid", "twilio", 201, b"", "doubt", 24, ""),
        ("no mobile", "twilio", 400, {"code": 21614, "message": "not a mobile"}, "refused", 2, ""),
        ("closed country", "twilio", 400, {"code": 21408, "message": "…"}, "refused", 3, ""),
        ("STOP at Twilio", "twilio", 400, {"code": 21610, "message": "…"}, "refused", 14, ""),
        ("bad sender", "twilio", 400, {"code": 21212, "message": "…"}, "refused", 32, ""),
        ("no words", "twilio", 400, b"", "refused", 32, ""),
        ("suspended", "twilio", 400, {"code": 20003, "message": "…"}, "blocked", 24, ""),
        ("queue full", "twilio", 400, {"code": 21611, "message": "…"}, "later", 24, ""),
        ("accepted", "kannel", 202, b"0: Accepted for delivery", "accepted", 24, "7"),
        ("queued", "kannel", 202, b"3: Queued for later delivery", "accepted", 24, "7"),
        (
            "denied list",
            "kannel",
            400,
            b"Number(s) has/have been denied by white- and/or black-lists.",
            "refused",
            13,
            "",
        ),
        ("not routable", "kannel", 400, b"Not routable. Do not try again.", "refused", 3, ""),
        ("wrong password", "kannel", 400, b"Authorization failed for sendsms", "blocked", 12, ""),
        ("busy", "kannel", 400, b"Temporal failure, try again later.", "later", 12, ""),
        ("something else", "kannel", 400, b"Oops", "refused", 32, ""),
        ("a page of another server", "kannel", 200, b"<html>", "doubt", 24, ""),
        ("accepted", "generic", 200, {"state": "queued", "data": {"ids": ["x1"]}}, "accepted", 24, "x1"),
        ("accepted without id", "generic", 200, {"state": "queued"}, "accepted", 24, "7"),
        ("another state", "generic", 200, {"state": "?"}, "doubt", 24, ""),
        ("a bad number", "generic", 400, {"error": {"code": "bad_number"}}, "refused", 2, ""),
        ("no credit", "generic", 200, b"NO CREDIT", "blocked", 32, ""),
        ("too fast", "generic", 400, b"slow down", "later", 32, ""),
        ("whatever else", "generic", 418, b"teapot", "refused", 32, ""),
    ],
)
def test_answers(label, kind, status, body, outcome, ours, message_id):
    verdict = judged(kind, status, body)
    assert (verdict.outcome, verdict.status, verdict.message_id) == (Outcome(outcome), ours, message_id)


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(429, "later"), (503, "later"), (401, "blocked"), (403, "blocked"), (404, "blocked"), (302, "blocked"), (500, "doubt"),
     (502, "doubt"), (504, "doubt")],
)  # fmt: skip
def test_what_no_provider_means_differently(kind, status, outcome):
    assert judged(kind, status, b"{}").outcome is Outcome(outcome)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("smsfactor", "marketing_pushtype", "bulk"),
        ("smsfactor", "url", "api.smsfactor.com"),
        ("smsmode", "connections", 0),
        ("smsmode", "rate", "fast"),
        ("smsmode", "url", 5),
        ("twilio", "account_sid", ""),
        ("kannel", "username", ""),
        ("kannel", "url", "ftp://x"),
        ("generic", "method", "DELETE"),
        ("generic", "body", "{text}"),
        ("generic", "refusals", [{"status": 11}]),
        ("generic", "refusals", [{"outcome": "perhaps"}]),
        ("generic", "refusals", [{"pattern": "("}]),
        ("generic", "accepted", {"statuses": "200"}),
        ("generic", "accepted", "200"),
        ("generic", "callback", {"statuses": {"OK": 11}}),
        ("generic", "signature", {"header": "X", "algorithm": "md5"}),
    ],
)
def test_wrong_options_are_named(kind, field, value):
    with pytest.raises(InvalidInput) as caught:
        provider(kind, {**OPTIONS[kind], field: value}, "s3cret")
    assert caught.value.field == field


def test_options_from_a_command_line_are_texts():
    made = provider(
        "generic", {"url": "https://x.example", "connections": "4", "rate": "2.5", "json": '{"to": "{to}"}'}, ""
    )
    assert (made.shared.connections, made.shared.rate) == (4, 2.5)
    assert made.request(outbound()).json == {"to": "33612345678"}


@pytest.mark.parametrize("kind", ["smsfactor", "smsmode", "twilio"])
def test_a_missing_secret_is_named(kind):
    with pytest.raises(InvalidInput) as caught:
        provider(kind, OPTIONS[kind], "")
    assert caught.value.field == "secret"
