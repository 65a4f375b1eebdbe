"""What stands behind the pages while a campaign is really sent: a simulator in a thread, a worker and a gateway as processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from carillon.carriers.simulator.options import SimulatorOptions
from carillon.carriers.simulator.server import Simulator, serve

HOST = "127.0.0.1"


class Behind:
    """`simulator`: the running one. Processes find the database of the test in CARILLON_DATABASE_URL."""

    def __enter__(self) -> Behind:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        # every phone is on and answers at once: the report of the journey is known beforehand
        options = SimulatorOptions(mix={"delivered": 100.0}, receipt_delay_s=0.2)
        started = asyncio.run_coroutine_threadsafe(serve(HOST, 0, 0, options), self.loop)
        self.simulator: Simulator = started.result(60)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.logs = Path(tempfile.mkdtemp(prefix="carillon-behind-"))
        return self

    def start(self, name: str) -> None:
        environment = dict(os.environ)
        if name == "gateway":  # its recorder's files are named by run, and other databases of the test run count alike
            environment["CARILLON_HOME"] = str(self.logs)
        with (self.logs / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen([sys.executable, "-m", "carillon", name], env=environment, stdout=log, stderr=log)
            )

    def said(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.logs.glob("*.log"))
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        asyncio.run_coroutine_threadsafe(self.simulator.close(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()
        if error is not None:
            sys.stdout.write(self.said())
