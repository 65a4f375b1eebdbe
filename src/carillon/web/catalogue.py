"""The catalogues of translations: finds the French sentences in the sources, compiles the English ones.

`.po` files are kept, `.mo` files are made from them by Babel when they are missing or older, at the start of any process:
no gettext tools are needed, and there is no step to forget. `python -m carillon.web.catalogue` lists what lacks a translation
and adds it to the English catalogue, empty. The French catalogue holds only the plurals ("0 campagne" is singular).
"""

from __future__ import annotations

import ast
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent
LOCALE = PACKAGE / "locale"
MARKERS = {"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "_"}

Msgid = str | tuple[str, str]


def compile_catalogues(locale: Path = LOCALE) -> None:
    """Makes every .mo that is missing or older than its .po. A folder that cannot be written to is left as it is."""
    for po in locale.glob("*/LC_MESSAGES/django.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parent.parent.name)
        try:
            _write_beside(mo, catalogue)
        except OSError:
            continue


def _write_beside(mo: Path, catalogue: object) -> None:
    handle, draft = tempfile.mkstemp(dir=mo.parent, suffix=".mo.draft")
    with os.fdopen(handle, "wb") as target:
        write_mo(target, catalogue)  # type: ignore[arg-type]
    os.chmod(draft, 0o644)
    os.replace(draft, mo)  # two processes starting together end with one whole file


def msgids(package: Path = PACKAGE) -> dict[Msgid, str]:
    """Every sentence marked for translation → the file it stands in. A plural is a pair."""
    found: dict[Msgid, str] = {}
    for path in sorted(package.rglob("*.py")):
        for msgid in _in_python(path.read_text(encoding="utf-8")):
            found.setdefault(msgid, str(path.relative_to(package)))
    for path in sorted((package / "web" / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            for msgid in _in_template(path.read_text(encoding="utf-8")):
                found.setdefault(msgid, str(path.relative_to(package)))
    return found


def _in_python(source: str) -> Iterator[Msgid]:
    if "gettext" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name not in MARKERS or not words:
            continue
        if name.startswith("pgettext"):
            words = words[1:]
        yield (words[0], words[1]) if name.startswith("ngettext") else words[0]


_CALL = re.compile(
    r"""\b(n?p?gettext)\((u(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:, u(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))*)"""
)
_SHORT = re.compile(r"""\b_\((u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))\)""")


def _in_template(source: str) -> Iterator[Msgid]:
    from django.utils.translation.template import templatize  # noqa: PLC0415 - needs Django set up

    text = templatize(source)
    for name, arguments in _CALL.findall(text):
        words = ast.literal_eval(f"[{arguments}]")
        if "p" in name.removesuffix("gettext"):
            words = words[1:]
        yield (words[0], words[1]) if name.startswith("n") else words[0]
    for argument in _SHORT.findall(text):
        yield ast.literal_eval(argument)


def untranslated(language: str = "en", locale: Path = LOCALE) -> dict[Msgid, str]:
    """Sentences without a translation into `language`, or with a doubtful one."""
    known = set()
    with (locale / language / "LC_MESSAGES" / "django.po").open("rb") as source:
        for message in read_po(source, locale=language):
            strings = message.string if isinstance(message.string, tuple | list) else [message.string]
            if message.id and all(strings) and not message.fuzzy:
                known.add(message.id if isinstance(message.id, str) else tuple(message.id))
    return {msgid: where for msgid, where in msgids().items() if msgid not in known}


def add_missing(language: str = "en", locale: Path = LOCALE) -> int:
    """Adds sentences without a translation to the catalogue, empty, drops those no longer used; returns how many are empty."""
    path = locale / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    wanted = msgids()
    for message in list(catalogue):
        key = message.id if isinstance(message.id, str) else tuple(message.id)
        if message.id and key not in wanted:
            catalogue.delete(message.id)
    for msgid in wanted:
        if catalogue.get(msgid) is None:
            catalogue.add(msgid)
    _write_po(path, catalogue)
    return len(untranslated(language, locale))


def write_french(locale: Path = LOCALE) -> None:
    """The French catalogue: the plurals, as they are, under the French rule."""
    catalogue = read_po(io.BytesIO(_header("fr", "nplurals=2; plural=(n > 1);")), locale="fr")
    for msgid in msgids():
        if isinstance(msgid, tuple):
            catalogue.add(msgid, msgid)
    _write_po(locale / "fr" / "LC_MESSAGES" / "django.po", catalogue)


def _header(language: str, plural_forms: str) -> bytes:
    lines = (
        "Project-Id-Version: Carillon",
        f"Language: {language}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {plural_forms}",
    )
    return ('msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n").encode()


def _write_po(path: Path, catalogue: Catalog) -> None:
    """Sorted and without dates or places, so that two people's additions merge."""
    target = io.BytesIO()
    write_po(target, catalogue, width=0, omit_header=True, no_location=True, ignore_obsolete=True, sort_output=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_header(str(catalogue.locale), catalogue.plural_forms) + target.getvalue())


if __name__ == "__main__":
    django.setup()
    print(f"{add_missing()} sentences without an English translation")  # noqa: T201
    for sentence, file_name in untranslated().items():
        print(f"{file_name}: {sentence!r}")  # noqa: T201
    write_french()
