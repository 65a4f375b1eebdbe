"""Pages leave compressed; streams do not."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompression(GZipMiddleware):
    """Django's, padded by chance so that secrets cannot be guessed by length, except for streams.

    Under ASGI it compresses each piece of a stream as a gzip file of its own, and clients (httpx, zlib) stop reading after the
    first: a report arrived as its opening bracket. A proxy in front may compress streams properly.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming:
            return response
        return super().process_response(request, response)
