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
        ballast = os.open(self._ballast, os.O_WRONLY | os.O_CREAT)
        try:
            found = os.statvfs(self.folder)
            with contextlib.suppress(OSError):
                os.posix_fallocate(ballast, 0, max(found.f_bavail * found.f_frsize - left, 1))
            os.lseek(ballast, 0, os.SEEK_END)
            with contextlib.suppress(OSError):
                while not left:
                    os.write(ballast, b"\0" * 4096)
        finally:
            os.close(ballast)

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
