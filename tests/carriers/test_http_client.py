"""The shell of HTTP carriers against a small server on loopback: what is sent, given back, in doubt, and how it paces itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from carillon.carriers.base import CarrierState
from carillon.carriers.http.client import HttpCarrier
from carillon.carriers.registry import build
from carillon.domain.status import Status
from tests.carriers.certificates import make
from tests.carriers.ear import Ear, looped, outbound

Handler = Callable[["Asked"], Awaitable[tuple[int, Any]]]


class Asked:
    """One request as the server read it."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def provider_server(handle: Handler, **server: Any) -> AsyncIterator[tuple[str, list[Asked]]]:
    """`handle` answers (status, JSON value or bytes); a status of 0 closes the connection without a word."""
    asked: list[Asked] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = Asked(head, b"")
                request.body = await reader.readexactly(int(request.headers.get("content-length", 0)))
                asked.append(request)
                status, answer = await handle(request)
                if not status:
                    return
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0, **server)
    scheme = "https" if server.get("ssl") else "http"
    try:
        yield f"{scheme}://127.0.0.1:{running.sockets[0].getsockname()[1]}", asked
    finally:
        running.close()


@asynccontextmanager
async def carrier_at(url: str, **options: Any) -> AsyncIterator[tuple[HttpCarrier, Ear]]:
    quick = {"pause_min_s": 0.01, "pause_max_s": 0.05, "timeout_s": 30}
    carrier = build("smsmode", {"url": url, **quick, **options}, "k3y")
    assert isinstance(carrier, HttpCarrier)
    ear = Ear()
    ear.carrier = carrier
    await carrier.start(ear)
    try:
        yield carrier, ear
    finally:
        await carrier.close()


async def accept(asked: Asked) -> tuple[int, Any]:
    return 201, {"messageId": f"id-{asked.json()['refClient']}"}


@looped
async def test_messages_go_out_and_are_answered():
    async with provider_server(accept) as (url, asked), carrier_at(url) as (carrier, ear):
        assert carrier.room() == 16
        carrier.submit([outbound(number) for number in range(30)])
        await ear.until(lambda: len(ear.answers) == 30)
        assert {answer.message_id: answer.carrier_message_id for answer in ear.answers} == {
            n: f"id-{n}" for n in range(30)
        }
        assert {answer.status for answer in ear.answers} == {Status.SENT}
        assert asked[0].headers["x-api-key"] == "k3y" and asked[0].target == "/sms/v1/messages"
        assert ear.log.index("written") < ear.log.index("answers")
        assert (carrier.health.submitted, carrier.health.answered) == (30, 30)
        carrier.acknowledge([object()])


@looped
async def test_no_more_requests_at_once_than_connections_and_notifications_first():
    gate, open_now, most = asyncio.Event(), 0, 0

    async def wait(asked: Asked) -> tuple[int, Any]:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await gate.wait()
        open_now -= 1
        return await accept(asked)

    async with provider_server(wait) as (url, asked), carrier_at(url, connections=2) as (carrier, ear):
        carrier.submit([outbound(1), outbound(2), outbound(3), outbound(4, is_notification=True)])
        await ear.until(lambda: len(asked) == 2)
        assert carrier.room() == 0
        gate.set()
        await ear.until(lambda: len(ear.answers) == 4)
        assert most == 2
        assert ear.written == [4, 1, 2, 3]


@looped
async def test_a_refusal_is_final():
    async def refuse(asked: Asked) -> tuple[int, Any]:
        return 400, {"errorCode": 31, "message": "Bad recipient"}

    async with provider_server(refuse) as (url, _), carrier_at(url) as (carrier, ear):
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.answers)
        answer = ear.answers[0]
        assert (answer.status, answer.error, answer.is_retryable) == (Status.MALFORMED, 31, False)
        assert carrier.health.refused == 1


@pytest.mark.parametrize("status", [429, 503])
@looped
async def test_too_fast_pauses_and_asks_again(status):
    busy = 3

    async def hesitate(asked: Asked) -> tuple[int, Any]:
        nonlocal busy
        busy -= 1
        return await accept(asked) if busy < 0 else (status, {})

    async with provider_server(hesitate) as (url, _), carrier_at(url, connections=1) as (carrier, ear):
        carrier.submit([outbound(number) for number in range(5)])
        await ear.until(lambda: len(ear.answers) == 5)
        assert [answer.message_id for answer in ear.answers] == [0, 1, 2, 3, 4]
        assert carrier.health.throttled == 3
        assert CarrierState.THROTTLED in ear.states and ear.states[-1] is CarrierState.BOUND
        assert ear.lost == [] and ear.unsent == []


