"""Nothing of the machine a file was written on, and no package registry, stands in the project."""

from __future__ import annotations

import re

from tests.guards.source import files, name

# Written in pieces, so that this file does not contain what it looks for.
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "deb." + "debian.org")
PLACES = ("/wo" + "rk/", "/opt/" + "pypi", "/ro" + "ot/", "../sha" + "red", "/tmp/" + "venv")
FORBIDDEN = re.compile("|".join(re.escape(word) for word in (*REGISTRIES, *PLACES)).encode())


def test_no_registry_and_no_place_of_this_machine() -> None:
    found = []
    for path in files():
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if match := FORBIDDEN.search(line):
                found.append(f"{name(path)}:{number}: {match.group().decode()}")
    assert not found


def test_requirements_are_pinned_with_hashes_and_name_no_index() -> None:
    for path in files("requirements", suffix=".txt"):
        text = path.read_text(encoding="utf-8")
        assert "--index-url" not in text and "--extra-index-url" not in text and "--find-links" not in text, name(path)
        for requirement in re.findall(r"^[a-z0-9][^\n]*", text, re.MULTILINE):
            assert re.match(r"[a-z0-9._-]+==\S+( ;.*)? \\$", requirement), f"{name(path)}: {requirement}"
