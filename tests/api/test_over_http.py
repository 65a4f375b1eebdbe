"""Over the real server: long reports arrive piece by piece, repeated orders race and one of them wins."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from carillon.models import Account, Campaign
from carillon.services import reports, tokens
from tests.api.serving import served
from tests.builders import make_account, make_connector, make_list, make_user


def ask(address: str, secret: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
    data = None if body is None else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(address + path, data, given)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture
def secret(committed_db: str) -> str:
    make_connector()
    return tokens.create(user=make_user(account=make_account(), role="admin"), name="t")[1]


def test_a_report_of_many_pieces_is_whole(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "BATCH", 50)
    item = make_list(Account.objects.get(), [f"06{n:08}" for n in range(12_000_000, 12_000_400)])
    with served() as address:
        body = {"listsId": item.pk, "msg": "Hi", "typeSelect": "NOTIFICATION"}
        number = json.loads(ask(address, secret, "/api/v1/campaigns/inject", body)[2])["id"]
        status, headers, text = ask(address, secret, f"/api/v1/campaigns/report/{number}")
        rows = json.loads(ask(address, secret, f"/api/v1/campaigns/reportjson/{number}")[2])
        refused = ask(address, secret, "/api/v1/campaigns/reportjson?from=2020-01-01&to=2020-01-02&search=(")
    assert (status, headers["Transfer-Encoding"]) == (200, "chunked")
    assert len(text.decode().splitlines()) == 401 and len(rows) == 400
    assert refused[0] == 400 and json.loads(refused[2])["code"] == "fiql_syntax"


def test_the_same_key_at_the_same_time_sends_once(secret: str) -> None:
    body = {"listRecipient": [{"mobile": "0612345678"}], "msg": "Hi", "typeSelect": "NOTIFICATION", "startNow": True}
    answers: list[tuple[int, Any, bytes]] = []
    with served() as address:

        def order() -> None:
            answers.append(ask(address, secret, "/api/v1/campaigns/inject", body, **{"Idempotency-Key": "k1"}))

        threads = [threading.Thread(target=order) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert Campaign.objects.count() == 1
    assert {status for status, _, _ in answers} <= {200, 409} and 200 in {status for status, _, _ in answers}
    assert len({text for status, _, text in answers if status == 200}) == 1


def test_parallel_orders_never_spend_more_than_there_is(secret: str) -> None:
    Account.objects.update(balance=500)
    body = {"listRecipient": [{"mobile": "0612345678"}], "msg": "Hi", "typeSelect": "NOTIFICATION", "startNow": True}
    statuses: list[int] = []
    with served() as address:

        def orders() -> None:
            statuses.extend(ask(address, secret, "/api/v1/campaigns/inject", body)[0] for _ in range(3))

        threads = [threading.Thread(target=orders) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert statuses == [200] * 12
    account = Account.objects.get()
    assert (account.held, account.available) == (500, 0)
    assert Campaign.objects.filter(is_sending=True).count() == 5
