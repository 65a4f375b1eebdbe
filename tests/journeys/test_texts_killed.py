"""kill -9 of the gateway between the commit of a text and its answer: the SMSC brings it again, and it is kept once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.processes import Gateway, Process, Simulator, wait_until
from tests import builders

PERSON = "33612345678"
LONG = "Bonjour, je voudrais changer mon rendez-vous de mardi. " * 4  # two segments
# The real gateway, which dies right after the transaction that stored a text.
DIES = """
import os, signal, django
os.environ["DJANGO_SETTINGS_MODULE"] = "carillon.config.settings"
django.setup()
from carillon.gateway import main, storing
store = storing.store
def store_and_die(*arguments):
    store(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
storing.store = store_and_die
main.run()
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    running = Simulator(tmp_path)
    yield running
    running.close()


@pytest.mark.parametrize("text", ["OK", LONG])
def test_a_text_whose_answer_was_lost_twice_is_kept_once(
    committed_db: str, simulator: Simulator, tmp_path: Path, text: str
) -> None:
    builders.make_connector(options={"host": "127.0.0.1", "port": simulator.port, "system_id": "carillon", "binds": 2})
    environ = {"CARILLON_HOME": os.environ["CARILLON_HOME"], "CARILLON_DATABASE_URL": committed_db}
    running: list[Process] = []

    def stats(name: str) -> int:
        return int(simulator.ask("stats")["stats"][name])

    def write() -> int:
        return int(simulator.ask("mo", **{"from": PERSON, "to": "36184", "text": text})["segments"])

    with psycopg.connect(committed_db, autocommit=True) as connection:

        def texts() -> list[str]:
            return [row[0] for row in connection.execute("SELECT text FROM reply ORDER BY id").fetchall()]

        try:
            segments = write()
            for _ in range(2):
                dying = Process([sys.executable, "-c", DIES], log=tmp_path / "dying.log", environ=environ)
                running.append(dying)
                wait_until(lambda: dying.popen.poll() is not None, what="the gateway dies")  # noqa: B023
                assert texts() == [text], dying.said()
            assert stats("texts_stored") == 0
            running.append(Gateway(tmp_path, environ=environ))
            wait_until(lambda: stats("texts_stored") == segments, what="the text is acknowledged")
            assert texts() == [text]
            write()
            wait_until(lambda: stats("texts_stored") == 2 * segments, what="the same words, written again, are stored")
            assert texts() == [text, text]
        finally:
            for process in running:
                process.close()
