"""The SMPP carrier: N binds to one SMSC behind the `Carrier` protocol.

One write per chunk of bytes received: answers and receipts go up in lists, the window is refilled, everything leaves at once.
`sink.on_written` is called just BEFORE the bytes go to the socket, so that its record can only say too much, never too little.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable, Sequence

from carillon.carriers.base import CarrierHealth, CarrierState, Sink
from carillon.carriers.flow import Pause, TokenBucket, backoff_s
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.connection import BIND_COMMANDS, Link, dial, tls_context
from carillon.carriers.smpp.faults import FaultLog
from carillon.carriers.smpp.inbound import InboundReader
from carillon.carriers.smpp.options import BindMode, IdFormat, SmppOptions, check_password
from carillon.carriers.smpp.outgoing import Flight, Outgoing, Unencodable
from carillon.carriers.smpp.receipts import ReceiptReader, normalise_id
from carillon.carriers.smpp.session import Chunk, Session, State
from carillon.carriers.smpp.statuses import Reaction, command_status
from carillon.carriers.smpp.submit import SubmitEncoder
from carillon.domain.status import Status
from carillon.domain.traffic import Answer, Inbound, Outbound, Receipt

logger = logging.getLogger(__name__)

_MAX_TRIES = 3  # of one segment of a long message after temporary errors: its siblings are out already
_SETTLED_S = 10.0  # a bind that held this long starts its back-off anew
_AHEAD_S = 2.0  # how much of a rate-limited connector's work may wait here, where a pause cannot reach it


class SmppCarrier:
    """Implements carriers.base.Carrier. Make one per connector, inside a running event loop."""

    def __init__(self, options: SmppOptions, *, password: str = "") -> None:
        self.options = options
        self.health = CarrierHealth()
        self._bind = pdu.Bind(
            options.system_id, check_password(password), options.system_type, options.interface_version,
            options.address_ton, options.address_npi, options.address_range,
        )  # fmt: skip
        self._encoder = SubmitEncoder(options)
        self._receipts = ReceiptReader(options)
        self._inbounds = InboundReader(options)
        self._outgoing = Outgoing()
        self._bucket = TokenBucket(options.rate)
        self._pause = Pause(minimum_s=options.pause_min_s, maximum_s=options.pause_max_s)
        self._faults = FaultLog(options.host)
        self._links: list[Link] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._idle = asyncio.Event()
        self._sink: Sink
        self._loop: asyncio.AbstractEventLoop

    async def start(self, sink: Sink) -> None:
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        context = tls_context(self.options)
        commands = BIND_COMMANDS[self.options.bind] * self.options.binds
        self._tasks = [self._loop.create_task(self._keep(command, context)) for command in commands]
        self._tasks.append(self._loop.create_task(self._watch()))

    def submit(self, batch: Sequence[Outbound]) -> None:
        if self._is_closing:
            self._sink.on_unsent(list(batch))
            return
        self._outgoing.add(batch)
        self._pump()

    def room(self) -> int:
        if self._is_closing or self._pause.is_on:
            return 0
        windows = sum(link.session.window for link in self._links if link.session.can_transmit)
        in_flight = sum(link.session.in_flight for link in self._links)
        room = 2 * windows - in_flight - len(self._outgoing)
        if self.options.rate:
            room = min(room, max(1, int(self.options.rate * _AHEAD_S)) - len(self._outgoing))
        return max(room, 0)

    def acknowledge(self, acks: list[object]) -> None:
        sequences: dict[Link, list[int]] = {}
        for ack in acks:
            pairs: list[tuple[Link, int]] = ack if isinstance(ack, list) else [ack]  # type: ignore[list-item]
            for link, sequence in pairs:
                sequences.setdefault(link, []).append(sequence)
        for link, stored in sequences.items():
            link.session.acknowledge(*stored)
            link.flush()

    async def close(self, timeout_s: float = 5.0) -> None:
        self._is_closing = True
        self._give_back()
        self._idle.clear()
        if self._in_flight():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
            except TimeoutError:
                logger.warning("closing with %d segments unanswered", self._in_flight())
        if begun := self._outgoing.take_begun():
            self._sink.on_lost(begun)
        await self._unbind(min(1.0, timeout_s))
        if self._timer is not None:
            self._timer.cancel()
        self._show(CarrierState.CLOSED, "closed by us")

    async def _unbind(self, timeout_s: float) -> None:
        links = [link for link in self._links if link.is_connected]
        for link in links:
            link.session.unbind()
            link.flush()
        goodbyes = [self._loop.create_task(link.gone.wait()) for link in links]
        if goodbyes:
            await asyncio.wait(goodbyes, timeout=timeout_s)
        for link in links:
            link.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *goodbyes, return_exceptions=True)

    def on_chunk(self, link: Link, chunk: Chunk) -> None:
        if chunk.faults:
            self._faults.note(chunk.faults, self._loop.time())
        if chunk.answers:
            self._on_answers(chunk)
        if chunk.receipts or chunk.deliveries:
            self._on_deliveries(link, chunk)
        if chunk.is_bound:
            self._refresh()
        self._fill(link)
        if self._is_closing and not self._in_flight():
            self._idle.set()

    def on_writable(self, link: Link) -> None:
        self._fill(link)
        link.flush()

    def on_gone(self, link: Link, reason: str) -> None:
        if link in self._links:
            self._links.remove(link)
        lost = [token for token in link.session.take_open() if isinstance(token, Flight)]
        self._lose_flights(lost)
        if not any(other.session.can_transmit for other in self._links):
            self._give_back()
        if link.was_bound:
            self.health.reconnects += 1
        self._refresh(reason)
        if not self._in_flight():
            self._idle.set()

    def _pump(self) -> None:
        for link in self._links:
            self._fill(link)
            link.flush()

    def _fill(self, link: Link) -> None:
        """Writes into the link's window (the caller flushes)."""
        outgoing = self._outgoing
        room = link.room
        if room <= 0 or self._pause.is_on or not outgoing.is_waiting:
            return
        now = self._loop.time()
        if self._pause.is_probing:
            room = 0 if self._in_flight() else 1
        allowed = min(room, self._bucket.available(now))
        submit, encode = link.session.submit, self._encoder.encode
        written: list[int] = []
        refused: list[Answer] = []
        count = 0
        while count < allowed:
            try:
                flight = outgoing.next(encode)
            except Unencodable as error:
                refused.append(self._unencodable(error))
                continue
            if flight is None:
                break
            if flight.siblings is not None:
                flight.siblings.outstanding += 1
            submit(flight.body, flight, now)
            written.append(flight.message.message_id)
            count += 1
        self._bucket.spend(count)
        if written:
            self.health.submitted += count
            self._sink.on_written(written)
        if count == allowed < room and outgoing.is_waiting:
            self._wake_in(self._bucket.delay_s())
        if refused:
            self._sink.on_answers(refused)

    def _unencodable(self, error: Unencodable) -> Answer:
        logger.warning("message %d fits in no PDU: %s", error.message.message_id, error)
        self.health.refused += 1
        return Answer(error.message.message_id, 1, 1, Status.PROCESSING)

    def _wake_in(self, delay_s: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._pause.until is not None:
            left = self._pause.until - self._loop.time()
            if left > 0:
                self._wake_in(left)
                return
            self._pause.end()
            self._outgoing.resume()
            self._refresh()
        self._pump()

    def _on_answers(self, chunk: Chunk) -> None:
        answers: list[Answer] = []
        health, form, fold = self.health, self.options.answer_ids, self.options.fold_ids
        now, accepted = self._loop.time(), 0
        is_plain, sent = form is IdFormat.TEXT and not fold, Status.SENT
        for token, code, message_id in chunk.answers:
            assert isinstance(token, Flight)
            if code:
                self._bucket.accepted(now, accepted)
                accepted = 0
                answers += self._on_refusal(token, code)
                continue
            accepted += 1
            key = message_id if is_plain and message_id.isalnum() else normalise_id(message_id, form=form, fold=fold)
            answers.append(Answer(token.message.message_id, token.segment, token.segments, sent, key))
        self._bucket.accepted(now, accepted)
        if self._pause.is_probing and any(answer.status == Status.SENT for answer in answers):
            self._pause.accepted()
            self._wake_in(0.0)
        health.answered += len(chunk.answers)
        if chunk.latency_s >= 0:
            health.answer_latency_s += (chunk.latency_s - health.answer_latency_s) * 0.1
        if answers:
            self._sink.on_answers(answers)

    def _on_refusal(self, flight: Flight, code: int) -> list[Answer]:
        row = command_status(code, own=self.options.command_statuses)
        code = min(code, 32767)  # what the database keeps
        is_later, siblings = row.reaction is not Reaction.FINAL, flight.siblings
        may_wait = not flight.is_lost and not (siblings is not None and siblings.is_over)
        if row.reaction is Reaction.PAUSE:
            self.health.throttled += 1
            self._bucket.refused(self._loop.time())
        elif siblings is None or flight.tries >= _MAX_TRIES:
            may_wait = False
        if is_later and (may_wait or row.reaction is Reaction.PAUSE):
            self._start_pause(row.meaning)
        if is_later and may_wait:
            self._outgoing.hold(flight)
            return []
        self.health.refused += 1
        message = flight.message
        is_retryable = is_later and siblings is None
        answers = [Answer(message.message_id, flight.segment, flight.segments, row.status, "", code, is_retryable)]
        if siblings is not None:
            answers += [
                Answer(message.message_id, other.segment, other.segments, row.status, "", code)
                for other in self._outgoing.end(siblings)
            ]
        return answers

    def _start_pause(self, reason: str) -> None:
        if self._pause.is_on:
            return
        now = self._loop.time()
        until = self._pause.start(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake_in(until - now)
        self._refresh(reason)

    def _on_deliveries(self, link: Link, chunk: Chunk) -> None:
        receipts: list[tuple[Receipt, object]] = [(receipt, (link, sequence)) for receipt, sequence in chunk.receipts]
        inbounds: list[tuple[Inbound, object]] = []
        read = self._receipts.read
        for sequence, message in chunk.deliveries:
            receipt = read(message)
            if receipt is not None:
                receipts.append((receipt, (link, sequence)))
            else:
                inbounds += self._inbounds.read(message, (link, sequence), self._loop.time())
        if receipts:
            self.health.receipts += len(receipts)
            self._sink.on_receipts(receipts)
        self._hand_up(inbounds)

    def sessions(self) -> frozenset[int]:
        return frozenset(link.session_id for link in self._links)

    def _hand_up(self, inbounds: list[tuple[Inbound, object]]) -> None:
        if inbounds:
            for inbound, acks in inbounds:
                inbound.session_id = acks[-1][0].session_id  # type: ignore[index]
            self.health.inbounds += len(inbounds)
            self._sink.on_inbounds(inbounds)

    def _lose_flights(self, flights: Iterable[Flight]) -> None:
        ids: dict[int, None] = {}
        for flight in flights:
            flight.is_lost = True
            if flight.siblings is not None:
                if flight.siblings.is_lost:
                    continue
                flight.siblings.is_lost = True
                self._outgoing.end(flight.siblings)
            ids[flight.message.message_id] = None
        if ids:
            self._sink.on_lost(list(ids))

    def _give_back(self) -> None:
        if messages := self._outgoing.take_untouched():
            self._sink.on_unsent(messages)

    def _in_flight(self) -> int:
        return sum(link.session.in_flight for link in self._links)

    def _refresh(self, reason: str = "") -> None:
        if self._is_closing:
            return
        wanted = len(BIND_COMMANDS[self.options.bind]) * self.options.binds
        bound = sum(link.session.state is State.BOUND for link in self._links)
        self.health.extra = {"binds": bound, "binds_wanted": wanted}
        transmitting = [link.session for link in self._links if link.session.can_transmit]
        may_submit = bool(transmitting)
        self.health.window = sum(session.window for session in transmitting)
        if not bound or not (may_submit or self.options.bind is BindMode.RECEIVER):
            self._show(CarrierState.DOWN, reason or self.health.reason)
        elif self._pause.is_on:
            self._show(CarrierState.THROTTLED, reason or self.health.reason)
        else:
            missing = "" if bound == wanted else f"{bound} of {wanted} binds; {reason}".rstrip("; ")
            self._show(CarrierState.BOUND, missing)

    def _show(self, state: CarrierState, reason: str) -> None:
        if (state, reason) != (self.health.state, self.health.reason):
            self.health.state, self.health.reason = state, reason
            self._sink.on_state(state, reason)

    async def _keep(self, command: int, context: ssl.SSLContext | None) -> None:
        """Connects one bind, again and again."""
        options, attempt = self.options, 0
        while not self._is_closing:
            link = Link(self, self._session(command))
            self._links.append(link)
            started = self._loop.time()
            try:
                await dial(link, options, context)
                await link.gone.wait()
            except (OSError, TimeoutError, UnicodeError) as error:  # the last: a host that cannot be a name
                self._failed(link, error)
            if link.was_bound and self._loop.time() - started >= _SETTLED_S:
                attempt = 0
            await asyncio.sleep(
                backoff_s(attempt, minimum_s=options.reconnect_min_s, maximum_s=options.reconnect_max_s)
            )
            attempt += 1

    def _failed(self, link: Link, error: Exception) -> None:
        if link in self._links:
            self._links.remove(link)
        if not any(other.session.can_transmit for other in self._links):
            self._give_back()
        what = str(error) or f"no connection within {self.options.connect_timeout_s:g} s"
        self._refresh(f"cannot connect to {self.options.host}:{self.options.port}: {what}")

    def _session(self, command: int) -> Session:
        return Session(
            self._bind, command, window=self.options.window, enquire_link_s=self.options.enquire_link_s,
            response_timeout_s=self.options.response_timeout_s, quick=self._receipts.quick,
        )  # fmt: skip

    async def _watch(self) -> None:
        """Time-outs: enquire_link, overdue answers, incomplete texts, a throttle that does not end."""
        options = self.options
        clocks = (options.enquire_link_s, options.response_timeout_s, options.reassembly_s, options.give_back_s)
        period = min(1.0, min(clocks) / 4)
        while True:
            await asyncio.sleep(period)
            now = self._loop.time()
            self._bucket.grow(now)
            for link in list(self._links):
                overdue = link.session.tick(now)
                self._lose_flights(token for token in overdue if isinstance(token, Flight))
                if overdue:
                    self._fill(link)
                link.flush()
                if link.session.state is State.CLOSED:
                    link.abort()
            self._hand_up([(inbound, acks) for inbound, acks in self._inbounds.expire(now)])
            if self._pause.lasted_s(now) > options.give_back_s:
                self._give_back()
