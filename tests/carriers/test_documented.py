"""docs/carriers.md names every option and every status an operator may meet."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from carillon.carriers.base import CarrierState
from carillon.carriers.http import generic, kannel, smsfactor, smsmode, twilio
from carillon.carriers.http.base import HttpOptions
from carillon.carriers.registry import KINDS
from carillon.carriers.simulator.control import OPERATIONS
from carillon.carriers.simulator.options import SimulatorOptions
from carillon.carriers.smpp.options import SmppOptions

DOCS = Path(__file__).parents[2] / "docs"


def named_in(page: str) -> set[str]:
    return set(re.findall(r'[`"]([A-Za-z_]+)[`"]', (DOCS / page).read_text(encoding="utf-8")))


def test_every_option_of_a_connector_is_documented():
    options = {
        item.name
        for kind in (
            SmppOptions,
            HttpOptions,
            smsfactor.Options,
            smsmode.Options,
            twilio.Options,
            kannel.Options,
            generic.Options,
        )
        for item in fields(kind)
    }
    assert options - named_in("carriers.md") == set()


def test_every_kind_and_state_is_documented():
    assert {*KINDS, *map(str, CarrierState)} - named_in("carriers.md") == set()


def test_everything_the_simulator_takes_is_documented():
    options = {item.name for item in fields(SimulatorOptions)} - {"record", "kept_per_handset", "kept_handsets"}
    assert {*OPERATIONS, *options, "drop"} - named_in("simulator.md") == set()
