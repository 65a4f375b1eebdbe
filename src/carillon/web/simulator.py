"""A telephone in the browser, for test accounts: it receives the campaign's texts, answers, says STOP, opens links, is switched off.

What it shows comes from the simulator's own memory, so a text that stands here really went through the gateway and over SMPP.
A simulator may serve several accounts: only texts this account sent are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from carillon.carriers.simulator import remote
from carillon.domain import msisdn as numbers
from carillon.domain.errors import CarillonError, CarrierError, InvalidInput
from carillon.models import Account, Connector
from carillon.services.campaigns import SIGN_IN_CODE
from carillon.web import toasts
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

HANDSETS = 12
POWERS = {
    "on": _("Allumé"),
    "off": _("Éteint : les messages attendent"),
    "absent": _("Absent : les messages échouent"),
    "unknown": _("Numéro non attribué"),
}
_SILENT = _("Le simulateur ne répond pas. Un opérateur le lance par « %(command)s ».")
LINK = re.compile(r"(?:https?://)?[\w.-]+(?::\d+)?/[^\s]*", re.IGNORECASE)

RECENT = """
SELECT msisdn, max(id) AS last FROM (
    SELECT msisdn, id FROM message WHERE account_id = %s AND status = 1 AND msisdn IS NOT NULL ORDER BY id DESC LIMIT 2000
) latest GROUP BY msisdn ORDER BY last DESC LIMIT %s
"""
# Colleagues' sign-in codes only where a demonstration shows them to anyone anyway.
TEXTS = """
SELECT DISTINCT m.text FROM message m JOIN campaign c ON c.id = m.campaign_id
WHERE m.msisdn = %s AND m.account_id = %s AND m.status = 1 AND (%s OR c.origin <> 'system' OR c.name <> %s)
"""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of a conversation, cut into (text, address or "")."""

    is_mine: bool
    at: datetime
    pieces: list[tuple[str, str]]
    peer: str


@dataclass(frozen=True, slots=True)
class Handset:
    msisdn: int
    power: str
    bubbles: list[Bubble]
    peer: str  # whom an answer goes to

    @property
    def can_answer(self) -> bool:
        return self.peer.isdigit()


def _control(account: Account) -> tuple[str, int]:
    """Host and port of the account's simulator."""
    if not account.is_test:
        raise Http404
    connector = Connector.objects.filter(is_simulator=True, is_enabled=True, kind="simulator").order_by("pk").first()
    if connector is None:
        raise InvalidInput("No simulator is configured", code="no_simulator")
    options: dict[str, Any] = connector.options
    return str(options.get("host", "127.0.0.1")), int(options.get("control_port") or int(options.get("port", 2775)) + 1)


def _number(text: str) -> int | None:
    parsed = numbers.parse(text)
    return parsed.msisdn if parsed.is_mobile else None


def handset(account: Account, msisdn: int) -> Handset:
    host, port = _control(account)
    power = remote.ask(host, port, "handset", msisdn=str(msisdn))["power"]
    with connection.cursor() as cursor:
        cursor.execute(TEXTS, [msisdn, account.pk, settings.MAILBOX is not None, SIGN_IN_CODE])
        sent = {row[0] for row in cursor.fetchall()}
    lines = remote.ask(host, port, "messages", msisdn=str(msisdn))["messages"] if sent else []
    mine = [line for line in lines if line["direction"] == "out" or line["text"] in sent]
    peers = [line["peer"] for line in mine if line["direction"] == "in"]
    return Handset(msisdn, power, [_bubble(line) for line in mine], peers[-1] if peers else "")


def _bubble(line: dict[str, Any]) -> Bubble:
    at = datetime.fromtimestamp(line["at"], tz=UTC)
    return Bubble(line["direction"] == "out", at, _cut(line["text"]), line["peer"])


def _cut(text: str) -> list[tuple[str, str]]:
    pieces, start = [], 0
    for found in LINK.finditer(text):
        if found.start() > start:
            pieces.append((text[start : found.start()], ""))
        pieces.append((found.group(), _address(found.group())))
        start = found.end()
    return [*pieces, (text[start:], "")] if start < len(text) else pieces


def _address(written: str) -> str:
    """Short links lead to this platform, whatever domain they wear: the demo's domain is nobody's."""
    if written.lower().startswith(("http://", "https://")):
        return written
    return f"{str(settings.SHORT_URL).rstrip('/')}/{written.partition('/')[2]}"


@signed_in
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    account = request.user.account
    if not account.is_test:
        raise Http404
    with connection.cursor() as cursor:
        cursor.execute(RECENT, [account.pk, HANDSETS])
        recent = [row[0] for row in cursor.fetchall()]
    chosen = _number(request.GET.get("msisdn", "")) or (recent[0] if recent else _number(request.user.mobile or ""))
    context: dict[str, Any] = {"recent": recent, "chosen": chosen, "powers": POWERS}
    return render(request, "simulator/index.html", context | _look(account, chosen))


def _look(account: Account, chosen: int | None) -> dict[str, Any]:
    if chosen is None:
        return {"handset": None, "problem": ""}
    try:
        return {"handset": handset(account, chosen), "problem": ""}
    except CarillonError as error:
        return {"handset": None, "problem": _sentence(error)}


def _sentence(error: CarillonError) -> str:
    if isinstance(error, CarrierError):
        return _SILENT % {"command": "carillon simulator"}
    return sentence_for(error)


@signed_in
@require_GET
def talk(request: SignedInRequest, msisdn: int) -> HttpResponse:
    """The conversation, refreshing itself."""
    context = _look(request.user.account, _number(f"+{msisdn}")) if request.user.account.is_test else None
    if context is None:
        raise Http404
    return render(request, "simulator/talk.html", context | {"chosen": msisdn})


@signed_in
@require_POST
def act(request: SignedInRequest, msisdn: int) -> HttpResponseBase:
    """Answer, or switch the phone."""
    number = _number(f"+{msisdn}")
    if number is None or not request.user.account.is_test:
        raise Http404
    try:
        host, port = _control(request.user.account)
        if request.POST.get("power") in POWERS:
            remote.ask(host, port, "handset", msisdn=str(number), power=request.POST["power"])
        else:
            text = request.POST.get("answer", "").strip()[:1000]
            peer = handset(request.user.account, number).peer
            if text and peer:
                remote.ask(host, port, "mo", **{"from": str(number), "to": peer, "text": text})
    except CarillonError as error:
        toasts.failed(request, _sentence(error))
    if request.htmx:
        return render(request, "simulator/talk.html", _look(request.user.account, number) | {"chosen": number})
    return HttpResponseRedirect(f"{reverse('simulator')}?msisdn={number}")


urlpatterns = [
    path("simulator/", index, name="simulator"),
    path("simulator/<int:msisdn>", talk, name="simulator_talk"),
    path("simulator/<int:msisdn>/act", act, name="simulator_act"),
]
