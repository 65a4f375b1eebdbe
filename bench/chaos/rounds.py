"""One round after another on the same tables: campaigns leave, faults fall, people answer; then everything is added up."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from bench.audit import audit
from bench.chaos import account, faults, stand_in
from bench.chaos.people import DOMAIN, Clicker, People, check_clicks, check_replies
from bench.chaos.scene import Scene
from bench.chaos.stage import Stage
from bench.processes import TooLate

QUIET = "SELECT count(*) FROM slice WHERE state IN (1, 2)"
LINKED = "Bonjour ! Nos soldes ${track_1} et votre page ${track_2} STOP 36184"
LATER = "Encore nous : ${track_1} STOP 36184"
LONG = "Bonsoir " * 30
PICTURE = (
    "SELECT id, campaign_id, state, cursor_id, last_id, run_id, not_before, calendar FROM slice WHERE state IN (1, 2)",
    "SELECT id, seat, tick, lease_until - now(), pid FROM gateway_run WHERE alive",
    "SELECT pid, state, wait_event, left(query, 60), now() - xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL",
    "SELECT state, state_reason, health FROM connector",
    "SELECT id, task_name, status, attempts, worker_id, scheduled_at FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
    "SELECT id, msisdn, text, account_id, kind, handled_at FROM reply WHERE handled_at IS NULL",
)


class Chaos:
    def __init__(
        self, stage: Stage, chance: random.Random, messages: int, *, only: list[str], most_faults: int, sink: str
    ) -> None:
        from carillon.services import short_domains

        self.stage, self.chance, self.messages = stage, chance, messages
        self.only, self.most_faults, self.sink = only, most_faults, sink
        self.scene = Scene(stage, chance, People(0, 0, chance))
        short_domains.add(DOMAIN)
        self.opening: dict[int, int] = {}
        self.events: Counter[str] = Counter()
        self.sent = self.in_doubt = self.clicks = self.texts = 0
        self.oldest_lost_s = 0.0
        self.read = 0  # lines of the simulator's record that earlier rounds accounted for

    def close(self) -> None:
        self.stage.close()
        self.scene.close()

    def skipped(self) -> dict[str, str]:
        return dict(faults.skipped(self.scene))

    # ------------------------------------------------------------------ one round

    def round(self, number: int) -> list[str]:
        try:
            return self._round(number)
        except TooLate as error:
            return [f"round {number}: {error}", self.picture()]

    def _round(self, number: int) -> list[str]:
        is_with_sink = bool(self.sink) and number % 2 == 0
        sink = stand_in.started(self.sink, self.stage.home, self.chance, number) if is_with_sink else None
        self.stage.end_gateways()
        rate = self.chance.choice([0, self.messages // 6, self.messages // 30])
        self.scene.begin(sink, rate=rate)
        told, later = self._draft(number)
        before = self.stage.one("SELECT coalesce(max(id), 0) FROM reply")
        self.stage.start_missing()
        self.stage.wait(self.stage.is_up, what="gateways, worker and web are up")
        clicker = Clicker(self.stage.door_port, self.chance.randrange(1 << 30))
        clicker.start()
        try:
            names = self._play(number, told, later, clicker)
        finally:
            clicker.stop()
        found = self._account_for(told, later, clicker, before)
        by = f"the stand-in ({' '.join(sink.options)})" if sink else f"the simulator, ids {'/'.join(self.scene.forms)}"
        speed = f"{rate} segments/s a gateway" if rate else "as fast as it goes"
        print(f"round {number}, {by}, {speed}: {', '.join(names)}: {'FAILED' if found else 'well'}", flush=True)
        if sink is not None:
            sink.close()
            self.scene.sink = None
        return found

    def _play(self, number: int, told: account.Told, later: Any, clicker: Clicker) -> list[str]:
        people = self.scene.people
        half = self._disturb(clicker)
        if self.scene.sink is None:  # every STOP is heard before the later campaign goes on
            people.talk(self.scene.simulator, stops=len(people.willing), replies=2)
            self.stage.wait(
                lambda: self._refused(told.account_id) >= len(people.stopped), what="who said STOP is in the blacklist"
            )
        self._resume(later)
        half += self._disturb(clicker)
        self._calm(number)
        self._click_more(clicker)
        return half

    def _draft(self, number: int) -> tuple[account.Told, Any]:
        """Half of the messages have links, a sixth is of several segments, the rest goes later and also to those who will say STOP."""
        from carillon.services import launching
        from tests import builders

        half, third = self.messages // 2, self.messages // 6
        first = 33_600_000_000 + number * 2 * self.messages
        owner = builders.make_account(
            balance=self.messages * 1000,
            max_segments=3,
            is_test=not self.stage.clock.can_jump,
            ignores_legal_hours=True,
        )
        self.opening[owner.pk] = owner.balance
        people = self.scene.people = People(first, half, self.chance)
        linked = self._prepared(owner, LINKED, [*range(first, first + half)])
        long = builders.make_sendable_campaign(
            self.scene.connector, n=third, account=owner, first_msisdn=first + self.messages, slice_size=100, text=LONG, segments=2,
            price=200,
        )  # fmt: skip
        rest = self.messages - half - third
        start = first + self.messages + third
        later = self._prepared(owner, LATER, [*people.willing, *range(start, start + rest)])
        now = self.stage.clock.now()
        later = launching.launch(later, actor=None, now=now)
        launching.pause(later, now=now)
        launching.launch(linked, actor=None, now=now)
        self.sent += self.messages
        starts = {linked.pk: "Bonjour !", long.pk: "", later.pk: "Encore nous"}
        return account.Told(owner.pk, starts, "Votre demande"), later

    def _prepared(self, owner: Any, text: str, numbers: list[int]) -> Any:
        from carillon.services import campaigns, preparation
        from tests import builders

        item = builders.make_list(owner, self.scene.people.rows(numbers), header=("SMS", "ID"))
        draft = builders.make_campaign(owner, lists=[item], message=text, traffic="MKG")
        urls = ["https://shop.example/soldes", "https://shop.example/id-${ID}"][: text.count("${track_")]
        links = [{"index": i, "url": url, "domain": DOMAIN, "life_days": 45} for i, url in enumerate(urls)]
        campaigns.set_links(draft, links)
        return preparation.prepare(draft.pk)

    def _resume(self, later: Any) -> None:
        from carillon.services import launching

        launching.resume(later)
        self.stage.forget_connection()

    def _refused(self, account_id: int) -> int:
        return int(self.stage.one("SELECT count(*) FROM optout WHERE account_id = %s", [account_id]))

    # ------------------------------------------------------------------ faults

    def _disturb(self, clicker: Clicker) -> list[str]:
        """Two or three faults at moments of their own; people answer between them."""
        names = []
        chosen = faults.possible(self.scene, has_control=self.scene.sink is None, only=self.only)
        for _ in range(self.chance.randint(min(2, self.most_faults), self.most_faults)):
            time.sleep(self.chance.uniform(0.05, 1.2))
            self._listen(clicker)
            if not chosen:
                continue
            fault = self.chance.choice(chosen)
            fault(self.scene)
            names.append(fault.__name__)
            self.events[fault.__name__] += 1
            self.stage.start_missing()
        self._listen(clicker)
        return names

    def _listen(self, clicker: Clicker) -> None:
        """Phones show what came; some people write."""
        clicker.links += self.scene.people.read(self.recorded())
        if self.scene.sink is None:
            self.scene.people.talk(self.scene.simulator, stops=3, replies=5)

    def _calm(self, number: int) -> None:
        self.scene.simulator.ask("set", is_mute=False, answer_delay_s=0.0)
        self.stage.start_missing()
        self.stage.wait(lambda: self.stage.one(QUIET) == 0, what=f"round {number}: every slice is done")
        self.stage.wait(self.scene.is_silent, what=f"round {number}: everything is told")
        if self.scene.sink is None:
            faults.tell_again(self.scene)
            self.stage.wait(self.scene.is_silent, what="the repeated receipts are told")

    def _click_more(self, clicker: Clicker) -> None:
        clicker.links += self.scene.people.read(self.recorded())
        begun = len(clicker.clicks)
        self.stage.wait(
            lambda: any(click.location for click in clicker.clicks[begun:]), what="somebody's click is answered"
        )

    def recorded(self) -> list[dict[str, Any]]:
        lines = self.scene.recorded()
        return lines if self.scene.sink is not None else lines[self.read :]

    # ------------------------------------------------------------------ the account

    def _settle(self, number_of_rows: Any = None) -> None:
        """What the worker does within two minutes, now. Confirmations of STOP may still leave meanwhile."""
        from carillon.services import counts, credits, matching, replies

        self.stage.forget_connection()
        replies.handle_waiting()
        self.stage.wait(lambda: self.stage.one(QUIET) == 0, what="the last confirmations are done")
        self.stage.wait(self.scene.is_silent, what="their receipts are told")
        matching.match_known()
        matching.settle_by_number(after=timedelta())
        replies.settle_stops()
        while counts.fold() or credits.fold():
            pass
        self.stage.forget_connection()

    def _account_for(self, told: account.Told, later: Any, clicker: Clicker, before: int) -> list[str]:
        self._settle()
        scene, people = self.scene, self.scene.people
        if scene.sink is not None:
            scene.sink.end()
        lines = self.recorded()
        found = account.twice(lines)
        with self.stage.connect() as connection:
            found += audit(connection, opening=self.opening).faults
        wrong, in_doubt = account.outcomes(self.stage, told, lines)
        found += wrong
        found += account.nothing_after_stop(lines, people.stopped, "Encore nous")
        found += account.stops_counted(self.stage, told.account_id)
        found += account.in_hours(lines, self.stage.clock, ("Bonjour !", "Encore nous"))
        found += self._texts(told, before)
        found += self._links(clicker)
        self.in_doubt += in_doubt
        if scene.sink is None:
            self.read += len(lines)
        return found[:20]

    def _texts(self, told: account.Told, before: int) -> list[str]:
        scene = self.scene
        if scene.sink is None:
            self.texts += len(scene.people.said)
            return check_replies(self.stage, scene.people, told.account_id)
        acked, sent = scene.sink.totals["mo_acked"], scene.sink.totals["mo_sent"]
        self.texts += acked
        rows = self.stage.rows(
            "SELECT count(*), count(DISTINCT msisdn) FROM reply WHERE id > %s AND direction = 'MO'", [before]
        )
        kept, people = rows[0]
        if kept != people or not acked <= kept <= sent:
            return [f"the stand-in saw {acked} texts acknowledged of {sent}; {kept} are kept, of {people} people"]
        return []

    def _links(self, clicker: Clicker) -> list[str]:
        """Visits wait a moment before they are stored: asked until they agree, or for ten seconds."""
        deadline = time.monotonic() + 10
        while True:
            found, oldest = check_clicks(self.stage, self.scene.people, clicker.clicks)
            if not found or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self.clicks += sum(bool(click.location) for click in clicker.clicks)
        self.oldest_lost_s = max(self.oldest_lost_s, oldest)
        return found

    def picture(self) -> str:
        lines = [str(row) for question in PICTURE for row in self.stage.rows(question)[:20]]
        if self.scene.sink is None:
            lines.append(str(self.scene.simulator.ask("stats")))
        for log in sorted(self.stage.home.glob("*.log")):
            lines += [f"--- {log.name}", *log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]]
        return "\n".join(lines)
