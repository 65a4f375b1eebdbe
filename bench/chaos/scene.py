"""What a round plays on: the processes, the SMSC, its connector, and the people written to."""

from __future__ import annotations

import random
from typing import Any

from bench.chaos.people import People
from bench.chaos.stage import Stage
from bench.chaos.stand_in import StandIn
from bench.processes import Simulator

MIX = {"delivered": 80.0, "undelivered": 15.0, "rejected": 5.0}
FORMS = {"hex": 16, "HEX": 16, "decimal": 10}  # how an SMSC may write its ids, and their base
ENDED = """
SELECT count(*) FROM submission s JOIN message m ON m.id = s.message_id
WHERE m.msisdn = %s AND s.status IN (16, 20, 27) AND m.segments = 1
"""


class Scene:
    """`sink`: the C stand-in plays the SMSC of the present round, and has no control port."""

    def __init__(self, stage: Stage, chance: random.Random, people: People) -> None:
        from tests import builders

        self.stage, self.chance, self.people = stage, chance, people
        self.simulator = Simulator(
            stage.home,
            environ=stage.clock.environ(),
            answer_delay_s=0.01,
            receipt_delay_s=0.3,
            receipt_spread_s=0.5,
            mix=MIX,
        )
        self.sink: StandIn | None = None
        self.forms = "hex", "hex"
        self.texts_before = 0  # acknowledged in earlier rounds
        self.connector = builders.make_connector(options={"host": "127.0.0.1", "system_id": "chaos"})

    def close(self) -> None:
        if self.sink is not None:
            self.sink.close()
        self.simulator.close()

    def begin(self, sink: StandIn | None, *, rate: int) -> None:
        """Another SMSC, other forms of its ids, another speed (segments a second of each gateway; 0: as fast as it goes)."""
        self.sink = sink
        self.texts_before = self.simulator.ask("stats")["stats"]["texts_stored"]
        if sink is None:
            self.forms = self.chance.choice(list(FORMS)), self.chance.choice(list(FORMS))
            self.simulator.ask("set", answer_ids=self.forms[0], receipt_ids=self.forms[1])
        else:
            self.forms = sink.forms
        read_as = {"hex": "hex", "HEX": "hex", "decimal": "decimal"}
        self.connector.options = {
            "host": "127.0.0.1", "port": sink.port if sink else self.simulator.port, "system_id": "chaos", "window": 60,
            "gateways": 2, "rate": rate, "answer_ids": read_as[self.forms[0]], "receipt_ids": read_as[self.forms[1]],
            "reconnect_min_s": 0.1, "reconnect_max_s": 1.0, "response_timeout_s": 4.0, "pause_min_s": 0.05, "pause_max_s": 0.5,
        }  # fmt: skip
        self.connector.save()

    def receipt_id(self, answer_id: str) -> str:
        """The id of an answer as this SMSC writes it in a receipt."""
        number = int(answer_id, FORMS[self.forms[0]])
        return {"hex": f"{number:x}", "HEX": f"{number:016X}", "decimal": str(number)}[self.forms[1]]

    def has_ended(self, number: str) -> bool:
        return bool(self.stage.one(ENDED, [int(number)]))

    def recorded(self) -> list[dict[str, Any]]:
        return self.sink.recorded() if self.sink is not None else self.simulator.recorded()

    def is_silent(self) -> bool:
        """Everything the SMSC had to say is acknowledged."""
        if self.sink is not None:
            return self.sink.is_silent()
        stats = self.simulator.ask("stats")["stats"]
        texts = stats["texts_stored"] - self.texts_before
        return not stats["waiting"] and not stats["scheduled"] and texts >= self.people.segments
