"""The border between the gateway and every network: one protocol, several carriers.

Nothing here awaits per message: the gateway hands over lists and is told lists, so that one batch costs one call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt


class CarrierState(StrEnum):
    CONNECTING = "connecting"
    BOUND = "bound"  # may submit
    THROTTLED = "throttled"  # the far end asked for a pause; submits resume by themselves
    DOWN = "down"  # lost or refused; reconnecting by itself with jittered back-off
    CLOSED = "closed"


@dataclass(slots=True)
class CarrierHealth:
    """Counters since start and the last state, for gauges and `gateway status`."""

    state: CarrierState = CarrierState.CONNECTING
    reason: str = ""  # a sentence for the operator when not bound
    submitted: int = 0
    answered: int = 0
    refused: int = 0
    throttled: int = 0
    receipts: int = 0
    inbounds: int = 0
    reconnects: int = 0
    answer_latency_s: float = 0.0  # moving average
    extra: dict[str, Any] = field(default_factory=dict)


class Sink(Protocol):
    """The gateway's ear. Called from the carrier's event loop; must not block.

    Each receipt and inbound comes with an opaque `ack` token: the carrier tells the far end "stored" only when the gateway
    gives the token back through `Carrier.acknowledge`, after its commit.
    """

    def on_answers(self, answers: list[Answer]) -> None: ...
    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None: ...
    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None: ...
    def on_written(self, message_ids: list[int]) -> None:
        """These messages' bytes were given to the socket: from here on they may have been sent (flight recorder)."""

    def on_lost(self, message_ids: list[int]) -> None:
        """The connection ended with these written and unanswered: in doubt, never to be resent by itself."""

    def on_unsent(self, messages: list[Outbound]) -> None:
        """Given back untouched: never written (connection lost first, or throttled and refused as retryable)."""

    def on_state(self, state: CarrierState, reason: str) -> None: ...


class Carrier(Protocol):
    health: CarrierHealth

    async def start(self, sink: Sink) -> None:
        """Connect and keep connected until `close`. Returns at once; states come by `sink.on_state`."""

    def submit(self, batch: list[Outbound]) -> None:
        """Queue messages whose intent is committed. They are written as the window and the token bucket allow."""

    def room(self) -> int:
        """How many more messages it is useful to hand over now (0 when not bound or full)."""

    def acknowledge(self, acks: list[object]) -> None:
        """The facts behind these tokens are committed: answer the far end (deliver_sm_resp)."""

    async def close(self, timeout_s: float = 5.0) -> None:
        """Stop submitting, wait for open answers up to `timeout_s`, unbind, close. Unwritten ones come by `on_unsent`."""
