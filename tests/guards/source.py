"""The files a guard looks at: those git knows, or all when there is no git."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = {".venv", "var", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__"}


def files(*folders: str, suffix: str = "") -> list[Path]:
    """Files under these folders of the project (all when none is given), in order."""
    found = (path for path in _known() if path.is_file() and path.name.endswith(suffix))
    return sorted(path for path in found if not folders or path.relative_to(ROOT).parts[0] in folders)


def _known() -> Iterator[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        yield from (path for path in ROOT.rglob("*") if not BUILT & set(path.relative_to(ROOT).parts))
        return
    yield from (ROOT / name for name in listed.stdout.decode().split("\0") if name)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
