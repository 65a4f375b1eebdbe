"""« Listes »: who sees them, what one holds, and what is done to it."""

from __future__ import annotations

import pytest
from django.test import Client

from carillon.models import List, Recipient, User
from carillon.services import list_rows
from tests.builders import make_list
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
ROWS = [("Jacques", "0612345678"), ("<i>Zoé</i>", "0612345679"), ("=1+1", "rien"), ("", "0612345678")]


@pytest.fixture
def clients(alice: User) -> List:
    item = make_list(alice.account, ROWS, header=("Prénom", "SMS"), name="Clients", user=alice)
    return list_rows.refresh(item.pk)


@pytest.fixture
def client(alice: User) -> Client:
    return signed_in(alice)


@pytest.mark.parametrize("path", ["", "/card", "/cleaned.csv", "/rejected.csv", "/original"])
def test_a_stranger_of_another_house_finds_nothing(charlie, clients, path) -> None:
    assert signed_in(charlie).get(f"/lists/{clients.pk}{path}").status_code == 404


@pytest.mark.parametrize("path", ["rename", "add", "remove", "deduplicate", "delete", "restore", "cancel", "column"])
def test_a_stranger_does_nothing_to_it(charlie, clients, path) -> None:
    assert (
        signed_in(charlie).post(f"/lists/{clients.pk}/{path}", {"name": "x", "numbers": "0612345678"}).status_code
        == 404
    )
    clients.refresh_from_db()
    assert (clients.name, clients.size, clients.deleted_at) == ("Clients", 4, None)


def test_a_colleague_without_rights_sees_only_their_own(bob, clients) -> None:
    assert "Clients" not in signed_in(bob).get("/lists/").content.decode().replace("Vos contacts", "")
    assert signed_in(bob).get(f"/lists/{clients.pk}").status_code == 404


def test_the_page_shows_figures_columns_and_rows_as_text(client, clients) -> None:
    response = client.get(f"/lists/{clients.pk}")
    page = response.content.decode()
    assert {c.name: (c.longest, c.empty) for c in response.context["columns"]}["Prénom"] == ("<i>Zoé</i>", 1)
    assert "&lt;i&gt;Zoé" in page
    assert "<i>Zoé" not in page
    assert "Supprimer les doublons" in page


def test_rows_are_found_by_name_or_number(client, clients) -> None:
    assert [row.line for row in client.get(f"/lists/{clients.pk}?q=jacq").context["rows"].object_list] == [1]
    assert [row.line for row in client.get(f"/lists/{clients.pk}?q=06 12 34 56 79").context["rows"].object_list] == [2]


def test_rename_add_remove_and_deduplicate(client, clients) -> None:
    here = f"/lists/{clients.pk}"
    client.post(f"{here}/rename", {"name": "Clients fidèles", "description": "2026"})
    client.post(f"{here}/add", {"numbers": "0698765432, 0612345678\n+32470123456"})
    clients.refresh_from_db()
    assert (clients.name, clients.size, clients.duplicate_count) == ("Clients fidèles", 7, 2)
    assert "2 doublons supprimés" in client.post(f"{here}/deduplicate", follow=True).content.decode()
    client.post(f"{here}/remove", {"numbers": "06 98 76 54 32"})
    clients.refresh_from_db()
    assert clients.size == 4
    row = Recipient.objects.filter(list_id=clients.pk, line=2).get()
    client.post(f"{here}/remove", {"row": [row.id]})
    assert not Recipient.objects.filter(list_id=clients.pk, line=2).exists()


def test_a_row_of_another_list_is_not_removed_through_this_one(client, alice, clients) -> None:
    other = make_list(alice.account, ["0612340000"], user=alice)
    row = Recipient.objects.get(list_id=other.pk)
    client.post(f"/lists/{clients.pk}/remove", {"row": [row.id]})
    assert Recipient.objects.filter(list_id=other.pk).exists()


def test_nothing_chosen_is_said(client, clients) -> None:
    page = client.post(f"/lists/{clients.pk}/remove", {}, follow=True).content.decode()
    assert 'class="toast error"' in page


def test_the_downloads_hold_no_formula(client, clients) -> None:
    cleaned = b"".join(client.get(f"/lists/{clients.pk}/cleaned.csv").streaming_content).decode("utf-8-sig")
    assert cleaned.splitlines()[1:] == ["Jacques;+33612345678", "<i>Zoé</i>;+33612345679"]
    rejected = b"".join(client.get(f"/lists/{clients.pk}/rejected.csv").streaming_content).decode("utf-8-sig")
    assert "'=1+1" in rejected


def test_two_lists_become_one(client, alice, charlie, clients) -> None:
    other = make_list(alice.account, [("0611111111", "Lyon")], header=("Mobile", "Ville"), name="Prospects", user=alice)
    client.post("/lists/merge", {"list": [clients.pk, other.pk], "name": "Tous"})
    merged = List.objects.get(name="Tous")
    assert merged.size == 5
    assert merged.header == ["SMS", "Prénom", "Ville"]
    theirs = make_list(charlie.account, ["0612345678"])
    assert client.post("/lists/merge", {"list": [clients.pk, theirs.pk]}).status_code == 404
    assert 'class="toast error"' in client.post("/lists/merge", {"list": [clients.pk]}, follow=True).content.decode()


def test_delete_and_the_way_back(client, clients) -> None:
    page = client.post(f"/lists/{clients.pk}/delete", follow=True).content.decode()
    assert f'action="/lists/{clients.pk}/restore"' in page
    assert client.get(f"/lists/{clients.pk}").status_code == 404
    client.post(f"/lists/{clients.pk}/restore")
    assert client.get(f"/lists/{clients.pk}").status_code == 200
    assert Recipient.objects.filter(list_id=clients.pk).count() == 4
