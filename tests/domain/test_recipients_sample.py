"""The upload sample of the API guide (§2.11.1): examples/clients.csv gives the same analysis, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from carillon.domain.recipients import Analysis, Judge, Reader, inspect

CLIENTS = Path(__file__).parents[2] / "examples" / "clients.csv"

# As printed, without what the service adds (ids, names, dates, path) and with the brackets the extraction lost.
SAMPLE: dict[str, Any] = {
    "charsetDetected": "WINDOWS-1252",
    "computedHeaderSize": {
        "Prénom": {"6": 5, "7": 2, "8": 3, "10": 1},
        "Adresse": {"13": 1, "15": 2, "17": 1, "18": 1, "20": 2, "21": 1, "22": 2, "25": 1},
        "Prix": {"0": 1, "2": 1, "3": 4, "4": 5},
        "Civilité": {"0": 1, "2": 6, "3": 4},
        "SMS": {"0": 1, "9": 4, "11": 1, "12": 1, "13": 1, "14": 3},
        "Nom": {"3": 1, "5": 1, "6": 6, "7": 2, "8": 1},
        "CP": {"5": 11},
        "Ville": {"5": 6, "6": 3, "7": 1, "20": 1},
    },
    "countDuplicateEmail": 0,
    "countDuplicateMobile": 1,
    "emptyKeys": ["Prix", "Civilité"],
    "globalInvalidLine": 0,
    "header": ["Civilité", "Prénom", "Nom", "Adresse", "CP", "Ville", "Prix", "SMS"],
    "invalidCountryCounter": {},
    "invalidLineList": [10],
    "invalidNumberEMAIL": 0,
    "invalidNumberMOBILE": 1,
    "lineDuplicateEmail": [],
    "lineDuplicateMobile": ["11"],
    "maxDatasMap": {
        "Prénom": "Jacqueline",
        "Adresse": "12 Avenue des Antiquaires",
        "Prix": "17 €",
        "Civilité": "Mme",
        "SMS": "tel:0624170068",
        "Nom": "Gaillard",
        "CP": "75017",
        "Ville": "Boulogne-Billancourt",
    },
    "maxSizeDataLine": 66,
    "size": 11,
    "type": "CSV",
    "validCountryCounter": {"FR": 10},
    "validNumberEMAIL": 0,
    "validNumberMOBILE": 10,
}


def test_every_key_of_the_sample() -> None:
    layout = inspect(CLIENTS)
    judge, analysis = Judge(layout), Analysis(layout)
    verdicts: list[int] = []
    with Reader(CLIENTS, layout) as reader:
        for rows in reader:
            judged = judge.judge(rows)
            verdicts += judged.verdicts
            analysis.add(judged)
    assert analysis.to_json() == SAMPLE
    assert verdicts == [1] * 9 + [2, 4]
    assert (layout.delimiter, layout.mobile_name, layout.has_header) == (";", "SMS", True)


def test_batches_do_not_change_the_analysis() -> None:
    layout = inspect(CLIENTS)
    judge, analysis = Judge(layout), Analysis(layout)
    with Reader(CLIENTS, layout, batch_rows=2) as reader:
        for rows in reader:
            analysis.add(judge.judge(rows))
    assert analysis.to_json() == SAMPLE


def test_countries_the_account_may_not_reach_are_counted_apart() -> None:
    layout = inspect(CLIENTS)
    judge, analysis = Judge(layout), Analysis(layout)
    with Reader(CLIENTS, layout) as reader:
        for rows in reader:
            analysis.add(judge.judge(rows))
    counted = analysis.to_json(allowed_countries=["BE"])
    assert (counted["validCountryCounter"], counted["invalidCountryCounter"]) == ({}, {"FR": 10})
