"""The OpenAPI 3.1 document, written from the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from carillon import __version__
from carillon.api.endpoints import ENDPOINTS, Endpoint
from carillon.api.errors import CODES

REF = "#/components/schemas/{model}"
ALWAYS = ("bad_json", "bad_encoding", "too_deep", "too_large", "checksum_mismatch", "invalid_input", "https_required")
SIGNED = ("unauthenticated", "address_not_allowed", "missing_scope", "forbidden", "rate_limited")
_NO_BODY = frozenset({"GET", "DELETE", "HEAD"})

INTRODUCTION = """\
Send messages, follow them, and keep lists and blacklists. The paths, names and spellings are those of the SMS API guide v2.8, so
that an integration written for it works by changing the base address; what is marked *our addition* stands beside it.

1. Sign in with `auth/login`, or use a token made in the extranet.
2. Copy the bearer, the word "Bearer" included, press **Authorize**, paste it.
3. Every call below can be tried. **Messages are really sent, unless the token is a test token.**

Bodies are JSON under any content type. Numbers and booleans may be texts. What a call does not know is named in `warnings` and
ignored. Every answer carries `X-Request-Id`; every error has a page.
"""

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message", "param", "doc_url", "request_id"],
    "properties": {
        "code": {"type": "string", "enum": sorted(CODES), "description": "Stable; decide on it."},
        "message": {"type": "string", "description": "For people; may change."},
        "param": {"type": ["string", "null"], "description": "The field at fault."},
        "line": {"type": "integer", "description": "Line of the file, without its header."},
        "details": {"type": "array", "items": {"type": "object"}, "description": "Further fields at fault."},
        "doc_url": {"type": "string", "format": "uri"},
        "request_id": {"type": "string"},
    },
}


@lru_cache(maxsize=1)
def _schemas() -> tuple[dict[type[BaseModel], str], dict[str, Any]]:
    """{model: name} and the components, for parameters (as read) and answers (as written)."""
    models: dict[type[BaseModel], None] = {}
    for endpoint in ENDPOINTS:
        models[endpoint.payload] = None
        if not isinstance(endpoint.answer, Mapping):
            models[endpoint.answer] = None
    keys, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    names = {
        cast("type[BaseModel]", model): str(reference["$ref"]).rsplit("/", 1)[-1]
        for (model, _), reference in keys.items()
    }
    components: dict[str, Any] = definitions.get("$defs", {})
    for schema in components.values():
        if schema.get("additionalProperties") is True and "title" in schema:
            schema.pop("additionalProperties")
    return names, components


def document() -> dict[str, Any]:
    """The same document serves both bases; their addresses are relative to its own."""
    _, components = _schemas()
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        operation = _operation(endpoint)
        path = paths.setdefault(f"/{endpoint.path}", {})
        for number, method in enumerate(endpoint.methods):
            path[method.lower()] = operation if number == 0 else _twin(operation, method, endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Carillon API",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/api/v1", "description": "The usual address"},
            {"url": "/MediasflowApi/v1", "description": "The same, under the guide's address"},
        ],
        "tags": [{"name": name} for name in dict.fromkeys(endpoint.tag for endpoint in ENDPOINTS)],
        "paths": paths,
        "components": {
            "schemas": components | {"Error": ERROR_SCHEMA},
            "securitySchemes": {
                "Bearer": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": 'The bearer, with the word "Bearer" in front.',
                }
            },
        },
        "security": [{"Bearer": []}],
    }  # fmt: skip


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    method = endpoint.methods[0]
    note = "\n\n*Our addition to the guide.*" if endpoint.is_addition else ""
    scope = f"\n\nScope: `{endpoint.scope}`." if endpoint.scope else ""
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description + note + scope,
        "parameters": [*_path_parameters(endpoint), *_headers(endpoint)],
        "responses": {**_success(endpoint), **_failures(endpoint)},
    }
    if endpoint.scope is None:
        operation["security"] = []
    return _with_parameters(operation, endpoint, method)


def _twin(operation: dict[str, Any], method: str, endpoint: Endpoint) -> dict[str, Any]:
    """The same call under another verb that clients use."""
    twin = {key: value for key, value in operation.items() if key != "requestBody"}
    twin["operationId"] = f"{endpoint.name}By{method.capitalize()}"
    twin["parameters"] = [*_path_parameters(endpoint), *_headers(endpoint)]
    return _with_parameters(twin, endpoint, method)


def _with_parameters(operation: dict[str, Any], endpoint: Endpoint, method: str) -> dict[str, Any]:
    names, components = _schemas()
    schema = components[names[endpoint.payload]]
    if not schema.get("properties"):
        return operation
    if method in _NO_BODY:
        operation["parameters"] += _query(schema)
    elif endpoint.is_upload:
        operation["requestBody"] = _upload_body(schema)
    else:
        content: dict[str, Any] = {"schema": {"$ref": REF.format(model=names[endpoint.payload])}}
        if endpoint.example is not None:
            content["example"] = endpoint.example
        operation["requestBody"] = {"required": bool(schema.get("required")), "content": {"application/json": content}}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "format": "int64", "minimum": 0}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    if not endpoint.is_idempotent:
        return []
    description = "1 to 200 characters. The same key within 24 hours gets the same answer; nothing is done twice."
    schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    return [
        {"name": "Idempotency-Key", "in": "header", "required": False, "description": description, "schema": schema}
    ]


def _query(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": _query_schema(field),
        }
        for name, field in schema["properties"].items()
    ]


def _query_schema(field: Mapping[str, Any]) -> dict[str, Any]:
    """A query holds texts: the first plain type of the field, its limits kept."""
    options = field.get("anyOf", [field])
    found: Mapping[str, Any] = next((option for option in options if option.get("type") != "null"), {})
    kinds = found.get("type", "string")
    kind = kinds if isinstance(kinds, str) else "string" if "array" in kinds else kinds[0]
    kept = {key: found[key] for key in ("enum", "maxLength", "minimum", "maximum", "format", "pattern") if key in found}
    kept |= {key: field[key] for key in ("default", "minimum", "maximum", "maxLength") if field.get(key) is not None}
    return {"type": kind, **kept}


def _upload_body(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        name: {"type": "string", "description": field.get("description", "")}
        for name, field in schema["properties"].items()
    }
    properties["File"] = {"type": "string", "format": "binary", "description": "The list: CSV, TXT, XLSX or XLS."}
    form = {"type": "object", "required": [*schema.get("required", []), "File"], "properties": properties}
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}


def _success(endpoint: Endpoint) -> dict[str, Any]:
    names, _ = _schemas()
    if isinstance(endpoint.answer, Mapping):
        content = {
            kind: {"schema": {key: value for key, value in schema.items() if key != "description"}}
            for kind, schema in endpoint.answer.items()
        }
        description = next(iter(endpoint.answer.values())).get("description", "The answer.")
    else:
        content = {"application/json": {"schema": {"$ref": REF.format(model=names[endpoint.answer])}}}
        description = (endpoint.answer.__doc__ or "The answer.").strip()
    return {str(endpoint.success): {"description": description, "content": content}}


def _failures(endpoint: Endpoint) -> dict[str, Any]:
    codes = [*ALWAYS, *(SIGNED if endpoint.scope is not None else ()), *endpoint.errors]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code].status, []).append(code)
    content = {"application/json": {"schema": {"$ref": REF.format(model="Error")}}}
    return {
        str(status): {
            "description": " · ".join(f"`{code}` {CODES[code].meaning}" for code in found),
            "content": content,
        }
        for status, found in sorted(by_status.items())
    }
