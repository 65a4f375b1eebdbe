"""The counter of the page and the one of the server agree on thousands of texts: borders, pairs, fields, STOP, emoji."""

from __future__ import annotations

import random
from typing import Any

import pytest

from carillon.domain import segments
from carillon.domain.compose import Composer, Options, StopRule
from carillon.domain.emoji import SHORTCUTS
from carillon.domain.errors import InvalidInput
from carillon.domain.fields import BUILTINS
from carillon.domain.segments import measure
from carillon.web.composer import TABLES
from tests.browser.driving import Visitor

PLAIN = "abcdefghij ABC 0123456789 éèàùç'\"!?.,;:()\n@£$¥_ΔΩ§¿"
LATIN = "".join(map(chr, (*range(0xA0, 0x250), *range(0x1E00, 0x1F00))))
EXTENDED = "€[]{}^~|\\"
FOREIGN = "êëîôœ’«»…–°ÀÈ\xa0\u202f\u200b😀🎄👍🏽👨‍👩‍👧日本語éñ\t`"
WORDS = [
    "STOP 36184", "stop sms", "Désabo STOP", "envoyez STOP", "non stop", "Stop Sms au 36184", "STOPPEZ", ";-)", ":)", " :D ", "x:)y",
    "${Prénom}", "${PRENOM}", "${prenom }", "${ }", "${Ville}", "${track_1}", "${Inconnu}", "${firstname}", "${Prix}", "$", "{", "${", "}",
    "(y)", "http://exemple.fr/a", "<3", "8-)",
]  # fmt: skip
COLUMNS = ["Prénom", "Ville", "Prix", "SMS"]
LONGEST = ["Jean-Christophe", "Saint-Étienne-du-Rouvray", "1 234,56 €", "33612345678"]
WIDE = ["", "Œ", "", ""]
LINKS = {"track_1": "clic-ici.net/123456"}
CASES = 3000


def _text(chance: random.Random) -> str:
    pool = PLAIN * 6 + EXTENDED * chance.choice((0, 1, 4)) + FOREIGN * chance.choice((0, 0, 1, 3))
    pool += LATIN * chance.choice((0, 0, 1))
    parts = ["".join(chance.choices(pool, k=chance.randrange(0, 40))) for _ in range(chance.randrange(1, 8))]
    parts += chance.choices(WORDS, k=chance.randrange(0, 4))
    if chance.random() < 0.3:  # near the borders of one, two and three segments
        filler = chance.choice(("a", "€", "ê", "🎄"))
        parts.append(filler * max(chance.choice((160, 153, 306, 459, 70, 67, 134, 201)) - len("".join(parts)), 0))
    chance.shuffle(parts)
    return "".join(parts)[:1000]


def _states() -> list[dict[str, Any]]:
    chance = random.Random(20261201)
    return [
        {
            "message": _text(chance),
            "sender": chance.choice(("", "", "CARILLON")),
            "allowUcs2": chance.random() < 0.5,
            "replaceEmoji": chance.random() < 0.5,
            "replaceGsm7": chance.random() < 0.6,
            "defaults": chance.choice(({}, {}, {"Prix": "gratuit", "VILLE": "votre ville où que ce soit en France"})),
        }
        for _ in range(CASES)
    ]


def _server(state: dict[str, Any]) -> dict[str, Any]:
    """What the platform makes of it, as the page should."""
    options = Options(state["allowUcs2"], state["replaceEmoji"], state["replaceGsm7"], 3)
    stop = StopRule(True, bool(state["sender"]), "36184")
    try:
        composer = Composer(
            state["message"], COLUMNS, defaults=state["defaults"], options=options, stop=stop, links=LINKS
        )
    except InvalidInput as error:
        return {"error": error.code}
    if composer.unknown_fields:
        return {"unknown": sorted(composer.unknown_fields)}
    composed, found = composer.worst_case(LONGEST, WIDE)
    return {
        "encoding": str(found.encoding), "units": found.units, "segments": found.segments, "capacity": found.capacity,
        "stop": composer.is_stop_added, "refused": int(composed.status) in (6, 7),
    }  # fmt: skip


COUNT = """
async ([data, states]) => {
  const { Composer } = await import("/static/carillon/js/compose.js");
  const rules = new Composer(data);
  return states.map((state) => {
    const found = rules.worstCase(state);
    if (found.unknown.length) return { unknown: found.unknown.sort(), refused: found.isRefused };
    return {
      encoding: found.encoding, units: found.units, segments: found.segments, capacity: found.capacity,
      stop: found.isStopAdded, refused: found.isRefused || found.isTooLong, letters: rules.letters(state).forcing.length,
    };
  });
}
"""

MEASURE = """
async ([tables, texts]) => {
  const { measure, prepareTables, toGsm } = await import("/static/carillon/js/segments.js");
  const prepared = prepareTables(tables);
  return texts.map((text) => {
    const found = measure(text, prepared);
    return [found.encoding, found.units, found.segments, found.capacity, toGsm(text, prepared)];
  });
}
"""


@pytest.fixture
def data() -> dict[str, Any]:
    return {
        "tables": TABLES, "shortcuts": SHORTCUTS, "builtins": {k: list(v) for k, v in BUILTINS.items()}, "columns": COLUMNS,
        "mobile": None, "longest": LONGEST, "foreign": WIDE, "pink": [], "links": LINKS, "maxSegments": 3, "renderer": "BASIC",
        "stop": {"isMarketing": True, "number": "36184", "mention": "STOP 36184"},
    }  # fmt: skip


def test_page_and_server_measure_the_same(visitor: Visitor) -> None:
    chance = random.Random(7)
    texts = [_text(chance) for _ in range(CASES)]
    visitor.go("/login")
    counted = visitor.page.evaluate(MEASURE, [TABLES, texts])
    for text, found in zip(texts, counted, strict=True):
        m = measure(text)
        assert found == [str(m.encoding), m.units, m.segments, m.capacity, segments.to_gsm(text)], repr(text)


def test_page_and_server_agree_on_the_worst_case(visitor: Visitor, data: dict[str, Any]) -> None:
    states = _states()
    visitor.go("/login")
    counted = visitor.page.evaluate(COUNT, [data, states])
    compared = 0
    for state, found in zip(states, counted, strict=True):
        expected = _server(state)
        if expected == {"error": "message_empty"}:
            continue
        if "error" in expected:
            assert found["refused"], state
        elif "unknown" in expected:
            assert found.get("unknown") == expected["unknown"], state
        else:
            compared += 1
            assert {key: found.get(key) for key in expected} == expected, state
    assert compared > CASES / 3
