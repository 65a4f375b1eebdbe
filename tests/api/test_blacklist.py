"""The blacklist: added once, read whole or by pages, obeyed by the next campaign, left only with consent (guide §2.9, §2.10)."""

from __future__ import annotations

import json

from carillon.models import Account, ConsentEntry
from tests.api.callers import Caller, content, refusal

# §2.9.1, its opening brace restored
GUIDE = {"item": "+33685812475", "typeItem": "MOBILE", "createdDescription": " plainte en magasin le 22 juin 2021"}


def read(caller: Caller, query: str = "") -> list[dict[str, str]]:
    return json.loads(content(caller.get(f"blacklist{query}")))


def test_the_guides_example_is_stored_and_obeyed(alice: Caller) -> None:
    entry = alice.post("blacklist", GUIDE).json()
    assert list(entry) == ["item", "typeItem", "createdDescription", "brand", "creationDate"]
    assert (entry["item"], entry["createdDescription"]) == ("+33685812475", "plainte en magasin le 22 juin 2021")
    assert read(alice) == [entry]
    sent = alice.inject(listRecipient=[{"mobile": "0685812475"}, {"mobile": "0685812476"}], startNow=True).json()
    assert (sent["countBlackList"], sent["countInBlackListRecipient"], sent["countValid"]) == (1, 1, 1)


def test_adding_twice_changes_nothing(alice: Caller) -> None:
    first = alice.post("blacklist", GUIDE).json()
    assert alice.post("blacklist", GUIDE | {"createdDescription": "again"}).json() == first
    assert len(read(alice)) == 1 and ConsentEntry.objects.count() == 1


def test_the_voice_blacklist_is_another_one(alice: Caller) -> None:
    alice.post("blacklist", GUIDE | {"typeItem": "VMS"})
    assert alice.inject(listRecipient=[{"mobile": "0685812475"}], startNow=True).json()["countBlackList"] == 0
    assert read(alice, "?typeItem=MOBILE") == [] and len(read(alice, "?typeItem=VMS")) == 1


def test_a_brands_stop_holds_for_that_brand(alice: Caller, account: Account) -> None:
    assert refusal(alice.post("blacklist", GUIDE | {"brand": "Nord"})) == (403, "forbidden", "brand")
    Account.objects.update(is_multi_brand=True)
    assert alice.post("blacklist", GUIDE | {"brand": "Nord"}).json()["brand"] == "Nord"
    people = [{"mobile": "0685812475"}]
    north, south = (alice.inject(listRecipient=people, brand=name, startNow=True).json() for name in ("Nord", "Sud"))
    assert (north["countBlackListBRAND"], south["countBlackListBRAND"]) == (1, 0)
    assert len(read(alice, "?brand=Nord")) == 1 and read(alice, "?brand=Sud") == []


def test_it_is_read_by_pages_too(alice: Caller) -> None:
    for n in range(5):
        alice.post("blacklist", GUIDE | {"item": f"+3368581247{n}"})
    response = alice.get("blacklist?limit=2")
    seen = json.loads(content(response))
    while "X-Next-After" in response:
        response = alice.get(f"blacklist?limit=2&after={response['X-Next-After']}")
        seen += json.loads(content(response))
    assert [entry["item"] for entry in seen] == [f"+3368581247{n}" for n in range(5)]
    assert seen == read(alice)


def test_an_empty_blacklist_is_an_empty_array(alice: Caller, charlie: Caller) -> None:
    alice.post("blacklist", GUIDE)
    assert read(charlie) == []


def test_a_number_that_is_none_is_refused(alice: Caller) -> None:
    for bad in ("", "abc", "12", "+33 6", "x" * 41):
        assert refusal(alice.post("blacklist", GUIDE | {"item": bad}))[::2] == (422, "item")


def test_only_an_administrator_takes_a_number_off(alice: Caller, bob: Caller) -> None:
    alice.post("blacklist", GUIDE)
    given = {"item": "0685812475", "typeItem": "MOBILE", "consent": "Signed form in the shop, 2 December 2026"}
    assert refusal(bob.delete("blacklist", given))[:2] == (403, "forbidden")
    assert len(read(alice)) == 1


def test_leaving_needs_the_persons_consent(alice: Caller) -> None:
    alice.post("blacklist", GUIDE)
    wanted = {"item": "0685812475", "typeItem": "MOBILE"}
    assert refusal(alice.delete("blacklist", wanted)) == (422, "invalid_input", "consent")
    assert refusal(alice.delete("blacklist", wanted | {"consent": "yes"})) == (422, "invalid_input", "consent")
    given = wanted | {"consent": "Signed form in the shop, 2 December 2026"}
    assert alice.delete("blacklist", given).json() == {"removed": True, "item": "+33685812475"}
    assert alice.delete("blacklist", given).json()["removed"] is False
    assert read(alice) == [] and ConsentEntry.objects.filter(event="optin").count() == 1
