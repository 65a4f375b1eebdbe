"""The documents say what the code does."""

from __future__ import annotations

import re

import carillon
from carillon.config.cli.manual import as_markdown as manual
from carillon.config.env import as_markdown as settings_page
from tests.guards.source import ROOT


def test_every_setting_is_documented() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run: python -m carillon.config.env > docs/settings.md"


def test_every_command_is_documented() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == manual(), "run: python -m carillon.config.cli.manual > docs/cli.md"


def test_the_changelog_tells_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert first is not None
    assert first.group(1) in {carillon.__version__, "Unreleased"}


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_files_named_in_documents_exist() -> None:
    """Paths in code, from one of these roots: `services/reports.py`, `examples/clients.csv`."""
    roots = [ROOT, ROOT / "src" / "carillon", ROOT / "src" / "carillon" / "web"]
    named = re.compile(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|sql|md|csv|txt|html|css|js|toml))\b")
    missing = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for path in named.findall(page.read_text(encoding="utf-8")):
            if not any((root / path).exists() for root in roots):
                missing.append(f"{page.relative_to(ROOT)}: {path}")
    assert not missing


def test_pictures_are_light() -> None:
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert max(pictures.values()) <= 150_000
    assert sum(pictures.values()) <= 1_500_000
