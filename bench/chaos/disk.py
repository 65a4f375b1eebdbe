"""A small disk that can be full: a tmpfs of our own, where we may mount one. PostgreSQL and flight recorders meet a true ENOSPC."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path


class Disk:
    """Mounted on `folder`, which belongs to `owner` (user, group) with mode `mode`."""

    def __init__(self, folder: Path, *, size_mb: int, owner: tuple[int, int] = (0, 0), mode: int = 0o700) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        options = f"size={size_mb}m,mode={mode:o},uid={owner[0]},gid={owner[1]}"
        self.is_mounted = _mount(folder, options)

    def fill(self, *, left: int = 0) -> None:
        """To the last page, less `left` bytes."""
        with self._ballast.open("wb") as ballast:
            free = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize - left
            with contextlib.suppress(OSError):
                os.posix_fallocate(ballast.fileno(), 0, max(free, 1))
            if left:
                return
            with contextlib.suppress(OSError):
                while True:
                    ballast.seek(0, os.SEEK_END)
                    ballast.write(b"\0" * 4096)
                    ballast.flush()

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


def _mount(folder: Path, options: str) -> bool:
    if sys.platform != "linux" or os.getuid() != 0:
        return False
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
        )
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return False
    return done.returncode == 0
