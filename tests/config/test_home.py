"""The data folder is private, and made at the first command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from carillon.config.postgres import wait_until_stopped


@pytest.fixture
def parent() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="carillon-test-home-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    wait_until_stopped(folder / "home")
    shutil.rmtree(folder)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_first_command_makes_a_private_home(parent: Path) -> None:
    home = parent / "home"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}

    ended = subprocess.run(
        [sys.executable, "-m", "carillon", "account", "create", "Meuniers"],
        env=environ | {"CARILLON_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert mode(home) == (0o711 if os.getuid() == 0 else 0o700), "as root, PostgreSQL's user must walk through"
    assert mode(home / "secret_key") == 0o600
    assert mode(home / "postgres") == 0o700
    assert not (home / "postgres").is_symlink(), "the data are in the home folder itself"
