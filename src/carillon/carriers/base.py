"""The border between the gateway and every network: one protocol, several carriers.

Nothing here awaits per message: the gateway hands over lists and is told lists, so that one batch costs one call.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """Counters since start and the last state, for gauges and `gateway status`. Submits, answers and refusals count segments."""

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
    window: int = 0  # segments that may be unanswered at once, over all binds that may submit; 0: not known
    extra: dict[str, Any] = field(default_factory=dict)  # SMPP: binds, binds_wanted


class Sink(Protocol):
    """The gateway's ear. Called from the carrier's event loop; must not block, and may call the carrier back at once.

    Each receipt and inbound comes with an opaque `ack` token: the carrier tells the far end "stored" only when the gateway
    gives the token back through `Carrier.acknowledge`, after its commit.

    Every message submitted ends in exactly one of these ways:
      answered  one Answer per segment; segments of one message may come in several calls, in any order. After a final refusal
                of one segment those not written yet are answered with the same refusal.
      unsent    given back whole; the far end cannot have taken any of it.
      lost      in doubt, told once. Answers for some of its segments may have come before. A late answer may still come
                afterwards and settles the doubt (accepted, or refused: then nothing was taken).
    """

    def on_answers(self, answers: list[Answer]) -> None: ...
    def on_receipts(self, receipts: list[tuple[Receipt, object]]) -> None: ...
    def on_inbounds(self, inbounds: list[tuple[Inbound, object]]) -> None: ...
    def on_written(self, message_ids: list[int]) -> None:
        """These messages' bytes are about to be given to the socket: from here on they may have been sent (flight recorder).

        Called before the write, in the order of submission with notifications first; an id comes once per segment, and again
        when a segment the far end asked to have later is written again.
        """

    def on_lost(self, message_ids: list[int]) -> None:
        """Written and unanswered when the connection ended, or unanswered for too long: never to be resent by itself."""

    def on_unsent(self, messages: list[Outbound]) -> None:
        """Given back untouched: never written (connection lost first, or closing), or refused as "later" for too long."""

    def on_state(self, state: CarrierState, reason: str) -> None: ...


class Carrier(Protocol):
    health: CarrierHealth

    async def start(self, sink: Sink) -> None:
        """Connect and keep connected until `close`. Returns at once; states come by `sink.on_state`.

        Raises CarrierError for what no waiting can mend, such as a file of certificates that cannot be read.
        """

    def submit(self, batch: Sequence[Outbound]) -> None:
        """Queue messages whose intent is committed. They are written as the window and the token bucket allow.

        Notifications overtake the rest. While not bound messages wait, and are given back if a bind is tried and fails
        or the last one is lost: look at `room` first.
        """

    def room(self) -> int:
        """How many more messages it is useful to hand over now (0 when not bound, throttled or full)."""

    def acknowledge(self, acks: list[object]) -> None:
        """The facts behind these tokens are committed: answer the far end (deliver_sm_resp). Tokens of a connection that
        has ended are ignored: the far end sends those receipts again."""

    def sessions(self) -> frozenset[int]:
        """Those that stand now, as Inbound.session_id names them."""

    async def close(self, timeout_s: float = 5.0) -> None:
        """Stop submitting, wait for open answers up to `timeout_s`, unbind, close. Unwritten ones come by `on_unsent`,
        unanswered ones by `on_lost`, both before it returns."""
