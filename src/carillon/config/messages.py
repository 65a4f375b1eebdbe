"""Translations: the catalogues are kept as text (.po); their compiled form (.mo) is made when it is missing or older.

Done here, by a library, so that no gettext program has to be installed.
"""

from __future__ import annotations

import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_stale(folder: Path = LOCALE) -> list[Path]:
    """Compile the catalogues that need it and give their paths. A package folder we may not write keeps what it came with."""
    return [source for source in sorted(folder.glob("*/LC_MESSAGES/*.po")) if _is_stale(source) and _compile(source)]


def _is_stale(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime


def _compile(source: Path) -> bool:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    draft = source.with_suffix(f".{os.getpid()}.mo.draft")
    with source.open("rb") as text:
        catalogue = read_po(text, locale=source.parent.parent.name)
    try:
        with draft.open("wb") as binary:
            write_mo(binary, catalogue)
        draft.replace(source.with_suffix(".mo"))  # whole or not at all: several processes may start together
    except OSError:
        return False
    return True
