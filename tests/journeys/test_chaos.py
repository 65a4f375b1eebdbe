"""`make chaos` in small: one round with links, replies and STOPs while gateway, web process and connections are cut."""

from __future__ import annotations

import re
import subprocess
import sys

WORDS = "--minutes 0 --messages 300 --seed 4 --faults 2 --only kill_gateway kill_web interrupt_people"


def test_a_round_of_chaos_loses_nothing_and_doubles_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *WORDS.split()], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing twice, everything accounted for" in done.stdout
    texts, clicks = re.search(r"(\d+) texts from people, each kept once; (\d+) clicks answered", done.stdout).groups()  # type: ignore[union-attr]
    assert int(texts) > 20
    assert int(clicks) > 0
