"""Jasmin as its manual sets it up: messages through its HTTP API, queues in RabbitMQ, receipts matched through Redis.

JASMIN=folder of a virtual environment with `pip install jasmin` in it; Debian's rabbitmq-server and redis-server beside it.
Everything is started in a temporary folder on free ports, and ended after the run. Receipts are matched, not thrown to a URL.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from bench.peers.measure import Meter, Result, free_ports
from bench.peers.ours import TEXT
from bench.peers.smsc import Centre
from bench.processes import Process, wait_until

NAME = "Jasmin"
LATE_S = 90.0
FEEDERS = 8
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one in /usr/sbin changes user and folders
SETTINGS = """[amqp-broker]
port = {amqp}
spec = {spec}
[redis-client]
port = {redis}
[jcli]
port = {console}
authentication = False
[http-api]
bind = 127.0.0.1
port = {api}
[client-management]
port = {clients}
store_path = {home}/store
[smpp-server]
port = {server}
[smpp-server-pb]
port = {server_pb}
[router]
port = {router}
store_path = {home}/store
"""
CONSOLE = """smppccm -a
cid bench
host {host}
port {port}
username bench
password bench
bind transceiver
submit_throughput 0
ok
group -a
gid bench
ok
user -a
uid bench
gid bench
username bench
password bench
ok
mtrouter -a
type DefaultRoute
connector smppc(bench)
rate 0.0
ok
smppccm -1 bench
"""


def why_not() -> str:
    """ "" when it can be measured here."""
    place = os.environ.get("JASMIN", "")
    if not place:
        return "Jasmin: JASMIN=folder names no virtual environment that holds it."
    if not (Path(place) / "bin" / "jasmind.py").exists():
        return f"Jasmin is not in {place} (pip install jasmin)."
    missing = [name for name in ("redis-server", "epmd", RABBITMQ) if shutil.which(name) is None]
    return f"Jasmin: {', '.join(missing)} missing (Debian's redis-server and rabbitmq-server)." if missing else ""


@dataclass(frozen=True)
class Setting:
    home: Path
    centre: Centre
    latency_ms: int = 0
    acks_at_once: bool = False

    def __str__(self) -> str:
        return "RabbitMQ and Redis, 1 bind" + ", TCP acks at once" * self.acks_at_once


@dataclass(frozen=True)
class Ports:
    amqp: int
    epmd: int
    nodes: int
    redis: int
    console: int
    api: int
    clients: int
    router: int
    server: int
    server_pb: int


def send(setting: Setting, messages: int) -> Result:
    home = setting.home / "jasmin"
    shutil.rmtree(home, ignore_errors=True)
    for name in ("", "store", "log", "rabbit"):
        (home / name).mkdir(parents=True, exist_ok=True)
    ports = Ports(*free_ports(len(fields(Ports))))
    smsc = setting.centre.open(setting.latency_ms, acks_at_once=setting.acks_at_once)
    with smsc as (host, port), running(home, ports) as processes:
        configure(ports.console, CONSOLE.format(host=host, port=port))
        wait_until(lambda: counter(ports.api, "bound_count") >= 1, what="Jasmin is bound", timeout_s=60, every_s=0.2)
        with Meter(*(process.popen.pid for process in processes)) as meter:
            started = time.perf_counter()
            feed(ports.api, messages)
            received = "deliver_sm_count"
            wait_until(
                lambda: counter(ports.api, received) >= messages,
                what="Jasmin's last receipt",
                timeout_s=LATE_S,
                every_s=0.2,
            )
            seconds = time.perf_counter() - started
    return Result(messages, seconds, meter.cpu_s, meter.peak_mb)


@contextmanager
def running(home: Path, ports: Ports) -> Iterator[list[Process]]:
    venv = Path(os.environ["JASMIN"])
    spec = next(venv.glob("lib/python3*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml"))
    settings = home / "jasmin.cfg"
    settings.write_text(SETTINGS.format(home=home, spec=spec, **_fields(ports)), encoding="utf-8")
    environ = {
        "HOME": str(home), "ERL_EPMD_PORT": str(ports.epmd), "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "bench@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports.amqp), "RABBITMQ_DIST_PORT": str(ports.nodes),
        "RABBITMQ_MNESIA_BASE": str(home / "rabbit"), "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"), "RABBITMQ_PID_FILE": str(home / "rabbit.pid"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
    }  # fmt: skip
    (home / "plugins").write_text("[].", encoding="ascii")
    jasmin_environ = {"ROOT_PATH": str(home), "LOG_PATH": str(home / "log")}
    programs: tuple[tuple[list[str], dict[str, str], int], ...] = (
        # Started by us and not by Erlang, or it would stay behind for ever.
        (["epmd", "-port", str(ports.epmd), "-address", "127.0.0.1"], environ, ports.epmd),
        ([RABBITMQ], environ, ports.amqp),
        (["redis-server", "--port", str(ports.redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)], {}, ports.redis),
        ([str(venv / "bin" / "jasmind.py"), "-c", str(settings), "--enable-dlr-lookup"], jasmin_environ, ports.console),
    )  # fmt: skip
    with ExitStack() as stack:
        processes = []
        for command, more, port in programs:
            process = Process(command, log=home / "log" / f"{Path(command[0]).name}.out", environ=more)
            stack.callback(_end, process)
            wait_until(lambda at=port: _listens(at), what=f"{command[0]} listens", timeout_s=60, every_s=0.1)  # type: ignore[misc]
            processes.append(process)
        yield processes[1:]


def _fields(ports: Ports) -> dict[str, int]:
    return {name: getattr(ports, name) for name in (field.name for field in fields(Ports))}


def _end(process: Process) -> None:
    if process.popen.poll() is None:
        process.popen.terminate()
        with suppress(subprocess.TimeoutExpired):  # then it is killed
            process.popen.wait(15)
    process.close()


def configure(port: int, script: str) -> None:
    """Types each line once the console asks for it."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as console:
        _read(console, rb"(Session ref: \d+\s*|jcli : )$")
        for line in script.splitlines():
            console.sendall(line.encode() + b"\r\n")
            said = _read(console, rb"(jcli : |> )$")
            if re.search(r"(?i)error|unknown|failed", said):
                raise AssertionError(f"Jasmin's console says to {line!r}: {said.strip()[-200:]}")


