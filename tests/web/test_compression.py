"""Pages are compressed; a stream arrives whole, whoever reads it."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from carillon.web.compression import PageCompression


def answer(response: HttpResponseBase) -> HttpResponseBase:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    return PageCompression(lambda _: response)(request)


def test_a_page_is_compressed() -> None:
    found = answer(HttpResponse("a" * 5000))
    assert isinstance(found, HttpResponse)
    assert found["Content-Encoding"] == "gzip" and gzip.decompress(found.content) == b"a" * 5000


@pytest.mark.parametrize("is_async", [True, False])
def test_a_stream_is_not(is_async: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"[" * 300
        yield b"]" * 300

    found = answer(StreamingHttpResponse(pieces() if is_async else iter([b"[" * 300, b"]" * 300])))
    assert "Content-Encoding" not in found
