"""`make bench-api`: single-recipient inject against a bare Django view that inserts one row, in the same server and run; then
uploads, streamed reports and FIQL over many rows.

SIZE (1,000,000) lines of the list and rows of the report; FIQL looks at five times as many. SECONDS (10) of each rate.
PARTS=inject,upload,report,fiql chooses.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.ground import ground, machine, say, size
from bench.processes import Process, wait_until

INJECT = {
    "listRecipient": [{"mobile": "0632545311"}],
    "msg": "Your code is 123456",
    "typeSelect": "NOTIFICATION",
    "startNow": True,
}


@contextmanager
def server(workers: int) -> Iterator[tuple[str, int]]:
    """(address, pid) of the web server with so many processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = Path(tempfile.mkstemp(prefix="bench-api-", suffix=".log")[1])
    program = (
        "from carillon.config.web_server import serve\n"
        f"serve('bench.api_server:application', port={port}, workers={workers if workers > 1 else None}, log_level='error')"
    )
    process = Process([sys.executable, "-c", program], log=log, environ={"CARILLON_DATABASE_POOL_SIZE": "20"})
    try:
        wait_until(lambda: _answers(port), what="the web server answers")
        yield f"http://127.0.0.1:{port}", process.popen.pid
    finally:
        process.stop()
        process.close()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def rate(
    address: str, path: str, secret: str, body: dict[str, Any], *, clients: int, seconds: float
) -> dict[str, Any]:
    """Requests a second and latencies of so many keep-alive connections."""
    port = int(address.rpartition(":")[2])
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    ).encode()
    until = time.perf_counter() + seconds
    latencies: list[float] = []
    failures = 0

    async def client() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(head + payload)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
            failures += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - started
    return {
        "answers": len(latencies),
        "per_second": len(latencies) / took,
        "p50_ms": statistics.median(latencies) * 1000,
        "p99_ms": statistics.quantiles(latencies, n=100)[98] * 1000,
        "failures": failures,
    }


def bench_inject(secret: str) -> None:
    seconds = float(os.environ.get("SECONDS", "10"))
    for workers in (1, 2):
        with server(workers) as (address, pid):

            def run(path: str, clients: int, address: str = address, pid: int = pid) -> dict[str, Any]:
                before = cpu_seconds(pid)
                found = asyncio.run(rate(address, path, secret, INJECT, clients=clients, seconds=seconds))
                return found | {"web_cpu_ms": (cpu_seconds(pid) - before) * 1000 / found.pop("answers")}

            run("/bare/", 8), run("/api/v1/campaigns/inject", 8)  # warm both
            bare, ours, again = run("/bare/", 8), run("/api/v1/campaigns/inject", 8), run("/bare/", 8)
            fair = (bare["per_second"] + again["per_second"]) / 2
            say("bare view", processes=workers, clients=8, **bare)
            say(
                "inject",
                processes=workers,
                clients=8,
                **ours,
                ratio_to_bare=ours["per_second"] / fair,
                machine=machine(),
            )
            if workers == 2:
                say("inject", processes=workers, clients=200, **run("/api/v1/campaigns/inject", 200))


