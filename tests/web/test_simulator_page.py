"""The telephone in the browser: for test accounts only, and only with what their own campaigns sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from carillon.carriers.simulator.server import Simulator, serve
from carillon.models import User
from carillon.services import texts
from carillon.services.campaigns import SIGN_IN_CODE
from carillon.web import simulator
from tests.builders import make_connector, make_sendable_campaign
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
JANE = 33612345678


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait_for(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    server = wait_for(serve("127.0.0.1", 0, 0))
    monkeypatch.setattr(simulator, "_control", lambda account: ("127.0.0.1", server.control_port))
    yield server
    wait_for(server.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


@pytest.fixture
def client(alice: User) -> Client:
    make_sendable_campaign(
        make_connector(is_simulator=True),
        account=alice.account,
        n=1,
        first_msisdn=JANE,
        text="Bonjour clic-ici.net/aB3xYz",
    )
    return signed_in(alice)


def test_only_test_accounts_have_it(charlie) -> None:
    assert signed_in(charlie).get("/simulator/").status_code == 404
    assert signed_in(charlie).get(f"/simulator/{JANE}").status_code == 404
    assert signed_in(charlie).post(f"/simulator/{JANE}/act", {"answer": "STOP"}).status_code == 404


def test_the_phone_shows_what_this_account_sent_and_nothing_else(client, running, settings) -> None:
    settings.SHORT_URL = "https://court.test"
    running.centre.handsets.add(str(JANE), peer="36184", text="Bonjour clic-ici.net/aB3xYz", direction="in")
    running.centre.handsets.add(str(JANE), peer="36184", text="Secret of another house", direction="in")
    page = client.get("/simulator/").content.decode()
    assert "+33 6 12 34 56 78" in page
    assert '<a href="https://court.test/aB3xYz" target="_blank" rel="noreferrer">clic-ici.net/aB3xYz</a>' in page
    assert "Secret" not in page


def test_a_colleagues_sign_in_code_is_shown_in_a_demonstration_only(client, alice, running, settings, tmp_path) -> None:
    texts.send_text(alice.account, msisdn=JANE, text="987654 est votre code", purpose=SIGN_IN_CODE, is_free=True)
    running.centre.handsets.add(str(JANE), peer="38184", text="987654 est votre code", direction="in")
    settings.MAILBOX = None
    assert "987654" not in client.get(f"/simulator/{JANE}").content.decode()
    settings.MAILBOX = tmp_path
    assert "987654" in client.get(f"/simulator/{JANE}").content.decode()


def test_an_answer_goes_to_whoever_wrote_last_and_a_phone_can_be_switched_off(client, running) -> None:
    running.centre.handsets.add(str(JANE), peer="36184", text="Bonjour clic-ici.net/aB3xYz", direction="in")
    client.post(f"/simulator/{JANE}/act", {"answer": "STOP"})
    assert running.centre.handsets.texts(str(JANE))[-1]["text"] == "STOP"
    assert running.centre.handsets.texts(str(JANE))[-1]["peer"] == "36184"
    client.post(f"/simulator/{JANE}/act", {"power": "off"})
    assert running.centre.handsets.power(str(JANE)) == "off"


def test_a_simulator_that_is_away_is_said(client, monkeypatch) -> None:
    monkeypatch.setattr(simulator, "_control", lambda account: ("127.0.0.1", 1))
    assert 'class="alert bad"' in client.get("/simulator/").content.decode()
