"""What a customer uploads, in a real browser: it looks as it should, and no script of it runs."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image

from carillon.services import hosting
from carillon.web.doorstep import Doorstep
from carillon.web.redirector import Redirector
from tests.builders import make_account, make_connector
from tests.links.asking import codes, linked

PAGE = (
    b"<!doctype html><title>before</title><link rel=stylesheet href=style.css><h1>Bonjour</h1><img src=red.png id=picture>"
    b"<script>document.title = 'after'</script><img src=x onerror=\"document.title = 'after'\">"
    b"<form action=https://evil.example><button>Go</button></form>"
)


def archive() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(picture, "PNG")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in {
            "index.html": PAGE,
            "style.css": b"h1{color:rgb(1,2,3)}",
            "red.png": picture.getvalue(),
        }.items():
            made.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def served(committed_db: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.MEDIA_ROOT = tmp_path
    make_connector()
    account = make_account(max_segments=3)
    asset = hosting.store_page(account, archive(), entry="index.html")
    path = codes(linked("", account=account, kind="LOCAL", asset_id=asset.pk))[0]
    config = uvicorn.Config(Doorstep(Redirector(), None), port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def telling(*arguments: Any, **more: Any) -> None:
        await startup(*arguments, **more)
        started.set()

    server.startup = telling  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(60)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}{path}"
    server.should_exit = True
    thread.join(60)


def test_a_hosted_page_is_shown_and_runs_nothing(chromium: Any, served: str) -> None:
    page = chromium.new_page()
    page.goto(served)
    assert page.url.endswith("/index.html")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
    assert page.evaluate("document.getElementById('picture').naturalWidth") == 4
    assert page.title() == "before"
    assert page.evaluate("self.origin") == "null"  # not the origin of the extranet, wherever it is served
    page.get_by_role("button").click()
    assert page.url.endswith("/index.html")
    page.close()
