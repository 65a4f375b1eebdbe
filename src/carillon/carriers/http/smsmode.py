"""smsmode, REST v1: POST /sms/v1/messages with an X-Api-Key; status and reply callbacks on one unsigned address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carillon.carriers.http.base import (
    Arrivals,
    Call,
    Outcome,
    Request,
    Response,
    Verdict,
    clean,
    read_code,
    read_moment,
    read_msisdn,
    read_object,
    read_options,
)
from carillon.domain import segments
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

# status.value. The enumeration is not published whole, and values outside it are seen: those are kept out, so that a message
# stays "sent" rather than get a wrong end.
STATUSES: Mapping[str, Status] = {
    "SCHEDULED": Status.SENDING,
    "ENROUTE": Status.SENDING,
    "SENT": Status.POSTED,
    "ACCEPTED": Status.POSTED,
    "DELIVERED": Status.DELIVERED,
    "READ": Status.DELIVERED,
    "UNDELIVERABLE": Status.UNDELIVERED,
    "UNDELIVERED": Status.UNDELIVERED,
    "NOT_DELIVERED": Status.UNDELIVERED,
    "EXPIRED": Status.EXPIRED,
    "REJECTED": Status.OPERATOR_REJECTED,
    "DELETED": Status.DELETED,
    "CANCELLED": Status.DELETED,
    "UNKNOWN": Status.UNKNOWN,
}
DETAILS: tuple[tuple[str, Status], ...] = (  # words of status.detail that make "undeliverable" precise
    ("ABSENT", Status.UNAVAILABLE),
    ("UNREACHABLE", Status.UNAVAILABLE),
    ("UNASSIGNED", Status.UNASSIGNED),
    ("UNKNOWN_SUBSCRIBER", Status.UNASSIGNED),
    ("UNKNOWN SUBSCRIBER", Status.UNASSIGNED),
    ("BLACKLIST", Status.OPERATOR_REFUSED),
    ("SPAM", Status.OPERATOR_REJECTED),
)


@dataclass(frozen=True, slots=True)
class Options:
    url: str = "https://rest.smsmode.com"
    reply_number: str = ""  # the number people answer to, where the callback does not say it


class SmsMode:
    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        self.options, self.shared = read_options(Options, config)
        if not secret:
            raise InvalidInput("The secret of an smsmode connector is its API key.", field="secret")
        self._headers = {"X-Api-Key": secret, "Accept": "application/json"}

    def request(self, message: Outbound) -> Request:
        text: dict[str, Any] = {"text": message.text}
        if not segments.is_gsm(message.text):
            text["encoding"] = "UNICODE"
        body: dict[str, Any] = {
            "recipient": {"to": str(message.msisdn)}, "body": text, "refClient": str(message.message_id),
        }  # fmt: skip
        if message.sender:
            body["from"] = message.sender
        if self.shared.callback_url:
            body["callbackUrlStatus"] = body["callbackUrlMo"] = self.shared.callback_url
        return Request("POST", f"{self.options.url.rstrip('/')}/sms/v1/messages", headers=self._headers, json=body)

    def read(self, message: Outbound, response: Response) -> Verdict:
        found = response.json()
        if response.status in (200, 201, 202):
            message_id = clean(found.get("messageId"))[:64]
            if message_id:
                return Verdict(Outcome.ACCEPTED, message_id)
            return Verdict(Outcome.DOUBT, reason=f"accepted without messageId: {response.text[:200]}")
        reason = f"{found.get('message') or ''} {found.get('detail') or ''}".strip() or f"HTTP {response.status}"
        code = read_code(found.get("errorCode")) or response.status
        if response.status == 402 or "credit" in reason.lower() or "balance" in reason.lower():
            return Verdict(Outcome.BLOCKED, error=code, reason=f"no credit left at smsmode: {reason}")
        is_number = "recipient" in reason.lower() or "number" in reason.lower()
        status = Status.MALFORMED if is_number else Status.REJECTED
        return Verdict(Outcome.REFUSED, status=status, error=code, reason=reason)

    def authentic(self, call: Call) -> bool:
        """smsmode signs nothing: the secret path is all there is."""
        return True

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        found = read_object(body)
        if not found.get("messageId"):
            raise InvalidInput("This is no callback of smsmode.", field="body")
        if str(found.get("direction", "")).upper() == "MO":
            return self._inbound(found)
        return self._receipt(found)

    def _receipt(self, found: Mapping[str, Any]) -> Arrivals:
        told = found.get("status")
        told = told if isinstance(told, dict) else {"value": told}
        status = STATUSES.get(str(told.get("value", "")).upper())
        if status is None:
            return []
        if status is Status.UNDELIVERED:
            detail = str(told.get("detail") or "").upper()
            status = next((precise for word, precise in DETAILS if word in detail), status)
        recipient = found.get("recipient")
        to = recipient.get("to") if isinstance(recipient, dict) else recipient
        return [
            Receipt(clean(found["messageId"])[:64], status, 0, read_msisdn(to), clean(found.get("from")),
                    read_moment(told.get("deliveryDate")), read_moment(found.get("sentDate")))
        ]  # fmt: skip

    def _inbound(self, found: Mapping[str, Any]) -> Arrivals:
        told, recipient = found.get("body"), found.get("recipient")
        text = told.get("text") if isinstance(told, dict) else told
        to = recipient.get("to") if isinstance(recipient, dict) else recipient
        msisdn = read_msisdn(found.get("from"))
        if not msisdn:
            return []
        return [
            Inbound(msisdn, clean(to) or self.options.reply_number, clean(text), clean(found["messageId"])[:64],
                    read_moment(found.get("sentDate") or found.get("acceptedAt")))
        ]  # fmt: skip

    def callback_answer(self) -> tuple[str, bytes]:
        return "text/plain", b"OK"
