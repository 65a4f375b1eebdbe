"""Opt-outs are added once, removed only with consent, and every step stays in a log that cannot be altered unseen."""

from __future__ import annotations

import pytest

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Brand, ConsentEntry
from carillon.services import consents, optouts
from tests.builders import make_account

pytestmark = pytest.mark.django_db
NUMBER = 33612345678
CONSENT = "Agreed in the shop on 2 May 2026"


def test_adding_twice_adds_once() -> None:
    account = make_account()
    assert optouts.add(account, NUMBER, source="web", description="asked by phone")
    assert not optouts.add(account, NUMBER, source="stop")
    assert optouts.levels_of(account.pk, [NUMBER]) == {NUMBER: 14}
    assert optouts.levels_of(make_account().pk, [NUMBER]) == {}


def test_media_brands_and_clients_are_apart() -> None:
    account = make_account()
    brand = Brand.objects.create(account=account, name="Atelier", is_client=True)
    optouts.add(account, NUMBER, source="stop", brand=brand)
    optouts.add(account, NUMBER, source="web", medium="VMS")
    assert optouts.levels_of(account.pk, [NUMBER]) == {}
    assert optouts.levels_of(account.pk, [NUMBER], brand_id=brand.pk) == {NUMBER: 18}
    assert optouts.levels_of(account.pk, [NUMBER], medium="VMS") == {NUMBER: 14}
    with pytest.raises(NotFound):
        optouts.add(make_account(), NUMBER, source="web", brand=brand)


def test_removal_wants_consent_and_is_remembered() -> None:
    account = make_account()
    optouts.add(account, NUMBER, source="web")
    with pytest.raises(InvalidInput, match="agreed"):
        optouts.remove(account, NUMBER, consent="yes")
    assert optouts.remove(account, NUMBER, consent=CONSENT)
    assert not optouts.remove(account, NUMBER, consent=CONSENT)
    assert optouts.levels_of(account.pk, [NUMBER]) == {}
    events = list(ConsentEntry.objects.filter(account_id=account.pk).values_list("event", flat=True))
    assert events == ["optout", "optin"]


@pytest.mark.parametrize("fault", ["changed", "removed", "reordered"])
def test_the_log_shows_what_was_tampered_with(fault: str) -> None:
    account = make_account()
    for n in range(5):
        optouts.add(account, NUMBER + n, source="web")
    entries = list(consents.export(account.pk))
    assert consents.verify(entries) == (5, "")
    if fault == "changed":
        entries[2]["body"]["msisdn"] += 1
    elif fault == "removed":
        del entries[2]
    else:
        entries[2], entries[3] = entries[3], entries[2]
    held, sentence = consents.verify(entries)
    assert held == 2 and "entry 3" in sentence
