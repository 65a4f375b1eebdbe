"""Asking a running simulator something through its control port, from ordinary (synchronous) code."""

from __future__ import annotations

import json
import socket
from typing import Any

from carillon.domain.errors import CarrierError, InvalidInput

TIMEOUT_S = 3.0
MOST_BYTES = 4 * 1024 * 1024


def ask(host: str, port: int, op: str, **request: Any) -> dict[str, Any]:
    """One operation (docs/simulator.md) and its answer. CarrierError when nobody answers, InvalidInput when it refuses."""
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as link:
            link.sendall(json.dumps({"op": op} | request).encode() + b"\n")
            line = _read_line(link)
    except OSError as error:
        raise CarrierError(f"The simulator at {host}:{port} does not answer: {error}", is_retryable=True) from None
    answer = json.loads(line)
    if not answer.get("ok"):
        raise InvalidInput(str(answer.get("error", "refused")), code="simulator_refused")
    return dict(answer)


def _read_line(link: socket.socket) -> bytes:
    kept = b""
    while not kept.endswith(b"\n"):
        piece = link.recv(65536)
        if not piece or len(kept) > MOST_BYTES:
            raise ConnectionError("the answer was cut")
        kept += piece
    return kept