def _read(console: socket.socket, ending: bytes) -> str:
    said = b""
    while not re.search(ending, said):
        try:
            more = console.recv(4096)
        except TimeoutError:
            raise AssertionError(f"Jasmin's console fell silent after {said[-200:]!r}") from None
        if not more:
            raise AssertionError(f"Jasmin's console hung up after {said[-200:]!r}")
        said += more
    return said.decode(errors="replace")


def feed(port: int, messages: int) -> None:
    """Over several connections that stay open, each waiting for its answer."""
    numbers = count(33600000001)
    last = 33600000000 + messages
    faults: list[str] = []
    threads = [threading.Thread(target=_feeder, args=(port, numbers, last, faults)) for _ in range(FEEDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise AssertionError(faults[0])


def _feeder(port: int, numbers: Iterator[int], last: int, faults: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LATE_S)
    fixed = {"username": "bench", "password": "bench", "from": "CARILLON", "content": TEXT, "dlr": "yes",
             "dlr-level": "2", "dlr-url": "http://127.0.0.1/receipt", "dlr-method": "GET"}  # fmt: skip
    while not faults and (number := next(numbers)) <= last:
        try:
            connection.request("GET", "/send?" + urlencode({**fixed, "to": str(number)}))
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"Jasmin's API: {error!r}")
            return
        if answer.status != 200:
            faults.append(f"Jasmin's API says {answer.status}: {said[:200]!r}")
    connection.close()


def counter(port: int, name: str) -> int:
    """Of its SMPP client, as its metrics say."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            said = str(answer.read().decode("utf-8", "replace"))
    except OSError:
        return 0
    found = re.search(rf'smppc_{name}{{cid="bench"}} (\d+)', said)
    return int(found[1]) if found else 0


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
