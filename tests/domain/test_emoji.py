from __future__ import annotations

import pytest

from carillon.domain import emoji


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A bientôt ;-)", "A bientôt 😉"),
        (":-) :) :D", "🙂 🙂 😃"),
        ("(:-))", "(🙂)"),
        ("Merci :-)!", "Merci 🙂!"),
        (":'-( :-P", "😢 😛"),
    ],
)
def test_shortcuts_become_emoji(text: str, shown: str) -> None:
    assert emoji.replace_shortcuts(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://exemple.fr:80/a",
        "Horaires:Dimanche",
        "de 8h:9h",
        "livraison <3 jours",
        "12:05",
        "a:-)",
        ":pas",
        "1/2 :/ 3",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert emoji.replace_shortcuts(text) == text


def test_each_shortcut_alone_is_replaced() -> None:
    for shortcut, shown in emoji.SHORTCUTS.items():
        assert emoji.replace_shortcuts(shortcut) == shown
