"""Uvicorn, with one repair: connections of several web processes do not wait for acknowledgements.

With more than one process uvicorn binds the socket itself, without naming TCP as its protocol, and asyncio then leaves Nagle's
algorithm on: header and body go in two packets, and each answer waits some 40 ms for the other side's delayed acknowledgement
(measured on a busy machine: p50 48 ms instead of 13). On Linux the connections inherit the option from the listening socket.
"""

from __future__ import annotations

import socket
from typing import Any

import uvicorn

_bind = uvicorn.Config.bind_socket


def _bind_promptly(config: uvicorn.Config) -> socket.socket:
    bound = _bind(config)
    if bound.family in (socket.AF_INET, socket.AF_INET6):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def serve(application: str, **options: Any) -> None:
    """`uvicorn.run` of a named application; ends when the process is told to."""
    uvicorn.Config.bind_socket = _bind_promptly  # type: ignore[method-assign, assignment]
    uvicorn.run(application, **options)
