"""Tab 3: what the server says of a text while it is typed, the price, the links, the templates."""

from __future__ import annotations

import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from carillon.models import Campaign, Link, Template, User
from tests.builders import make_campaign, make_list
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
ROWS = [
    ("Mme", "Jacqueline", "0612345678"),
    ("", "Zoé", "0612345679"),
    ("M.", "François", "rien"),
    ("M.", "Luc", "0612345678"),
]


@pytest.fixture
def draft(alice: User) -> Campaign:
    clients = make_list(alice.account, ROWS, header=("Civilité", "Prénom", "SMS"), name="Clients", user=alice)
    clients.analysis = {
        "maxDatasMap": {"Civilité": "Mme", "Prénom": "Jacqueline", "SMS": "0612345678"}, "emptyKeys": ["Civilité"],
        "_more": {"countries": {"FR": 3}, "widest": {"Prénom": "François"}},
    }  # fmt: skip
    clients.save()
    return make_campaign(alice.account, actor=alice, name="Soldes", message="", lists=[clients])


@pytest.fixture
def client(alice: User) -> Client:
    return signed_in(alice)


def preview(client: Client, draft: Campaign, message: str, **more: object) -> str:
    given = {"message": message, "sender": "", "auto_replace_gsm7": "on", "row": 0} | more
    return client.post(f"/campaigns/{draft.pk}/message/preview", given).content.decode()


def counter(page: str) -> str:
    segments, units = re.search(r"data-segments>(\d+)<", page), re.search(r"data-units>([\d/]+)<", page)
    assert segments and units
    return f"{segments[1]} SMS {units[1]}"


def test_a_marketing_message_starts_with_its_mention_and_a_notification_does_not(client, alice, draft) -> None:
    assert "\nSTOP 36184</textarea>" in client.get(f"/campaigns/{draft.pk}/message").content.decode()
    alert = make_campaign(alice.account, actor=alice, traffic="NOTIFICATION", message="")
    assert "STOP 38184</textarea>" not in client.get(f"/campaigns/{alert.pk}/message").content.decode()


def test_the_tables_of_the_page_are_those_of_the_server(client, draft) -> None:
    page = client.get(f"/campaigns/{draft.pk}/message").content.decode()
    found = re.search(r'id="composer-data" type="application/json">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["longest"] == ["Mme", "Jacqueline", "0612345678"]
    assert data["pink"] == ["Civilité"]
    assert data["stop"] == {"isMarketing": True, "number": "36184", "mention": "STOP 36184"}
    assert data["tables"]["replacements"]["œ"] == "oe"


def test_the_worst_case_counts_the_longest_value_and_the_mention(client, draft) -> None:
    page = preview(client, draft, "Bonjour ${Prénom} STOP 36184")
    assert counter(page) == "1 SMS 29/160"  # Bonjour + Jacqueline + STOP 36184
    assert "Bonjour Jacqueline STOP 36184" in page
    assert re.search(r"2 destinataires\s+× 1 SMS = <strong>2 crédits</strong>", page)


def test_a_row_shows_its_own_text_and_leaves_the_counter_alone(client, draft) -> None:
    page = preview(client, draft, "Bonjour ${Prénom}", row=2)
    assert "Bonjour Zoé" in page
    assert "data-segments" not in page
    assert "Bonjour Jacqueline" in preview(client, draft, "Bonjour ${Prénom}", row=99)  # no such row: the worst case


def test_a_line_break_counts_once_whatever_the_browser_sends(client, draft) -> None:
    assert counter(preview(client, draft, "a\r\nb STOP 36184")) == "1 SMS 14/160"


def test_a_personalised_sender_gets_the_mention_back_and_says_so(client, draft) -> None:
    page = preview(client, draft, "Bonjour", sender="CARILLON")
    assert "Bonjour STOP 36184" in page
    assert "sera ajouté à la fin" in page
    assert "répondre STOP à ce numéro court fonctionne" in preview(client, draft, "Bonjour")


def test_characters_outside_the_alphabet_are_named_with_a_way_out(client, draft) -> None:
    page = preview(client, draft, "Fête ç STOP 36184")
    assert "Remplacés à l'envoi" in page
    assert "[[&quot;ê&quot;, &quot;e&quot;]]" in page
    page = preview(client, draft, "Fête STOP 36184", auto_replace_gsm7="", allow_ucs2="on")
    assert "passent le message en UCS-2" in page
    assert "rester à 160" in preview(client, draft, "Fête STOP 36184", allow_ucs2="on")
    page = preview(client, draft, "Fête 🎄 STOP 36184", allow_ucs2="on")
    assert "rester à 160" not in page  # the tree made it UCS-2
    assert "sans rien y gagner" in page
    page = preview(client, draft, "Noël 🎄 STOP 36184")
    assert "ne peuvent pas partir" in page
    assert "retirer" in page


def test_emoji_need_ucs2_whatever_the_browser_sends(client, draft) -> None:
    client.post(
        f"/campaigns/{draft.pk}/message",
        {"message": "a", "auto_replace_emoji": "on", "version": draft.version, "stay": 1},
    )
    draft.refresh_from_db()
    assert draft.auto_replace_emoji is False


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("Bonjour ${Ville}", "Ville n&#x27;existe dans aucune"),
        (" ", "Écrivez votre message"),
        ("x" * 200, "Message trop long : 2 SMS"),
    ],
)
def test_next_is_refused_with_the_reason(client, draft, message, problem) -> None:
    response = client.post(
        f"/campaigns/{draft.pk}/message", {"message": message, "version": draft.version, "auto_replace_gsm7": "on"}
    )
    assert response.status_code == 422
    assert problem in response.content.decode()
    draft.refresh_from_db()
    assert draft.message == message  # the draft is kept all the same


