"""What providers call us with: receipts and replies, and who may be believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.http.base import Call
from carillon.carriers.registry import PROVIDERS
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Receipt
from tests.carriers.test_http_providers import CALLBACK, make

GENERIC = {
    "callback": {
        "message_id": "id", "status": "state", "statuses": {"delivered": 16, "failed": 20}, "number": "to", "error": "code",
        "at": "when", "inbound": {"from": "sender", "to": "recipient", "text": "body", "message_id": "mo", "at": "when"},
    },
}  # fmt: skip
NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)


def parsed(
    kind: str, told: Any = None, *, query: dict[str, str] | None = None, **options: Any
) -> list[Receipt | Inbound]:
    body = told if isinstance(told, bytes) else json.dumps(told).encode() if isinstance(told, dict) else b""
    reader = make(kind, **(GENERIC if kind == "generic" else {}), **options)
    return reader.parse_callback("POST" if body else "GET", query or {}, {}, body)


@pytest.mark.parametrize(
    ("code", "status"),
    [(0, 9), (1, 10), (2, 20), (3, 16), (4, 13), (5, 29), (6, 32), (7, 20), (9, 27), (11, 31), (12, 22)],
)
def test_smsfactor_receipts(code, status):
    told = {"date": "2026-12-01T12:00:00+01:00", "status": code, "destination": "33612345678", "message_id": "621277",
            "campaign_id": "15948909", "country_code": "FR"}  # fmt: skip
    assert parsed("smsfactor", told) == [Receipt("621277", status, code, 33612345678, done_at=NOON)]


def test_smsfactor_replies_have_an_id_made_of_what_a_repeat_repeats():
    told = {
        "date": "2026-12-01T12:00:00+01:00",
        "message": "STOP\0",
        "from": "+33612345678",
        "account_id": "1",
        "last_message_id": "5",
    }
    expected = [Inbound(33612345678, "36184", "STOP", "33612345678 2026-12-01T12:00:00+01:00", NOON)]
    assert parsed("smsfactor", told, reply_number="36184") == expected
    assert parsed("smsfactor", {"from": "ACME", "message": "x"}) == []


@pytest.mark.parametrize("told", [{"clicks_on_link": 1}, {"credits": 5}, {"destination": "336", "status": 99, "message_id": "1"},
                                  {"destination": "336", "status": 3}])  # fmt: skip
def test_smsfactor_calls_that_tell_nothing(told):
    assert parsed("smsfactor", told) == []


@pytest.mark.parametrize(
    ("value", "detail", "status"),
    [
        ("DELIVERED", None, 16),
        ("READ", None, 16),
        ("ENROUTE", None, 9),
        ("UNDELIVERABLE", None, 20),
        ("UNDELIVERABLE", "Absent subscriber", 31),
        ("UNDELIVERED", "unassigned number", 29),
        ("UNDELIVERABLE", "blacklisted", 13),
    ],
)
def test_smsmode_receipts(value, detail, status):
    told = {"messageId": "abc", "direction": "MT", "from": "ACME", "recipient": {"to": "33612345678"},
            "sentDate": "2026-12-01T11:00:00Z",
            "status": {"value": value, "detail": detail, "deliveryDate": "2026-12-01T12:00:00+01:00"}}  # fmt: skip
    assert parsed("smsmode", told) == [Receipt("abc", status, 0, 33612345678, "ACME", NOON, NOON)]


def test_smsmode_statuses_nobody_documented_are_left_alone():
    assert parsed("smsmode", {"messageId": "abc", "status": {"value": "SOMETHING_NEW"}}) == []
    assert (
        parsed("smsmode", {"messageId": "abc", "status": "DELIVERED", "recipient": "336"})[0].status == Status.DELIVERED
    )


def test_smsmode_replies():
    told = {
        "messageId": "mo1",
        "direction": "MO",
        "from": "33612345678",
        "recipient": {"to": "36184"},
        "body": {"text": "Oui"},
    }
    assert parsed("smsmode", told) == [Inbound(33612345678, "36184", "Oui", "mo1")]
    told |= {"recipient": None, "body": "Non"}
    assert parsed("smsmode", told, reply_number="38000") == [Inbound(33612345678, "38000", "Non", "mo1")]


@pytest.mark.parametrize(
    ("word", "error", "status"),
    [("queued", "", 9), ("sent", "", 10), ("delivered", "", 16), ("read", "", 16), ("undelivered", "30003", 31),
     ("undelivered", "30005", 29), ("failed", "30007", 27), ("failed", "30999", 20), ("undelivered", "30036", 22)],
)  # fmt: skip
def test_twilio_receipts(word, error, status):
    form = {
        "MessageSid": "SM1",
        "MessageStatus": word,
        "To": "+33612345678",
        "From": "+33644631234",
        "ErrorCode": error,
    }
    code = int(error or 0)
    assert parsed("twilio", urlencode(form).encode()) == [Receipt("SM1", status, code, 33612345678, "33644631234")]


def test_twilio_replies():
    form = {
        "MessageSid": "SM2",
        "SmsStatus": "received",
        "From": "+33612345678",
        "To": "+33644631234",
        "Body": "Arrêt é €",
    }
    assert parsed("twilio", urlencode(form).encode()) == [Inbound(33612345678, "33644631234", "Arrêt é €", "SM2")]
    assert parsed("twilio", urlencode(form | {"From": "whatsapp:x"}).encode()) == []
    assert parsed("twilio", query={"SmsSid": "SM3", "MessageStatus": "partying"}) == []


@pytest.mark.parametrize(
    ("kind", "reply", "status", "error"),
    [
        ("1", "", 16, 0),
        ("2", "", 20, 0),
        ("2", "id:9 sub:001 dlvrd:000 submit date:2612010951 done date:2612010952 stat:UNDELIV err:001 text:", 29, 1),
        ("2", "id:9 stat:EXPIRED err:000", 22, 0),
        ("1", "id:9 stat:DELIVRD err:000", 16, 0),
        ("4", "", 9, 0),
        ("8", "ACK/", 10, 0),
        ("16", "NACK/0x0000000b/Invalid Destination Address", 27, 0),
    ],
)
def test_kannel_receipts(kind, reply, status, error):
    query = {"id": "7", "type": kind, "reply": reply, "number": "+33612345678"}
    assert parsed("kannel", query=query) == [Receipt("7", status, error, 33612345678)]


def test_kannel_replies():
    query = {"from": "+33612345678", "to": "36184", "text": "Été à 5 €", "id": "k1"}
    assert parsed("kannel", query=query) == [Inbound(33612345678, "36184", "Été à 5 €", "k1")]
    assert parsed("kannel", query={"id": "7", "type": "64"}) == []
    assert parsed("kannel", query={"from": "ACME", "text": "x"}) == []


def test_generic_receipts_and_replies():
    told = {"id": "x1", "state": "DELIVERED", "to": "+33612345678", "code": "5", "when": "2026-12-01T11:00:00Z"}
    receipt = Receipt("x1", Status.DELIVERED, 5, 33612345678, done_at=NOON)
    assert parsed("generic", told) == [receipt]
    assert parsed("generic", urlencode(told).encode()) == [receipt]
    assert parsed("generic", query=told) == [receipt]
    assert parsed("generic", {"id": "x1", "state": "dancing"}) == []
    reply = {"sender": "33612345678", "recipient": "+36184", "body": "Oui", "mo": "m1", "when": "2026-12-01T11:00:00"}
    assert parsed("generic", reply) == [Inbound(33612345678, "36184", "Oui", "m1", NOON)]


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
@given(
    body=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["status", "destination", "message_id", "messageId", "direction", "from", "message", "recipient", "body",
                         "MessageSid", "state", "id", "sender", "type"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=1) | st.just({"to": 1, "value": []}),
    ).map(lambda told: json.dumps(told).encode()),
    query=st.dictionaries(st.sampled_from(["id", "type", "from", "text", "reply", "MessageSid"]), st.text(max_size=5)),
)  # fmt: skip
def test_whatever_calls_it_is_read_or_refused(kind, body, query):
    reader = make(kind, **(GENERIC if kind == "generic" else {}))
    reader.authentic(Call("POST", CALLBACK, query, {}, body))
    try:
        found = reader.parse_callback("POST", query, {}, body)
    except InvalidInput:
        return
    for item in found:
        assert "\0" not in repr(item)


FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "Body": "é"}


def twilio_signature(token: str, form: dict[str, str]) -> str:
    signed = CALLBACK + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@pytest.mark.parametrize(
    ("label", "signature", "options", "is_believed"),
    [
        ("right", twilio_signature("s3cret", FORM), {}, True),
        ("another token", twilio_signature("other", FORM), {}, False),
        ("another body", twilio_signature("s3cret", FORM | {"Body": "x"}), {}, False),
        ("none", "", {}, False),
        ("an API key cannot check", twilio_signature("s3cret", FORM), {"api_key_sid": "SK1"}, False),
        ("an API key with the token", twilio_signature("t", FORM), {"api_key_sid": "SK1", "auth_token": "t"}, True),
    ],
)
def test_twilio_signs(label, signature, options, is_believed):
    call = Call("POST", CALLBACK, {}, {"x-twilio-signature": signature}, urlencode(FORM).encode())
    assert make("twilio", **options).authentic(call) is is_believed


def test_twilio_s_own_example_of_a_signature():
    """The one in Twilio's documentation of request validation."""
    from carillon.carriers.registry import provider

    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    call = Call("POST", url, {}, {"x-twilio-signature": "GvWf1cFY/Q7PnoempGyD5oXAezc="}, urlencode(form).encode())
    assert provider("twilio", {"account_sid": "AC1"}, "12345").authentic(call)


