"""`make bench-scale`: server time and queries of the pages and calls of an account with 1,000 campaigns, SIZE messages (5,000,000),
as many opt-outs, and a list of 1,000,000 rows.

Each address is asked for once, for its queries, then RUNS times by Django's test client, middleware included; nothing crosses a
network. The verdict is on the best of the runs: what the work takes when the machine has nothing else to do. SLOW=0.05 prints the
queries that took longer than so many seconds.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from bench.ground import ground, machine, say, size
from bench.scale_fill import Filled, fill, make_list
from bench.scale_fill import number as number_of

RUNS = int(os.environ.get("RUNS", "7"))
SLOW_S = float(os.environ.get("SLOW", "inf"))
PAGE_MS, CALL_MS, SEARCH_MS, LOOK_UP_MS = 100.0, 100.0, 2_000.0, 5.0
PREPARED = 100_000
misses: list[str] = []


def verdict(name: str, aim: str, is_met: bool, **figures: object) -> None:
    if not is_met:
        misses.append(name)
    say(name, **figures, aim=aim, verdict="OK" if is_met else "MISS")


def timed(name: str, ask: Callable[[], Any], *, aim_ms: float, runs: int = RUNS) -> None:
    """`ask` gives an answer's length in bytes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        started = time.perf_counter()
        length = ask()
        first = 1000 * (time.perf_counter() - started)
        queries = list(captured.captured_queries)  # the next request forgets them
    times, own = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        ask()
        times.append(1000 * (time.perf_counter() - started))
        own.append(1000 * (time.process_time() - used))
    for query in queries:
        if float(query["time"]) > SLOW_S:
            print(f"    {query['time']} s: {query['sql'][:1500]}")
    verdict(
        name, f"{aim_ms:,.0f} ms", min(times) <= aim_ms, best_ms=min(times), median_ms=statistics.median(times), first_ms=first,
        python_ms=min(own), queries=len(queries), bytes=length,
    )  # fmt: skip


class Person:
    """A browser or program of one person."""

    def __init__(self, *, user: Any = None, secret: str = "") -> None:
        from django.test import Client

        self.client = Client(headers={"authorization": f"Bearer {secret}"} if secret else {}, SERVER_NAME="localhost")
        if user is not None:
            self.client.force_login(user)

    def ask(self, address: str, *, whole: bool = True) -> Callable[[], int]:
        """Reads the answer, or (not `whole`) its first piece only."""

        def once() -> int:
            answer: Any = self.client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code} {answer.content[:500]!r}")
            if not answer.streaming:
                return len(answer.content)
            length = 0
            for piece in answer.streaming_content:
                length += len(piece)
                if not whole:
                    break
            answer.close()
            return length

        return once


