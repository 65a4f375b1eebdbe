"""Django behind the real server, on a loopback port, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from django.core.asgi import get_asgi_application
from django.db import connections


@contextmanager
def served() -> Iterator[str]:
    """Gives the address. The database must be a committed one: every request has its own thread and connection."""
    settings = connections["default"].settings_dict
    settings["CONN_MAX_AGE"], before = 0, settings["CONN_MAX_AGE"]
    config = uvicorn.Config(get_asgi_application(), host="127.0.0.1", port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    ready = threading.Event()
    startup = server.startup

    async def started(sockets: object = None) -> None:
        await startup(sockets=sockets)  # type: ignore[arg-type]
        ready.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        assert ready.wait(60), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(60)
        settings["CONN_MAX_AGE"] = before
