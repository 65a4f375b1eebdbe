"""Tab 4: when, the test, the summary, the button; sent once whatever the hand does, and called back within ten seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from carillon.jobs import campaigns as jobs
from carillon.models import Campaign, Message, User
from carillon.services import campaigns, launching, list_rows, readiness
from tests.builders import make_campaign, make_connector, make_list, make_optout
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
TUESDAY_NOON = datetime(2026, 12, 1, 11, tzinfo=UTC)
SUNDAY = datetime(2026, 12, 6, 11, tzinfo=UTC)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The pages believe it is Tuesday noon, an hour at which marketing is legal."""
    monkeypatch.setattr(timezone, "now", lambda: TUESDAY_NOON)
    return TUESDAY_NOON


@pytest.fixture
def draft(alice: User, now: datetime) -> Campaign:
    make_connector(is_simulator=True)
    clients = make_list(alice.account, ["0612345678", "0612345679", "rien", "0612345678"], name="Clients", user=alice)
    return make_campaign(alice.account, actor=alice, name="Soldes", message="Bonjour STOP 36184", lists=[clients])


@pytest.fixture
def client(alice: User) -> Client:
    return signed_in(alice)


def page(client: Client, draft: Campaign) -> str:
    return client.get(f"/campaigns/{draft.pk}/send").content.decode()


def post(client: Client, draft: Campaign, step: str = "", **given: object) -> object:
    draft.refresh_from_db()
    return client.post(f"/campaigns/{draft.pk}/send{step}", {"version": draft.version} | given)


def test_the_counters_are_exact_and_the_button_names_the_credits(client, alice, draft) -> None:
    make_optout(alice.account, 33612345679)
    shown = page(client, draft)
    assert "4 Destinataires" in shown
    assert "1 Invalide" in shown
    assert "1 Doublon" in shown
    assert "Crédits nécessaires 1 (1\xa0000 disponibles)" in shown
    assert "Envoyer et utiliser 1 crédits" in shown
    assert "Destinataire dans votre blacklist" in shown


def test_what_forbids_sending_is_said_with_the_tab_that_puts_it_right(client, alice, now) -> None:
    empty = make_campaign(alice.account, actor=alice)
    assert "Choisissez au moins un destinataire" in page(client, empty)
    clients = make_list(alice.account, ["0612345678"], user=alice)
    unknown = make_campaign(alice.account, actor=alice, message="${Ville}", lists=[clients])
    make_connector(is_simulator=True)
    shown = page(client, unknown)
    assert "Ville" in shown
    assert f"/campaigns/{unknown.pk}/message" in shown


def test_who_is_typed_in_gets_the_defaults_of_the_lists_fields(client, alice, now) -> None:
    make_connector(is_simulator=True)
    clients = make_list(alice.account, [["Zoé", "0612345678"]], header=("Prénom", "SMS"), user=alice)
    campaign = make_campaign(alice.account, actor=alice, message="Bonjour ${Prénom} STOP 36184", lists=[clients])
    client.post(f"/campaigns/{campaign.pk}/recipients/type", {"mobile": "0612345679"})
    campaigns.update(campaign, defaults={"Prénom": "chers amis"})
    assert "Valeur par défaut pour Prénom" in client.get(f"/campaigns/{campaign.pk}/message").content.decode()
    assert "Envoyer et utiliser 2 crédits" in page(client, campaign)
    campaign.refresh_from_db()
    sent = Message.objects.filter(campaign_id=campaign.pk).order_by("id")
    assert [message.text for message in sent] == ["Bonjour Zoé STOP 36184", "Bonjour chers amis STOP 36184"]


def test_a_list_that_lacks_a_field_is_named_on_both_tabs(client, alice, now) -> None:
    make_connector(is_simulator=True)
    clients = make_list(alice.account, [["Zoé", "0612345678"]], header=("Prénom", "SMS"), name="Clients", user=alice)
    others = make_list(alice.account, ["0612345679"], name="Les autres", user=alice)
    campaign = make_campaign(alice.account, actor=alice, message="${Prénom} STOP 36184", lists=[clients, others])
    for tab in ("message", "send"):
        shown = client.get(f"/campaigns/{campaign.pk}/{tab}").content.decode()
        assert "La liste « Les autres » n&#x27;a pas de champ Prénom" in shown


def test_the_stop_mention_alone_is_no_message(client, draft) -> None:
    campaigns.update(draft, message="\nSTOP 36184")
    shown = page(client, draft)
    assert "Écrivez votre message." in shown
    assert "Envoyer et utiliser" not in shown
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.state == "DRAFT"
    step = client.post(f"/campaigns/{draft.pk}/message", {"version": draft.version, "message": "\nSTOP 36184"})
    assert step.status_code == 422
    assert "Écrivez votre message." in step.content.decode()


