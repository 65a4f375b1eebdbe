"""Catalogues are compiled when they changed, and only then."""

import gettext
import os
from pathlib import Path

from carillon.config.messages import compile_stale

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Campagne"
msgstr "Campaign"
"""


def test_a_new_catalogue_is_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE, encoding="utf-8")

    assert compile_stale(tmp_path) == [folder / "django.po"]
    assert gettext.translation("django", tmp_path, ["en"]).gettext("Campagne") == "Campaign"
    assert compile_stale(tmp_path) == []


def test_a_changed_catalogue_is_compiled_again(tmp_path: Path) -> None:
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE, encoding="utf-8")
    compile_stale(tmp_path)
    later = (folder / "django.mo").stat().st_mtime + 10
    (folder / "django.po").write_text(CATALOGUE.replace("Campaign", "Mailing"), encoding="utf-8")
    os.utime(folder / "django.po", (later, later))

    compile_stale(tmp_path)

    with (folder / "django.mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Campagne") == "Mailing"
