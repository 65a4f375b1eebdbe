"""A provider described by its connector's options alone: how to ask, what its answers mean, where its callbacks put what.

    {"url": "https://sms.example.com/v2/send", "method": "POST",
     "headers": {"Authorization": "Bearer {secret}"},
     "json": {"to": "{to}", "text": "{text}", "from": "{sender}", "ref": "{message_id}"},
     "accepted": {"statuses": [200, 201], "path": "state", "equals": ["queued"]},
     "message_id": {"path": "data.id"},
     "refusals": [{"path": "error.code", "equals": ["bad_number"], "status": 2},
                  {"pattern": "no credit", "outcome": "blocked"}],
     "callback": {"message_id": "id", "status": "state", "statuses": {"DELIVERED": 16, "FAILED": 20}, "number": "to",
                  "error": "code", "inbound": {"from": "from", "to": "to", "text": "body", "message_id": "id"}},
     "signature": {"header": "X-Signature", "algorithm": "sha256"}}

Placeholders: {to} digits, {to_plus} with +, {text}, {sender}, {message_id}, {validity_s}, {callback_url}, {secret}. They are
replaced as they stand: there are no expressions. Paths are names and list positions with dots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    hmac_hex,
    read_code,
    read_form,
    read_moment,
    read_msisdn,
    read_object,
    read_options,
    same,
)
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

_PLACEHOLDER = re.compile(r"\{(to_plus|to|text|sender|message_id|validity_s|callback_url|secret)\}")
_OUTCOMES = {"refused": Outcome.REFUSED, "later": Outcome.LATER, "blocked": Outcome.BLOCKED, "doubt": Outcome.DOUBT}


@dataclass(frozen=True, slots=True)
class Options:
    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    body: str = ""
    accepted: Mapping[str, Any] = field(default_factory=lambda: {"statuses": [200, 201, 202]})
    message_id: Mapping[str, Any] = field(default_factory=dict)
    refusals: tuple[Mapping[str, Any], ...] = ()
    callback: Mapping[str, Any] = field(default_factory=dict)
    signature: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """Something an answer may say: a pattern in its text, or a value at a path of its JSON; and its HTTP status."""

    statuses: frozenset[int]
    pattern: re.Pattern[str] | None
    path: str
    equals: frozenset[str]

    def matches(self, response: Response) -> bool:
        if self.statuses and response.status not in self.statuses:
            return False
        if self.pattern is not None and not self.pattern.search(response.text):
            return False
        if self.path:
            value = at(response.json(), self.path)
            return value is not None and (not self.equals or str(value) in self.equals)
        return True


class Generic:
    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        config = {**config, "refusals": tuple(config.get("refusals") or ())}
        self.options, self.shared = read_options(Options, config, required=("url",))
        self._secret = secret
        options = self.options
        if options.method not in ("GET", "POST", "PUT"):
            raise InvalidInput("method is GET, POST or PUT.", field="method")
        if sum(bool(one) for one in (options.json, options.form, options.body)) > 1:
            raise InvalidInput("Give one of json, form and body.", field="body")
        self._accepted = _test("accepted", options.accepted)
        self._id_pattern = _pattern("message_id", options.message_id.get("pattern"))
        self._refusals = [
            (_test("refusals", one), _outcome(one), _status("refusals", one.get("status", 32)))
            for one in options.refusals
        ]
        statuses = options.callback.get("statuses") or {}
        self._statuses = {str(word).upper(): _status("callback", status) for word, status in statuses.items()}
        if options.signature and not (
            options.signature.get("header") and options.signature.get("algorithm") in ("sha1", "sha256", "plain")
        ):
            raise InvalidInput("signature has a header, and an algorithm: sha256, sha1 or plain.", field="signature")

    def request(self, message: Outbound) -> Request:
        options = self.options
        values = {
            "to": str(message.msisdn), "to_plus": f"+{message.msisdn}", "text": message.text, "sender": message.sender,
            "message_id": str(message.message_id), "validity_s": str(message.validity_s),
            "callback_url": self.shared.callback_url, "secret": self._secret,
        }  # fmt: skip
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        return Request(
            options.method, filled(options.url, quoted), filled(options.query, values), filled(options.headers, values),
            filled(options.json, values), filled(options.form, values),
            filled(options.body, values).encode() if options.body else None,
        )  # fmt: skip

    def read(self, message: Outbound, response: Response) -> Verdict:
        for test, outcome, status in self._refusals:
            if test.matches(response):
                return Verdict(outcome, status=status, error=response.status, reason=response.text[:200])
        if self._accepted.matches(response):
            return Verdict(Outcome.ACCEPTED, self._message_id(response) or str(message.message_id))
        if response.status < 300:
            return Verdict(Outcome.DOUBT, reason=f"neither accepted nor refused: {response.text[:200]}")
        return Verdict(Outcome.REFUSED, status=Status.REJECTED, error=response.status, reason=response.text[:200])

    def _message_id(self, response: Response) -> str:
        path = self.options.message_id.get("path")
        if path:
            return clean(at(response.json(), str(path)))[:64]
        found = self._id_pattern.search(response.text) if self._id_pattern else None
        return clean(found.group(found.re.groups and 1))[:64] if found else ""

    def authentic(self, call: Call) -> bool:
        signature = self.options.signature
        if not signature:
            return True
        given = call.headers.get(signature["header"].lower(), "").removeprefix("sha256=").removeprefix("sha1=")
        if signature["algorithm"] == "plain":
            return same(given, self._secret)
        return same(given.lower(), hmac_hex(self._secret, call.body, algorithm=signature["algorithm"]))

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        told: dict[str, Any] = read_object(body) or (read_form(body) if body else {}) or dict(query)
        names = self.options.callback
        word = at(told, str(names.get("status", "")))
        if word is not None:
            return self._receipt(told, str(word))
        inbound = names.get("inbound") or {}
        msisdn = read_msisdn(at(told, str(inbound.get("from", ""))))
        text = at(told, str(inbound.get("text", "")))
        if not msisdn or text is None:
            raise InvalidInput(
                "This callback has neither the status nor the text its connector describes.", field="callback"
            )
        to = clean(at(told, str(inbound.get("to", "")))).lstrip("+")
        message_id = clean(at(told, str(inbound.get("message_id", ""))))[:64]
        return [Inbound(msisdn, to, clean(text), message_id, read_moment(at(told, str(inbound.get("at", "")))))]

    def _receipt(self, told: Mapping[str, Any], word: str) -> Arrivals:
        names = self.options.callback
        status = self._statuses.get(word.upper())
        message_id = clean(at(told, str(names.get("message_id", ""))))[:64]
        if status is None or not message_id:
            return []
        number, moment = at(told, str(names.get("number", ""))), at(told, str(names.get("at", "")))
        error = read_code(at(told, str(names.get("error", ""))))
        return [Receipt(message_id, status, error, read_msisdn(number), done_at=read_moment(moment))]

    def callback_answer(self) -> tuple[str, bytes]:
        return "text/plain", b"OK"


def at(value: Any, path: str) -> Any:
    """The value at "data.messages.0.id", None when there is none."""
    if not path:
        return None
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its placeholders replaced, at any depth."""
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda found: values[found.group(1)], template)
    if isinstance(template, Mapping):
        return {name: filled(value, values) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, values) for value in template]
    return template