def cpu_seconds(pid: int) -> float:
    """Used so far by the server and its workers: comparable even on a busy machine."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for one in [str(pid), *children]:
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))) / 1024


def bench_upload(secret: str, n: int) -> int:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(b"SMS;Nom;Ville;REF\r\n")
        file.writelines(b"06%08d;Gaillard;Boulogne-Billancourt;R%d\r\n" % (10_000_000 + i, i) for i in range(n))
        file.flush()
        megabytes = file.tell() / 1e6
        with server(1) as (address, pid):
            before = memory_mb(pid)
            started = time.perf_counter()
            answer = _ask(address, secret, "/api/v1/lists/upload?filename=bench", open(file.name, "rb"), "text/csv")  # noqa: SIM115
            took = time.perf_counter() - started
            number = json.loads(answer)["id"]
            say(
                "upload",
                lines=n,
                seconds=took,
                megabytes=megabytes,
                web_memory_grew_mb=memory_mb(pid) - before,
                machine=machine(),
            )
    return int(number)


def _ask(address: str, secret: str, path: str, body: Any = None, content_type: str = "application/json") -> bytes:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": content_type}
    if hasattr(body, "fileno"):
        headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
    request = urllib.request.Request(address + path, body, headers)
    with urllib.request.urlopen(request, timeout=900) as answer:
        return bytes(answer.read())


def bench_report(secret: str, list_id: int, n: int) -> None:
    from django.db import connection

    with server(1) as (address, pid):
        body = json.dumps({"listsId": list_id, "msg": "Bonjour ${Nom}", "typeSelect": "NOTIFICATION"}).encode()
        number = json.loads(_ask(address, secret, "/api/v1/campaigns/inject", body))["id"]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaign SET launched_at = now(), scheduled_at = now(), state = 'INPROGRESS' WHERE id = %s",
            [number],
        )
        cursor.execute(
            "INSERT INTO submission SELECT id, 1, 1, now(), now(), account_id, campaign_id, connector_id, 16, 0, price, id::text"
            " FROM message WHERE campaign_id = %s",
            [number],
        )
        cursor.execute("ANALYZE")
    for path in (f"report/{number}", f"reportjson/{number}", "reportjson?from=" + time.strftime("%Y-%m-%d")):
        with server(1) as (address, pid):
            before = memory_mb(pid)
            started = time.perf_counter()
            rows = lines(address, secret, f"/api/v1/campaigns/{path}")
            took = time.perf_counter() - started
            say(
                "report",
                path=path.partition("?")[0],
                rows=rows,
                per_second=rows / took,
                web_memory_grew_mb=memory_mb(pid) - before,
            )
    say("report", of=n, machine=machine())


def lines(address: str, secret: str, path: str) -> int:
    request = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {secret}"})
    count = 0
    with urllib.request.urlopen(request, timeout=900) as answer:
        while chunk := answer.read(1 << 20):
            count += chunk.count(b"\n")
    return count - 1


def bench_fiql(secret: str, account_id: int, n: int) -> None:
    """`n` messages of seven days, a campaign for each hundred thousand."""
    from django.db import connection

    from carillon.services import ids

    with connection.cursor() as cursor:
        for _ in range(max(n // 100_000, 1)):
            first = ids.take_block("message", 100_000)
            cursor.execute(
                "INSERT INTO campaign SELECT (jsonb_populate_record(c, jsonb_build_object('id', nextval('campaign_id_seq'),"
                " 'first_message_id', %s::bigint, 'last_message_id', %s::bigint, 'launched_at', now(), 'scheduled_at', now(),"
                " 'state', 'INPROGRESS'))).* FROM campaign c WHERE c.account_id = %s ORDER BY id LIMIT 1 RETURNING id",
                [first, first + 99_999, account_id],
            )
            campaign_id = cursor.fetchone()[0]
            cursor.execute(
                "INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments,"
                " price, text) SELECT %s + i, 1, %s, %s, 0, 33600000000 + (random() * 99999999)::bigint, 'FR', 1, 1, 100,"
                " 'Hello ' || i FROM generate_series(0, 99999) i",
                [first, account_id, campaign_id],
            )
        cursor.execute("ANALYZE")
        cursor.execute("SELECT msisdn FROM message WHERE account_id = %s ORDER BY id OFFSET 1000 LIMIT 1", [account_id])
        number = cursor.fetchone()[0]
    today = time.strftime("%Y-%m-%d")
    with server(1) as (address, _):
        for search in (
            f"item=={number}",
            f"item=re={str(number)[:9]}*",
            "item==33612345678;type==BCAST_MKG",
            "msg=re=Nothing*",
        ):
            query = urllib.request.quote(search)  # type: ignore[attr-defined]
            started = time.perf_counter()
            try:
                found: Any = len(
                    json.loads(_ask(address, secret, f"/api/v1/campaigns/reportjson?from={today}&search={query}"))
                )
            except urllib.error.HTTPError as error:
                found = f"HTTP {error.code} {json.loads(error.read())['code']}"
            say(
                "fiql", messages=n, search=search, seconds=time.perf_counter() - started, found=found, machine=machine()
            )


def main() -> None:
    parts = os.environ.get("PARTS", "inject,upload,report,fiql").split(",")
    n = size(1_000_000)
    with ground():
        from django.db import connection

        from carillon.models import Account, Connector, User
        from carillon.services import tokens

        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)")
        account = Account.objects.create(name="bench", balance=10**14, max_segments=3)
        Connector.objects.create(name="bench", kind="smpp")
        user = User.objects.create(login="bench", account=account, role="admin")
        _, secret = tokens.create(user=user, name="bench", rate_per_minute=100_000_000)
        if "inject" in parts:
            bench_inject(secret)
        if "upload" in parts or "report" in parts:
            number = bench_upload(secret, n)
            if "report" in parts:
                bench_report(secret, number, n)
        if "fiql" in parts:
            bench_fiql(secret, account.pk, 5 * n)


if __name__ == "__main__":
    main()
