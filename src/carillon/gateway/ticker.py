"""The ticks of one run: gathers what came back, chooses what may leave next, and tells the flow what is on disk."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from carillon.carriers.base import CarrierHealth
from carillon.domain import hours
from carillon.gateway.book import Book, Held, calendar_key
from carillon.gateway.company import Company
from carillon.gateway.flow import Flow
from carillon.gateway.pace import SenderRates
from carillon.gateway.writer import Writer
from carillon.services import delivery
from carillon.services.recovery import consecutive
from carillon.services.ticks import Fetched, Intent, Job, Outcome, Refusal, Returned

AHEAD = 2000  # messages intended and without a result, at most: what may be in doubt after the loss of the machine
MOST_AHEAD = 8000  # the same, of a carrier that answers slowly and has windows for them
URGENT_AHEAD = 100  # notifications, above either bound
SLOW_S = 0.05  # a carrier whose answers take longer is filled better by more messages than by more ticks
LEAST_AHEAD = 32
BATCH = 2000  # receipts a tick
LINGER_AT = 500
IDLE_S = 0.25  # a new slice is found within this
RATE_S = 0.1  # while a pace or a sender's rate holds messages back
ASK_S = 0.1  # who has work enough asks so often whether another campaign, a notification above all, came in
LOOK_S = 1.0  # pauses, legal hours, and carriers that stay down are looked at so often
RECHECK_S = 5.0  # opt-outs are looked at again when a message waited here longer
RETURN_AFTER_S = 10.0  # of a carrier that is down: others may have its messages
REFUSED_WAIT_S = 30
MOST_SLICES = 3000  # of one message each, when many small orders come in
MOST_LONG_SLICES = 256


@dataclass(slots=True)
class Gauges:
    """Counters since the start, for health; `by_campaign` since the last report."""

    recorded: int = 0
    receipts: int = 0
    ticks: int = 0
    tick_s: float = 0.0
    by_campaign: dict[int, int] = field(default_factory=dict)


class Ticker:
    def __init__(
        self,
        flow: Flow,
        writer: Writer,
        thread: ThreadPoolExecutor,
        woken: asyncio.Event,
        clock: Callable[[], datetime],
        *,
        has_company: bool = False,
        sender_rates: Mapping[str, float] | None = None,
    ) -> None:
        self.flow = flow
        self.writer = writer
        self.book = Book(rates=SenderRates(sender_rates or {}))
        self.gauges = Gauges()
        self.is_stopping = False
        self._thread = thread
        self._woken = woken
        self._clock = clock
        self._company = Company() if has_company else None
        self._refusals: list[Refusal] = []
        self._fetched_at: dict[int, float] = {}
        self._target = 4 * LEAST_AHEAD
        self._calendars: list[tuple[str, int]] = []
        self._open: dict[str, bool] = {}
        self._looked_at = self._asked_at = float("-inf")
        self._has_nothing_to_choose = False
        self._has_urgent = False  # notifications came in since the last choice: they wait for nobody

    async def wait(self) -> None:
        """For answers, receipts, or room for intents; gathers a few milliseconds' worth when little came and nobody starves."""
        self._woken.clear()
        if not self.has_news() and not self._may_intend():
            try:
                await asyncio.wait_for(self._woken.wait(), RATE_S if self.book.held_back else IDLE_S)
            except TimeoutError:
                return
        flow = self.flow
        for _ in range(2):
            before = len(flow.answered) + len(flow.receipts)
            if not before or before >= LINGER_AT or (not flow.waiting() and self._may_intend()):
                return
            await asyncio.sleep(0.0025)
            if len(flow.answered) + len(flow.receipts) == before:
                return

    def has_news(self) -> bool:
        flow = self.flow
        return bool(
            flow.answered or flow.receipts or flow.lost or flow.late or flow.given_back or self._refusals
        )  # fmt: skip

    def _room(self) -> int:
        flow = self.flow
        if flow.is_closing or flow.is_down():
            return 0
        free = self._target - len(flow.outstanding)
        # Also where more is unanswered than is wanted now: what the carrier has room for goes to notifications first.
        urgent = URGENT_AHEAD + max(free, -len(flow.urgent))
        return max(free, min(self.book.urgent(), urgent, MOST_AHEAD + URGENT_AHEAD - len(flow.outstanding)))

    def _may_intend(self) -> bool:
        least = 1 if self._has_urgent else max(LEAST_AHEAD // 2, self._target // 4)
        if self._has_nothing_to_choose or self._room() < least:
            return False
        return self.book.waiting() > 0

    async def _look_around(self) -> None:
        """Every second: which calendars are open, and what must stop because its hours are over or its carrier stays down."""
        self._looked_at = time.monotonic()
        paces = self.book.paces
        survey = functools.partial(delivery.survey, paced=list(paces))
        self._calendars, sharers, self.book.rates.sharers = await asyncio.get_running_loop().run_in_executor(
            self._thread, self.writer.ask, survey
        )
        for campaign_id, pace in paces.items():
            pace.sharers = sharers.get(campaign_id, 1)
        self._open.clear()
        closed = {
            slice_id
            for slice_id, held in self.book.slices.items()
            if not held.is_stopping and not self._is_open(held.calendar)
        }
        if closed:
            self._halt(closed)
        since = self.flow.down_since
        if since is not None and time.monotonic() - since > RETURN_AFTER_S:
            self._halt(set(self.book.slices))

    def _is_open(self, key: str) -> bool:
        """`key` as Held.calendar gives it; the answer is kept until the next look around."""
        if not key:
            return True
        if key not in self._open:
            calendar, _, hour = key.rpartition("@")
            self._open[key] = hours.is_open(calendar, self._clock(), int(hour))
        return self._open[key]

    async def tick(self) -> None:
        flow = self.flow
        must_look = time.monotonic() - self._looked_at >= LOOK_S
        if must_look:
            await self._look_around()
        self._adapt()
        job = Job(answered=flow.answered, late=flow.late, lost=flow.lost, refusals=self._refusals)
        flow.answered, flow.late, flow.lost, self._refusals = [], [], [], []
        taken, flow.receipts = flow.receipts[:BATCH], flow.receipts[BATCH:]
        job.receipts = [receipt for receipt, _ in taken]
        if self._company is not None:
            job.again = self._company.due(time.monotonic())
        returned, flow.given_back = flow.given_back, []
        job.returned = _returned((g.message for g in returned if not g.is_refused), 0)
        job.returned += _returned((g.message for g in returned if g.is_refused), REFUSED_WAIT_S)
        chosen = self._choose(job)
        self._claims(job)
        started = time.perf_counter()
        if must_look:
            job.watch = list(self.book.campaigns())
        outcome, fetched = await asyncio.get_running_loop().run_in_executor(self._thread, self.writer.perform, job)
        self.gauges.ticks += 1
        self.gauges.tick_s += time.perf_counter() - started
        flow.release(self._granted(chosen, outcome, dict(job.intents)))
        flow.pump()
        if taken:
            flow.carrier.acknowledge([ack for _, ack in taken])
        self._absorb(job, [g.message for g in returned], outcome, fetched)

    def _adapt(self) -> None:
        """Ahead as far as the carrier's speed asks: far for a fast one, little for a slow one, so that a pause bites soon."""
        waiting = self.flow.waiting()
        if not waiting and self.flow.answered:
            self._target = self._target * 2
        elif waiting > self._target // 2:
            self._target = max(LEAST_AHEAD, self._target * 3 // 4)
        self._target = min(self._target, most_ahead(self.flow.carrier.health))

    def _choose(self, job: Job) -> list[tuple[Held, list[Intent]]]:
        room = self._room()
        if room <= 0:
            return []
        self._has_urgent = False
        now = time.monotonic()
        chosen = self.book.choose(room, is_open=self._is_open, now=now)
        # Slices of which everyone left opted out: their cursor moves on, nothing leaves.
        chosen += [(h, []) for h in self.book.slices.values() if h.refusals and not h.messages and not h.is_stopping]
        self._has_nothing_to_choose = not chosen
        cursors: dict[int, int] = {}
        for held, messages in chosen:
            held.open += len(messages)
            cursors[held.claim.id] = messages[-1].message_id if held.messages else held.claim.last_id
            if messages and now - self._fetched_at.get(held.claim.id, now) > RECHECK_S:
                job.recheck.append((held.claim, messages))
        job.intents = list(cursors.items())
        return chosen

    def _granted(
        self, chosen: list[tuple[Held, list[Intent]]], outcome: Outcome, cursors: dict[int, int]
    ) -> list[Intent]:
        released: list[Intent] = []
        for held, messages in chosen:
            if held.claim.id not in outcome.granted:  # paused or cancelled meanwhile: these were never intended
                held.open -= len(messages)
                self._halt({held.claim.id})
                continue
            passed = held.passed(cursors[held.claim.id])
            held.open += len(passed)
            self._refusals += passed
            if outcome.opted_out:
                for message in messages:
                    if message.message_id in outcome.opted_out:
                        self._refusals.append(Refusal(message, outcome.opted_out[message.message_id]))
                    else:
                        released.append(message)
            else:
                released += messages
        return released

    def _claims(self, job: Job) -> None:
        """Finished and stopping slices leave; new ones are asked for while the carrier works."""
        for slice_id, held in self.book.slices.items():
            if held.open == 0 and (held.is_stopping or held.is_spent):
                (job.released if held.is_stopping else job.finished).append(slice_id)
        slices, waiting = len(self.book.slices), self.book.waiting()
        is_full = slices >= MOST_SLICES or (slices >= MOST_LONG_SLICES and waiting > AHEAD)
        if self.is_stopping or self.flow.is_down() or is_full:
            return
        in_hand = self.book.campaigns()
        job.in_hand, job.full_campaigns = in_hand, list(self.book.held_back)
        wants = 2 * self._target - waiting
        now = time.monotonic()
        if wants <= 0:
            if now - self._asked_at < ASK_S:
                return
            wants, job.full_campaigns = self._target, list(in_hand)  # only campaigns that have nothing here yet
        self._asked_at = now
        job.wants = wants
        keys = [calendar_key(calendar, hour) for calendar, hour in self._calendars]
        job.open_calendars = [key for key in keys if self._is_open(key)]

    def _absorb(self, job: Job, returned: list[Intent], outcome: Outcome, fetched: list[Fetched]) -> None:
        self._close(message for message, _ in job.answered)
        self._close(message for message, _ in job.lost)
        self._close(refusal.message for refusal in job.refusals)
        self._close(returned)
        for slice_id in (*job.finished, *job.released):
            self.book.drop(slice_id)
            self.flow.stopped.discard(slice_id)
            self._fetched_at.pop(slice_id, None)
        now = time.monotonic()
        if fetched:
            self._has_nothing_to_choose = False
            self._has_urgent = any(batch.claim.is_notification for batch in fetched) or self._has_urgent
        for batch in fetched:
            self.book.add(batch.claim, batch.messages, refusals=batch.refusals)
            self._fetched_at[batch.claim.id] = now
        if self._company is not None:
            self._company.keep(outcome.kept, now)
        if outcome.stopped:
            self._halt({i for i, held in self.book.slices.items() if held.claim.campaign_id in outcome.stopped})
        self.gauges.recorded += len(job.answered)
        self.gauges.receipts += len(job.receipts)
        for campaign_id, n in Counter(message.campaign_id for message, _ in job.answered).items():
            self.gauges.by_campaign[campaign_id] = self.gauges.by_campaign.get(campaign_id, 0) + n

    def _close(self, messages: Iterable[Intent]) -> None:
        """These messages have a result on disk."""
        for slice_id, n in Counter(message.slice_id for message in messages).items():
            held = self.book.slices.get(slice_id)
            if held is not None:
                held.open -= n

    def _halt(self, slice_ids: set[int]) -> None:
        """No further intents; what the carrier has not been given goes back, and the slices follow when nothing is open."""
        for slice_id in slice_ids:
            self.book.slices[slice_id].stop()
        self.flow.pull(slice_ids)

    async def finish(self) -> None:
        """After the carrier closed: until everything that is known is on disk, and every slice given back."""
        self.is_stopping = True
        for held in self.book.slices.values():
            held.stop()
        while self.book.slices or self.has_news():
            await self.tick()


def most_ahead(health: CarrierHealth) -> int:
    """Messages intended and without a result: a window in flight and one ready, where answers take their time."""
    if health.answer_latency_s < SLOW_S:
        return AHEAD
    return min(max(AHEAD, 2 * health.window), MOST_AHEAD)


def _returned(messages: Iterable[Intent], wait_s: int) -> list[Returned]:
    """Neighbours of one slice stay together."""
    ids: dict[int, list[int]] = {}
    for message in messages:
        ids.setdefault(message.slice_id, []).append(message.message_id)
    return [
        Returned(slice_id, first, last, n, wait_s, is_refused=wait_s > 0)
        for slice_id, found in ids.items()
        for first, last, n in consecutive(sorted(found))
    ]