def test_an_illegal_sender_is_refused_in_french(client, draft) -> None:
    assert "de 3 à 11 lettres sans accent" in preview(client, draft, "Bonjour", sender="Été_36")


def test_html_in_the_text_and_in_the_columns_is_only_text(client, alice, draft) -> None:
    evil = make_list(alice.account, [("</script><img src=x>", "0612345678")], header=("<b>", "SMS"), user=alice)
    campaign = make_campaign(
        alice.account, actor=alice, message="</textarea><script>alert(1)</script>${<b>}", lists=[evil]
    )
    page = client.get(f"/campaigns/{campaign.pk}/message").content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == page.count("<script")


def test_default_values_fill_the_empty_rows(client, draft) -> None:
    given = {
        "message": "${Civilité} STOP 36184",
        "default_for": ["Civilité"],
        "default": ["Madame, Monsieur"],
        "row": 2,
    }
    assert (
        "Madame, Monsieur STOP 36184" in client.post(f"/campaigns/{draft.pk}/message/preview", given).content.decode()
    )


def test_a_default_is_asked_only_for_fields_of_the_message(client, draft) -> None:
    asked = dict(client.get(f"/campaigns/{draft.pk}/message").context["wanting"])
    assert asked and not any(asked.values())
    type(draft).objects.filter(pk=draft.pk).update(message="Bonjour ${CIVILITE} STOP 36184")
    asked = dict(client.get(f"/campaigns/{draft.pk}/message").context["wanting"])
    assert [name for name, is_used in asked.items() if is_used] == ["Civilité"]


def test_the_rows_that_spill_are_shown(client, alice, draft) -> None:
    alice.account.max_segments = 3
    alice.account.save()
    given = {"message": "${Prénom}" + "x" * 151, "auto_replace_gsm7": "on"}
    page = client.post(f"/campaigns/{draft.pk}/message/spread", given).content.decode()
    assert re.search(r"2 SMS</span>.*?<span class=\"number\">1 ·", page, re.DOTALL)
    assert "+33 6 12 34 56 78" in page


def test_a_url_is_tracked_and_put_back(client, draft) -> None:
    here = f"/campaigns/{draft.pk}/message"
    url = "https://exemple.fr/id-${Prénom}"
    text = f"Rdv sur {url}. STOP 36184"
    assert "Suivre les clics" in preview(client, draft, text)
    client.post(here, {"message": text, "version": draft.version, "track": url})
    draft.refresh_from_db()
    assert draft.message == "Rdv sur ${track_1}. STOP 36184"
    link = Link.objects.get(campaign=draft)
    assert (link.url, link.index) == (url, 0)
    page = preview(client, draft, draft.message)
    assert "${track_1}" not in re.sub(
        r"<input[^>]*>", "", page.split('id="verdict"')[0]
    )  # the phone shows the short link
    client.post(here, {"message": draft.message, "version": draft.version, "link": "0", "link-0-title": "Soldes", "link-0-preview": "on",
                       "link-0-description": "Venez", "stay": 1})  # fmt: skip
    link = Link.objects.get(campaign=draft)
    assert (link.title, link.has_preview) == ("Soldes", True)
    draft.refresh_from_db()
    client.post(here, {"message": draft.message, "version": draft.version, "untrack": "0"})
    draft.refresh_from_db()
    assert draft.message == text
    assert not Link.objects.exists()


def test_deleting_the_token_forgets_the_link(client, draft) -> None:
    here = f"/campaigns/{draft.pk}/message"
    client.post(here, {"message": "www.exemple.fr STOP 36184", "version": draft.version, "track": "www.exemple.fr"})
    draft.refresh_from_db()
    assert Link.objects.get().url == "https://www.exemple.fr"
    client.post(here, {"message": "rien STOP 36184", "version": draft.version, "stay": 1})
    assert not Link.objects.exists()


