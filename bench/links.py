"""`make bench-links`: redirects a second of one process, against a bare ASGI 302 served by the same uvicorn in the same run.

SIZE messages (5,000,000: half a minute to store) are in campaigns of 100,000, so that codes are looked up as they would be. CLIENTS
connections follow random codes for SECONDS; the load comes from a process of its own. Every click must be stored at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from bench.ground import cpu_s, ground, machine, say, size

CLIENTS = int(os.environ.get("CLIENTS", "32"))
SECONDS = float(os.environ.get("SECONDS", "10"))
PER_CAMPAIGN = 100_000
AGENT = "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"

HEADERS = [(b"location", b"https://shop.example/soldes"), (b"content-length", b"0"), (b"cache-control", b"no-store")]


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """The peer: the least an ASGI application can do to redirect."""
    await send({"type": "http.response.start", "status": 302, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b""})


def fill(n: int) -> int:
    """SIZE messages of campaigns with one link each; gives the first message's id."""
    from django.db import connection
    from django.utils import timezone

    from carillon.models import Account, Campaign, Link
    from carillon.services import ids

    account = Account.objects.create(name="bench", balance=10**12)
    start = ids.take_block("message", n)
    for first in range(start, start + n, PER_CAMPAIGN):
        last = min(first + PER_CAMPAIGN, start + n) - 1
        campaign = Campaign.objects.create(
            account=account, payer=account, name="bench", message="${track_1}", state="INJECTED", launched_at=timezone.now(),
            first_message_id=first, last_message_id=last,
        )  # fmt: skip
        Link.objects.create(campaign=campaign, index=0, url="https://shop.example/soldes", domain="s.example")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status,"
                " segments, price, text) SELECT i, 1, %s, %s, 0, 33600000000 + i, 'FR', 1, 1, 100, '' FROM"
                " generate_series(%s, %s) i",
                [account.pk, campaign.pk, first, last],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE message")
    return start


class Served:
    """One uvicorn process on a free port."""

    def __init__(self, target: str, *, is_factory: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        options = ["--factory"] if is_factory else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", target, "--port", str(self.port), "--log-level", "warning", *options]
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{target} did not start") from None
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


async def follow(port: int, paths: list[bytes], until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    tail = b" HTTP/1.1\r\nHost: s.example\r\nUser-Agent: " + AGENT.encode() + b"\r\nAccept: */*\r\n\r\n"
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(b"GET " + random.choice(paths) + tail)
        answer = await reader.readuntil(b"\r\n\r\n")
        times.append(time.perf_counter() - started)
        if not answer.startswith(b"HTTP/1.1 302"):
            raise SystemExit(answer.decode())
    writer.close()


async def load(port: int, paths: list[bytes]) -> list[float]:
    times: list[float] = []
    until = time.perf_counter() + SECONDS
    await asyncio.gather(*(follow(port, paths, until, times) for _ in range(CLIENTS)))
    return times


def measure(server: Served, paths: list[bytes]) -> tuple[float, float, float]:
    """(requests a second, 99th percentile in milliseconds, processor microseconds a request)."""
    asyncio.run(load(server.port, paths[:2000]))  # warm
    before = cpu_s(server.process.pid)
    times = sorted(asyncio.run(load(server.port, paths)))
    return (
        len(times) / SECONDS,
        1000 * times[int(len(times) * 0.99)],
        1e6 * (cpu_s(server.process.pid) - before) / len(times),
    )


def main() -> None:
    n = size(5_000_000)
    with ground():
        from django.db import connection

        from carillon.domain import shortcodes
        from carillon.services import links

        start = fill(n)
        chosen = random.sample(range(start, start + n), min(n, 50_000))
        paths = [b"/" + shortcodes.encode(links.key(), message_id=i, index=0).encode() for i in chosen]
        peer = Served("bench.links:bare")
        ours = Served("carillon.config.asgi:links", is_factory=True)
        try:
            first = measure(peer, paths)
            rate, p99, cpu = measure(ours, paths)
            again = measure(peer, paths)
        finally:
            peer.stop()
            ours.stop()
        bare_rate, bare_p99, bare_cpu = ((a + b) / 2 for a, b in zip(first, again, strict=True))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), (SELECT sum(n) FROM click_count) FROM click")
            clicks, counted = cursor.fetchone()
        say(
            "links", redirects_per_second=rate, p99_ms=p99, bare_per_second=bare_rate, bare_p99_ms=bare_p99,
            ratio_to_bare=rate / bare_rate, cpu_us=cpu, bare_cpu_us=bare_cpu, ratio_of_cpu=bare_cpu / cpu, messages=n,
            clicks_stored=clicks, clicks_counted=counted, machine=machine(),
        )  # fmt: skip


if __name__ == "__main__":
    main()
