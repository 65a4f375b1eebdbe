"""SMSFactor (and SMSUP, the same API): POST /send with a bearer token, JSON webhooks MO, DLR and STOP.

The status of a request and the counts of its recipients both matter: a refused number comes back as HTTP 200, status 1 and
sent 0. The webhooks name a message by the id we gave it (gsmsmsid), so that id is the carrier's id for us.
"""

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
    hmac_hex,
    read_moment,
    read_msisdn,
    read_object,
    read_options,
    same,
)
from carillon.domain import segments
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

_ACCEPTED, _REFUSED, _BLOCKED = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.BLOCKED
REQUEST_STATUSES: Mapping[int, tuple[Outcome, Status, str]] = {
    1: (_ACCEPTED, Status.SENT, "accepted"),
    -1: (_BLOCKED, Status.PROCESSING, "the token is refused"),
    -2: (_REFUSED, Status.PROCESSING, "malformed XML"),
    -3: (_BLOCKED, Status.PROCESSING, "no credit left at SMSFactor"),
    -4: (_REFUSED, Status.REJECTED, "incorrect delay"),
    -5: (_REFUSED, Status.REJECTED, "resource not found"),
    -6: (_REFUSED, Status.PROCESSING, "malformed JSON"),
    -7: (_REFUSED, Status.REJECTED, "invalid data"),
    -8: (_ACCEPTED, Status.SENT, "under moderation; it will probably be sent, and must not be asked again"),
    -99: (Outcome.DOUBT, Status.UNKNOWN, "unknown error"),
}
COUNTS: tuple[tuple[str, Status], ...] = (  # why `sent` can be 0, in the answer to one recipient
    ("invalid", Status.MALFORMED),
    ("npai", Status.UNASSIGNED),
    ("blacklisted", Status.BLACKLISTED),
    ("not_allowed", Status.NOT_AUTHORISED),
    ("duplicated", Status.DUPLICATE),
)
RECEIPT_STATUSES: Mapping[int, Status] = {
    0: Status.SENDING,  # NOT_SENT yet
    1: Status.POSTED,  # SENT, no receipt so far
    2: Status.UNDELIVERED,
    3: Status.DELIVERED,
    4: Status.OPERATOR_REFUSED,  # NOT_ALLOWED
    5: Status.UNASSIGNED,  # INVALID_DESTINATION, told after the attempt
    6: Status.REJECTED,  # INVALID_SENDER
    7: Status.UNDELIVERED,  # ROUTE_NOT_AVAILABLE
    9: Status.OPERATOR_REJECTED,
    11: Status.UNAVAILABLE,  # NETWORK_ERROR, tried again for 48 h
    12: Status.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Options:
    url: str = "https://api.smsfactor.com"
    marketing_pushtype: str = "marketing"  # "alert" keeps SMSFactor from adding a STOP mention of its own
    reply_number: str = ""  # what people answer to; the webhooks do not say it
    signature: str = ""  # as set on the webhook at SMSFactor


class SmsFactor:
    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        self.options, self.shared = read_options(Options, config)
        if self.options.marketing_pushtype not in ("marketing", "alert"):
            raise InvalidInput("marketing_pushtype is marketing or alert.", field="marketing_pushtype")
        if not secret:
            raise InvalidInput("The secret of an SMSFactor connector is its API token.", field="secret")
        self._headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json"}

    def request(self, message: Outbound) -> Request:
        content: dict[str, Any] = {
            "text": message.text,
            "pushtype": "alert" if message.is_notification else self.options.marketing_pushtype,
        }
        if message.sender:
            content["sender"] = message.sender
        if not segments.is_gsm(message.text):
            content["unicode"] = 1
        recipient = {"value": str(message.msisdn), "gsmsmsid": str(message.message_id)}
        body = {"sms": {"message": content, "recipients": {"gsm": [recipient]}}}
        return Request("POST", f"{self.options.url.rstrip('/')}/send", headers=self._headers, json=body)

    def read(self, message: Outbound, response: Response) -> Verdict:
        found = response.json()
        code = _integer(found.get("status"))
        if code not in REQUEST_STATUSES:
            return Verdict(Outcome.DOUBT, reason=f"unknown answer {response.text[:200]}")
        outcome, status, meaning = REQUEST_STATUSES[code]
        reason = f"{meaning}: {found.get('details') or found.get('message') or ''}".rstrip(": ")
        if outcome is _ACCEPTED and code == 1 and not _integer(found.get("sent")):
            for name, why in COUNTS:
                if _integer(found.get(name)):
                    return Verdict(_REFUSED, status=why, reason=f"{name} at SMSFactor")
        message_id = str(message.message_id) if outcome is _ACCEPTED else ""
        return Verdict(outcome, message_id, status, 0 if code == 1 else code, reason)

    def authentic(self, call: Call) -> bool:
        """How SMSFactor makes X-SMSFactor-Signature is not published: the configured text itself or its HMAC-SHA256 is accepted.
        Without a configured signature the secret path is all there is."""
        if not self.options.signature:
            return True
        given = call.headers.get("x-smsfactor-signature", "")
        return same(given, self.options.signature) or same(given.lower(), hmac_hex(self.options.signature, call.body))

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        found = read_object(body)
        if "destination" in found and "status" in found:
            return self._receipt(found)
        if "from" in found and "message" in found:
            return self._inbound(found)
        if "clicks_on_link" in found or "credits" in found:
            return []
        raise InvalidInput("This is no webhook of SMSFactor that we know.", field="body")

    def _receipt(self, found: Mapping[str, Any]) -> Arrivals:
        status = RECEIPT_STATUSES.get(_integer(found["status"]) if found["status"] is not None else -1)
        message_id = clean(found.get("message_id"))[:64]
        if status is None or not message_id:
            return []
        return [
            Receipt(message_id, status, _integer(found["status"]), read_msisdn(found["destination"]),
                    done_at=read_moment(found.get("date")))
        ]  # fmt: skip

    def _inbound(self, found: Mapping[str, Any]) -> Arrivals:
        msisdn = read_msisdn(found["from"])
        if not msisdn:
            return []
        # No id of its own: the same person, instant and text is the same reply.
        moment = clean(found.get("date"))[:32]
        return [
            Inbound(msisdn, self.options.reply_number, clean(found["message"]), f"{msisdn} {moment}" if moment else "",
                    read_moment(moment))
        ]  # fmt: skip

    def callback_answer(self) -> tuple[str, bytes]:
        return "text/plain", b"OK"


def _integer(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
