"""One committed database for each module, and someone who follows links there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import make_connector
from tests.links.asking import Caller


@pytest.fixture(scope="module")
def connector(shared_db: str) -> Any:
    return make_connector()


@pytest.fixture
def caller(connector: Any) -> Iterator[Caller]:
    made = Caller()
    yield made
    made.close()


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path
