"""Answers of any length in constant memory."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse

from carillon.api.endpoints import Call
from carillon.services import streaming


def stream(call: Call, pieces: Iterator[bytes], *, content_type: str, file_name: str = "") -> StreamingHttpResponse:
    """`pieces` begin here, so that a refusal still is a 4xx; the rest is computed while the client reads."""
    begun = streaming.begin(pieces)
    content = streaming.in_own_thread(begun) if isinstance(call.request, ASGIRequest) else begun
    response = StreamingHttpResponse(content, content_type=content_type)
    if file_name:
        response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["X-Accel-Buffering"] = "no"  # nginx must not gather it either
    return response
