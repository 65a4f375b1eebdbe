"""A JSON body is read under any content type, forms too; what cannot be read is refused with the reason."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.api.callers import Caller, refusal

ENTRY = {"item": "+33685812475", "typeItem": "MOBILE", "createdDescription": "Plainte en magasin, été"}
TEXT = json.dumps(ENTRY, ensure_ascii=False)
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT, "application/json"),
        (TEXT, "application/json; charset=utf-8"),
        (TEXT, FORM),
        (TEXT, "text/plain"),
        (TEXT, ""),
        (TEXT, "application/octet-stream"),
        ("\ufeff" + TEXT, "application/json"),
        ("  \r\n" + TEXT + "\n", FORM),
        (urlencode(ENTRY), FORM),
        ("data=" + quote(TEXT), FORM),
        ("json=" + quote(TEXT), FORM),
        (quote(TEXT) + "=", FORM),
    ],
    ids=[
        "json", "json with charset", "json called a form", "text", "no type", "bytes", "byte order mark", "blanks",
        "form", "json in the field data", "json in the field json", "json as the name of a field",
    ],
)  # fmt: skip
def test_whatever_the_content_type(alice: Caller, body: str, content_type: str) -> None:
    response = alice.post("blacklist", body, content_type=content_type)
    assert response.status_code == 200, response.content
    assert response.json()["createdDescription"] == ENTRY["createdDescription"]


def test_a_multipart_form_is_read_too(alice: Caller) -> None:
    response = alice.client.post("/api/v1/blacklist", ENTRY)
    assert response.status_code == 200 and response.json()["item"] == ENTRY["item"]


def test_parameters_may_stand_in_the_query(alice: Caller) -> None:
    assert alice.post("blacklist?" + urlencode(ENTRY)).json()["item"] == ENTRY["item"]


@pytest.mark.parametrize("body", ["[]", "{}", "", "null"[:0]])
def test_an_empty_body_is_no_parameters(alice: Caller, body: str) -> None:
    assert alice.call("GET", "credits", body).status_code == 200  # PHP clients send [] with a GET


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "bad_json"),
        ('{"item": }', "bad_json"),
        ("[1, 2]", "bad_json"),
        ('"text"', "bad_json"),
        ("12", "bad_json"),
        ('{"item": NaN}', "bad_json"),
        ('{"item": ' + "9" * 5000 + "}", "bad_json"),
        (b'{"item": "\xff\xfe"}', "bad_encoding"),
        ('{"item": "a\\u0000b"}', "bad_encoding"),
        ('{"item": "\\ud800"}', "bad_encoding"),
        ('{"\\ud800": 1}', "bad_encoding"),
        ('{"item": ' + "[" * 60 + "]" * 60 + "}", "too_deep"),
        ('{"item": ' + "[" * 100_000 + "]" * 100_000 + "}", "too_deep"),
    ],
    ids=[
        "cut", "hole", "list", "string", "number", "NaN", "huge number", "not utf-8", "NUL", "lone surrogate",
        "surrogate as a name", "60 deep", "100,000 deep",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_400(alice: Caller, body: Any, code: str) -> None:
    response = alice.post("blacklist", body)
    assert refusal(response)[:2] == (400, code)


def test_a_body_over_eight_megabytes_is_not_read(alice: Caller) -> None:
    body = json.dumps(ENTRY | {"createdDescription": "x" * 10_000_000})
    assert refusal(alice.post("blacklist", body))[:2] == (413, "too_large")


def test_a_body_of_very_many_values_is_refused(alice: Caller) -> None:
    assert refusal(alice.post("blacklist", json.dumps({"item": [0] * 300_000})))[:2] == (413, "too_large")


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_the_checksum_of_the_body_is_verified_when_given(alice: Caller, form: str) -> None:
    digest = hashlib.sha256(TEXT.encode()).digest()
    good = digest.hex() if form == "hex" else base64.b64encode(digest).decode()
    bad = ("0" * 64) if form == "hex" else base64.b64encode(b"\0" * 32).decode()
    assert alice.post("blacklist", TEXT, HTTP_X_CONTENT_SHA256=good).status_code == 200
    assert refusal(alice.post("blacklist", TEXT, HTTP_X_CONTENT_SHA256=bad))[:2] == (400, "checksum_mismatch")
    assert refusal(alice.post("blacklist", TEXT, HTTP_X_CONTENT_SHA256="no"))[:2] == (400, "checksum_mismatch")


def test_unknown_names_are_told_not_refused(alice: Caller) -> None:
    answer = alice.post("blacklist", ENTRY | {"typeItems": 1, "note": "x"}).json()
    assert answer["warnings"] == [
        "typeItems is not a parameter of this call and was not used. Did you mean typeItem?",
        "note is not a parameter of this call and was not used.",
    ]


def test_every_field_at_fault_is_named(alice: Caller) -> None:
    response = alice.post("blacklist", {"typeItem": "FAX"})
    assert refusal(response) == (422, "invalid_input", "item")
    assert [detail["param"] for detail in response.json()["details"]] == ["typeItem"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "limit must be greater than or equal to 1."),
        ("limit=%2B-3", "limit must be a whole number."),
        ("limit=2.5", "limit must be a whole number."),
        (f"userID={'x' * 41}", "userID must have at most 40 characters, not 41."),
    ],
)
def test_a_refusal_says_what_the_value_must_be(alice: Caller, query: str, sentence: str) -> None:
    response = alice.get(f"campaigns?{query}")
    assert (response.status_code, response.json()["message"]) == (422, sentence)


def test_the_guides_printed_typeltem_is_read(alice: Caller) -> None:
    assert alice.post("blacklist", {"item": "0685812475", "typeltem": "VMS"}).json()["typeItem"] == "VMS"


def test_an_unknown_address_and_a_wrong_verb_are_json_too(alice: Caller) -> None:
    assert refusal(alice.get("nothing/here"))[:2] == (404, "no_such_path")
    response = alice.delete("credits")
    assert refusal(response)[:2] == (405, "method_not_allowed")
    assert response["Allow"] == "GET, OPTIONS"
    assert alice.call("OPTIONS", "credits").status_code == 204


def test_a_request_keeps_its_number(alice: Caller) -> None:
    assert alice.get("credits", HTTP_X_REQUEST_ID="order-42")["X-Request-Id"] == "order-42"
    made = alice.get("credits", HTTP_X_REQUEST_ID="evil\\n<script>")["X-Request-Id"]
    assert len(made) == 32 and made.isalnum()
