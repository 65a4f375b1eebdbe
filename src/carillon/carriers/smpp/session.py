"""One SMPP bind as a state machine: bytes in, events out. It opens no socket and reads no clock; `now` is monotonic seconds.

    OPEN ──bind──▶ BINDING ──bind_resp──▶ BOUND ──unbind──▶ UNBINDING ──▶ CLOSED
    Any state goes to CLOSED on a lost stream, a refused bind, an unanswered enquire_link, or an unbind from the SMSC.

The shell writes what `take_output` returns after every call, and closes the socket once `state` is CLOSED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct
from typing import Final

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.pdu import Bind, Framer, Message, PduError
from carillon.carriers.smpp.statuses import explain
from carillon.domain.traffic import Receipt


class State(Enum):
    OPEN = "open"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"
    CLOSED = "closed"


@dataclass(slots=True)
class Chunk:
    """What one chunk of bytes brought, in order within each list."""

    answers: list[tuple[object, int, str]] = field(default_factory=list)  # token, command_status, message_id
    receipts: list[tuple[Receipt, int]] = field(default_factory=list)  # with the sequence to acknowledge
    deliveries: list[tuple[int, Message]] = field(default_factory=list)  # sequence to acknowledge, any other PDU
    is_bound: bool = False
    latency_s: float = -1.0  # of the last answer in the chunk; negative when there was none
    faults: list[str] = field(default_factory=list)  # for the log: what the SMSC got wrong, with an excerpt


_RESP: Final = Struct(">IIIIx")  # an answer with an empty message_id
_MAX_LATE: Final = 10_000


class Session:
    """`window` is how many submit_sm may be unanswered. Tokens are the caller's; they come back with their answer.

    `quick` may know the receipt in a deliver_sm's body at a glance; what it does not know is decoded.
    """

    __slots__ = (
        "_bind", "_bind_command", "_data_sequences", "_enquired_at", "_framer", "_heard_at", "_late", "_output", "_quick",
        "_sequence", "_window", "enquire_link_s", "reason", "response_timeout_s", "state", "window",
    )  # fmt: skip

    def __init__(
        self,
        bind: Bind,
        command: int,
        *,
        window: int = 100,
        enquire_link_s: float = 30.0,
        response_timeout_s: float = 60.0,
        quick: Callable[[bytes], Receipt | None] | None = None,
    ) -> None:
        self._bind = bind
        self._bind_command = command
        self.window = window
        self.enquire_link_s = enquire_link_s
        self.response_timeout_s = response_timeout_s
        self.state = State.OPEN
        self.reason = ""
        self._framer = Framer()
        self._quick = quick
        self._output: list[bytes] = []
        self._sequence = 0
        self._window: dict[int, tuple[object, float]] = {}  # in order of writing, so the oldest comes first
        self._late: dict[int, object] = {}  # given up, but an answer may still come
        self._data_sequences: set[int] = set()  # deliveries that came as data_sm: their answer is data_sm_resp
        self._heard_at = 0.0
        self._enquired_at: float | None = None

    @property
    def is_closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def can_transmit(self) -> bool:
        return self.state is State.BOUND and self._bind_command != pdu.BIND_RECEIVER

    @property
    def in_flight(self) -> int:
        return len(self._window)

    @property
    def room(self) -> int:
        return self.window - len(self._window) if self.can_transmit else 0

    def take_output(self) -> bytes:
        output = b"".join(self._output)
        self._output.clear()
        return output

    def start(self, now: float) -> None:
        self.state = State.BINDING
        self._heard_at = now
        self._request(self._bind_command, pdu.encode_bind(self._bind))

    def submit(self, body: bytes, token: object, now: float) -> None:
        """One submit_sm. The caller minds `room`."""
        sequence = self._sequence = self._sequence + 1 if self._sequence < pdu.MAX_SEQUENCE else 1
        self._window[sequence] = (token, now)
        self._output.append(pdu.HEADER.pack(16 + len(body), 4, 0, sequence))
        self._output.append(body)

    def acknowledge(self, *sequences: int) -> None:
        """deliver_sm_resp (data_sm_resp when that is how it came): these receipts or texts are stored."""
        if self.state is State.CLOSED:
            return
        resp, size, data = _RESP.pack, _RESP.size, self._data_sequences
        if not data:
            self._output += [resp(size, pdu.DELIVER_SM_RESP, pdu.ROK, sequence) for sequence in sequences]
            return
        for sequence in sequences:
            command = pdu.DATA_SM_RESP if sequence in data else pdu.DELIVER_SM_RESP
            data.discard(sequence)
            self._output.append(resp(size, command, pdu.ROK, sequence))

    def unbind(self) -> None:
        if self.state is State.BOUND:
            self.state = State.UNBINDING
            self._request(pdu.UNBIND)
        elif self.state is not State.UNBINDING:
            self._close("closed by us")

    def end(self, reason: str) -> None:
        """The connection is gone."""
        self._close(reason)

    def tick(self, now: float) -> list[object]:
        """Call about every second. Sends enquire_link when the line is quiet; returns the tokens whose answer is overdue."""
        if self.state is State.CLOSED:
            return []
        quiet = now - self._heard_at
        if self.state is State.BINDING and quiet > self.response_timeout_s:
            self._close(f"no answer to the bind within {self.response_timeout_s:g} s")
        elif self._enquired_at is not None and now - self._enquired_at > self.enquire_link_s:
            self._close(f"no answer to enquire_link within {self.enquire_link_s:g} s")
        elif self.state is State.BOUND and self._enquired_at is None and quiet >= self.enquire_link_s:
            self._enquired_at = now
            self._request(pdu.ENQUIRE_LINK)
        return self._overdue(now)

    def take_open(self) -> list[object]:
        """After the connection ended: tokens written and unanswered, oldest first."""
        tokens = [token for token, _ in self._window.values()]
        self._window.clear()
        self._late.clear()
        return tokens

    def receive(self, data: bytes, now: float) -> Chunk:
        chunk = Chunk()
        if self.state is State.CLOSED:
            return chunk
        self._heard_at = now
        self._enquired_at = None
        window, answers, answer_id = self._window, chunk.answers, pdu.decode_message_id
        for frame in self._framer.feed(data):
            command, status, sequence, body = frame
            if command == pdu.SUBMIT_SM_RESP:
                if sequence in window:
                    token, written_at = window.pop(sequence)
                    answers.append((token, status, answer_id(body)))
                    chunk.latency_s = now - written_at
                else:
                    self._on_late_answer(frame, chunk)
            elif command == pdu.DELIVER_SM:
                self._on_delivery(frame, chunk)
            else:
                self._on_control(frame, chunk)
            if self.is_closed:
                return chunk
        if self._framer.error is not None:
            chunk.faults.append(f"{self._framer.error}; stream starts {data[:48].hex()}")
            self._nack(self._framer.error_sequence, self._framer.error.status)
            self._close(f"the SMSC broke the stream: {self._framer.error}")
        return chunk

    def _on_late_answer(self, frame: pdu.Frame, chunk: Chunk) -> None:
        _, status, sequence, body = frame
        token = self._late.pop(sequence, None)
        if token is not None:
            chunk.answers.append((token, status, pdu.decode_message_id(body)))
        else:
            chunk.faults.append(f"answer to nothing we sent: {pdu.describe(frame)}")

    def _on_delivery(self, frame: pdu.Frame, chunk: Chunk) -> None:
        command, _, sequence, body = frame
        if self.state not in (State.BOUND, State.UNBINDING) or self._bind_command == pdu.BIND_TRANSMITTER:
            self._refuse(frame, pdu.RINVBNDSTS, "delivery in a state that allows none", chunk)
            return
        if command == pdu.DELIVER_SM and self._quick is not None:
            receipt = self._quick(body)
            if receipt is not None:
                chunk.receipts.append((receipt, sequence))
                return
        try:
            message = pdu.decode_message(body) if command == pdu.DELIVER_SM else pdu.decode_data(body)
        except PduError as error:
            self._refuse(frame, error.status, str(error), chunk)
            return
        if command == pdu.DATA_SM:
            self._data_sequences.add(sequence)
        chunk.deliveries.append((sequence, message))

    def _on_control(self, frame: pdu.Frame, chunk: Chunk) -> None:
        command, status, sequence, _ = frame
        if command == pdu.ENQUIRE_LINK:
            self._output.append(pdu.pack(pdu.ENQUIRE_LINK_RESP, sequence))
        elif command == pdu.DATA_SM:
            self._on_delivery(frame, chunk)
        elif command == self._bind_command | pdu.RESPONSE:
            self._on_bind_answer(status, chunk)
        elif command == pdu.UNBIND:
            self._output.append(pdu.pack(pdu.UNBIND_RESP, sequence))
            self._close("the SMSC unbound us")
        elif command == pdu.UNBIND_RESP:
            self._close("unbound")
        elif command == pdu.GENERIC_NACK:
            self._on_nack(frame, chunk)
        else:
            self._on_foreign(frame, chunk)

    def _on_foreign(self, frame: pdu.Frame, chunk: Chunk) -> None:
        command, _, sequence, _ = frame
        if command & pdu.RESPONSE:
            if command != pdu.ENQUIRE_LINK_RESP:  # answering an answer could go on for ever
                chunk.faults.append(f"unexpected answer: {pdu.describe(frame)}")
        elif command not in pdu.REQUESTS:
            chunk.faults.append(f"unknown command: {pdu.describe(frame)}")
            self._nack(sequence, pdu.RINVCMDID)
        elif command not in pdu.NO_RESPONSE:
            self._refuse(frame, pdu.RINVBNDSTS, "not for an ESME", chunk)

    def _on_bind_answer(self, status: int, chunk: Chunk) -> None:
        if self.state is not State.BINDING:
            chunk.faults.append("bind answered twice")
        elif status == pdu.ROK:
            self.state = State.BOUND
            chunk.is_bound = True
        else:
            self._close(f"bind refused: {explain(status)}")

    def _on_nack(self, frame: pdu.Frame, chunk: Chunk) -> None:
        """The SMSC could not read a PDU of ours. Its sequence says which, when the SMSC got that far."""
        _, status, sequence, _ = frame
        if self.state is State.BINDING:
            self._close(f"bind refused: {explain(status)}")
        elif sequence in self._window:
            chunk.answers.append((self._window.pop(sequence)[0], status or pdu.RSYSERR, ""))
        chunk.faults.append(f"generic_nack {explain(status)} for sequence {sequence}")

    def _overdue(self, now: float) -> list[object]:
        tokens: list[object] = []
        limit = now - self.response_timeout_s
        while self._window:
            sequence, (token, written_at) = next(iter(self._window.items()))
            if written_at > limit:
                break
            del self._window[sequence]
            tokens.append(token)
            self._late[sequence] = token
            if len(self._late) > _MAX_LATE:
                del self._late[next(iter(self._late))]
        return tokens

    def _refuse(self, frame: pdu.Frame, status: int, why: str, chunk: Chunk) -> None:
        command, _, sequence, _ = frame
        chunk.faults.append(f"{why}: {pdu.describe(frame)}")
        self._output.append(pdu.pack(command | pdu.RESPONSE, sequence, b"\0", status=status))

    def _request(self, command: int, body: bytes = b"") -> None:
        self._sequence = self._sequence + 1 if self._sequence < pdu.MAX_SEQUENCE else 1
        self._output.append(pdu.pack(command, self._sequence, body))

    def _nack(self, sequence: int, status: int) -> None:
        self._output.append(pdu.pack(pdu.GENERIC_NACK, sequence, status=status))

    def _close(self, reason: str) -> None:
        self.state = State.CLOSED
        self.reason = self.reason or reason
