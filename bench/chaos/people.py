"""The people a round writes to: they follow links, answer, and say STOP. And what the platform must know of it afterwards."""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from bench.chaos.stage import Stage
from bench.processes import Simulator

DOMAIN = "clic-ici.test"
CODE = re.compile(re.escape(DOMAIN) + r"/([0-9A-Za-z]{6})")
AGENT = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"
CLICK_EVERY_S = 0.01
UNSAVED_S = 0.1  # what a kill of the redirector may cost
KEPT_S = 6.0  # the redirector tries a database that was away again within five seconds
LONG = "Bonjour, je ne peux pas venir demain mais je passerai volontiers samedi, gardez moi deux places. " * 3


@dataclass
class Click:
    code: str
    asked_at: float  # monotonic
    took_s: float = 0.0
    location: str = ""  # "" when no redirect came back


class Clicker(threading.Thread):
    """One person after another follows a link, as long as it runs."""

    def __init__(self, port: int, seed: int) -> None:
        super().__init__(name="clicks", daemon=True)
        self.links: list[str] = []
        self.clicks: list[Click] = []
        self._port, self._chance, self._ended = port, random.Random(seed), threading.Event()

    def run(self) -> None:
        while not self._ended.wait(CLICK_EVERY_S):
            if self.links:
                self.clicks.append(self._click(self._chance.choice(self.links)))

    def _click(self, code: str) -> Click:
        click = Click(code, time.monotonic())
        door = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            door.request("GET", f"/{code}", headers={"Host": DOMAIN, "User-Agent": AGENT, "Accept": "*/*"})
            answer = door.getresponse()
            if answer.status == 302:
                click.location = answer.headers["Location"]
        except (OSError, http.client.HTTPException):
            pass  # nobody is at the door just now
        finally:
            door.close()
        click.took_s = time.monotonic() - click.asked_at
        return click

    def stop(self) -> None:
        self._ended.set()
        self.join()


