"""Hostile input gives a 4xx with a clear body, soon; never a 500, never someone else's rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from carillon.api import urls  # noqa: F401 - fills the table
from carillon.api.endpoints import ENDPOINTS
from carillon.models import Account
from tests.api.callers import Caller, content, refusal
from tests.api.test_inject import messages_of
from tests.api.test_rights import address

NASTY: list[Any] = [
    "' OR 1=1 --", "'; DROP TABLE message; --", "%s%s%s", "%(account)s", "{{7*7}}", "${7*7}", "<%= 7*7 %>", "../../etc/passwd",
    "\u202e", "a" * 10_000, "\x01\x02", "é" * 5000, -1, 0, 2**63, 2**100, 1e308, -0.0, True, None, [], {}, [[]], {"a": {"b": {}}},
    [None], ["x"] * 1000, "NaN", "1e5", "0x10", "１２", " ", "\n", "null", "{}", "[]",
]  # fmt: skip
SAME = {"simulateCampaign"}  # the parameters of injectCampaign
WRITES = [
    e
    for e in ENDPOINTS
    if e.methods[0] in ("POST", "PUT") and not e.is_upload and "{" not in e.path and e.name not in SAME
]
READS = [e for e in ENDPOINTS if "GET" in e.methods and "{" not in e.path]


@pytest.mark.parametrize("endpoint", WRITES, ids=[e.name for e in WRITES])
def test_any_value_in_any_parameter(alice: Caller, endpoint: Any) -> None:
    example = endpoint.example or {}
    for name, field in endpoint.payload.model_fields.items():
        for value in NASTY:
            response = alice.call(endpoint.methods[0], address(endpoint), example | {field.alias or name: value})
            assert response.status_code < 500, (name, value, content(response)[:300])


@pytest.mark.parametrize("endpoint", READS, ids=[e.name for e in READS])
def test_any_text_in_any_query(alice: Caller, endpoint: Any) -> None:
    from urllib.parse import urlencode

    for name, field in endpoint.payload.model_fields.items():
        for value in NASTY:
            query = urlencode({"from": "2026-11-30", field.alias or name: value})
            response = alice.get(f"{address(endpoint)}?{query}")
            assert response.status_code < 500, (name, value)
            content(response)


@pytest.mark.parametrize("value", NASTY[:9])
def test_values_are_data_for_the_database_and_the_templates(alice: Caller, value: str) -> None:
    person = {"mobile": "0632545311", "extendedKeys": [{"REF": value}]}
    for renderer, msg in (
        ("BASIC", "x ${REF}"),
        ("HANDLEBARS", "x {{{REF}}}"),
        ("EJS", "x <%- REF %>"),
        ("VELOCITY", "x $REF"),
    ):
        answer = alice.inject(
            listRecipient=[person], msg=msg, renderer=renderer, allowUCS2=True, autoREPLACETOGSM7=False, startNow=True
        ).json()
        ((_, text, status),) = messages_of(answer["id"])
        assert status in (1, 6, 7) and (status != 1 or text == f"x {value}"), (renderer, text)


@pytest.mark.parametrize(
    ("renderer", "msg"),
    [
        ("EJS", "<% while (true) {} %>"),
        ("EJS", "<%= process.env %>"),
        ("EJS", "<%= constructor.constructor('return 1')() %>"),
        ("HANDLEBARS", "{{#each this}}" * 50 + "{{/each}}" * 50),
        ("HANDLEBARS", "{{constructor.name}}"),
        ("VELOCITY", "$mobile.getClass().forName('java.lang.Runtime')"),
        ("VELOCITY", "#foreach($i in [1..1000000000])x#end"),
        ("BASIC", "${__class__}"),
        ("MEDIASFLOW", "$$[" * 5000),
    ],
)
def test_templates_have_no_way_out(alice: Caller, renderer: str, msg: str) -> None:
    response = alice.inject(msg=msg, renderer=renderer, startNow=True)
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        assert all(status != 1 or text.strip() == "" for _, text, status in messages_of(response.json()["id"]))


def test_other_accounts_rows_never_come_along(alice: Caller, charlie: Caller) -> None:
    charlie.inject(startNow=True, listRecipient=[{"mobile": "0699999999"}])
    for search in ("item!=1", "type!=x", "item=re=*", "msg=re=*", "item!=1,item!=1"):
        found = content(alice.post("campaigns/reportjson", {"from": "2026-11-30", "search": search}))
        assert json.loads(found) == []


def test_html_in_names_stays_text(alice: Caller) -> None:
    name = "<script>alert(1)</script>"
    assert alice.inject(campaignName=name).json()["campaignName"] == name


def test_paths_that_climb_lead_nowhere(alice: Caller) -> None:
    for path in ("../admin", "%2e%2e/%2e%2e/etc/passwd", "campaigns/../credits", "campaigns//1", "campaigns/1%00"):
        assert alice.get(path).status_code in (404, 422), path


@pytest.mark.parametrize(
    "name", ["../../../evil.csv", "a\x00b.csv", "C:\\evil.csv", "x" * 500 + ".csv", "", ".", "évil\n.csv"], ids=range(7)
)
def test_names_of_files_are_only_names(alice: Caller, name: str, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    body = {"filename": name or "x", "File": SimpleUploadedFile("f.csv", b"SMS\n0611111111\n")}
    response = alice.client.post("/api/v1/lists/upload", body)
    assert response.status_code in (200, 400, 422)
    assert all(tmp_path in path.resolve().parents for path in tmp_path.rglob("*"))


def test_a_broken_multipart_body_is_refused(alice: Caller) -> None:
    for body in (
        b"",
        b"--x",
        b"--x\r\n\r\n",
        b'--x\r\nContent-Disposition: form-data; name="File"; filename="a"\r\n\r\nSMS',
    ):
        response = alice.client.generic(
            "POST", "/api/v1/lists/upload", body, content_type="multipart/form-data; boundary=x"
        )
        assert 400 <= response.status_code < 500
    response = alice.client.generic("POST", "/api/v1/lists/upload", b"x", content_type="multipart/form-data")
    assert 400 <= response.status_code < 500


def test_very_many_form_fields_are_refused(alice: Caller) -> None:
    body = "&".join(f"f{n}=1" for n in range(5000))
    response = alice.post("blacklist", body, content_type="application/x-www-form-urlencoded")
    assert refusal(response)[:2] == (413, "too_large")


def test_what_the_database_refuses_is_not_a_500(
    alice: Caller, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import DataError

    from carillon.services import campaigns

    def refuse(*_: Any, **__: Any) -> None:
        raise DataError("value too long")

    monkeypatch.setattr(campaigns, "get", refuse)
    assert refusal(alice.get("campaigns/1"))[:2] == (422, "invalid_input")


def test_what_breaks_is_a_500_without_details(alice: Caller, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    from carillon.services import campaigns

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr(campaigns, "get", crash)
    response = alice.get("campaigns/1")
    assert refusal(response)[:2] == (500, "internal") and b"secret" not in response.content
    assert "secret of the machine" in caplog.text and response["X-Request-Id"] in caplog.text
