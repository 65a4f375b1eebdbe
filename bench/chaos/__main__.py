"""python -m bench.chaos [--minutes 10] [--seed N] [--messages 3000] [--smscsink PATH]

A round sends a campaign with tracked links, one of long texts, and later a third one, also to people who said STOP meanwhile.
Faults are drawn: kill -9 of a gateway, of the worker, of the web process, of the postmaster; a gateway frozen beyond its lease
while another takes its seat; the wall clock jumping; full disks; connections reset; an SMSC that is silent, late, throttles,
reports a full queue, hangs up before or after it took a message; receipts early, twice, for unknown ids, after the end, with ids
written otherwise; texts from people sent again. With --smscsink every other round is played against that stand-in. Then, from
what the SMSC recorded and from the rows alone:

    no segment was accepted twice; every message has an outcome, or is in doubt and was not accepted whole;
    counters are what the rows say; the ledger is what the rows say, to the last hundredth of a credit;
    each text acknowledged is kept once; each STOP is in the blacklist, counted as 17, and nothing of a campaign followed it;
    the log of consents holds; each click answered is counted, but those of the last 100 ms before a kill;
    nothing left outside the legal hours.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from bench.chaos.clock import Clock
from bench.chaos.disk import Disk
from bench.chaos.faults import names
from bench.chaos.rounds import Chaos
from bench.chaos.stage import STORE_MB, Stage
from bench.ground import ground, machine


def main() -> int:
    given = _arguments()
    print(f"seed {given.seed}", flush=True)
    disks: list[Disk] = []
    with tempfile.TemporaryDirectory(prefix="carillon-chaos-") as folder:
        clock = Clock(Path(folder))
        try:
            with ground(lambda home: disks.append(store_in(home))) as home:
                return play(given, Stage(home, random.Random(given.seed), clock, disks[0]))
        finally:
            for disk in disks:
                disk.close()
                shutil.rmtree(disk.folder.parent, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.chaos")
    parser.add_argument("--minutes", type=float, default=10.0, help="no round begins later (10; 0 plays one)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--messages", type=int, default=3000, help="of each round")
    parser.add_argument("--faults", type=int, default=4, help="at most, in each half of a round")
    parser.add_argument("--only", nargs="*", default=[], metavar="FAULT", help=f"draw only these: {', '.join(names())}")
    parser.add_argument("--smscsink", default=os.environ.get("SMSCSINK", ""), metavar="PATH")
    return parser.parse_args()


def store_in(home: Path) -> Disk:
    """PostgreSQL's folder, on a disk of its own."""
    from carillon.config.postgres_cluster import server_user

    return Disk(home / "postgres", size_mb=STORE_MB, owner=server_user())


def play(given: argparse.Namespace, stage: Stage) -> int:
    chaos = Chaos(stage, stage.chance, given.messages, only=given.only, most_faults=given.faults, sink=given.smscsink)
    for name, why in chaos.skipped().items():
        print(f"{name} is left out: it {why}")
    deadline = time.monotonic() + 60 * given.minutes
    number = 0
    try:
        while number == 0 or time.monotonic() < deadline:
            number += 1
            found = chaos.round(number)
            if found:
                print("FAILED\n" + "\n".join(found) + f"\nagain with --seed {given.seed}")
                return 1
    finally:
        chaos.close()
    print(
        f"{number} rounds, {chaos.sent} messages, {chaos.events.total()} faults, nothing twice, everything accounted for"
    )
    print(f"{chaos.in_doubt} messages in doubt at the end, none of which the SMSC had accepted whole")
    print(
        f"{chaos.texts} texts from people, each kept once; {chaos.clicks} clicks answered, the oldest lost to a kill"
        f" {1000 * chaos.oldest_lost_s:.0f} ms before it"
    )
    print(", ".join(f"{name} {n}" for name, n in sorted(chaos.events.items())))
    print(machine())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
