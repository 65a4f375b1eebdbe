"""`/carriers/<secret>`: where HTTP carriers report. Authenticated by the path, and by a signature where they sign."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from carillon.carriers import registry
from carillon.carriers.http.base import Call, Provider
from carillon.domain.errors import CarillonError, InvalidInput, NotFound
from carillon.models import Connector
from carillon.services import callbacks, connectors

logger = logging.getLogger(__name__)
MOST_BYTES = 1 << 20


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, key: str) -> HttpResponse:
    """404 for an unknown path, 403 for a wrong signature, 400 for what is not understood; else the answer the carrier expects,
    once everything is stored."""
    try:
        connector = callbacks.by_key(key)
        provider = _provider(connector)
    except NotFound:
        return HttpResponse(status=404)
    except CarillonError as error:
        logger.error("a callback cannot be read: %s", error.message)
        return HttpResponse(status=503)
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    call = _call(request, connector)
    if not provider.authentic(call):
        logger.warning("%s: a callback with a wrong signature was refused", connector.name)
        return HttpResponse(status=403)
    try:
        arrivals = provider.parse_callback(call.method, call.query, call.headers, call.body)
    except InvalidInput as error:
        logger.warning("%s: a callback was not understood: %s", connector.name, error.message)
        return HttpResponse(error.message, status=400, content_type="text/plain; charset=utf-8")
    callbacks.receive(connector, arrivals)
    content_type, answer = provider.callback_answer()
    return HttpResponse(answer, content_type=content_type)


def _provider(connector: Connector) -> Provider:
    options = {"callback_url": callbacks.url_of(connector)} | connectors.options_of(connector)
    return registry.provider(connector.kind, options, connectors.secret_of(connector))


def _call(request: HttpRequest, connector: Connector) -> Call:
    query = request.META.get("QUERY_STRING", "")
    return Call(
        method=request.method or "",
        url=callbacks.url_of(connector) + (f"?{query}" if query else ""),
        query={name: str(value) for name, value in request.GET.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )
