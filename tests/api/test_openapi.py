"""The document says what the API does: schemathesis calls every operation with what the document allows, and more."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from carillon.api import openapi, urls
from carillon.api.endpoints import ENDPOINTS
from carillon.api.errors import CODES
from tests.api.callers import Caller

DOCUMENT = openapi.document(server="http://testserver")
APPLICATION = get_wsgi_application()
EXAMPLES = 12


def _schema() -> Any:
    config = SchemathesisConfig.from_dict({"generation": {"mode": "all", "allow-x00": True}})
    found = schemathesis.openapi.from_dict(DOCUMENT, config=config)
    found.app = APPLICATION
    return found


SCHEMA = _schema()
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_every_operation_keeps_to_the_document(alice: Caller, label: str) -> None:
    """No 500, no undocumented status, no body that breaks its schema, whatever is sent."""
    alice.token.rate_per_minute = 10_000
    alice.token.save()
    operation = OPERATIONS[label]
    strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def calls(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Bearer {alice.secret}"})
        status = str(response.status_code)
        documented = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
        assert response.status_code < 500, (status, response.text[:500], case.body, case.query)
        assert status in documented or status in {"405", "404"}, (status, response.text[:500])
        if status in documented:
            _check_body(documented[status], response)

    calls()


def _check_body(documented: Any, response: Any) -> None:
    content = documented["content"].get("application/json")
    if content is None:
        assert response.headers["Content-Type"][0].startswith("text/csv")
        return
    schema = content["schema"] | {"components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(schema).validate(json.loads(response.text))


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
    report = next(i for i, text in enumerate(patterns) if text.endswith("api/v1/campaigns/report/?$"))
    number = next(i for i, text in enumerate(patterns) if text.endswith("api/v1/campaigns/(?P<campaign_id>[^/]+)/?$"))
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
