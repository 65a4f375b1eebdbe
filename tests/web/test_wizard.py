"""The wizard's tabs: saved as one goes, two windows on one draft, recipients from lists, files and the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from carillon.models import Campaign, CampaignList, List, User
from carillon.services import campaigns, list_import, lists
from tests.builders import make_campaign, make_list
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients.csv"
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def draft(alice: User) -> Campaign:
    return make_campaign(alice.account, actor=alice, name="Soldes", message="Bonjour ${Prénom} STOP 36184")


@pytest.fixture
def client(alice: User) -> Client:
    return signed_in(alice)


def test_looking_at_a_new_campaign_stores_nothing(client) -> None:
    assert client.get("/campaigns/new").status_code == 200
    assert Campaign.objects.count() == 0


def test_the_first_next_makes_the_draft_and_goes_to_the_recipients(client, alice) -> None:
    response = client.post("/campaigns/new", {"name": "Soldes", "traffic": "MKG", "billing_code": "N12"})
    campaign = Campaign.objects.get()
    assert response["Location"] == f"/campaigns/{campaign.pk}/recipients"
    assert (campaign.user, campaign.name, campaign.billing_code) == (alice, "Soldes", "N12")


def test_a_campaign_without_a_name_is_refused_beside_the_field(client) -> None:
    response = client.post("/campaigns/new", {"name": " ", "traffic": "MKG"})
    assert response.status_code == 422
    assert 'id="id_name-error"' in response.content.decode()
    assert Campaign.objects.count() == 0


def test_the_page_saves_by_itself(client, draft) -> None:
    saved = client.post(
        f"/campaigns/{draft.pk}/description", {"name": "Noël", "traffic": "MKG", "version": draft.version}, headers=JSON
    ).json()
    draft.refresh_from_db()
    assert draft.name == "Noël"
    assert saved["version"] == draft.version == 1


def test_two_windows_on_one_draft_lose_neither_text(client, draft) -> None:
    here = f"/campaigns/{draft.pk}/message"
    client.post(here, {"message": "De la première fenêtre", "version": 0, "stay": 1})
    assert client.post(here, {"message": "De la seconde", "version": 0}, headers=JSON).status_code == 409
    response = client.post(here, {"message": "De la seconde", "version": 0})
    page = response.content.decode()
    assert response.status_code == 409
    assert "modifiée dans une autre fenêtre" in page
    assert "De la première fenêtre" in page
    assert "De la seconde" in page
    draft.refresh_from_db()
    assert draft.message == "De la première fenêtre"
    # « Enregistrer ma version » knows what it replaces
    client.post(here, {"message": "De la seconde", "version": draft.version, "stay": 1})
    draft.refresh_from_db()
    assert draft.message == "De la seconde"


def test_a_session_that_ended_leads_back_to_the_same_tab(draft) -> None:
    response = Client().post(
        f"/campaigns/{draft.pk}/message", headers={"Referer": f"http://testserver/campaigns/{draft.pk}/message"}
    )
    assert response["Location"] == f"/login?next=%2Fcampaigns%2F{draft.pk}%2Fmessage"


@pytest.mark.parametrize("tab", ["description", "recipients", "message", "send"])
def test_back_after_sending_shows_the_report(client, draft, tab) -> None:
    Campaign.objects.filter(pk=draft.pk).update(state="INPROGRESS")
    assert client.get(f"/campaigns/{draft.pk}/{tab}")["Location"] == f"/campaigns/{draft.pk}/report"
    assert client.post(f"/campaigns/{draft.pk}/{tab}", headers=JSON).status_code in {302, 409}


# ---- recipients ----


def upload(client: Client, draft: Campaign, *files: SimpleUploadedFile, htmx: bool = True) -> object:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(f"/lists/upload?campaign={draft.pk}", {"files": list(files)}, headers=headers)


def test_a_file_becomes_a_list_of_the_draft_and_its_card_says_what_was_found(client, draft) -> None:
    response = upload(client, draft, SimpleUploadedFile("clients.csv", CLIENTS.read_bytes()))
    assert response.status_code == 200
    item = List.objects.get()
    assert campaigns.lists_of(draft) == [item]
    assert "hx-trigger" in response.content.decode()  # the card follows the import
    list_import.import_file(item.pk)
    card = client.get(f"/lists/{item.pk}/card?campaign={draft.pk}").content.decode()
    assert "11 lignes" in card
    assert "WINDOWS-1252" in card
    assert "point-virgule" in card
    assert "1 numéro n&#x27;est pas un mobile" in card
    assert "Ligne 10" in card
    assert "(ligne 11 du fichier)" in card
    assert "doublon" not in card.lower()  # one class of error at a time
    assert 'hx-trigger="every' not in card
    rejected = b"".join(client.get(f"/lists/{item.pk}/rejected.csv").streaming_content).decode("utf-8-sig")
    assert [line.split(";")[0] for line in rejected.splitlines()] == ["ID_LINE", "10", "11"]


def test_several_files_at_once_without_scripts(client, draft) -> None:
    files = [SimpleUploadedFile(f"{name}.csv", b"MOBILE\n0612345678\n") for name in ("a", "b")]
    response = upload(client, draft, *files, htmx=False)
    assert response["Location"] == f"/campaigns/{draft.pk}/recipients"
    assert {item.name for item in campaigns.lists_of(draft)} == {"a", "b"}


def test_a_picture_named_csv_is_refused_in_a_persons_words(client, draft) -> None:
    response = upload(client, draft, SimpleUploadedFile("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20))
    assert response.status_code == 422
    assert response.content.decode().startswith("photo.csv : ")
    assert List.objects.count() == 0


def test_when_no_column_is_named_mobile_the_person_chooses(client, draft) -> None:
    body = ("Nom;Contact\n" + "Martin;rien\n" * 9 + "Durand;0612345678\n").encode()
    page = upload(client, draft, SimpleUploadedFile("amis.csv", body)).content.decode()
    item = List.objects.get()
    assert "Laquelle contient les numéros" in page
    client.post(f"/lists/{item.pk}/column", {"mobile_column": "Contact"})
    assert list_import.import_file(item.pk).valid_count == 1


def test_an_upload_for_another_house_is_not_found(charlie, draft) -> None:
    assert upload(signed_in(charlie), draft, SimpleUploadedFile("a.csv", b"MOBILE\n0612345678\n")).status_code == 404
    assert List.objects.count() == 0


def test_lists_are_added_excluded_and_taken_out(client, alice, draft) -> None:
    a, b = (
        make_list(alice.account, ["0612345678"], name="Clients"),
        make_list(alice.account, ["0612345679"], name="Salariés"),
    )
    here = f"/campaigns/{draft.pk}/recipients"
    client.post(f"{here}/add", {"list": f"Clients (n° {a.pk})"})
    client.post(f"{here}/exclude", {"list": "salariés"})
    assert campaigns.lists_of(draft) == [a]
    assert campaigns.lists_of(draft, excluded=True) == [b]
    assert "Clients" in client.get(here).content.decode()
    client.post(f"{here}/remove", {"list": a.pk})
    assert campaigns.lists_of(draft) == []
    assert lists.get(alice, a.pk)


def test_a_list_of_another_house_cannot_be_added(client, charlie, draft) -> None:
    theirs = make_list(charlie.account, ["0612345678"], name="Secret")
    page = client.post(
        f"/campaigns/{draft.pk}/recipients/add", {"list": f"Secret (n° {theirs.pk})"}, follow=True
    ).content.decode()
    assert "n&#x27;existe plus" in page
    assert CampaignList.objects.count() == 0


def test_typed_recipients_with_fields_or_several_numbers(client, draft) -> None:
    here = f"/campaigns/{draft.pk}/recipients"
    client.post(f"{here}/type", {"mobile": "06 12 34 56 78", "field": ["prénom", "nom"], "value": ["Zoé", "<b>x</b>"]})
    client.post(f"{here}/type", {"mobile": "0612345679, +32 470 12 34 56"})
    page = client.get(here).content.decode()
    assert "Zoé" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "3 Destinataires" in page
    found = client.get(f"{here}/search?q=zoé").content.decode()
    assert "+33 6 12 34 56 78" in found


def test_a_number_that_is_no_mobile_is_refused(client, draft) -> None:
    given = {"mobile": "0123456789", "field": ["nom"], "value": ["Zoé"]}
    answer = client.post(f"/campaigns/{draft.pk}/recipients/type", given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="0123456789"' in page and 'value="Zoé"' in page  # what was typed is kept
    assert "« 0123456789 » n&#x27;est pas un numéro de mobile" in page
    assert CampaignList.objects.count() == 0


def test_one_recipient_is_taken_out(client, alice, draft) -> None:
    item = make_list(
        alice.account, [("Zoé", "0612345678"), ("Max", "0612345679")], header=("Prénom", "SMS"), user=alice
    )
    here = f"/campaigns/{draft.pk}/recipients"
    client.post(f"{here}/add", {"list": f"x (n° {item.pk})"})
    found = client.get(f"{here}/search?q=Max").context["found"]
    client.post(f"{here}/remove-row", {"list": item.pk, "row": found[0][1].id})
    item.refresh_from_db()
    assert item.size == 1
