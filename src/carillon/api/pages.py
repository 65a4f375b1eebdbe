"""What people open in a browser: the document, the Swagger page, one page for each error code."""

from __future__ import annotations

import json
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render

from carillon.api import openapi as documents
from carillon.api.errors import CODES

# Everything comes from this machine; Swagger's own style attributes are set by script, which needs no exception.
CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@lru_cache(maxsize=1)
def _document() -> bytes:
    return json.dumps(documents.document(), ensure_ascii=False, indent=1).encode()


def openapi(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(_document(), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


def swagger(request: HttpRequest) -> HttpResponse:
    return _strict(render(request, "api/swagger.html"))


def error_index(request: HttpRequest) -> HttpResponse:
    return _strict(
        render(request, "api/errors.html", {"rows": sorted(CODES.values(), key=lambda row: (row.status, row.code))})
    )


def error_page(request: HttpRequest, code: str) -> HttpResponse:
    row = CODES.get(code)
    if row is None:
        return HttpResponseNotFound(f"{code} is not a code of this API.\n", content_type="text/plain; charset=utf-8")
    return _strict(render(request, "api/error.html", {"row": row}))


def _strict(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = CSP
    return response