def test_without_a_connector_the_page_says_who_can_help(client, alice, now) -> None:
    clients = make_list(alice.account, ["0612345678"], user=alice)
    campaign = make_campaign(alice.account, actor=alice, lists=[clients])
    assert "Un opérateur doit en ajouter un" in page(client, campaign)


def test_the_summary_comes_before_the_button_that_sends(client, draft) -> None:
    shown = post(client, draft, when="now", description="Pour Noël").content.decode()
    draft.refresh_from_db()
    assert draft.state == "DRAFT"  # nothing is sent before the second button
    assert draft.description == "Pour Noël"
    assert "data-open-now" in shown
    for words in ("Nom de la campagne", "Nombre de listes", "Invalides", "Doublons", "Crédits utilisés", "Immédiat"):
        assert words in shown


def test_a_double_click_sends_once(client, alice, draft) -> None:
    page(client, draft)
    first = post(client, draft, "/launch")
    second = client.post(f"/campaigns/{draft.pk}/send/launch", {"version": draft.version})
    assert first["Location"] == second["Location"] == f"/campaigns/{draft.pk}/report"
    alice.account.refresh_from_db()
    assert alice.account.held == 200
    draft.refresh_from_db()
    assert draft.state == "SCHEDULED"
    assert draft.scheduled_at == TUESDAY_NOON + launching.HOLD


def test_ten_seconds_to_call_it_back(client, alice, draft) -> None:
    page(client, draft)
    post(client, draft, "/launch")
    shown = client.get(f"/campaigns/{draft.pk}/report").content.decode()
    assert "Annuler l'envoi" in shown
    assert client.post(f"/campaigns/{draft.pk}/undo")["Location"] == f"/campaigns/{draft.pk}/send"
    draft.refresh_from_db()
    alice.account.refresh_from_db()
    assert (draft.state, alice.account.held) == ("DRAFT", 0)


def test_once_it_has_begun_it_is_not_called_back(client, draft) -> None:
    page(client, draft)
    post(client, draft, "/launch")
    launching.start(draft.pk, now=TUESDAY_NOON + timedelta(seconds=11))
    shown = client.post(f"/campaigns/{draft.pk}/undo", follow=True).content.decode()
    assert "n&#x27;est pas programmée" in shown
    draft.refresh_from_db()
    assert draft.state == "INPROGRESS"


def test_an_edit_in_another_window_stops_the_launch(client, alice, draft) -> None:
    page(client, draft)
    response = client.post(f"/campaigns/{draft.pk}/send/launch", {"version": draft.version - 1}, follow=True)
    assert "modifiée dans une autre fenêtre" in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "DRAFT"


def test_out_of_hours_the_button_schedules_at_the_next_legal_moment(alice, draft, monkeypatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: SUNDAY)
    client = signed_in(alice)
    shown = page(client, draft)
    assert "dimanche" in shown
    assert "07/12/2026 08:00" in shown
    assert "Programmer et utiliser 2 crédits" in shown
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.state == "SCHEDULED"
    assert draft.scheduled_at == datetime(2026, 12, 7, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "problem"),
    [
        ("2026-12-06", "10:00", "Prochain moment permis : 07/12/2026 08:00"),
        ("2026-12-02", "22:00", "Prochain moment permis : 03/12/2026 08:00"),
        ("2026-11-30", "10:00", "Cette date est passée"),
        ("2026-12-01", "12:02", "dans 5 minutes"),
        ("2026-12-02", "", "Indiquez l&#x27;heure"),
        ("", "10:00", "Indiquez la date"),
        ("pas un jour", "10:00", "date valide"),
    ],
)
def test_a_deferred_date_is_checked_beside_the_field(client, draft, day, clock, problem) -> None:
    response = post(client, draft, when="later", day=day, clock=clock)
    assert response.status_code == 422
    assert problem in response.content.decode()


def test_a_deferred_campaign_waits_for_its_date(client, draft) -> None:
    shown = post(client, draft, when="later", day="2026-12-04", clock="10h30").content.decode()
    assert "Programmer et utiliser 2 crédits" in shown
    assert "04/12/2026 10:30" in shown
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.scheduled_at == datetime(2026, 12, 4, 9, 30, tzinfo=UTC)
    assert "Programmée pour le" in client.get(f"/campaigns/{draft.pk}/report").content.decode()


def test_sending_is_spread_over_hours_for_those_who_answer_the_calls(client, draft) -> None:
    shown = post(client, draft, when="now", pace="1").content.decode()
    assert "1 message par heure" in shown
    assert "environ 2 h d'envoi" in shown
    draft.refresh_from_db()
    assert draft.pace_per_hour == 1
    post(client, draft, "/launch")
    launching.start(draft.pk, now=TUESDAY_NOON + timedelta(seconds=11))
    assert "Envoi étalé : 1 message par heure" in client.get(f"/campaigns/{draft.pk}/report").content.decode()


