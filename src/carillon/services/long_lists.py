"""Pages of what may be millions of rows: nobody turns ten thousand pages, and counting them all at each look is slow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

MOST = 10_000  # rows one can turn to; who wants others searches, or exports


class Turned(Sequence[Any]):
    """What Django's Paginator turns over: a length and slices. `is_cut`: there are more rows than the length says."""

    is_cut = False

    @abstractmethod
    def part(self, low: int, high: int) -> list[Any]:
        """The rows from `low` to before `high`."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.part(index.start or 0, len(self) if index.stop is None else index.stop)
        return self.part(index, index + 1)[0]


class LongList(Turned):
    """`found` in its order, counted to `most`."""

    def __init__(self, found: QuerySet[Any], *, most: int = MOST) -> None:
        self._found = found
        self._most = most
        self._length: int | None = None

    def __len__(self) -> int:
        if self._length is None:
            n = self._found.order_by()[: self._most + 1].count()
            self.is_cut = n > self._most
            self._length = min(n, self._most)
        return self._length

    def part(self, low: int, high: int) -> list[Any]:
        return list(self._found[low:high])


class Chosen(Turned):
    """Rows known by their ids, in this order, the first `most` of them; `read` gives the rows of some ids."""

    def __init__(self, ids: Sequence[int], read: Callable[[Sequence[int]], list[Any]], *, most: int) -> None:
        self.is_cut = len(ids) > most
        self._ids = ids[:most]
        self._read = read

    def __len__(self) -> int:
        return len(self._ids)

    def part(self, low: int, high: int) -> list[Any]:
        return self._read(self._ids[low:high])
