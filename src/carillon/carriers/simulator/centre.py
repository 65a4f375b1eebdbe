"""The simulator's SMSC: accepts messages, decides their outcome, keeps receipts and replies until somebody takes them.

No sockets here: `server.py` hands in PDUs and offers binds to deliver to. Time comes from the event loop's clock.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from carillon.carriers.flow import TokenBucket
from carillon.carriers.simulator import outcomes
from carillon.carriers.simulator.handsets import Handsets, Power
from carillon.carriers.simulator.options import SimulatorOptions
from carillon.carriers.simulator.outcomes import Outcome
from carillon.carriers.simulator.texts import receipt_message, text_messages
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.inbound import InboundReader, decode_text, split_header
from carillon.carriers.smpp.options import SmppOptions
from carillon.carriers.smpp.pdu import Message


class Client(Protocol):
    """One bind, as the centre sees it."""

    system_id: str

    def can_take(self) -> bool: ...
    def deliver(self, delivery: Delivery) -> None: ...


@dataclass(slots=True, eq=False)
class Delivery:
    """A deliver_sm on its way to the client whose system_id it bears ("" is anybody)."""

    system_id: str
    message: Message
    is_receipt: bool
    tries: int = 0


@dataclass(slots=True)
class Accepted:
    """A message the centre has taken."""

    message: Message
    system_id: str
    number: int
    at: float
    outcome: Outcome


@dataclass(slots=True)
class Counts:
    submits: int = 0
    accepted: int = 0
    throttled: int = 0
    refused: int = 0
    receipts_sent: int = 0
    receipts_stored: int = 0  # acknowledged by the client
    texts_sent: int = 0
    texts_stored: int = 0
    delivered_again: int = 0
    drops: int = 0
    binds: int = 0


@dataclass(slots=True)
class Verdict:
    """What the bind does with a submit_sm."""

    status: int = pdu.ROK
    message_id: str = ""
    is_unanswered: bool = False
    is_dropped: bool = False  # hang up without this answer
    is_reset: bool = False  # … and without those still waiting to be written
    early: list[Delivery] = field(default_factory=list)


_JOINER_OPTIONS = SmppOptions(host="simulator", system_id="simulator", reassembly_s=3600.0)


class Centre:
    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.counts = Counts()
        self.clients: list[Client] = []
        self.handsets = Handsets(kept_per_handset=options.kept_per_handset, kept_handsets=options.kept_handsets)
        self.refuse_next: dict[int, int] = {}  # command_status → how many submits yet
        self.drop_after: int | None = None  # this many more messages are taken, then the connection is reset
        self._numbers = itertools.count((int(time.time()) << 20) + 1)
        self._waiting: dict[str, deque[Delivery]] = {}
        self._held: dict[str, list[Accepted]] = {}  # for phones that are off
        self._refused_once: set[str] = set()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._bucket = (0.0, TokenBucket(0.0))
        self._turn = 0
        self._joiner = InboundReader(_JOINER_OPTIONS)
        self._owners: dict[str, str] = {}  # msisdn → system_id that wrote to it last
        self._record: IO[str] | None = open(options.record, "a", encoding="utf-8") if options.record else None  # noqa: SIM115 closed by close()

    # ------------------------------------------------------------------ messages from clients

    def submit(self, message: Message, system_id: str) -> Verdict:
        self.counts.submits += 1
        refusal = self._flow()
        if refusal:
            self.counts.throttled += 1
            return Verdict(refusal)
        outcome = self._outcome(message.destination)
        if outcome.refusal:
            self.counts.refused += 1
            return Verdict(outcome.refusal)
        if outcome.drops == "untaken":
            return Verdict(is_dropped=True)
        taken = Accepted(message, system_id, next(self._numbers), self._loop.time(), outcome)
        self.counts.accepted += 1
        self._write_down(taken)
        self._owners[message.destination] = system_id
        if len(self._owners) > self.options.kept_handsets:
            del self._owners[next(iter(self._owners))]
        verdict = Verdict(message_id=self.format_id(taken.number, self.options.answer_ids))
        verdict.is_unanswered = outcome.is_unanswered
        verdict.is_dropped = outcome.drops == "taken"
        verdict.is_reset = self._drops_now()
        if outcome.is_early:
            verdict.early = self._arrive(taken)
        else:
            self.after(self._receipt_delay(taken), lambda: self.queue(self._arrive(taken)))
        return verdict

    def _flow(self) -> int:
        for status, count in list(self.refuse_next.items()):
            if count > 0:
                self.refuse_next[status] = count - 1
                return status
        rate = self.options.rate
        if rate:
            if self._bucket[0] != rate:
                self._bucket = (rate, TokenBucket(rate))
            if not self._bucket[1].available(self._loop.time()):
                return outcomes.RTHROTTLED
            self._bucket[1].spend(1)
        return pdu.ROK

    def _outcome(self, destination: str) -> Outcome:
        outcome = outcomes.decide(destination, seed=self.options.seed, mix=self.options.mix)
        if outcome.refuses_once:
            if destination in self._refused_once:
                self._refused_once.discard(destination)
                return outcomes.accepted(outcome)
            self._refused_once.add(destination)
        return outcome

    def _drops_now(self) -> bool:
        if self.drop_after is None:
            return False
        self.drop_after -= 1
        if self.drop_after > 0:
            return False
        self.drop_after = None
        return True

    def _receipt_delay(self, taken: Accepted) -> float:
        spread = self.options.receipt_spread_s * (taken.number % 101) / 100
        return (self.options.receipt_delay_s + spread) * taken.outcome.delay_factor

    def _write_down(self, taken: Accepted) -> None:
        if self._record is None:
            return
        message = taken.message
        header, octets = split_header(message)
        line = {
            "id": self.format_id(taken.number, self.options.answer_ids), "at": time.time(), "system_id": taken.system_id,
            "from": message.source, "to": message.destination, "esm_class": message.esm_class,
            "data_coding": message.data_coding, "registered_delivery": message.registered_delivery,
            "validity": message.validity, "priority": message.priority, "header": header.hex(), "octets": octets.hex(),
            "text": decode_text(octets, coding=message.data_coding),
            "tlvs": {f"0x{tag:04X}": value.hex() for tag, value in message.tlvs},
        }  # fmt: skip
        self._record.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._record.flush()

    # ------------------------------------------------------------------ messages reaching phones

    def _arrive(self, taken: Accepted) -> list[Delivery]:
        """The moment the message reaches its phone, or fails to. Returns the receipts and replies this causes."""
        msisdn = taken.message.destination
        power = self.handsets.power(msisdn)
        if power is Power.OFF:
            self._held.setdefault(msisdn, []).append(taken)
            return []
        outcome = {Power.UNKNOWN: outcomes.UNASSIGNED, Power.ABSENT: outcomes.ABSENT}.get(power, taken.outcome)
        is_shown = outcome.stat in ("DELIVRD", "") and self._show(taken)
        found = []
        for stat in (outcome.stat, *outcome.receipts):
            wanted = taken.message.registered_delivery & 3
            if stat and (wanted == 1 or (wanted == 2 and stat != "DELIVRD")):
                found.append(self._receipt(taken, stat, outcome.error if stat == outcome.stat else 34))
        if outcome.replies and is_shown:
            self.inject_mo(msisdn, to=taken.message.source, text=outcome.replies, system_id=taken.system_id)
        return found

    def _show(self, taken: Accepted) -> bool:
        """False while segments of a long message are missing."""
        message = taken.message
        message_id = self.format_id(taken.number, self.options.answer_ids)
        finished = self._joiner.read(message, message_id, self._loop.time())
        for inbound, ids in finished:
            self.handsets.add(
                message.destination, peer=message.source, text=inbound.text, direction="in", segments=len(ids),
                ids=[str(one) for one in ids],
            )  # fmt: skip
        return bool(finished)

    def _receipt(self, taken: Accepted, stat: str, error: int) -> Delivery:
        message_id = self.format_id(taken.number, self.options.receipt_ids)
        age_s = self._loop.time() - taken.at
        message = receipt_message(
            taken.message,
            message_id=message_id,
            stat=stat,
            error=error,
            age_s=age_s,
            has_tlvs=self.options.receipt_tlvs,
        )
        return Delivery(taken.system_id, message, is_receipt=True)

    def switch(self, msisdn: str, power: Power) -> None:
        """Turning a phone on lets in what waited for it."""
        self.handsets.set_power(msisdn, power)
        if power is not Power.OFF:
            for taken in self._held.pop(msisdn, []):
                self.queue(self._arrive(taken))

    def inject_mo(self, msisdn: str, *, to: str = "", text: str, system_id: str | None = None) -> int:
        """A person writes. Without `to` it answers the last sender. Returns the number of deliver_sm it takes."""
        to = to or self.handsets.latest_peer(msisdn)
        owner = self._owners.get(msisdn, "") if system_id is None else system_id
        messages = text_messages(msisdn, to=to, text=text)
        self.handsets.add(msisdn, peer=to, text=text, direction="out", segments=len(messages))
        self.queue([Delivery(owner, message, is_receipt=False) for message in messages])
        return len(messages)

    # ------------------------------------------------------------------ deliveries to clients

    def queue(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            self._waiting.setdefault(delivery.system_id, deque()).append(delivery)
        self.pump()

    def take_back(self, deliveries: list[Delivery]) -> None:
        """The bind went before it acknowledged these: they go first to the next one."""
        self.counts.delivered_again += len(deliveries)
        for delivery in reversed(deliveries):
            self._waiting.setdefault(delivery.system_id, deque()).appendleft(delivery)
        self.pump()

    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def pump(self) -> None:
        for system_id, waiting in list(self._waiting.items()):
            while waiting:
                client = self._receiver(system_id)
                if client is None:
                    break
                client.deliver(waiting.popleft())
            if not waiting:
                del self._waiting[system_id]

    def _receiver(self, system_id: str) -> Client | None:
        for step in range(len(self.clients)):
            client = self.clients[(self._turn + step) % len(self.clients)]
            if client.can_take() and (not system_id or client.system_id == system_id):
                self._turn += step + 1
                return client
        return None

    # ------------------------------------------------------------------ clock and ids

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self._loop.time() + delay_s, next(self._ties), action))
        self._arm()

    def _arm(self) -> None:
        if self._due and (self._timer is None or self._timer.when() > self._due[0][0] + 0.001):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._due[0][0], self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self._arm()

    def format_id(self, number: int, form: str) -> str:
        if form == "decimal":
            return str(number)
        return f"{number:016X}" if form == "HEX" else f"{number:x}"

    def stats(self) -> dict[str, Any]:
        return {
            **{name: getattr(self.counts, name) for name in Counts.__dataclass_fields__},
            "waiting": self.waiting(), "scheduled": len(self._due), "held": sum(map(len, self._held.values())),
            "clients": [client.system_id for client in self.clients],
        }  # fmt: skip

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due.clear()
        if self._record is not None:
            self._record.close()
