"""The shell of every HTTP carrier: a queue, a few requests at a time, and the same promises as over SMPP.

A request that certainly never reached the provider goes back to the gateway; one that may have reached it, and whose answer
never came, is in doubt and is not asked again. Receipts and replies come in by callbacks (the api room), not here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

import httpx

from carillon.carriers.base import CarrierHealth, CarrierState, Sink
from carillon.carriers.certificates import trusting
from carillon.carriers.flow import Pause, TokenBucket
from carillon.carriers.http.base import Outcome, Provider, Request, Response, Verdict, judge_http
from carillon.domain.status import Status
from carillon.domain.traffic import Answer, Outbound

logger = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 10.0
_MAX_ANSWER = 256 * 1024  # octets of a provider's answer that are read
# Nothing of the request can have left: no connection was made, or none became free.
_UNSENT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class HttpCarrier:
    """Implements carriers.base.Carrier."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.health = CarrierHealth()
        self._options = provider.shared
        self._urgent: deque[Outbound] = deque()
        self._ready: deque[Outbound] = deque()
        self._bucket = TokenBucket(self._options.rate)
        self._pause = Pause(minimum_s=self._options.pause_min_s, maximum_s=self._options.pause_max_s)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[int, Outbound] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._sink: Sink
        self._loop: asyncio.AbstractEventLoop
        self._client: httpx.AsyncClient

    async def start(self, sink: Sink) -> None:
        """HTTP has no bind: it may submit at once, and learns at the first request whether that was true."""
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        options = self._options
        self._client = httpx.AsyncClient(
            verify=trusting(options.ca_file),
            timeout=httpx.Timeout(options.timeout_s, connect=_CONNECT_TIMEOUT_S),
            headers={"Accept-Encoding": "identity", "User-Agent": "carillon"},
            limits=httpx.Limits(max_connections=options.connections, max_keepalive_connections=options.connections),
            trust_env=False,
        )
        self._show(CarrierState.BOUND, "")

    def submit(self, batch: Sequence[Outbound]) -> None:
        if self._is_closing:
            self._sink.on_unsent(list(batch))
            return
        for message in batch:
            (self._urgent if message.is_notification else self._ready).append(message)
        self._pump()

    def room(self) -> int:
        if self._is_closing or self._pause.is_on:
            return 0
        waiting = len(self._urgent) + len(self._ready)
        most = 1 if self._pause.is_probing else 2 * self._options.connections
        return max(0, most - waiting - len(self._under_way))

    def acknowledge(self, acks: list[object]) -> None:
        """Nothing to do: callbacks are answered where they come in."""

    def sessions(self) -> frozenset[int]:
        return frozenset()

    async def close(self, timeout_s: float = 5.0) -> None:
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        self._give_back()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._under_way:
            self._sink.on_lost(list(self._under_way))
            self._under_way.clear()
        await self._client.aclose()
        self._show(CarrierState.CLOSED, "closed by us")

    # ------------------------------------------------------------------ going out

    def _pump(self) -> None:
        if self._pause.is_on or self._is_closing:
            return
        most = 1 if self._pause.is_probing else self._options.connections
        batch: list[Outbound] = []
        allowed = min(most - len(self._under_way), self._bucket.available(self._loop.time()))
        while len(batch) < allowed and (self._urgent or self._ready):
            batch.append((self._urgent or self._ready).popleft())
        self._bucket.spend(len(batch))
        if batch:
            self.health.submitted += len(batch)
            self._sink.on_written([message.message_id for message in batch])
        for message in batch:
            self._under_way[message.message_id] = message
            task = self._loop.create_task(self._send(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if (self._urgent or self._ready) and len(self._under_way) < most:
            self._wake_in(self._bucket.delay_s())

    async def _send(self, message: Outbound) -> None:
        verdict = await self._ask(message)  # cancelled by close(), which then reports what is still under way
        self._under_way.pop(message.message_id, None)
        self._settle(message, verdict)
        self._pump()

    async def _ask(self, message: Outbound) -> Verdict:
        started = self._loop.time()
        request = self.provider.request(message)
        try:
            async with self._client.stream(**_arguments(request)) as answer:
                response = Response(answer.status_code, await _read(answer))
        except _UNSENT_ERRORS as error:
            return Verdict(Outcome.BLOCKED, reason=f"cannot connect to {self._host(request)}: {error}")
        except httpx.HTTPError as error:
            return Verdict(Outcome.DOUBT, reason=f"{type(error).__name__} {error}".strip())
        self.health.answered += 1
        self.health.answer_latency_s += (self._loop.time() - started - self.health.answer_latency_s) * 0.1
        try:
            return judge_http(response) or self.provider.read(message, response)
        except Exception:  # whatever a provider's answer does to its reader, the message must not be forgotten
            logger.exception("the answer to message %d is not understood: %.200s", message.message_id, response.text)
            return Verdict(Outcome.DOUBT, reason="the provider's answer is not understood")

    def _host(self, request: Request) -> str:
        return request.url.partition("//")[2].partition("/")[0].rpartition("@")[2]

    # ------------------------------------------------------------------ what became of it

    def _settle(self, message: Outbound, verdict: Verdict) -> None:
        outcome = verdict.outcome
        if outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
            if self._pause.is_probing:
                self._pause.accepted()
                self._show(CarrierState.BOUND, "")
            self._bucket.accepted(self._loop.time())
            self._bucket.grow(self._loop.time())
            self._answer(message, verdict)
        elif outcome is Outcome.DOUBT:
            logger.warning("message %d in doubt: %s", message.message_id, verdict.reason)
            self._sink.on_lost([message.message_id])
        elif outcome is Outcome.LATER:
            self.health.throttled += 1
            self._put_back(message)
            self._bucket.refused(self._loop.time())
            self._start_pause(CarrierState.THROTTLED, verdict.reason)
        else:
            self._sink.on_unsent([message])
            self._give_back()
            self._start_pause(CarrierState.DOWN, verdict.reason)

    def _answer(self, message: Outbound, verdict: Verdict) -> None:
        is_refused = verdict.outcome is Outcome.REFUSED
        self.health.refused += is_refused
        if is_refused:
            logger.info("message %d refused: %s", message.message_id, verdict.reason)
        status = verdict.status if is_refused else Status.SENT
        self._sink.on_answers([Answer(message.message_id, 1, 1, status, verdict.message_id, verdict.error)])

    def _put_back(self, message: Outbound) -> None:
        if self._is_closing:
            self._sink.on_unsent([message])
            return
        queue = self._urgent if message.is_notification else self._ready
        queue.appendleft(message)

    def _give_back(self) -> None:
        waiting = [*self._urgent, *self._ready]
        self._urgent.clear()
        self._ready.clear()
        if waiting:
            self._sink.on_unsent(waiting)

    # ------------------------------------------------------------------ state

    def _start_pause(self, state: CarrierState, reason: str) -> None:
        if self._is_closing:
            return
        now = self._loop.time()
        until = self._pause.start(now)
        self._show(state, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake_in(until - now)

    def _wake_in(self, delay_s: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._pause.is_on:
            self._pause.end()
            if self._pause.lasted_s(self._loop.time()) > self._options.give_back_s:
                self._give_back()
            self._show(CarrierState.BOUND, f"trying again after: {self.health.reason}")
        self._pump()

    def _show(self, state: CarrierState, reason: str) -> None:
        if (state, reason) != (self.health.state, self.health.reason):
            self.health.state, self.health.reason = state, reason
            self._sink.on_state(state, reason)


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.method, "url": request.url, "params": dict(request.query) or None,
        "headers": dict(request.headers), "json": request.json,
        "data": dict(request.form) if request.form is not None else None, "content": request.content,
        "auth": request.basic,
    }  # fmt: skip


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > _MAX_ANSWER:
            break
    return body[:_MAX_ANSWER]
