"""« Liste noire » and « NPAI »: strangers first; adding, importing, finding, removing with a consent that is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from carillon.models import Brand, Campaign, ConsentEntry, Message, Npai, OptOut, User
from carillon.services import consents, launching, npai, optouts, preparation
from tests.builders import make_campaign, make_connector, make_list, make_optout
from tests.web.conftest import signed_in

PERSON = 33612345678
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def file(content: str, name: str = "stops.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


def test_a_stranger_sees_no_entry_and_removes_none(alice: User, bob: User, charlie: User) -> None:
    entry = make_optout(alice.account, PERSON, description="Plainte en magasin")
    assert "Plainte" not in signed_in(charlie).get("/blacklist/").content.decode()
    for stranger in (charlie, bob):  # bob is of the house, but no administrator
        answer = signed_in(stranger).post(f"/blacklist/{entry.id}/remove", {"consent": "Accord écrit du 1er décembre"})
        assert answer.status_code == 404
    assert "33612345678" not in b"".join(signed_in(charlie).get("/blacklist/export.csv").streaming_content).decode()
    assert signed_in(bob).get("/blacklist/log.jsonl").status_code == 404
    assert OptOut.objects.filter(account_id=alice.account.pk).count() == 1


def test_numbers_are_added_by_hand_once_each(alice: User) -> None:
    client = signed_in(alice)
    given = {
        "numbers": "06 12 34 56 78, +33 6 12 34 56 79\n0612345678, nonsense",
        "medium": "MOBILE",
        "description": "Téléphone",
    }
    assert client.post("/blacklist/", given).status_code == 302
    assert client.post("/blacklist/", given).status_code == 302
    shown = client.get("/blacklist/").content.decode()
    assert "+33 6 12 34 56 78" in shown and "Téléphone" in shown
    assert optouts.levels_of(alice.account.pk, [PERSON, PERSON + 1]) == {PERSON: 14, PERSON + 1: 14}
    assert consents.verify(consents.export(alice.account.pk)) == (1, "")
    assert ConsentEntry.objects.get().body["msisdns"] == [PERSON, PERSON + 1]


def test_a_file_is_imported_for_one_brand_and_voice(alice: User) -> None:
    brand = Brand.objects.create(account=alice.account, name="Atelier", is_client=True)
    upload = file("Nom;Portable\nMartin;0612345678\nDurand;0612345679\nRien;123\n")
    given = {"file": upload, "medium": "VMS", "brand": brand.pk, "numbers": ""}
    assert signed_in(alice).post("/blacklist/", given).status_code == 302
    found = OptOut.objects.filter(account_id=alice.account.pk).order_by("msisdn")
    assert [(o.msisdn, o.medium, o.level, o.brand_id, o.source) for o in found] == [
        (PERSON, "VMS", "client", brand.pk, "import"), (PERSON + 1, "VMS", "client", brand.pk, "import"),
    ]  # fmt: skip
    assert optouts.levels_of(alice.account.pk, [PERSON]) == {}


@pytest.mark.parametrize("given", [{"numbers": ""}, {"numbers": "bonjour"}, {"numbers": "0612345678", "medium": "FAX"}])
def test_what_cannot_be_added_is_said(alice: User, given: dict[str, str]) -> None:
    assert signed_in(alice).post("/blacklist/", {"medium": "MOBILE"} | given).status_code == 422
    assert not OptOut.objects.exists()


def test_a_brand_of_another_house_is_no_choice(alice: User, charlie: User) -> None:
    theirs = Brand.objects.create(account=charlie.account, name="Theirs")
    given = {"numbers": "0612345678", "medium": "MOBILE", "brand": theirs.pk}
    assert signed_in(alice).post("/blacklist/", given).status_code == 422


def test_an_unreadable_file_is_said(alice: User) -> None:
    answer = signed_in(alice).post("/blacklist/", {"file": file("", "empty.csv"), "medium": "MOBILE"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("query", "n"), [("q=0612", 2), ("q=33612345679", 1), ("q=plainte", 1), ("medium=VMS", 1), ("q=07", 0)]
)
def test_entries_are_found(alice: User, query: str, n: int) -> None:
    make_optout(alice.account, PERSON, description="Plainte")
    make_optout(alice.account, PERSON + 1, medium="VMS")
    shown = signed_in(alice).get(f"/blacklist/?{query}").content.decode()
    assert shown.count("/remove") == n


def test_removal_needs_a_consent_which_is_kept(alice: User) -> None:
    entry = make_optout(alice.account, PERSON)
    client = signed_in(alice)
    assert client.get(f"/blacklist/{entry.id}/remove").status_code == 200
    assert client.post(f"/blacklist/{entry.id}/remove", {"consent": "oui"}).status_code == 422
    assert optouts.levels_of(alice.account.pk, [PERSON])
    assert client.post(f"/blacklist/{entry.id}/remove", {"consent": "Accord signé le 1er décembre"}).status_code == 302
    assert not optouts.levels_of(alice.account.pk, [PERSON])
    assert ConsentEntry.objects.get(event="optin").body["consent"] == "Accord signé le 1er décembre"
    log = b"".join(client.get("/blacklist/log.jsonl").streaming_content)
    assert b"Accord sign" in log


def test_the_blacklist_is_exported(alice: User) -> None:
    make_optout(alice.account, PERSON, description="=1+1")
    exported = b"".join(signed_in(alice).get("/blacklist/export.csv").streaming_content).decode("utf-8-sig")
    header, row = exported.strip().splitlines()
    assert header.startswith("MOBILE;TYPE") and row.startswith("33612345678;MOBILE;account;;web;") and ";=1" not in row


# --- NPAI --------------------------------------------------------------------------------------------------------------


def unassigned(user: User) -> Campaign:
    """A campaign whose one number does not exist."""
    item = make_list(user.account, ["0612345678"])
    campaign = make_campaign(user.account, lists=[item], user=user, traffic="NOTIFICATION")
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW)
    message = Message.objects.get(campaign_id=campaign.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, account_id, campaign_id, connector_id, status,"
            " price, carrier_message_id) VALUES (%s, 1, 1, %s, %s, %s, %s, 29, 100, %s)",
            [message.id, NOW, campaign.account_id, campaign.pk, message.connector_id, str(message.id)],
        )
    return campaign


def test_a_stranger_neither_sees_nor_removes_npai(alice: User, charlie: User) -> None:
    npai.add(alice.account, [PERSON], source="web")
    client = signed_in(charlie)
    assert "34 56 78" not in client.get("/npai/").content.decode()
    client.post("/npai/remove", {"number": PERSON})
    assert Npai.objects.filter(account_id=alice.account.pk).count() == 1


def test_npai_are_added_found_exported_and_removed(alice: User) -> None:
    client = signed_in(alice)
    assert client.post("/npai/", {"numbers": "0612345678"}).status_code == 302
    assert client.post("/npai/", {"file": file("0612345679\n0612345678\n", "gone.txt")}).status_code == 302
    assert [n.source for n in Npai.objects.order_by("msisdn")] == ["web", "import"]
    assert client.get("/npai/?q=06123456").content.decode().count('name="number"') == 2
    assert client.get("/npai/?q=0700").content.decode().count('name="number"') == 0
    assert b"33612345678;web" in b"".join(client.get("/npai/export.csv").streaming_content)
    client.post("/npai/remove", {"number": [PERSON, "x"]})
    assert [n.msisdn for n in Npai.objects.all()] == [PERSON + 1]


def test_only_numbers_seen_twice_in_a_row_are_proposed(alice: User, charlie: User) -> None:
    make_connector(is_simulator=True)
    unassigned(alice)
    shown = signed_in(alice).get("/npai/proposals").content.decode()
    assert "1 dans ce rapport" in shown and "<form" not in shown
    second = unassigned(alice)
    shown = signed_in(alice).get("/npai/proposals").content.decode()
    assert "1 numéro vu deux fois" in shown and "<form" in shown
    assert signed_in(charlie).get("/npai/proposals").content.decode().strip() == ""
    answer: Any = signed_in(alice).post(f"/campaigns/{second.pk}/report/npai/add", {"which": "twice"})
    assert answer.status_code == 302 and Npai.objects.get().msisdn == PERSON
