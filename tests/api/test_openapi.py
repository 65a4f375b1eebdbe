"""The document says what the API does: schemathesis calls every operation with what the document allows, and more."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from carillon.api import openapi, urls
from carillon.api.endpoints import ENDPOINTS
from carillon.api.errors import CODES
from tests.api.callers import Caller, content

DOCUMENT = openapi.document()
EXAMPLES = 15


def _schema() -> Any:
    config = SchemathesisConfig.from_dict({"generation": {"mode": "all", "allow-x00": True}})
    found = schemathesis.openapi.from_dict(DOCUMENT, config=config)
    return found


SCHEMA = _schema()
FIRST_VERBS = {
    f"{endpoint.methods[0]} /{endpoint.path}" for endpoint in ENDPOINTS
}  # the others share handler and schema
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if found.ok().label in FIRST_VERBS}


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_every_operation_keeps_to_the_document(alice: Caller, label: str) -> None:
    """No 500, no undocumented status, no body that breaks its schema, whatever is sent."""
    alice.token.rate_per_minute = 10_000
    alice.token.save()
    operation = OPERATIONS[label]
    strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )
    documented = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )  # fmt: skip
    @given(case=strategy)
    def calls(case: Any) -> None:
        response = _call(alice, case)
        status, body = str(response.status_code), content(response)
        assert status in documented or status in {"404", "405"}, (status, body[:500], case)
        if status in documented:
            _check_body(documented[status], response, body)

    calls()


def _call(caller: Caller, case: Any) -> Any:
    """The generated request, as bytes, through Django's client."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver/api/v1")).prepare()
    headers = {
        name: value
        for name, value in prepared.headers.items()
        if name.lower() not in {"content-type", "content-length", "accept-encoding"}
    }
    headers["Authorization"] = f"Bearer {caller.secret}"
    path = (prepared.path_url or "/").removeprefix("http://testserver")
    body = prepared.body or b""
    return caller.client.generic(
        prepared.method or "GET", path, body, content_type=prepared.headers.get("Content-Type", ""), headers=headers
    )


def _check_body(documented: Any, response: Any, body: bytes) -> None:
    schema = documented["content"].get("application/json")
    if schema is None:
        assert response["Content-Type"].startswith("text/csv")
        return
    whole = schema["schema"] | {"components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(whole).validate(json.loads(body))


def test_every_address_is_in_the_document() -> None:
    assert set(DOCUMENT["paths"]) == {f"/{endpoint.path}" for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        assert {m.lower() for m in endpoint.methods} <= set(DOCUMENT["paths"][f"/{endpoint.path}"])


def test_the_document_is_served_and_says_3_1(client: Any, db: None) -> None:
    response = client.get("/api/openapi.json")
    assert response["Content-Type"].startswith("application/json")
    assert response.json()["openapi"] == "3.1.0" and response.json()["paths"] == DOCUMENT["paths"]


def test_every_operation_has_words_and_every_write_an_example() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.summary and endpoint.description, endpoint.name
        assert set(endpoint.errors) <= set(CODES), endpoint.name


def test_examples_are_read_without_a_warning() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.example is not None:
            assert endpoint.payload.read(endpoint.example).unknown() == [], endpoint.name


def test_fixed_addresses_go_before_numbers() -> None:
    patterns = [str(pattern.pattern) for pattern in urls.urlpatterns]
    report = next(i for i, text in enumerate(patterns) if text.endswith("api/v1/campaigns/report/?\\Z"))
    number = next(i for i, text in enumerate(patterns) if text.endswith("api/v1/campaigns/(?P<campaign_id>[^/]+)/?\\Z"))
    assert report < number


def test_the_swagger_page_needs_nothing_from_elsewhere(client: Any, db: None) -> None:
    response = client.get("/MediasflowApi")
    html = response.content.decode()
    assert "http" not in html.replace("noscript", "") and "<script>" not in html and "style=" not in html
    assert response["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "really sent" in html
    assert client.get("/MediasflowApi/").status_code == 200
    for part in html.split('"'):
        if part.startswith("/static/"):
            from django.contrib.staticfiles import finders

            assert finders.find(part.removeprefix("/static/")), part