def test_a_text_is_kept_as_a_template_and_used_again(client, bob, charlie, draft) -> None:
    here = f"/campaigns/{draft.pk}/message/template"
    assert (
        "Modèle « Noël » enregistré"
        in client.post(here, {"message": "Joyeux Noël", "template_name": "Noël"}).content.decode()
    )
    assert client.post(here, {"message": "Autre", "template_name": "Noël"}).status_code == 422
    kept = Template.objects.get()
    shown = signed_in(bob).get("/templates/").content.decode()
    assert "Joyeux Noël" in shown
    assert ">Marketing</option>" in shown
    assert signed_in(charlie).get(f"/templates/{kept.pk}").status_code == 404
    assert signed_in(charlie).post(f"/templates/{kept.pk}/delete").status_code == 404
    response = client.post(f"/templates/{kept.pk}/use")
    campaign = Campaign.objects.latest("pk")
    assert response["Location"] == f"/campaigns/{campaign.pk}/description"
    assert campaign.message == "Joyeux Noël"
    client.post(f"/templates/{kept.pk}", {"name": "Noël 2", "traffic": "MKG", "message": "Bonne année"})
    assert Template.objects.get().message == "Bonne année"
    client.post(f"/templates/{kept.pk}/delete")
    assert not Template.objects.exists()


def _png() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (600, 280), "red").save(out, "PNG")
    return SimpleUploadedFile("soldes.png", out.getvalue(), content_type="image/png")


def test_a_preview_gets_its_image(client, charlie, draft, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    here = f"/campaigns/{draft.pk}/message"
    client.post(here, {"message": "www.exemple.fr STOP 36184", "version": draft.version, "track": "www.exemple.fr"})
    draft.refresh_from_db()
    given = {
        "message": draft.message,
        "version": draft.version,
        "image": _png(),
        "stay": "1",
        "link": "0",
        "link-0-title": "Soldes",
    }
    assert client.post(here, given)["Location"] == f"{here}#links"
    draft.refresh_from_db()
    more = {
        "message": draft.message,
        "version": draft.version,
        "link": "0",
        "link-0-title": "Soldes",
        "link-0-preview": "on",
    }
    assert "demande un titre, une description et une image" in client.post(here, more).content.decode()
    link = Link.objects.get()
    assert (link.has_preview, link.title, link.image_name) == (True, "Soldes", "soldes.png")
    shown = client.get(f"{here}/image/0")
    assert shown["Content-Type"] == "image/jpeg"
    assert f"{here}/image/0" in preview(client, draft, draft.message)
    assert signed_in(charlie).get(f"{here}/image/0").status_code == 404


def test_a_file_becomes_a_short_link_before_the_mention(client, draft, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    here = f"/campaigns/{draft.pk}/message"
    client.post(
        here, {"message": "Notre carte :\nSTOP 36184", "version": draft.version, "attachment": _png(), "stay": "1"}
    )
    draft.refresh_from_db()
    assert draft.message == "Notre carte :\n${track_1} STOP 36184"
    assert Link.objects.get().asset.name == "soldes.png"
    client.post(here, {"message": draft.message, "version": draft.version, "untrack": "0"})
    assert not Link.objects.exists()


def test_a_file_that_is_no_picture_is_refused(client, draft, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    here = f"/campaigns/{draft.pk}/message"
    given = {
        "message": "a",
        "version": draft.version,
        "attachment": SimpleUploadedFile("virus.png", b"MZ" + b"0" * 500),
        "stay": "1",
    }
    page = client.post(here, given)
    assert page.status_code == 422
    assert "virus.png : " in page.content.decode()
    assert not Link.objects.exists()


def test_the_cap_of_the_account_is_said_while_composing(alice: User) -> None:
    campaign = make_campaign(alice.account, user=alice, message="Soldes STOP 36184")
    address = f"/campaigns/{campaign.pk}/message/preview"
    before = signed_in(alice).post(address, {"message": "Soldes STOP 36184"}).content.decode()
    type(alice.account).objects.filter(pk=alice.account_id).update(cap_messages=4, cap_days=30)
    after = signed_in(alice).post(address, {"message": "Soldes STOP 36184"}).content.decode()
    assert "limite à 4" not in before and "limite à 4" in after


def test_a_keystroke_reads_the_lists_a_few_times_only(client, draft) -> None:
    with CaptureQueriesContext(connection) as asked:
        preview(client, draft, "Bonjour ${Prénom} STOP 36184", row="1")
    assert 1 <= sum('"campaign_list"' in query["sql"] for query in asked) <= 3
