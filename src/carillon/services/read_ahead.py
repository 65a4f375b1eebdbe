"""PostgreSQL reads the next batch while Python works on this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def thread() -> Iterator[Callable[..., Future[Any]]]:
    """`start(function, *arguments)` gives the future of a call made in another thread, one after the other, on the caller's own
    connection and so in its transaction. The caller leaves the database alone until the future is done.
    """
    shared = connections[DEFAULT_DB_ALIAS]

    def adopt() -> None:
        connections[DEFAULT_DB_ALIAS] = shared

    shared.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(1, "read-ahead", initializer=adopt) as pool:
            yield pool.submit
    finally:
        shared.dec_thread_sharing()
