"""What each HTTP provider is: how to ask it to send, how to read its answer, how to read and trust its callbacks. No I/O here."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

from carillon.carriers.config import written
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status
from carillon.domain.traffic import Inbound, Outbound, Receipt

Options = TypeVar("Options")
Arrivals = list[Receipt | Inbound]


class Outcome(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"  # this message, for good
    LATER = "later"  # nothing was taken: too fast, or busy. The connector pauses and asks again
    BLOCKED = "blocked"  # nothing was taken: our account or settings there are wrong. Goes back to the gateway
    DOUBT = "doubt"  # it may have been taken


@dataclass(frozen=True, slots=True)
class Verdict:
    """`error` is the provider's own code where it is a number."""

    outcome: Outcome
    message_id: str = ""
    status: Status = Status.SENT
    error: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """At most one of `json` and `form`, or raw `content`."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None
    basic: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object of the body, {} when there is none."""
        return read_object(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class Call:
    """A provider's callback as it came in. `url` is the public address it called; header names are lower case."""

    method: str
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Provider(Protocol):
    """`shared` is what every HTTP connector has."""

    shared: HttpOptions

    def request(self, message: Outbound) -> Request: ...
    def read(self, message: Outbound, response: Response) -> Verdict:
        """Of any HTTP status; `judge_http` has already dealt with what no provider means differently."""

    def authentic(self, call: Call) -> bool:
        """Whether the provider sent it, as far as it signs. The secret path has been checked before."""

    def parse_callback(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Arrivals:
        """What the callback tells; [] when it tells nothing we keep. Raises InvalidInput when it is not understood."""

    def callback_answer(self) -> tuple[str, bytes]:
        """Content type and body the provider wants to hear once all is stored."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What every HTTP connector has. `callback_url` is our public address for it, secret path included."""

    connections: int = 8
    rate: float = 0.0  # messages a second; 0: no limit of ours
    timeout_s: float = 30.0
    ca_file: str = ""
    callback_url: str = ""
    pause_min_s: float = 1.0
    pause_max_s: float = 60.0
    give_back_s: float = 60.0


_RANGES: dict[str, tuple[float, float]] = {
    "connections": (1, 200), "rate": (0, 100_000), "timeout_s": (0.05, 300), "pause_min_s": (0.001, 60),
    "pause_max_s": (0.001, 600), "give_back_s": (0.001, 3600),
}  # fmt: skip
_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
_KIND_WORDS = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false"}


def read_options(
    kind: type[Options], config: Mapping[str, Any], *, required: tuple[str, ...] = ()
) -> tuple[Options, HttpOptions]:
    """(the provider's own options, the shared ones). Raises InvalidInput naming the option at fault."""
    own = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    shared = {item.name: item for item in fields(HttpOptions)}
    for name in config:
        if name not in own and name not in shared:
            raise InvalidInput(f"{name} is no option here. Known: {', '.join(sorted({*own, *shared}))}.", field=name)
    for name in required:
        if not config.get(name):
            raise InvalidInput(f"{name} is required.", field=name)
    config = {name: written(value, str((own.get(name) or shared[name]).type)) for name, value in config.items()}
    for name, value in config.items():
        _check(name, value, str((own.get(name) or shared[name]).type))
    return (
        kind(**{name: value for name, value in config.items() if name in own}),
        HttpOptions(**{name: value for name, value in config.items() if name in shared}),
    )


def _check(name: str, value: Any, kind: str) -> None:
    if kind in _KINDS and (not isinstance(value, _KINDS[kind]) or (kind != "bool" and isinstance(value, bool))):
        raise InvalidInput(f"{name} is {_KIND_WORDS[kind]}.", field=name)
    if name in _RANGES and not _RANGES[name][0] <= value <= _RANGES[name][1]:
        low, high = _RANGES[name]
        raise InvalidInput(f"{name} is from {low:g} to {high:g}.", field=name)
    if name.endswith("url") and value and urlsplit(value).scheme not in ("http", "https"):
        raise InvalidInput(f"{name} is an address such as https://api.example.com.", field=name)


def judge_http(response: Response) -> Verdict | None:
    """What the HTTP status alone decides; None leaves it to the provider.

    429 and 503 say that nothing was taken. Any other 5xx may come from a machine in front of one that did take it.
    """
    status = response.status
    if status in (429, 503):
        return Verdict(Outcome.LATER, error=status, reason=f"HTTP {status}")
    if status in (401, 403):
        return Verdict(Outcome.BLOCKED, error=status, reason=f"HTTP {status}: the credentials are refused")
    if status in (404, 405) or 300 <= status < 400:
        return Verdict(Outcome.BLOCKED, error=status, reason=f"HTTP {status}: the address is wrong")
    if status >= 500:
        return Verdict(Outcome.DOUBT, error=status, reason=f"HTTP {status}")
    return None


def read_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_form(body: bytes) -> dict[str, str]:
    """Fields of a form body; the first of each name."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200):
        found.setdefault(name, value)
    return found


def read_msisdn(value: object) -> int:
    """E.164 digits of a number in any provider's spelling, 0 when it is none."""
    digits = str(value or "").strip().lstrip("+").replace(" ", "")
    digits = digits[2:] if digits.startswith("00") else digits
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else 0


def read_moment(value: object) -> datetime | None:
    """An ISO 8601 instant, aware UTC; without an offset it is taken as UTC."""
    try:
        found = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def read_code(value: object) -> int:
    """A provider's error code as the smallint the database keeps; 0 when it is none."""
    digits = str(value if value is not None else "")
    return min(int(digits), 32767) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def clean(text: object) -> str:
    """A text from outside: NUL, which PostgreSQL refuses, is dropped."""
    return str(text or "").replace("\0", "")


def same(one: str, other: str) -> bool:
    """Compares secrets in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def hmac_hex(secret: str, body: bytes, *, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()
