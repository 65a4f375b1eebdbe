"""One parent for the processes of `carillon up`: one log, restarts, one clean stop.

A child that ends is started again, whatever its exit code (Procrastinate's worker ends with 0 when PostgreSQL goes away),
after a pause that doubles while it keeps dying. On Linux the kernel tells the children when the parent is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from carillon.config.postgres import guardian_lives, heal

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0  # a child that lived this long starts again with the first pause
STOP_WITHIN_S = 70.0  # the worker lets running jobs end within 60 s
LOOK_AT_POSTGRES_EVERY_S = 2.0
LAST = "simulator"
PR_SET_PDEATHSIG = 1
COLOURS = (36, 35, 33, 32, 34, 31)  # cyan, magenta, yellow, green, blue, red


@dataclass
class Child:
    name: str
    arguments: list[str]
    colour: int
    is_once: bool = False
    ends_everything: bool = False
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)


class Supervisor:
    def __init__(self, *, home: Path, watches_postgres: bool) -> None:
        self.home = home
        self.watches_postgres = watches_postgres
        self.children: list[Child] = []
        self.is_stopping = asyncio.Event()
        self.exit_code = 0
        self.is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def add(self, name: str, arguments: list[str]) -> None:
        self.children.append(Child(name, arguments, COLOURS[len(self.children) % len(COLOURS)]))

    def add_once(self, name: str, arguments: list[str], *, ends_everything: bool) -> None:
        """A child that runs one time and writes to the terminal itself; with `ends_everything` its end is everybody's."""
        self.children.append(Child(name, arguments, 0, is_once=True, ends_everything=ends_everything))

    async def run(self) -> int:
        """Until a signal, or the end of a child that ends everything; gives the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.is_stopping.set)
        tasks = [asyncio.create_task(self._keep(child)) for child in self.children]
        if self.watches_postgres:
            tasks.append(asyncio.create_task(self._watch_postgres()))
        await self.is_stopping.wait()
        self._say("stopping")
        await self._stop_children()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.exit_code

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE_S
        while not self.is_stopping.is_set():
            began = time.monotonic()
            code = await self._run_one(child)
            if child.is_once:
                self._end_of_once(child, code)
                return
            if self.is_stopping.is_set():
                return
            if time.monotonic() - began > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            self._say(f"{child.name} ended ({_ending(code)}); starting it again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.is_stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _run_one(self, child: Child) -> int:
        output = None if child.is_once else asyncio.subprocess.PIPE
        child.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "carillon", *child.arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=None if child.is_once else asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C reaches the parent only, which stops the children in order
            preexec_fn=_die_with_parent,
        )
        if child.process.stdout is not None:
            await self._copy_lines(child, child.process.stdout)
        return await child.process.wait()

    async def _copy_lines(self, child: Child, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the reader's buffer: what it holds is thrown away
                continue
            if not line:
                return
            self._write(child.name, child.colour, line.decode(errors="replace").rstrip())

    def _end_of_once(self, child: Child, code: int) -> None:
        if child.ends_everything:
            self.exit_code = code
            self.is_stopping.set()
        elif code:
            self._say(f"{child.name} ended ({_ending(code)})")

    async def _stop_children(self) -> None:
        """The simulator last: the gateway takes its leave of it."""
        await _end([child.process for child in self.children if child.name != LAST])
        await _end([child.process for child in self.children if child.name == LAST])

    async def _watch_postgres(self) -> None:
        """The guardian restarts PostgreSQL; this restarts the guardian."""
        while True:
            await asyncio.sleep(LOOK_AT_POSTGRES_EVERY_S)
            if not guardian_lives(self.home):
                self._say("PostgreSQL lost its guardian; starting both again")
                try:
                    await asyncio.to_thread(heal, self.home, say=self._say)
                except Exception as error:
                    self._say(str(error))

    def _say(self, sentence: str) -> None:
        self._write("carillon", 1, sentence)

    def _write(self, name: str, colour: int, text: str) -> None:
        prefix = f"{name:<9} |"
        if self.is_coloured:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        print(f"{prefix} {text}", flush=True)


async def _end(processes: list[asyncio.subprocess.Process | None]) -> None:
    """Ask these to end, wait, and kill those that do not."""
    running = [process for process in processes if process is not None and process.returncode is None]
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    if not running:
        return
    waits = {asyncio.create_task(process.wait()): process for process in running}
    _done, late = await asyncio.wait(waits, timeout=STOP_WITHIN_S)
    for task in late:
        with contextlib.suppress(ProcessLookupError):
            waits[task].kill()
        await task


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