@looped
async def test_too_fast_for_too_long_gives_back():
    async def never(asked: Asked) -> tuple[int, Any]:
        return 429, {}

    async with provider_server(never) as (url, _), carrier_at(url, connections=1, give_back_s=0.05) as (carrier, ear):
        carrier.submit([outbound(number) for number in range(3)])
        await ear.until(lambda: len(ear.unsent) == 3)
        assert ear.lost == [] and ear.answers == []


@looped
async def test_wrong_credentials_give_everything_back_and_say_so():
    async def refuse(asked: Asked) -> tuple[int, Any]:
        return 401, {}

    async with (
        provider_server(refuse) as (url, asked),
        carrier_at(url, connections=1, pause_min_s=30, pause_max_s=30) as (carrier, ear),
    ):
        carrier.submit([outbound(number) for number in range(3)])
        await ear.until(lambda: len(ear.unsent) == 3)
        assert carrier.health.state is CarrierState.DOWN
        assert carrier.health.reason == "HTTP 401: the credentials are refused"
        assert carrier.room() == 0
        assert len(asked) == 1


@looped
async def test_a_provider_that_is_not_there_gives_back_and_is_tried_again():
    async with provider_server(accept) as (url, _):
        pass
    async with carrier_at(url) as (carrier, ear):
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.unsent)
        assert ear.lost == []
        assert "cannot connect to 127.0.0.1" in next(iter(carrier.health.reason.split(": tr")))
        await ear.until(lambda: carrier.room() == 1)  # a probe


@pytest.mark.parametrize("fault", ["hangs up", "HTTP 500", "never answers", "answers nonsense"])
@looped
async def test_whatever_may_have_been_taken_is_in_doubt_and_not_asked_again(fault):
    async def fail(asked: Asked) -> tuple[int, Any]:
        if fault == "never answers":
            await asyncio.sleep(30)
        return {"hangs up": 0, "HTTP 500": 500}.get(fault, 201), b"[1]"

    async with (
        provider_server(fail) as (url, asked),
        carrier_at(url, timeout_s=0.3 if fault == "never answers" else 30) as (carrier, ear),
    ):
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.lost)
        assert ear.lost == [1]
        assert ear.answers == [] and ear.unsent == []
        await ear.until(lambda: asked)
        assert len(asked) == 1


@looped
async def test_a_reader_that_stumbles_leaves_the_message_in_doubt(monkeypatch):
    async with provider_server(accept) as (url, _), carrier_at(url) as (carrier, ear):
        monkeypatch.setattr(carrier.provider, "read", lambda message, response: 1 / 0)
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.lost == [1])


@looped
async def test_a_giant_answer_is_cut():
    async def shout(asked: Asked) -> tuple[int, Any]:
        return 201, b"x" * 2_000_000

    async with provider_server(shout) as (url, _), carrier_at(url) as (carrier, ear):
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.lost == [1])


@looped
async def test_closing_waits_for_answers_and_gives_back_the_rest():
    gate = asyncio.Event()

    async def wait(asked: Asked) -> tuple[int, Any]:
        await gate.wait()
        return await accept(asked)

    async with provider_server(wait) as (url, asked), carrier_at(url, connections=1) as (carrier, ear):
        carrier.submit([outbound(1), outbound(2)])
        await ear.until(lambda: asked)
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await carrier.close()
        assert [answer.message_id for answer in ear.answers] == [1]
        assert [message.message_id for message in ear.unsent] == [2]
        carrier.submit([outbound(3)])
        assert [message.message_id for message in ear.unsent] == [2, 3]
        assert ear.states[-1] is CarrierState.CLOSED and carrier.room() == 0


@looped
async def test_closing_while_the_provider_is_silent_reports_the_doubt():
    async def silent(asked: Asked) -> tuple[int, Any]:
        await asyncio.sleep(30)
        return 201, {}

    async with provider_server(silent) as (url, asked), carrier_at(url) as (carrier, ear):
        carrier.submit([outbound(1)])
        await ear.until(lambda: asked)
        await carrier.close(timeout_s=0.05)
        assert ear.lost == [1]


@looped
async def test_the_rate_is_kept():
    async with provider_server(accept) as (url, _), carrier_at(url, rate=50.0) as (carrier, ear):
        carrier.submit([outbound(number) for number in range(10)])
        assert len(ear.written) == 5
        await ear.until(lambda: len(ear.answers) == 10)


@looped
async def test_the_certificate_is_verified(tmp_path):
    ca_file, context = make(tmp_path)
    async with provider_server(accept, ssl=context) as (url, _):
        async with carrier_at(url, ca_file=str(ca_file)) as (carrier, ear):
            carrier.submit([outbound(1)])
            await ear.until(lambda: ear.answers)
        async with carrier_at(url) as (carrier, ear):
            carrier.submit([outbound(1)])
            await ear.until(lambda: ear.unsent)
            assert "certificate" in carrier.health.reason
