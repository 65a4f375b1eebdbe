"""From a Django request to an endpoint and back: numbers, rights, parameters, idempotency, errors, headers, log."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import DataError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from carillon.api import auth, bodies, errors
from carillon.api.endpoints import Answer, Call, Endpoint, Reply
from carillon.api.errors import ApiError
from carillon.domain.errors import CarillonError
from carillon.services import idempotency, request_log

_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,36}")
JSON = "application/json; charset=utf-8"


def clock() -> datetime:
    """When a request came in; every rule about time reads this one."""
    return datetime.now(UTC)


def doc_base() -> str:
    return f"{settings.PUBLIC_URL}/api/errors"


def view_of(endpoints: Mapping[str, Endpoint]) -> Any:
    """One Django view for one address; `endpoints` by verb."""

    @csrf_exempt
    def view(request: HttpRequest, **path: str) -> HttpResponseBase:
        return _Visit(request, path, endpoints).answer()

    return view


class _Visit:
    """One request, from its first byte to its line in the log."""

    def __init__(self, request: HttpRequest, path: Mapping[str, str], endpoints: Mapping[str, Endpoint]) -> None:
        self.request, self.path, self.endpoints = request, path, endpoints
        self.started = time.perf_counter()
        self.now = clock()
        given = request.headers.get("X-Request-Id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self.headers: dict[str, str] = {}
        self.token: Any = None
        self.endpoint: Endpoint | None = None

    def unknown(self) -> HttpResponseBase:
        return self._finished(self._error(ApiError("no_such_path")))

    def answer(self) -> HttpResponseBase:
        try:
            response = self._work()
        except ApiError as error:
            response = self._error(error)
        except CarillonError as error:
            response = self._error(errors.from_domain(error))
        except DataError as error:
            _log.warning("request %s gave a value the database refuses: %s", self.request_id, error)
            response = self._error(ApiError("invalid_input", "A value cannot be stored: it is too long or too large."))
        except OperationalError:
            _log.exception("request %s: the database did not answer", self.request_id)
            response = self._error(ApiError("unavailable", headers={"Retry-After": "5"}))
        except Exception:
            _log.exception("request %s broke", self.request_id)
            response = self._error(ApiError("internal"))
        return self._finished(response)

    def _finished(self, response: HttpResponseBase) -> HttpResponseBase:
        for name, value in self.headers.items():
            response[name] = value
        response["X-Request-Id"] = self.request_id
        response["Cache-Control"] = "no-store"
        self._record(response)
        return response

    def _work(self) -> HttpResponseBase:
        auth.check_https(self.request)
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        endpoint = self.endpoints.get(method)
        if endpoint is None:
            return self._no_such_verb(method)
        self.endpoint = endpoint
        if endpoint.scope is not None:
            self.token = auth.authenticate(self.request, now=self.now)
            self.headers |= auth.take_rate(self.token, now=self.now)
            auth.check_scope(self.token, endpoint.scope)
        parameters = {} if endpoint.is_upload else bodies.read(self.request)
        call = Call(self.request, self.request_id, self.now, parameters, self.path, self.token)
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and endpoint.is_idempotent:
            return self._once(call, endpoint, key)
        return self._run(call, endpoint)

    def _run(self, call: Call, endpoint: Endpoint) -> HttpResponseBase:
        if endpoint.is_upload:  # it reads its form itself, while the file goes to disk
            return self._response(endpoint.handler(call, None), call.warnings)
        payload = endpoint.payload.read(call.parameters)
        call.warnings += payload.unknown()
        return self._response(endpoint.handler(call, payload), call.warnings)

    def _once(self, call: Call, endpoint: Endpoint, key: str) -> HttpResponseBase:
        """Claim, work and answer in one transaction: see services.idempotency."""
        account_id = call.account.pk
        mark = idempotency.fingerprint(
            method=self.request.method or "", path=self.request.path, body=bodies.read_raw(self.request)
        )
        with transaction.atomic():
            stored = idempotency.claim(account_id=account_id, key=key, fingerprint=mark, now=self.now)
            if stored is not None:
                response = HttpResponse(stored.body, status=stored.status, content_type=JSON)
                response["Idempotent-Replay"] = "true"
                return response
            result = self._run(call, endpoint)
            if isinstance(result, HttpResponse):
                text = result.content.decode()
                idempotency.store(account_id=account_id, key=key, status=result.status_code, body=text)
            return result

    def _response(self, result: Answer, warnings: list[str]) -> HttpResponseBase:
        if isinstance(result, HttpResponseBase):
            if warnings:
                result["X-Warnings"] = json.dumps(warnings)
            return result
        reply = result if isinstance(result, Reply) else Reply(result)
        body = reply.body
        if warnings and isinstance(body, dict):
            body = body | {"warnings": [*body.get("warnings", []), *warnings]}
        elif warnings:
            self.headers["X-Warnings"] = json.dumps(warnings)
        self.headers |= reply.headers
        text = "" if reply.status == 204 else json.dumps(body, ensure_ascii=False)
        return HttpResponse(text, status=reply.status, content_type=JSON)

    def _no_such_verb(self, method: str) -> HttpResponseBase:
        allowed = ", ".join([*self.endpoints, "OPTIONS"])
        if method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        message = f"This address answers to {allowed}, not to {method[:20]}."
        raise ApiError("method_not_allowed", message, headers={"Allow": allowed})

    def _error(self, error: ApiError) -> HttpResponse:
        body = errors.body(error, request_id=self.request_id, doc_base=doc_base())
        if error.status == 401:
            error.headers.setdefault("WWW-Authenticate", "Bearer")
        response = HttpResponse(
            json.dumps(body, ensure_ascii=False), status=error.status, content_type=JSON, headers=error.headers
        )
        response._has_been_logged = True  # type: ignore[attr-defined]  # a client's mistake is in the API's log, not in ours
        return response

    def _record(self, response: HttpResponseBase) -> None:
        answered = response.content if isinstance(response, HttpResponse) else b""
        try:
            request_log.record(
                request_id=self.request_id,
                account_id=self.token.account_id if self.token else None,
                token_id=self.token.pk if self.token else None,
                at=self.now,
                method=(self.request.method or "")[:7],
                path=self.request.path if self._is_sign_in else self.request.get_full_path(),
                status=response.status_code,
                duration_ms=int((time.perf_counter() - self.started) * 1000),
                address=auth.client_address(self.request).partition("%")[0],
                request_body=self._body_for_log(),
                response_body=answered[: request_log.MAX_BODY].decode(errors="replace"),
            )
        except Exception:
            _log.exception("request %s is not in the request log", self.request_id)

    @property
    def _is_sign_in(self) -> bool:
        return self.endpoint is not None and self.endpoint.scope is None

    def _body_for_log(self) -> str:
        """What was already read, never more: an upload's file stays on disk. Nothing of a sign-in: however a password is written,
        in a form, percent-encoded, in JSON that cannot be read, it stays out.
        """
        if self._is_sign_in:
            return ""
        raw = getattr(self.request, "_body", None)
        if not isinstance(raw, bytes) or self.endpoint is None:
            return ""
        return raw[: request_log.MAX_BODY * 4].decode(errors="replace")


@csrf_exempt
def no_such_path(request: HttpRequest) -> HttpResponseBase:
    """Anything else under the two bases: JSON, as every answer of the API."""
    return _Visit(request, {}, {}).unknown()
