"""Long answers under ASGI: a synchronous generator read piece by piece from a thread of its own.

Django would otherwise gather a synchronous generator whole in memory before it sends the first byte. The generator must not
hold a cursor between two pieces: it may begin in one thread and go on in another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from django.db import connections

Piece = TypeVar("Piece")


def begin(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, the first one already computed: what refuses the whole answer raises here, before any header left."""
    for first in pieces:
        return chain([first], pieces)
    return iter(())


async def in_own_thread(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """The pieces, computed in one thread whose database connection is closed at the end, also when the reader goes away."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream") as pool:
        try:
            while True:
                piece = await loop.run_in_executor(pool, _next, pieces)
                if piece is None:
                    return
                yield piece
        finally:
            pool.submit(_end, pieces)


def _next(pieces: Iterator[Piece]) -> Piece | None:
    return next(pieces, None)


def _end(pieces: Iterator[Piece]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
    connections.close_all()
