"""Emoji shortcuts: `;-)` typed in a message becomes an emoji when the campaign allows it (and UCS-2 with it).

A shortcut counts only when it stands apart: before it the start, a blank or an opening or closing mark, after it no letter
or digit. So neither `http://` nor `12:Dimanche` changes. Shortcuts that mean something else in a commercial text
(`<3` as in "livraison <3 jours", `:/`, `8)`) are left out on purpose.
"""

from __future__ import annotations

import re

# The guide prints 😊 for ;-) although it is a wink; the wink is what the writer meant.
SHORTCUTS = {
    ":-)": "🙂", ":)": "🙂", "=)": "🙂", ":-D": "😃", ":D": "😃", "=D": "😃", ";-)": "😉", ";)": "😉", ":-(": "🙁", ":(": "🙁",
    ":'(": "😢", ":'-(": "😢", ":'-)": "😂", ":')": "😂", ":-P": "😛", ":P": "😛", ":-p": "😛", ":p": "😛", ";-P": "😜",
    ";P": "😜", ";-p": "😜", ";p": "😜", ":-O": "😮", ":O": "😮", ":-o": "😮", ":o": "😮", ":-*": "😘", ":*": "😘",
    ":-|": "😐", ":|": "😐", ":-/": "😕", "B-)": "😎", "8-)": "😎", "^^": "😊", "^_^": "😊", "(y)": "👍", "(Y)": "👍",
    "</3": "💔", "O:-)": "😇", "xD": "😆", "XD": "😆",
}  # fmt: skip

_FOUND = re.compile(
    r"(?<![^\s()\[\].,!?…»«\"'])(?:"
    + "|".join(re.escape(shortcut) for shortcut in sorted(SHORTCUTS, key=len, reverse=True))
    + r")(?!\w)"
)


def replace_shortcuts(text: str) -> str:
    return _FOUND.sub(lambda found: SHORTCUTS[found.group()], text)
