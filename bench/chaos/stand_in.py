"""An SMSC stand-in in C, given by its path: started for one round with a mixture of its own faults, and read by its record.

It takes smscsink's options; see bench.peers.smsc. It cannot be asked anything while it runs, so it says its counts every second.
"""

from __future__ import annotations

import json
import random
import re
import signal
import time
from pathlib import Path
from typing import Any

from bench.peers.measure import free_ports
from bench.processes import Process, listens, wait_until
from carillon.domain import segments

FORMS = {"hex": "hex", "HEX": "HEX", "dec": "decimal"}
QUIET_S = 3.0
COUNTS = re.compile(r"accepted +(\d+) .*receipts +(\d+) .*waiting (\d+)")


class StandIn:
    def __init__(self, program: str, folder: Path, chance: random.Random, number: int) -> None:
        answer, receipt = chance.choice(list(FORMS)), chance.choice(list(FORMS))
        self.forms = FORMS[answer], FORMS[receipt]
        self.port = free_ports(1)[0]
        self.record = folder / f"stand-in-{number}.record"
        self.options = _options(chance)
        command = [program, "--port", str(self.port), "--dlr", "--id-format", answer, "--dlr-id-format", receipt]
        command += [
            "--record",
            str(self.record),
            "--mo",
            "3",
            "--mo-text",
            f"Oui merci {number}",
            "--mo-to",
            "36184",
            *self.options,
        ]
        self.process = Process(command, log=folder / f"stand-in-{number}.log")
        self.totals: dict[str, Any] = {}
        self._last: tuple[tuple[str, ...], float] = ((), 0.0)

    def is_silent(self) -> bool:
        """No receipt waits, and for some seconds nothing but people's texts moved."""
        found = COUNTS.findall(self.process.said())
        counts = found[-1] if found else ()
        if counts != self._last[0]:
            self._last = counts, time.monotonic()
        return bool(counts) and counts[2] == "0" and time.monotonic() - self._last[1] > QUIET_S

    def end(self) -> None:
        """Its record is whole, and its totals can be read."""
        self.process.popen.send_signal(signal.SIGTERM)
        self.process.popen.wait(30)
        self.totals = json.loads(self.process.said().strip().splitlines()[-1])

    def close(self) -> None:
        self.process.close()

    def recorded(self) -> list[dict[str, Any]]:
        """What it has written so far: its last line may be cut in the middle."""
        text = self.record.read_text(encoding="ascii") if self.record.exists() else ""
        return [_line(*line.split(" ")) for line in text[: text.rfind("\n") + 1].splitlines()]


def _options(chance: random.Random) -> list[str]:
    found: list[str] = []
    for share, words in (
        (0.6, ["--chop", str(chance.randint(1, 40))]), (0.5, ["--dlr-early"]), (0.6, ["--dup-dlr", "20"]),
        (0.5, ["--throttle", "5"]), (0.5, ["--drop-after", str(chance.randint(200, 900))]), (0.6, ["--undeliv", "10"]),
        (0.3, ["--mute-after", str(chance.randint(300, 900))]), (0.4, ["--latency", str(chance.randint(1, 300))]),
        (0.3, ["--reject-binds", "3"]), (0.3, ["--dlr-window", "5"]),
    ):  # fmt: skip
        if chance.random() < share:
            found += words
    if "--dlr-early" not in found:
        found += ["--dlr-delay", str(chance.randint(0, 800))]
    return found


def _line(key: str, source: str, to: str, esm: str, coding: str, _registered: str, octets: str) -> dict[str, Any]:
    payload = bytes.fromhex(octets)
    header = b""
    if int(esm, 16) & 0x40:
        header, payload = payload[1 : payload[0] + 1], payload[payload[0] + 1 :]
    text = payload.decode("utf-16-be") if coding == "08" else segments.decode_gsm(payload)
    return {"id": key, "from": source, "to": to, "header": header.hex(), "text": text}


def started(program: str, folder: Path, chance: random.Random, number: int) -> StandIn:
    found = StandIn(program, folder, chance, number)
    wait_until(lambda: found.process.popen.poll() is not None or listens(found.port), what="the stand-in listens")
    return found
