"""Several web processes answer as promptly as one: their connections inherit TCP_NODELAY."""

from __future__ import annotations

import socket

import uvicorn

from carillon.config import web_server


def test_connections_do_not_wait_for_acknowledgements() -> None:
    with web_server._bind_promptly(uvicorn.Config("nothing:application", port=0)) as bound:
        bound.listen()
        with socket.create_connection(bound.getsockname()), bound.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