@dataclass
class People:
    """`willing` say STOP before the second campaign goes to them; `ids` is what stands behind the personal link, by number."""

    first: int
    n: int
    chance: random.Random
    willing: list[int] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    owner_of: dict[str, tuple[str, int]] = field(default_factory=dict)  # code -> (number, which link)
    said: list[tuple[int, str]] = field(default_factory=list)
    segments: int = 0

    def __post_init__(self) -> None:
        everyone = range(self.first, self.first + self.n)
        self.willing = self.chance.sample(everyone, min(20, self.n // 4))
        self.ids = {str(number): f"R{number}" for number in everyone}

    def rows(self, numbers: list[int]) -> list[list[str]]:
        return [[f"+{number}", self.ids.get(str(number), "R0")] for number in numbers]

    def read(self, lines: list[dict[str, Any]]) -> list[str]:
        """The short links in what phones received; returns the new codes."""
        new = []
        for line in lines:
            for index, code in enumerate(CODE.findall(line["text"])):
                if code not in self.owner_of:
                    self.owner_of[code] = line["to"], index
                    new.append(code)
        return new

    def target_of(self, code: str) -> str:
        number, index = self.owner_of[code]
        return "https://shop.example/soldes" if index == 0 else f"https://shop.example/id-{self.ids[number]}"

    def talk(self, simulator: Simulator, *, stops: int, replies: int) -> None:
        """Some say STOP, some write anything else: short, long, in UCS-2. Each text but STOP is unique."""
        silent = [number for number in self.willing if (number, "STOP") not in self.said]
        for number in silent[:stops]:
            self._say(simulator, number, "STOP")
        for _ in range(replies):
            number = self.first + self.chance.randrange(self.n)
            if number in self.willing:
                continue
            start = self.chance.choice(["Oui merci", "Été comme hiver ✓", LONG])
            self._say(simulator, number, f"{start} {len(self.said)}")

    def _say(self, simulator: Simulator, number: int, text: str) -> None:
        answer = simulator.ask("mo", **{"from": str(number), "to": "36184", "text": text, "system_id": "chaos"})
        self.segments += answer["segments"]
        self.said.append((number, text))

    @property
    def stopped(self) -> set[int]:
        return {number for number, text in self.said if text == "STOP"}


def _short(said: tuple[int, str]) -> str:
    number, text = said
    return f"{number} {text if len(text) < 60 else text[:20] + ' … ' + text[-20:]!r}"


def check_replies(stage: Stage, people: People, account_id: int) -> list[str]:
    """Every text acknowledged to the SMSC is a row once; who said STOP is in the blacklist; the log of consents holds."""
    from carillon.services import consents

    low, high = people.first, people.first + people.n - 1
    kept = Counter(
        stage.rows(
            "SELECT msisdn, text FROM reply WHERE direction = 'MO' AND msisdn BETWEEN %s AND %s AND account_id = %s",
            [low, high, account_id],
        )
    )
    wanted = Counter(people.said)
    faults = [
        f"kept {kept[text]} times, said {n} times: {_short(text)}" for text, n in wanted.items() if kept[text] != n
    ]
    faults += [f"nobody wrote {_short(text)}" for text in kept if text not in wanted]
    refused = {row[0] for row in stage.rows("SELECT msisdn FROM optout WHERE account_id = %s", [account_id])}
    if refused != people.stopped:
        faults.append(
            f"said STOP: {sorted(people.stopped - refused)} are not in the blacklist; only there: {refused - people.stopped}"
        )
    entries, fault = consents.verify(consents.export(account_id))
    if fault or entries != len(people.stopped):
        faults.append(f"the log of consents holds {entries} entries of {len(people.stopped)}: {fault}")
    return faults


def check_clicks(stage: Stage, people: People, clicks: list[Click]) -> tuple[list[str], float]:
    """Every click answered is counted, except those of the last moment before a kill. Also the age of the oldest that was lost."""
    from carillon.domain import shortcodes
    from carillon.services import links

    asked: dict[str, list[Click]] = defaultdict(list)
    faults = []
    for click in clicks:
        asked[click.code].append(click)
        if click.location and click.location != people.target_of(click.code):
            faults.append(f"{click.code} of {people.owner_of[click.code]} led to {click.location}")
    counted = {}
    for message_id, index, n in stage.rows("SELECT message_id, link_index, n FROM click_count WHERE link_index >= 0"):
        counted[shortcodes.encode(links.key(), message_id=message_id, index=index)] = n
    excuses = Excuses(stage, clicks)
    oldest = 0.0
    for code, found in asked.items():
        answered = [click for click in found if click.location]
        ages = sorted(age for click in answered if (age := excuses.age(click)) is not None)
        missing = len(answered) - counted.get(code, 0)
        if missing > len(ages) or counted.get(code, 0) > len(found):
            faults.append(
                f"{code}: {len(answered)} clicks answered, {counted.get(code, 0)} counted, {len(ages)} excused"
            )
        elif missing > 0:
            oldest = max(oldest, ages[missing - 1])
    return faults[:10], oldest


class Excuses:
    """A kill may cost the clicks of the last 100 ms, and twice as much more as the slowest click took then: a machine that answers late
    stores late. While the database was away clicks waited in memory: they go with their process.
    """

    def __init__(self, stage: Stage, clicks: list[Click]) -> None:
        self._spans: list[tuple[float, float]] = []
        for kill in stage.door_kills:
            slowest = max((c.took_s for c in clicks if kill - 2.0 < c.asked_at < kill), default=0.0)
            start = kill - UNSAVED_S - 2 * slowest
            for began, ended in stage.outages:
                if began < kill and ended > kill - KEPT_S:
                    start = min(start, began - UNSAVED_S)
            self._spans.append((start, kill))

    def age(self, click: Click) -> float | None:
        """Seconds before the kill it may have been lost in; None when it must be there."""
        answered = click.asked_at + click.took_s
        return next(
            (kill - answered for start, kill in self._spans if start <= answered and click.asked_at <= kill), None
        )
