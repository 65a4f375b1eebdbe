"""Kannel's bearerbox with its queue and its receipts in memory, fed by the mtbatch of kannel-extras.

Nothing is durable there: what it has accepted is gone with the process. Its receipts end in the bearerbox: mtbatch does not
take them, so what a customer's application would cost is left out, in Kannel's favour.
"""

from __future__ import annotations

import re
import shutil
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.peers.measure import Meter, Result, free_ports
from bench.peers.ours import TEXT
from bench.peers.smsc import Centre
from bench.processes import Process, wait_until

NAME = "Kannel"
LATE_S = 60.0
CORE = """group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-level = 4
log-file = /dev/null

"""
SMSC = """group = smsc
smsc = smpp
smsc-id = bench
host = {host}
port = {port}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = {window}

"""
# The bearerbox wants one, and never starts it.
SMSBOX = """group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
"""


def why_not() -> str:
    """ "" when it can be measured here."""
    missing = [name for name in ("bearerbox", "mtbatch") if _program(name) is None]
    return f"Kannel is not installed ({', '.join(missing)}; Debian's kannel and kannel-extras)." if missing else ""


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@dataclass(frozen=True)
class Setting:
    home: Path
    centre: Centre
    latency_ms: int = 0
    binds: int = 1
    window: int = 100
    acks_at_once: bool = False

    def __str__(self) -> str:
        links = f"{self.binds} bind{'s' * (self.binds > 1)}, window {self.window}"
        return f"bearerbox in memory, {links}" + ", TCP acks at once" * self.acks_at_once


def send(setting: Setting, messages: int) -> Result:
    folder = setting.home / "kannel"
    folder.mkdir(exist_ok=True)
    admin, box, sendsms = free_ports(3)
    with setting.centre.open(setting.latency_ms, acks_at_once=setting.acks_at_once) as (host, port):
        links = "".join(SMSC.format(host=host, port=port, window=setting.window) for _ in range(setting.binds))
        configuration = CORE.format(admin=admin, box=box) + links + SMSBOX.format(sendsms=sendsms)
        (folder / "kannel.conf").write_text(configuration, encoding="ascii")
        (folder / "text").write_text(TEXT, encoding="ascii")
        numbers = "".join(f"{33600000001 + n}\n" for n in range(messages))
        (folder / "numbers").write_text(numbers, encoding="ascii")
        bearerbox = Process([_program("bearerbox") or "", "-v", "4", str(folder / "kannel.conf")], log=folder / "log")
        try:
            online = re.compile("<status>online")
            wait_until(
                lambda: len(online.findall(_status(admin))) == setting.binds, what="Kannel is bound", timeout_s=30
            )
            return _feed(folder, bearerbox, admin, box, messages)
        finally:
            bearerbox.popen.terminate()
            bearerbox.close()


def _feed(folder: Path, bearerbox: Process, admin: int, box: int, messages: int) -> Result:
    command = [_program("mtbatch") or "", "-v", "4", "-b", "127.0.0.1", "-p", str(box), "-f", "CARILLON", "-D", "31"]
    command += ["-u", "http://127.0.0.1/receipt", str(folder / "text"), str(folder / "numbers")]
    started = time.perf_counter()
    feeder = Process(command, log=folder / "log")
    try:
        # Not waited for before the end: a process that ended keeps its times for the meter until then.
        with Meter(bearerbox.popen.pid, feeder.popen.pid) as meter:
            wait_until(
                lambda: _receipts(admin) >= messages, what="Kannel's last receipt", timeout_s=LATE_S, every_s=0.1
            )
            seconds = time.perf_counter() - started
        time.sleep(0.5)  # its last answers leave: an SMSC that goes on running would send those receipts again
    finally:
        feeder.close()
    return Result(messages, seconds, meter.cpu_s, meter.peak_mb)


def _status(admin: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/status.xml?password=bench", timeout=10) as answer:
            return str(answer.read().decode("utf-8", "replace"))
    except OSError:
        return ""


def _receipts(admin: int) -> int:
    """What the bearerbox says it has received, all binds together."""
    found = re.search(r"<dlr>\s*<received><total>(\d+)", _status(admin))
    return int(found[1]) if found else 0