def pages(found: Filled) -> None:
    alice, bob = Person(user=found.admin), Person(user=found.user)
    big, draft, item = found.big, found.draft, found.list
    report, number = f"/campaigns/{big.pk}/report", f"0{number_of(_row_of(big)) - 33_000_000_000}"
    for name, address in {
        "dashboard": "/",
        "campaigns": "/campaigns/",
        "campaigns, page 30": "/campaigns/?page=30",
        **{f"campaigns, {key}={value}": f"/campaigns/?{urlencode({key: value})}" for key, value in _filters(found)},
        "report": report,
        "report of a running one": f"/campaigns/{found.running.pk}/report",
        "report, live part": f"/campaigns/{found.running.pk}/report/live",
        "report, timeline": f"{report}/timeline",
        "report, clicks": f"{report}/clicks",
        "report, rows": f"{report}/rows?after={big.last_message_id - 1_000}",
        "report, rows of a status": f"{report}/rows?status=22",
        "report, rows of STOP": f"{report}/rows?status=17",
        "report, rows of nothing": f"{report}/rows?status=13",
        "report, by number": f"{report}/rows?q={number}",
        "report, by a frequent word": f"{report}/rows?q=Jacqueline",
        "report, by a rare word": f"{report}/rows?q=R{_row_of(big) + PREPARED // 2:07d}",
        "report, NPAI": f"{report}/npai",
        "message's history": f"/campaigns/{big.pk}/messages/{big.first_message_id + 1_003}",
        "lists": "/lists/",
        "list": f"/lists/{item.pk}",
        "list, middle page": f"/lists/{item.pk}?page={item.size // 100}",
        "list, by number": f"/lists/{item.pk}?q={number}",
        "list, by part of a number": f"/lists/{item.pk}?q={number[:7]}",
        "list, by a frequent word": f"/lists/{item.pk}?q=Jacqueline",
        "list, by a rare word": f"/lists/{item.pk}?q=R{item.size - 5:07d}",
        "draft, recipients": f"/campaigns/{draft.pk}/recipients",
        "draft, search of a recipient": f"/campaigns/{draft.pk}/recipients/search?q=R{item.size - 5:07d}",
        "draft, composer": f"/campaigns/{draft.pk}/message",
        "draft, last row's message": f"/campaigns/{draft.pk}/message/preview?row={item.size}",
        "replies": "/replies/",
        "replies, unread": "/replies/?which=unread",
        "replies, STOP": "/replies/?which=stop",
        "replies, by word": "/replies/?q=commande",
        "replies, by number": f"/replies/?q={number}",
        "blacklist": "/blacklist/",
        "blacklist, last page": "/blacklist/?page=200",
        "blacklist, by number": "/blacklist/?q=0600000023",
        "blacklist, by beginning": "/blacklist/?q=06123",
        "blacklist, by description": "/blacklist/?q=Lyon",
        "blacklist, voice": "/blacklist/?medium=VMS",
    }.items():
        timed(name, alice.ask(address), aim_ms=PAGE_MS)
    for name, address in {"campaigns of a user": "/campaigns/", "replies to a user": "/replies/"}.items():
        timed(name, bob.ask(address), aim_ms=PAGE_MS)
    timed("draft, spread of segments", alice.ask(f"/campaigns/{draft.pk}/message/spread"), aim_ms=15_000, runs=1)


