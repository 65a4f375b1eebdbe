"""The API's log: one row per request, kept for seven days, secrets masked, bodies cut at 4 kB.

A web process writes rows in batches from its own thread (`start`), so that a request does not wait for its own log. Without
the thread (tests, one-off commands) `record` writes at once.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection
from django.db.models import QuerySet

from carillon.models import ApiRequest, User

LIFE = timedelta(days=7)
MAX_BODY = 4096
BATCH = 500
LINGER_S = 0.5
MAX_WAITING = 20_000

_log = logging.getLogger(__name__)
_waiting: queue.Queue[ApiRequest] = queue.Queue(maxsize=MAX_WAITING)
_stop = threading.Event()


class _Process:
    """What this process has: at most one writer."""

    writer: threading.Thread | None = None


_SECRET = re.compile(
    r'("(?:password|token|secret|authorization|b64[a-z]*|totp[a-z_]*)"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE
)
_FORM_SECRET = re.compile(r"((?:^|[&?])(?:password|token|secret)=)[^&\s]*", re.IGNORECASE)
_TOKEN = re.compile(r"cr_(live|test|sess)_[A-Za-z0-9_-]+")


def mask(text: str) -> str:
    """Passwords, tokens, secrets and Base64 files are replaced; the rest is cut at MAX_BODY characters."""
    text = text[: MAX_BODY * 4]
    text = _SECRET.sub(r'\1"…"', text)
    text = _FORM_SECRET.sub(r"\1…", text)
    text = _TOKEN.sub(r"cr_\1_…", text)
    return text[:MAX_BODY].replace("\0", "")


def record(**fields: Any) -> None:
    """One finished request: fields of models.ApiRequest. Bodies are masked here. Never raises, never waits."""
    for name in ("request_body", "response_body"):
        fields[name] = mask(fields.get(name, ""))
    fields["path"] = mask(fields["path"])[:300]
    row = ApiRequest(**fields)
    if _Process.writer is None:
        _write([row])
        return
    try:
        _waiting.put_nowait(row)
    except queue.Full:
        _log.warning("the request log is %d rows behind: request %s is not in it", MAX_WAITING, row.request_id)


def _write(rows: list[ApiRequest]) -> None:
    columns = [field.attname for field in ApiRequest._meta.concrete_fields if not field.primary_key]
    names = ", ".join(columns)
    places = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(rows))
    values = [getattr(row, column) for row in rows for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO api_request ({names}) VALUES {places}", values)  # noqa: S608 - our own column names


def start() -> None:
    """Begin writing from a thread of this process. Called once by the web server's entry."""
    if _Process.writer is None:
        _Process.writer = threading.Thread(target=_run, name="request-log", daemon=True)
        _Process.writer.start()


def stop(timeout_s: float = 10) -> None:
    """Write what waits, then end the thread."""
    if _Process.writer is not None:
        _stop.set()
        _Process.writer.join(timeout_s)
        _Process.writer = None
        _stop.clear()


def _run() -> None:
    while True:
        rows = _take()
        if rows:
            try:
                close_old_connections()
                _write(rows)
            except Exception:  # the log must not take the server with it
                _log.exception("%d rows of the request log could not be written", len(rows))
        elif _stop.is_set():
            connection.close()
            return


def _take() -> list[ApiRequest]:
    try:
        rows = [_waiting.get(timeout=LINGER_S)]
    except queue.Empty:
        return []
    _stop.wait(LINGER_S)  # gather what comes meanwhile
    while len(rows) < BATCH:
        try:
            rows.append(_waiting.get_nowait())
        except queue.Empty:
            break
    return rows


def visible(actor: User) -> QuerySet[ApiRequest]:
    """Requests of the actor's account (an operator: of all), newest first."""
    found = ApiRequest.objects.order_by("-at", "-id")
    return found if actor.is_operator else found.filter(account_id=actor.account_id)


def purge(*, now: datetime) -> int:
    gone, _ = ApiRequest.objects.filter(at__lt=now - LIFE).delete()
    return gone