def _test(name: str, told: Any) -> Test:
    if not isinstance(told, Mapping):
        raise InvalidInput(f"{name} is a table with statuses, pattern, path and equals.", field=name)
    statuses, equals = told.get("statuses", []), told.get("equals", [])
    if (
        not isinstance(statuses, list)
        or not all(isinstance(one, int) for one in statuses)
        or not isinstance(equals, list)
    ):
        raise InvalidInput(f"{name} has lists in statuses (numbers) and equals.", field=name)
    return Test(
        frozenset(statuses), _pattern(name, told.get("pattern")), str(told.get("path", "")), frozenset(map(str, equals))
    )  # fmt: skip


def _pattern(name: str, text: Any) -> re.Pattern[str] | None:
    try:
        return re.compile(str(text), re.IGNORECASE) if text else None
    except re.error as error:
        raise InvalidInput(f"{name} has a pattern that is none: {error}.", field=name) from None


def _outcome(told: Mapping[str, Any]) -> Outcome:
    word = told.get("outcome", "refused")
    if word not in _OUTCOMES:
        raise InvalidInput(f"outcome is one of {', '.join(_OUTCOMES)}.", field="refusals")
    return _OUTCOMES[word]


def _status(name: str, code: Any) -> Status:
    try:
        return Status(code)
    except ValueError:
        raise InvalidInput(f"{name} gives {code!r}, which is no status of ours.", field=name) from None