def _row_of(campaign: Any) -> int:
    """Position in the list of its first recipient."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.line - 1 FROM message m JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id"
            " WHERE m.id = %s",
            [campaign.first_message_id],
        )
        return int(cursor.fetchone()[0])


def _filters(found: Filled) -> list[tuple[str, Any]]:
    day = found.big.launched_at
    return [
        ("q", "Campagne 7"), ("q", found.big.pk), ("user", found.user.pk), ("flow", "sms"), ("flow", "unit"), ("status", "draft"),
        ("status", "scheduled"), ("status", "running"), ("status", "finished"), ("from", f"{day:%Y-%m-%d}"), ("to", f"{day:%Y-%m-%d}"),
    ]  # fmt: skip


def calls(found: Filled) -> None:
    program, big = Person(secret=found.secret), found.big
    base = "/api/v1"
    period = {"from": f"{big.launched_at - _days(6):%Y-%m-%d}", "to": f"{big.launched_at:%Y-%m-%d}"}
    message = big.first_message_id + 1_003
    timed("GET campaigns", program.ask(f"{base}/campaigns"), aim_ms=CALL_MS)
    timed("GET campaigns, search", program.ask(f"{base}/campaigns?search=grande"), aim_ms=CALL_MS)
    timed("GET campaign", program.ask(f"{base}/campaigns/{big.pk}"), aim_ms=CALL_MS)
    timed("GET message", program.ask(f"{base}/messages/{message}"), aim_ms=CALL_MS)
    timed("GET lists", program.ask(f"{base}/lists"), aim_ms=CALL_MS)
    timed("GET blacklist, a page", program.ask(f"{base}/blacklist?limit=100&after=1000"), aim_ms=CALL_MS)
    timed(
        "reportjson, first bytes", program.ask(f"{base}/campaigns/reportjson/{big.pk}", whole=False), aim_ms=CALL_MS * 5
    )
    number = number_of(_row_of(big) + 7)
    for name, more in {
        "by number": {"search": f"item=={number}"},
        "by beginning": {"search": f"item=re={str(number)[:9]}*"},
        "by column": {"search": f"fields.Ref==R{_row_of(big) + 7:07d}"},
        "by word nobody wrote": {"search": "msg=re=Nothing*"},
    }.items():
        address = f"{base}/campaigns/reportjson?{urlencode(period | more)}"
        timed(f"period report {name}", program.ask(address), aim_ms=SEARCH_MS, runs=2)
    for name, more in {"first bytes": {}, "by status, first bytes": {"status": "22"}}.items():
        address = f"{base}/campaigns/reportjson?{urlencode(period | more)}"
        timed(f"period report {name}", program.ask(address, whole=False), aim_ms=SEARCH_MS, runs=2)
    address = f"{base}/campaigns/reportjson?{urlencode(period | {'status': '31'})}"
    timed("period report by status, whole", program.ask(address), aim_ms=20_000, runs=1)


def _days(n: int) -> Any:
    from datetime import timedelta

    return timedelta(days=n)


def links(found: Filled) -> None:
    """What the redirector asks for a code it has not seen lately."""
    from django.db import connection

    from carillon.services import links as services

    with connection.cursor() as cursor:
        cursor.execute("SELECT min(first_message_id), max(last_message_id) FROM campaign")
        first, last = cursor.fetchone()
    known = [random.randrange(first, last) for _ in range(200)]
    for name, look, ids in [
        ("link of a message", services.find, known),
        ("person of a message", services.person, known),
        ("link of no message", services.find, [last + 10_000_000 + i for i in range(200)]),
    ]:
        times = []
        for message_id in ids:
            started = time.perf_counter()
            look(message_id)
            times.append(1000 * (time.perf_counter() - started))
        verdict(
            name, f"{LOOK_UP_MS:.0f} ms", statistics.median(times) <= LOOK_UP_MS, median_ms=statistics.median(times)
        )


def prepare(found: Filled) -> None:
    """100,000 recipients of an account with SIZE opt-outs, and of one with none, in turns."""
    from carillon.models import Account, OptOut
    from carillon.services import campaigns, preparation

    drafts = {}
    n = min(PREPARED, found.list.size)
    for account in (found.account, Account.objects.create(name="none", balance=10**14, max_segments=3)):
        item, _ = make_list(account, n, name="Clients de janvier")
        campaign = campaigns.create(actor=None, account=account, message=found.draft.message)
        drafts[account.name] = campaigns.set_lists(campaign, lists=[item])
    taken: dict[str, list[float]] = {name: [] for name in drafts}
    for _ in range(3):
        for name, campaign in drafts.items():
            started = time.perf_counter()
            preparation.prepare(campaign.pk)
            taken[name].append(time.perf_counter() - started)
    best = {name: min(times) for name, times in taken.items()}
    ratio = best["bench"] / best["none"]
    verdict(
        "preparation with opt-outs", "under 20 % longer", ratio < 1.2, recipients=n, optouts=OptOut.objects.count(),
        seconds=best["bench"], seconds_without=best["none"], ratio=ratio,
    )  # fmt: skip
    alice = Person(user=found.admin)
    for name, tab in {"prepared draft, send tab": "send", "prepared draft, message tab": "message"}.items():
        timed(name, alice.ask(f"/campaigns/{drafts['bench'].pk}/{tab}"), aim_ms=PAGE_MS)


def main() -> None:
    os.nice(10)
    n = size(5_000_000)
    with ground():
        started = time.perf_counter()
        found = fill(n)
        say("filled", messages=n, seconds=time.perf_counter() - started)
        measure(found)
        say("scale", misses=len(misses), machine=machine())
        for name in misses:
            print(f"  MISS {name}")


def measure(found: Filled) -> None:
    parts = os.environ.get("PARTS", "pages,calls,links,prepare").split(",")
    for name, part in {"pages": pages, "calls": calls, "links": links, "prepare": prepare}.items():
        if name in parts:
            part(found)


if __name__ == "__main__":
    main()
