"""Twilio Programmable Messaging: POST …/Messages.json with the account's credentials, signed form callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
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
    read_form,
    read_msisdn,
    read_options,
    same,
)
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

_MAX_VALIDITY_S = 36_000
REQUEST_ERRORS: Mapping[int, Status] = {  # `code` of a refused request; others are 32
    21211: Status.MALFORMED,  # invalid To
    21214: Status.MALFORMED,
    21217: Status.MALFORMED,
    21614: Status.MALFORMED,  # not a mobile number
    21265: Status.MALFORMED,  # a short code as To
    21408: Status.NOT_AUTHORISED,  # region not enabled
    21610: Status.BLACKLISTED,  # the person answered STOP at Twilio
    21612: Status.NOT_AUTHORISED,  # no route between From and To
    21617: Status.TOO_LONG,
    21605: Status.TOO_LONG,
}
BLOCKING_ERRORS = frozenset({20003, 20005, 20006, 20008, 30002, 30010})  # credentials, suspended account, no balance
BUSY_ERRORS = frozenset({20429, 14107, 30001, 21611})  # too many requests, queue full
STATUSES: Mapping[str, Status] = {  # MessageStatus
    "accepted": Status.SENDING,
    "scheduled": Status.SENDING,
    "queued": Status.SENDING,
    "sending": Status.SENDING,
    "sent": Status.POSTED,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.UNDELIVERED,
    "canceled": Status.DELETED,
}
DELIVERY_ERRORS: Mapping[int, Status] = {  # ErrorCode beside undelivered and failed
    30003: Status.UNAVAILABLE,
    30004: Status.OPERATOR_REFUSED,  # blocked
    30005: Status.UNASSIGNED,
    30006: Status.UNDELIVERED,  # landline or unreachable carrier
    30007: Status.OPERATOR_REJECTED,  # filtered
    30008: Status.UNKNOWN,
    30034: Status.OPERATOR_REJECTED,
    30036: Status.EXPIRED,
    21610: Status.OPERATOR_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Options:
    account_sid: str
    api_key_sid: str = ""  # with it, the secret is the key's and `auth_token` is needed for signatures
    auth_token: str = ""
    messaging_service_sid: str = ""
    url: str = "https://api.twilio.com"


class Twilio:
    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        self.options, self.shared = read_options(Options, config, required=("account_sid",))
        if not secret:
            raise InvalidInput("The secret of a Twilio connector is its auth token.", field="secret")
        self._basic = (self.options.api_key_sid or self.options.account_sid, secret)
        self._signing_token = self.options.auth_token or ("" if self.options.api_key_sid else secret)

    def request(self, message: Outbound) -> Request:
        options = self.options
        form = {
            "To": f"+{message.msisdn}",
            "Body": message.text,
            "ValidityPeriod": str(min(max(message.validity_s, 1), _MAX_VALIDITY_S)),
        }
        if options.messaging_service_sid:
            form["MessagingServiceSid"] = options.messaging_service_sid
        if message.sender:
            form["From"] = (
                f"+{message.sender}" if message.sender.isdigit() and len(message.sender) > 8 else message.sender
            )
        if self.shared.callback_url:
            form["StatusCallback"] = self.shared.callback_url
        url = f"{options.url.rstrip('/')}/2010-04-01/Accounts/{options.account_sid}/Messages.json"
        return Request("POST", url, form=form, basic=self._basic)

    def read(self, message: Outbound, response: Response) -> Verdict:
        found = response.json()
        if response.status in (200, 201):
            sid = clean(found.get("sid"))[:64]
            if not sid:
                return Verdict(Outcome.DOUBT, reason=f"accepted without sid: {response.text[:200]}")
            return Verdict(Outcome.ACCEPTED, sid)
        code = read_code(found.get("code"))
        reason = f"{code}: {found.get('message') or response.status}"
        if code in BLOCKING_ERRORS:
            return Verdict(Outcome.BLOCKED, error=code, reason=reason)
        if code in BUSY_ERRORS:
            return Verdict(Outcome.LATER, error=code, reason=reason)
        return Verdict(Outcome.REFUSED, status=REQUEST_ERRORS.get(code, Status.REJECTED), error=code, reason=reason)

    def authentic(self, call: Call) -> bool:
        """X-Twilio-Signature: HMAC-SHA1, by the auth token, of the address called and the sorted fields of the form."""
        if not self._signing_token:
            return False
        signed = call.url + "".join(name + value for name, value in sorted(read_form(call.body).items()))
        digest = hmac.new(self._signing_token.encode(), signed.encode(), hashlib.sha1).digest()
        return same(call.headers.get("x-twilio-signature", ""), base64.b64encode(digest).decode())

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        form = read_form(body) if body else dict(query)
        sid = clean(form.get("MessageSid") or form.get("SmsSid"))[:64]
        if not sid:
            raise InvalidInput("This is no callback of Twilio.", field="MessageSid")
        word = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
        if word == "received":
            msisdn = read_msisdn(form.get("From"))
            text = clean(form.get("Body"))
            return [Inbound(msisdn, clean(form.get("To")).lstrip("+"), text, sid)] if msisdn else []
        status = STATUSES.get(word)
        if status is None:
            return []
        code = read_code(form.get("ErrorCode"))
        if status is Status.UNDELIVERED:
            status = DELIVERY_ERRORS.get(code, status)
        return [Receipt(sid, status, code, read_msisdn(form.get("To")), clean(form.get("From")).lstrip("+"))]

    def callback_answer(self) -> tuple[str, bytes]:
        return "text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
