"""Countries whose people cannot answer a message, or not to every sender: how they are told to opt out there.

Source: the guides this platform follows (reference of July 2025): in Switzerland a message cannot be answered; in Belgium answers
reach short codes only, and opting out is by a link in both. A STOP that arrives from there all the same is obeyed.
"""

from __future__ import annotations

import re

from carillon.domain.optout import OPT_OUT_LINK, mention

NO_REPLIES = frozenset({"CH", "LI"})  # Liechtenstein's networks are Switzerland's
OPT_OUT_BY_LINK = NO_REPLIES | {"BE"}
WORDS = mention(OPT_OUT_LINK)  # "STOP ${optout}": the link stands for the number one would answer to

_MENTION = re.compile(r"\bSTOP(?:\s*SMS)?(?:\s*(?:au|a|to|:|=|>|->))?\s*\d{4,6}\b", re.IGNORECASE)


def with_link(template: str) -> str:
    """The text with `STOP 36184` turned into the link; unchanged when it has none, or the link already."""
    if OPT_OUT_LINK in template.replace(" ", "").lower():
        return template
    return _MENTION.sub(WORDS, template, count=1)