def test_an_empty_pace_is_as_fast_as_possible_and_a_wrong_one_is_refused(client, draft) -> None:
    post(client, draft, when="now", pace="200")
    assert 'name="pace" min="1" max="1000000" step="1" value="200"' in page(client, draft)
    assert post(client, draft, when="now", pace="0").status_code == 422
    assert post(client, draft, when="now", pace="").status_code == 200
    draft.refresh_from_db()
    assert draft.pace_per_hour == 0
    assert "messages par heure<" not in page(client, draft)


def test_an_hour_that_the_clock_change_skips_is_moved_after_it(client, alice, draft) -> None:
    Campaign.objects.filter(pk=draft.pk).update(traffic="NOTIFICATION", message="Bonjour")
    post(client, draft, when="later", day="2027-03-28", clock="02:30")
    draft.refresh_from_db()
    assert draft.scheduled_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)  # 03:30 in Paris


def test_a_test_must_be_found_good_before_the_campaign_leaves(client, draft) -> None:
    page(client, draft)
    shown = client.post(
        f"/campaigns/{draft.pk}/send/test", {"numbers": "0611111111; 06 22 22 22 22", "row": 1}, follow=True
    )
    assert "Test envoyé à 2 numéros" in shown.content.decode()
    assert "Dites d&#x27;abord si le test reçu est conforme" in shown.content.decode()
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.state == "DRAFT"
    post(client, draft, "/confirm-test", conform="yes")
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.state == "SCHEDULED"


def test_changing_the_text_takes_the_confirmation_back(client, draft) -> None:
    client.post(f"/campaigns/{draft.pk}/send/test", {"numbers": "0611111111", "row": 1})
    post(client, draft, "/confirm-test", conform="yes")
    draft.refresh_from_db()
    client.post(f"/campaigns/{draft.pk}/message", {"message": "Autre STOP 36184", "version": draft.version, "stay": 1})
    draft.refresh_from_db()
    assert draft.is_test_confirmed is False


@pytest.mark.parametrize(
    ("numbers", "row", "problem"),
    [("rien", 1, "de 1 à 20 numéros"), ("0611111111", 99, "Cette ligne n&#x27;existe pas")],
)
def test_a_test_that_cannot_be_sent_says_why(client, draft, numbers, row, problem) -> None:
    response = client.post(f"/campaigns/{draft.pk}/send/test", {"numbers": numbers, "row": row}, follow=True)
    assert problem in response.content.decode()


def test_without_the_credits_the_button_is_not_active_and_nothing_leaves(client, alice, draft) -> None:
    alice.account.balance = 100
    alice.account.save()
    assert "Crédit insuffisant" in page(client, draft)
    post(client, draft, "/launch")
    draft.refresh_from_db()
    assert draft.state == "DRAFT"


def test_recipients_under_other_calendars_are_announced(client, alice, draft) -> None:
    alice.account.countries = ["FR", "RE"]
    alice.account.save()
    clients = make_list(alice.account, ["0612345678", "+262692123456"], user=alice)
    campaign = make_campaign(alice.account, actor=alice, message="Bonjour STOP 36184", lists=[clients])
    shown = post(
        client, campaign, when="later", day="2026-12-04", clock="18:30"
    ).content.decode()  # 21:30 in La Réunion
    assert "1 destinataire vit sous un autre calendrier" in shown
    assert "05/12/2026 05:00" in shown


def test_a_long_campaign_is_prepared_in_the_background(client, draft, monkeypatch) -> None:
    monkeypatch.setattr(readiness, "AT_ONCE", 2)
    shown = page(client, draft)
    assert "Préparation de la campagne" in shown
    assert "hx-trigger" in shown
    assert "Envoyer et utiliser" not in shown
    jobs.prepare(campaign_id=draft.pk)
    assert client.get(f"/campaigns/{draft.pk}/send/state", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "Envoyer et utiliser 2 crédits" in page(client, draft)


def test_a_list_that_changed_is_judged_again(client, draft, monkeypatch) -> None:
    assert "Crédits nécessaires 2" in page(client, draft)
    monkeypatch.setattr(timezone, "now", lambda: TUESDAY_NOON + timedelta(minutes=1))
    list_rows.add_numbers(campaigns.lists_of(draft)[0], ["0612345670"])
    assert "Crédits nécessaires 3" in page(client, draft)


def test_the_year_one_is_no_date(client, draft) -> None:
    answer = post(client, draft, when="later", day="0001-01-01", clock="00:00")
    assert answer.status_code == 422 and "Indiquez la date" in answer.content.decode()
