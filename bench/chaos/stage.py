"""The platform's processes of a chaos run: started when missing, killed, asked."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.chaos.clock import Clock
from bench.chaos.disk import Disk
from bench.peers.measure import free_ports
from bench.processes import Gateway, Process, listens, wait_until

MOST_LOG_FILES = 300  # of 16 MB: more than the disk holds
STORE_MB, RECORDERS_MB = 2048, 32  # a flight recorder has 0.5 MB


class Stage:
    """`store` and `recorders` are the disks of PostgreSQL and of the gateways' recorders, when they may be mounted."""

    def __init__(self, home: Path, chance: random.Random, clock: Clock, store: Disk) -> None:
        self.home, self.chance, self.clock, self.store = home, chance, clock, store
        self.recorders = Disk(home / "gateway", size_mb=RECORDERS_MB)
        self.gateways: list[Gateway] = []
        self.workers: list[Process] = []
        self.doors: list[Process] = []
        self.door_port = free_ports(1)[0]
        self.door_kills: list[float] = []  # monotonic
        self.outages: list[tuple[float, float]] = []  # of the database, monotonic

    def close(self) -> None:
        for process in (*self.gateways, *self.workers, *self.doors):
            process.close()
        self.recorders.close()

    def start_missing(self) -> None:
        while len(self.living()) < 2:
            self.start_gateway()
        if not any(worker.popen.poll() is None for worker in self.workers):
            self.workers.append(self._carillon("worker"))
        if not any(door.popen.poll() is None for door in self.doors):
            kind = self.chance.choice(["links", "web"])  # both answer short links
            self.doors.append(self._carillon(kind, "--port", str(self.door_port)))

    def wait(self, fact: Callable[[], Any], *, what: str) -> None:
        """As wait_until; meanwhile what ended is started again, as `carillon up` or systemd would."""

        def looked() -> Any:
            self.start_missing()
            return fact()

        wait_until(looked, what=what, every_s=0.2)

    def is_up(self) -> bool:
        seats = self.one("SELECT count(*) FROM gateway_run WHERE alive")
        return bool(seats == 2 and self.door_is_open())

    def door_is_open(self) -> bool:
        return listens(self.door_port)

    def _carillon(self, *words: str) -> Process:
        command = [sys.executable, "-m", "carillon", *words]
        return Process(command, log=self.home / f"{words[0]}.log", environ=self.clock.environ())

    def start_gateway(self) -> None:
        self.gateways.append(Gateway(self.home, environ=self.clock.environ()))

    def end_gateways(self) -> None:
        """Cleanly. What is launched next goes by those that start after it, to the SMSC that the connector names then."""
        for gateway in self.living():
            gateway.go_on()
            gateway.stop()

    def living(self) -> list[Gateway]:
        return [gateway for gateway in self.gateways if gateway.popen.poll() is None]

    def kill_door(self) -> None:
        for door in self.doors:
            if door.popen.poll() is None:
                self.door_kills.append(time.monotonic())
                door.kill()

    def kill_postmaster(self) -> None:
        began = time.monotonic()
        try:
            os.kill(int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        except (OSError, IndexError):  # none lives now: the last kill was a moment ago
            return
        self.forget_connection()
        self.await_database(began)

    def use_up_log(self) -> None:
        """Files of write-ahead log made beforehand are taken, until the server wants a new one."""
        from carillon.gateway.main import connect

        with contextlib.suppress(psycopg.OperationalError), connect() as connection:
            for _ in range(MOST_LOG_FILES):
                connection.execute("SELECT pg_logical_emit_message(false, 'chaos', ''), pg_switch_wal()")

    def await_database(self, began: float) -> None:
        """It was away from `began` until it answers again."""
        self.connect().close()
        self.outages.append((began, time.monotonic()))

    def heal_database(self) -> None:
        """What `carillon up` does when a server did not come up five times: its guardian is started again."""
        from carillon.config.postgres import PostgresUnavailable, guardian_lives, heal

        if not guardian_lives(self.home):
            with contextlib.suppress(PostgresUnavailable):
                heal(self.home, say=print)

    def forget_connection(self) -> None:
        from django.db import connection

        connection.close()

    def connect(self) -> psycopg.Connection[Any]:
        from carillon.gateway.main import connect

        def attempt() -> psycopg.Connection[Any] | None:
            try:
                return connect()
            except psycopg.OperationalError:
                self.heal_database()
                return None

        found: psycopg.Connection[Any] = wait_until(attempt, what="the database answers")
        return found

    def rows(self, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Asked again when the database went away meanwhile."""
        while True:
            try:
                with self.connect() as connection:
                    return connection.execute(statement, parameters).fetchall()
            except psycopg.OperationalError:
                time.sleep(0.1)

    def one(self, statement: str, parameters: list[Any] | None = None) -> Any:
        return self.rows(statement, parameters)[0][0]
