"""Long answers under ASGI: a synchronous generator read piece by piece from a thread of its own.

Django would otherwise gather a synchronous generator whole in memory before it sends the first byte. The generator must not
hold a cursor between two pieces: it may begin in one thread and go on in another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from django.db import connections

Piece = TypeVar("Piece")


def begin(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, the first two already computed (the first may be an opening bracket only): what refuses the whole
    answer raises here, before any header left."""
    first = list(islice(pieces, 2))
    return chain(first, pieces)


async def in_own_thread(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """The pieces, computed in one thread whose database connection is closed at the end, also when the reader goes away."""
    loop = asyncio.get_running_loop()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream")
    try:
        while True:
            piece = await loop.run_in_executor(pool, next, pieces, None)
            if piece is None:
                return
            yield piece
    finally:
        pool.submit(connections.close_all)
        pool.shutdown(wait=False)  # the event loop does not wait for a piece nobody wants any more