@pytest.mark.parametrize(
    ("label", "kind", "options", "query", "headers", "is_believed"),
    [
        ("the secret path suffices", "smsmode", {}, {}, {}, True),
        ("no signature configured", "smsfactor", {}, {}, {}, True),
        ("the text itself", "smsfactor", {"signature": "sig"}, {}, {"x-smsfactor-signature": "sig"}, True),
        ("its HMAC", "smsfactor", {"signature": "sig"}, {},
         {"x-smsfactor-signature": hmac.new(b"sig", b"{}", "sha256").hexdigest().upper()}, True),
        ("neither", "smsfactor", {"signature": "sig"}, {}, {"x-smsfactor-signature": "gis"}, False),
        ("missing", "smsfactor", {"signature": "sig"}, {}, {}, False),
        ("no token configured", "kannel", {}, {}, {}, True),
        ("the token", "kannel", {"callback_token": "t"}, {"token": "t"}, {}, True),
        ("another token", "kannel", {"callback_token": "t"}, {"token": "x"}, {}, False),
        ("unsigned by choice", "generic", {}, {}, {}, True),
        ("plain", "generic", {"signature": {"header": "X-Key", "algorithm": "plain"}}, {}, {"x-key": "s3cret"}, True),
        ("plain, wrong", "generic", {"signature": {"header": "X-Key", "algorithm": "plain"}}, {}, {"x-key": "x"}, False),
        ("HMAC", "generic", {"signature": {"header": "X-Sig", "algorithm": "sha256"}}, {},
         {"x-sig": "sha256=" + hmac.new(b"s3cret", b"{}", "sha256").hexdigest()}, True),
        ("HMAC, wrong", "generic", {"signature": {"header": "X-Sig", "algorithm": "sha1"}}, {}, {"x-sig": "00"}, False),
    ],
)  # fmt: skip
def test_who_is_believed(label, kind, options, query, headers, is_believed):
    assert make(kind, **options).authentic(Call("POST", CALLBACK, query, headers, b"{}")) is is_believed


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_what_is_no_callback_is_refused_and_each_has_its_thanks(kind):
    with pytest.raises(InvalidInput):
        parsed(kind, b"[]")
    content_type, body = make(kind).callback_answer()
    assert "/" in content_type and isinstance(body, bytes)
