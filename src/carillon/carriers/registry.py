"""From a connector's row to a carrier: the one place that knows every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from carillon.carriers.base import Carrier
from carillon.carriers.config import written
from carillon.carriers.http.base import Provider
from carillon.carriers.http.client import HttpCarrier
from carillon.carriers.http.generic import Generic
from carillon.carriers.http.kannel import Kannel
from carillon.carriers.http.smsfactor import SmsFactor
from carillon.carriers.http.smsmode import SmsMode
from carillon.carriers.http.twilio import Twilio
from carillon.carriers.smpp import options as smpp_options
from carillon.carriers.smpp.client import SmppCarrier
from carillon.domain import senders
from carillon.domain.errors import InvalidInput

Options = Mapping[str, Any]
_SIMULATOR_DEFAULTS: Options = {"host": "127.0.0.1", "port": 2775, "system_id": "carillon", "window": 500}


def _smpp(options: Options, secret: str) -> Carrier:
    return SmppCarrier(smpp_options.parse(options), password=secret)


def _simulator(options: Options, secret: str) -> Carrier:
    """Our own simulator, over SMPP like any SMSC; only what differs from its defaults need be given.

    `control_port` is for the page that shows its phones, not for us.
    """
    given = {name: value for name, value in options.items() if name != "control_port"}
    return _smpp({**_SIMULATOR_DEFAULTS, **given}, secret)


PROVIDERS: dict[str, Callable[[Options, str], Provider]] = {
    "smsfactor": SmsFactor,
    "smsmode": SmsMode,
    "twilio": Twilio,
    "kannel": Kannel,
    "generic": Generic,
}
KINDS = ("smpp", "simulator", *PROVIDERS)
SECRET_OPTIONS: dict[str, tuple[str, ...]] = {  # besides the secret: kept encrypted, shown to nobody
    "smsfactor": ("signature",),
    "twilio": ("auth_token",),
    "kannel": ("callback_token",),
}


def own_options(options: Options) -> dict[str, Any]:
    """Without what is the gateway's: `gateways`, how many processes may hold this connector at once, and `sender_rates`.
    Raises InvalidInput."""
    gateways = str(options.get("gateways", 1))
    if not gateways.isdigit() or not 1 <= int(gateways) <= 64:
        raise InvalidInput("gateways is a whole number from 1 to 64.", field="gateways")
    sender_rates(options)
    return {name: value for name, value in options.items() if name not in ("gateways", "sender_rates")}


def sender_rates(options: Options) -> dict[str, float]:
    """Segments a second of a sender (`36184`, `ACME`), or of each sender of a kind (`senders.KINDS`). Raises InvalidInput."""
    table = written(options.get("sender_rates", {}), "Mapping")
    is_fine = isinstance(table, dict) and all(
        isinstance(rate, int | float) and not isinstance(rate, bool) and 0 < rate <= 100_000 for rate in table.values()
    )
    if not is_fine:
        example = '{"36184": 50, "long_number": 10}'
        raise InvalidInput(
            f"sender_rates is a table from a sender, or {', '.join(senders.KINDS)}, to segments a second, such as {example}.",
            field="sender_rates",
        )
    return {str(sender).removeprefix("+"): float(rate) for sender, rate in table.items()}


def build(kind: str, options: Options, secret: str = "") -> Carrier:
    """The carrier for a connector, not started: calling it is also how options are checked. Raises InvalidInput naming the
    option at fault.

    HTTP kinds read `callback_url` among their options: our public address for this connector, its secret path included.
    """
    options = own_options(options)
    if kind == "smpp":
        return _smpp(options, secret)
    if kind == "simulator":
        return _simulator(options, secret)
    return HttpCarrier(provider(kind, options, secret))


def provider(kind: str, options: Options, secret: str = "") -> Provider:
    """What reads an HTTP connector's callbacks (`authentic`, `parse_callback`, `callback_answer`). Raises InvalidInput."""
    options = own_options(options)
    if kind not in PROVIDERS:
        raise InvalidInput(f"{kind} is no kind of connector here. Known: {', '.join(sorted(KINDS))}.", field="kind")
    return PROVIDERS[kind](options, secret)
