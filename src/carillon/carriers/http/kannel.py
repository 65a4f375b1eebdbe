"""Kannel's sendsms (smsbox), also spoken by playSMS and others: GET /cgi-bin/sendsms, receipts by the dlr-url we give.

The dlr-url carries our own message id, for smsbox answers with none. Replies come from an sms-service of Kannel's
configuration whose get-url is the callback address with ?from=%p&to=%P&text=%a&id=%I (docs/carriers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from carillon.carriers.http.base import (
    Arrivals,
    Call,
    Outcome,
    Request,
    Response,
    Verdict,
    clean,
    read_msisdn,
    read_options,
    same,
)
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import SmppOptions
from carillon.carriers.smpp.receipts import ReceiptReader
from carillon.domain import segments
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

DLR_TYPES: Mapping[int, Status] = {  # %d of the dlr-url, one bit each
    1: Status.DELIVERED,
    2: Status.UNDELIVERED,
    4: Status.SENDING,  # queued in Kannel
    8: Status.POSTED,  # taken by the SMSC
    16: Status.OPERATOR_REJECTED,  # refused by the SMSC
    32: Status.SENDING,  # intermediate notification
}
DLR_MASK = 1 | 2 | 8 | 16
REFUSALS: tuple[tuple[str, Outcome, Status], ...] = (  # words of smsbox's answers
    ("authorization failed", Outcome.BLOCKED, Status.PROCESSING),
    ("denied by", Outcome.REFUSED, Status.OPERATOR_REFUSED),
    ("temporal failure", Outcome.LATER, Status.PROCESSING),
    ("not routable", Outcome.REFUSED, Status.NOT_AUTHORISED),
    ("unknown receiver", Outcome.REFUSED, Status.MALFORMED),
    ("missing", Outcome.REFUSED, Status.PROCESSING),
    ("garbage", Outcome.REFUSED, Status.MALFORMED),
)


@dataclass(frozen=True, slots=True)
class Options:
    url: str
    username: str
    path: str = "/cgi-bin/sendsms"
    smsc: str = ""  # the smsc-id to force
    callback_token: str = ""  # also asked of the callbacks, beside the secret path


class Kannel:
    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        self.options, self.shared = read_options(Options, config, required=("url", "username"))
        self._password = secret
        self._receipts = ReceiptReader(SmppOptions(host="kannel", system_id="kannel"))

    def request(self, message: Outbound) -> Request:
        options = self.options
        query = {
            "username": options.username, "password": self._password, "from": message.sender,
            "to": f"+{message.msisdn}", "text": message.text, "charset": "UTF-8",
            "validity": str(max(1, message.validity_s // 60)), "priority": "1" if message.is_notification else "0",
        }  # fmt: skip
        if not segments.is_gsm(message.text):
            query["coding"] = "2"
        if options.smsc:
            query["smsc"] = options.smsc
        if self.shared.callback_url:
            query |= {"dlr-mask": str(DLR_MASK), "dlr-url": self._dlr_url(message)}
        return Request("GET", options.url.rstrip("/") + options.path, query=query)

    def _dlr_url(self, message: Outbound) -> str:
        joint = "&" if "?" in self.shared.callback_url else "?"
        token = f"&token={quote(self.options.callback_token, safe='')}" if self.options.callback_token else ""
        # Kannel replaces %d, %A and %p; nothing of ours may look like such an escape.
        return f"{self.shared.callback_url}{joint}id={message.message_id}&type=%d&reply=%A&number=%p{token}"

    def read(self, message: Outbound, response: Response) -> Verdict:
        text = response.text
        if response.status in (200, 202) and text[:2] in ("0:", "3:", "OK"):
            return Verdict(Outcome.ACCEPTED, str(message.message_id))
        found = text.lower()
        for word, outcome, status in REFUSALS:
            if word in found:
                return Verdict(outcome, status=status, error=response.status, reason=text[:200])
        if response.status in (200, 202):
            return Verdict(Outcome.DOUBT, reason=f"unknown answer {text[:200]}")
        return Verdict(Outcome.REFUSED, status=Status.REJECTED, error=response.status, reason=text[:200])

    def authentic(self, call: Call) -> bool:
        return not self.options.callback_token or same(call.query.get("token", ""), self.options.callback_token)

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        if "type" in query and "id" in query:
            return self._receipt(query)
        if "from" in query and "text" in query:
            msisdn = read_msisdn(query["from"])
            message_id = clean(query.get("id"))[:64]
            return [Inbound(msisdn, clean(query.get("to")), clean(query["text"]), message_id)] if msisdn else []
        raise InvalidInput("This is neither a receipt (id, type) nor a reply (from, text) of Kannel.", field="query")

    def _receipt(self, query: Mapping[str, str]) -> Arrivals:
        status = DLR_TYPES.get(int(query["type"]) if query["type"].isdigit() else 0)
        message_id = clean(query["id"])[:64]
        if status is None or not message_id:
            return []
        error = 0
        told = pdu.Message(esm_class=pdu.ESM_RECEIPT, short_message=query.get("reply", "").encode("latin-1", "replace"))
        reply = self._receipts.read(told)  # Kannel hands the SMSC's own receipt through, with its err
        if reply is not None:
            error = reply.error
            if status is Status.UNDELIVERED:
                status = Status(reply.status)
        return [Receipt(message_id, status, error, read_msisdn(query.get("number")))]

    def callback_answer(self) -> tuple[str, bytes]:
        return "text/plain", b""
