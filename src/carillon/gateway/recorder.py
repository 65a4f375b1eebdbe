"""The flight recorder: which messages were (perhaps) written to a socket, in a small file that survives a kill of the process.

Without it every message intended and unanswered is in doubt after a crash; with it only those written are. The page cache
outlives the process but not the machine, so the file names the boot it was written in and is believed only in the same one.
Its lock is held while the process lives: whoever gets it knows that the process is gone.

    header   magic, run id, ring size, boot id          64 bytes
    ring     ids of the last messages written, 8 bytes each; an id still unanswered is never overwritten
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
from collections.abc import Container
from pathlib import Path

logger = logging.getLogger(__name__)

_HEADER = struct.Struct("<8sqq36s")
_MAGIC = b"CARILFR1"
_START = 64
RING = 1 << 16  # above ticker.MOST_AHEAD messages of the most segments


class Recorder:
    """One per run. `note` is called with ids BEFORE their bytes are given to a socket."""

    def __init__(self, folder: Path, run_id: int, *, ring: int = RING) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = _path(folder, run_id)
        self._ring = ring
        self._ids = [0] * ring
        self._at = 0
        if self.path.exists() and not is_gone(folder, run_id):  # two platforms in one home
            raise BlockingIOError(f"{self.path} is held by another process")
        # It appears under its name once it is locked and whole: who looks for a moment earlier would think the process gone.
        new = self.path.with_suffix(f".{os.getpid()}")
        self._file = new.open("w+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        size = _START + 8 * ring
        os.posix_fallocate(self._file.fileno(), 0, size)  # a full disk says so now, not by a SIGBUS later
        self._map = mmap.mmap(self._file.fileno(), size)
        _HEADER.pack_into(self._map, 0, _MAGIC, run_id, ring, boot_id())
        new.rename(self.path)

    def note(self, ids: list[int], unanswered: Container[int]) -> None:
        """`unanswered` tells which earlier ids must stay. The ring must be larger than their number."""
        while ids:
            chunk = ids[: self._ring - self._at]
            end = self._at + len(chunk)
            if any(old in unanswered for old in self._ids[self._at : end] if old):
                self._note_one(ids[0], unanswered)
                ids = ids[1:]
                continue
            self._ids[self._at : end] = chunk
            struct.pack_into(f"<{len(chunk)}q", self._map, _START + 8 * self._at, *chunk)
            self._at = end % self._ring
            ids = ids[len(chunk) :]

    def _note_one(self, message_id: int, unanswered: Container[int]) -> None:
        """Steps over ids still unanswered after a whole round of the ring (an SMSC that answers some and not others)."""
        while self._ids[self._at] and self._ids[self._at] in unanswered:
            self._at = (self._at + 1) % self._ring
        self._ids[self._at] = message_id
        struct.pack_into("<q", self._map, _START + 8 * self._at, message_id)
        self._at = (self._at + 1) % self._ring

    def close(self, *, is_clean: bool) -> None:
        """A clean end leaves nothing to tell: the file goes. Otherwise it stays for the successor."""
        self._map.close()
        if is_clean:
            self.path.unlink(missing_ok=True)
        self._file.close()


def is_gone(folder: Path, run_id: int) -> bool:
    """True when that run's file is here and its process is not. False says nothing."""
    try:
        with _path(folder, run_id).open("r+b") as file:
            return _lock(file.fileno())
    except OSError:
        return False


def written_by(folder: Path, run_id: int) -> frozenset[int] | None:
    """Ids the dead run may have written; None when nobody can tell (other machine, other boot, still alive, damaged)."""
    try:
        with _path(folder, run_id).open("r+b") as file:
            if not _lock(file.fileno()):
                return None
            content = file.read()
    except OSError:
        return None
    if len(content) < _START:
        return None
    magic, owner, ring, boot = _HEADER.unpack_from(content)
    if (
        magic != _MAGIC
        or owner != run_id
        or len(content) != _START + 8 * ring
        or not boot.strip(b"\0")
        or boot != boot_id()
    ):
        return None
    return frozenset(struct.unpack_from(f"<{ring}q", content, _START)) - {0}


def forget(folder: Path, run_id: int) -> None:
    """The run's affairs are in order: its file has nothing more to tell."""
    _path(folder, run_id).unlink(missing_ok=True)


def boot_id() -> bytes:
    """Of this start of the machine; empty where the system does not say: then no file is believed."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()[:36]
    except OSError:
        return b""


def _path(folder: Path, run_id: int) -> Path:
    return folder / f"run-{run_id}.flight"


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
