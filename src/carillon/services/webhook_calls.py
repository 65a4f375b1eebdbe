"""Making the calls: signed, in order, retried for 48 hours, one webhook never in the way of another.

Signature: header `X-Carillon-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 of `<t>.<body>` with the webhook's
secret (and, for a day after a rotation, with the one before). `X-Carillon-Delivery` stays the same over retries.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.db import connection
from django.db.models import Min, Q
from django.utils import timezone

from carillon.domain.errors import CarillonError
from carillon.models import Webhook, WebhookDelivery
from carillon.services import net_guard, webhooks
from carillon.services.deferral import defer

logger = logging.getLogger(__name__)

BACKOFF_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400)  # then every four hours, until 48 h are over
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
ANSWER_BYTES = 64 * 1024  # read of an answer; the rest is not waited for
REDIRECTS = 2
CALL_S = 20.0  # one call, redirects included, however slowly the receiver trickles its answer
DEAD_AFTER = 20  # failures in a row; then one call an hour asks whether it lives again …
DEAD_AFTER_TRIES = 5  # … and so after five of one call without a sound answer, 12 minutes by BACKOFF_S
PER_READ = 200
RUN_S = 20.0  # a job gives its worker back after this long
TURN_LOCK = 4715  # pg_advisory
TURN_S = 5.0  # before one asks again whether it is its turn
TRY_AGAIN = (408, 425, 429)
LARGE = ("body",)
NOTED = ("attempts", "last_status", "last_error", "duration_ms", "state", "done_at", "next_at")


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int | None
    error: str
    duration_ms: int

    @property
    def is_done(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_receiver_ill(self) -> bool:
        """Nothing else would go through either: do not try the next one now."""
        return self.status is None or self.status >= 500 or self.status in TRY_AGAIN


def sign(body: bytes, *, secrets: Sequence[str], at: int) -> str:
    signed = f"{at}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return f"t={at}," + ",".join(f"v1={mark}" for mark in marks)


def send_waiting(webhook_id: int) -> None:
    """Make this webhook's due calls in order. Its job has a lock: never two at once for one webhook."""
    webhook = Webhook.objects.filter(pk=webhook_id, is_enabled=True).first()
    if webhook is None:
        return
    with _turn(webhook) as is_ours:
        if is_ours and _ill_until(webhook) is None:
            _run(webhook)
    _come_back(webhook, wait_s=0.0 if is_ours else TURN_S)


@contextmanager
def _turn(webhook: Webhook) -> Iterator[bool]:
    """Receivers that failed last time are called one at a time by all workers together: some that hang must not hold every
    worker, which have campaigns to start and STOPs to hear.
    """
    if not webhook.failures:
        yield True
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [TURN_LOCK])
        row = cursor.fetchone()
    is_ours = bool(row and row[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [TURN_LOCK])


def _run(webhook: Webhook) -> None:
    started, held = time.monotonic(), set[int]()
    limits = httpx.Limits(max_keepalive_connections=0)  # a new connection each: see _Patience
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False, limits=limits) as client:
        last = 0
        while due := _due(webhook, after=last):
            last = due[-1].pk
            if not _send(client, webhook, due, held, until=started + RUN_S):
                break


def _send(
    client: httpx.Client, webhook: Webhook, due: Sequence[WebhookDelivery], held: set[int], *, until: float
) -> bool:
    """In order; False when it is enough for now. `held` are messages whose later events wait for an earlier one."""
    for delivery in due:
        if time.monotonic() > until:
            return False
        if delivery.order_key in held or delivery.next_at > timezone.now():
            held.add(delivery.order_key)
            continue
        outcome = call(client, webhook, delivery)
        _note(webhook, delivery, outcome, now=timezone.now())
        if outcome.is_done:
            continue
        if outcome.is_receiver_ill or not delivery.order_key:
            return False
        held.add(delivery.order_key)
    return True


def _due(webhook: Webhook, *, after: int) -> list[WebhookDelivery]:
    """Without their bodies, which may be large."""
    found = WebhookDelivery.objects.filter(webhook=webhook, state="waiting", pk__gt=after).defer(*LARGE)
    return list(found.order_by("id")[:PER_READ])


