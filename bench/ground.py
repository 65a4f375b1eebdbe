"""What every benchmark stands on: a fresh PostgreSQL from the wheel with the platform's tables, and a line about the machine.

`with ground():` gives Django on an empty, durable database (fsync and synchronous_commit on) that is gone afterwards.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ground(prepare: Callable[[Path], object] = lambda home: None) -> Iterator[Path]:
    """`prepare` is called with the home before PostgreSQL is made in it."""
    home = Path(tempfile.mkdtemp(prefix="carillon-bench-", dir="/tmp"))
    for name in [name for name in os.environ if name.startswith("CARILLON_")]:
        del os.environ[name]
    os.environ["CARILLON_HOME"] = str(home)
    home.chmod(0o711)
    prepare(home)
    from carillon.config.cli.frame import database

    try:
        with database():
            yield home
    finally:
        shutil.rmtree((home / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def size(default: int) -> int:
    """SIZE=… in the environment, as `make bench-… SIZE=100000` gives it."""
    return int(os.environ.get("SIZE", default))


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f} at the end"


def peak_mb() -> float:
    """Most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_s(pid: int) -> float:
    """Processor time of a process so far: on a busy machine it says more than the clock. Needs /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(name: str, **figures: object) -> None:
    print(f"{name}: " + ", ".join(f"{key} {_text(value)}" for key, value in figures.items()), flush=True)


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