def _body(delivery: WebhookDelivery) -> bytes:
    """As PostgreSQL writes it: what is signed is what is sent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body::text FROM webhook_delivery WHERE id = %s", [delivery.pk])
        row = cursor.fetchone()
    return str(row[0]).encode() if row else b"{}"


def _ill_until(webhook: Webhook) -> datetime | None:
    """A receiver that did not answer, or was ill, is asked again with the call that showed it; the others wait for that one."""
    if not webhook.failures:
        return None
    shown = Q(last_status=None) | Q(last_status__gte=500) | Q(last_status__in=TRY_AGAIN)
    waiting = WebhookDelivery.objects.filter(shown, webhook=webhook, state="waiting", attempts__gt=0)
    until: datetime | None = waiting.aggregate(at=Min("next_at"))["at"]
    return until if until is not None and until > timezone.now() else None


def _come_back(webhook: Webhook, *, wait_s: float) -> None:
    first = WebhookDelivery.objects.filter(webhook=webhook, state="waiting").order_by("next_at").defer(*LARGE).first()
    if first is None:
        return
    key, at = f"webhook-{webhook.pk}", _ill_until(webhook) or first.next_at
    at = max(at, timezone.now() + timedelta(seconds=wait_s)) if wait_s else at
    is_due = at <= timezone.now()
    defer("webhooks.send", webhook_id=webhook.pk, lock=key, queueing_lock=key, at=None if is_due else at)


def call(client: httpx.Client, webhook: Webhook, delivery: WebhookDelivery) -> Outcome:
    """One POST; never raises."""
    body = _body(delivery)
    now = timezone.now()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Carillon-Webhooks/1",
        "X-Carillon-Event": delivery.event,
        "X-Carillon-Delivery": str(delivery.pk),
        "X-Carillon-Signature": sign(body, secrets=webhooks.secrets_of(webhook, now=now), at=int(now.timestamp())),
    }
    started = time.monotonic()
    try:
        with _Patience(CALL_S) as patience:
            status = _post(client, webhook.url, body, headers, patience)
        error = "" if 200 <= status < 300 else f"answered {status}"
    except CarillonError as problem:
        status, error = None, problem.message
    except (httpx.HTTPError, OSError, ValueError) as problem:
        status, error = None, f"{type(problem).__name__}: {problem}"[:300]
    return Outcome(status, error, int((time.monotonic() - started) * 1000))


class _Patience:
    """Hangs up when a call lasts too long. httpx limits the time of each read: a receiver that sends a byte every few seconds,
    in its headers or after them, would hold a worker for hours.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.is_over = False

    def __enter__(self) -> _Patience:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpx tells what it does: its socket is noted once it has one."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_over:
                self._hang_up()

    def _hang_up(self) -> None:
        self.is_over = True
        if self._socket is not None:
            try:
                socket.socket.shutdown(
                    self._socket, socket.SHUT_RDWR
                )  # not SSLSocket's, which forgets its session first
            except OSError:
                pass  # it ended by itself


def _post(client: httpx.Client, url: str, body: bytes, headers: dict[str, str], patience: _Patience) -> int:
    for _ in range(REDIRECTS + 1):
        target = net_guard.resolve(url)
        request = client.build_request("POST", target.url, content=body, headers=headers | {"Host": target.host_header})
        request.extensions |= {"sni_hostname": target.host, "trace": patience.trace}
        answer = client.send(request, stream=True)
        try:
            read = 0
            for piece in answer.iter_raw():
                read += len(piece)
                if read > ANSWER_BYTES:
                    break
        except httpx.HTTPError:
            if not patience.is_over:  # its status is known: the rest is not waited for
                raise
        finally:
            answer.close()
        if answer.status_code not in (307, 308) or "location" not in answer.headers:
            return answer.status_code
        url = str(httpx.URL(url).join(answer.headers["location"]))
    return answer.status_code


def _note(webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome, *, now: datetime) -> None:
    delivery.attempts += 1
    delivery.last_status, delivery.last_error = outcome.status, outcome.error[:300]
    delivery.duration_ms = outcome.duration_ms
    if outcome.is_done:
        delivery.state, delivery.done_at = "done", now
        if webhook.failures or webhook.paused_at:
            Webhook.objects.filter(pk=webhook.pk).update(failures=0, paused_at=None)
            webhook.failures, webhook.paused_at = 0, None
    else:
        webhook.failures += 1
        is_dead = outcome.is_receiver_ill and delivery.attempts >= DEAD_AFTER_TRIES
        if (is_dead or webhook.failures >= DEAD_AFTER) and webhook.paused_at is None:
            webhook.paused_at = now
            logger.warning("webhook %s is paused: %s", webhook.pk, outcome.error)
        Webhook.objects.filter(pk=webhook.pk).update(failures=webhook.failures, paused_at=webhook.paused_at)
        wait = 3600 if webhook.paused_at else BACKOFF_S[min(delivery.attempts, len(BACKOFF_S)) - 1]
        delivery.next_at = now + timedelta(seconds=wait)
        if now - delivery.created_at > webhooks.LIFE:
            delivery.state = "failed"
    delivery.save(update_fields=NOTED)


def purge(*, now: datetime, kept: timedelta = timedelta(days=7)) -> int:
    """Calls made or given up more than a week ago; and waiting ones that nobody could be told within 48 hours."""
    WebhookDelivery.objects.filter(state="waiting", created_at__lt=now - webhooks.LIFE).update(state="failed")
    deleted, _ = WebhookDelivery.objects.exclude(state="waiting").filter(created_at__lt=now - kept).delete()
    return deleted
