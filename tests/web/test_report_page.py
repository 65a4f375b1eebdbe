"""The report: key figures, live part, rows, one message's history, CSV, NPAI, pause and cancel."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from carillon.domain.errors import Conflict, InvalidInput
from carillon.models import Campaign, Npai, Reply, User
from carillon.services import launching, preparation
from tests.builders import make_campaign, make_connector, make_list, make_outcomes
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
ROWS = [
    ("Jacqueline", "0612340001"),
    ("=cmd()", "0612340002"),
    ("<b>Zoé</b>", "0612340003"),
    ("Luc", "rien"),
    ("Max", "0612340001"),
]


@pytest.fixture
def client(alice: User) -> Client:
    return signed_in(alice)


def launched(alice: User, rows=ROWS, **changes: object) -> Campaign:
    make_connector(is_simulator=True)
    clients = make_list(alice.account, rows, header=("Prénom", "SMS"), name="Clients", user=alice)
    given = {"name": "Rappel", "message": "Bonjour ${Prénom}", "traffic": "NOTIFICATION", "lists": [clients]} | changes
    campaign = make_campaign(alice.account, actor=alice, **given)
    return launching.launch(preparation.prepare(campaign.pk), actor=alice, now=timezone.now())


@pytest.fixture
def sent(alice: User) -> Campaign:
    """Three left: one received, one unassigned, one still at the operator. One malformed, one duplicate."""
    campaign = launched(alice)
    make_outcomes(campaign, 21, 30, 24)
    return campaign


def stats(response) -> dict[str, int]:
    return {str(stat.label): stat.n for stat in response.context["stats"]}


def numbers(response) -> list[int]:
    return [row.msisdn for row in response.context["found"]]


def test_a_draft_has_no_report(client, alice) -> None:
    campaign = make_campaign(alice.account, actor=alice)
    assert client.get(f"/campaigns/{campaign.pk}/report")["Location"] == f"/campaigns/{campaign.pk}/description"


def test_the_key_figures_add_up(client, sent) -> None:
    found = stats(client.get(f"/campaigns/{sent.pk}/report"))
    assert found == {
        "Destinataires": 5, "Envoyés": 3, "Aboutis": 1, "Non aboutis": 1, "En attente": 1, "Non envoyés": 2, "STOP": 0, "Réponses": 0,
    }  # fmt: skip


def test_each_status_has_its_line_with_colour_and_label(client, sent) -> None:
    page = client.get(f"/campaigns/{sent.pk}/report").content.decode()
    for label, colour in (
        ("Délivré", "green"),
        ("Numéro non attribué", "orange"),
        ("Numéro mal formaté", "orange"),
        ("Doublons", "grey"),
    ):
        assert re.search(rf'<span class="dot {colour}"></span>{label}', page)
    assert "29, 30" in page  # the pair of codes is one line


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [33612340001, 33612340002, 33612340003, None, 33612340001]),
        ("status=delivered", [33612340001]),
        ("status=missed", [33612340002]),
        ("status=29", [33612340002]),
        ("status=not_sent", [None, 33612340001]),
        ("status=waiting", [33612340003]),
        ("q=06 12 34 00 02", [33612340002]),
        ("q=Jacque", [33612340001]),
        ("q=100%25_", []),
    ],
)
def test_rows_are_found_by_status_number_and_word(client, sent, query, expected) -> None:
    assert numbers(client.get(f"/campaigns/{sent.pk}/report/rows?{query}")) == expected


def test_each_failure_says_what_to_do_with_the_number(client, alice) -> None:
    campaign = launched(alice)
    make_outcomes(campaign, 21, 30, 22)
    page = client.get(reverse("report_live", args=[campaign.pk])).content.decode()
    row = {code: page.partition(f"{code}</td>")[2].partition("</tr>")[0] for code in (21, 30, 22)}
    assert "si deux campagnes de suite le disent" in row[30] and "Gardez le numéro" in row[22]
    assert 'class="sub"' not in row[21]


def test_many_rows_come_page_by_page(client, alice) -> None:
    campaign = launched(alice, [(f"P{i}", f"06123400{i:02d}") for i in range(60)])
    seen: list[int] = []
    address = f"/campaigns/{campaign.pk}/report/rows"
    after = None
    while True:
        response = client.get(f"{address}?after={after}" if after else address)
        seen += numbers(response)
        after = response.context["more"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 60


def test_the_csv_holds_the_chosen_rows_and_no_formula(client, sent) -> None:
    response = client.get(f"/campaigns/{sent.pk}/report.csv?status=missed")
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("REF_LIST;ID_LINE;INT_MOBILE;STATUS_CODE;STATUS_TEXT;DELIVERYDATE;REPLY")
    assert len(lines) == 2
    assert ";33612340002;30;Numéro non attribué;" in lines[1]
    assert ";'=cmd();" in lines[1]


def test_empty_values_leave_no_separators_behind(client, alice) -> None:
    campaign = launched(alice, rows=[["", "0612345678"], ["Zoé", "0612345679"]])
    shown = client.get(f"/campaigns/{campaign.pk}/report").content.decode()
    assert '<span class="sub">0612345678</span>' in shown
    assert '<span class="sub">Zoé · 0612345679</span>' in shown


def test_html_in_a_row_is_only_text(client, sent) -> None:
    page = client.get(f"/campaigns/{sent.pk}/report").content.decode()
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in page
    assert "<b>Zoé" not in page


def test_the_history_of_one_message_tells_what_happened(client, charlie, sent) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM message WHERE msisdn = 33612340001 AND status = 1")
        message_id = cursor.fetchone()[0]
    Reply.objects.create(
        account=sent.account, campaign_id=sent.pk, message_id=message_id, msisdn=33612340001, to="38184", text="Merci <3",
        received_at=timezone.now(),
    )  # fmt: skip
    address = f"/campaigns/{sent.pk}/messages/{message_id}"
    page = client.get(address).content.decode()
    for words in (
        "Préparé",
        "Remis à l'opérateur",
        "Délivré",
        "Merci &lt;3",
        "Bonjour Jacqueline",
        "38184",
        f"c{message_id}",
    ):
        assert words in page
    assert signed_in(charlie).get(address).status_code == 404
    assert client.get(f"/campaigns/{sent.pk}/messages/999999").status_code == 404


def test_the_live_part_refreshes_until_nothing_moves(client, alice) -> None:
    campaign = launched(alice)
    here = f"/campaigns/{campaign.pk}/report/live"
    response = client.get(here)
    assert 'hx-trigger="every 2s' in response.content.decode()
    assert response["HX-Trigger"] == "figures-moved"
    make_outcomes(campaign, 21)
    Campaign.objects.filter(pk=campaign.pk).update(state="INJECTED", is_sending=False, finished_at=timezone.now())
    response = client.get(here)
    assert 'hx-trigger="every' not in response.content.decode()
    assert response["HX-Trigger"] == "figures-ended"


def test_the_numbers_of_the_drawings_are_never_written_in_french(client, sent) -> None:
    for path in ("report", "report/timeline"):
        page = client.get(f"/campaigns/{sent.pk}/{path}").content.decode()
        page = re.sub(r"<input[^>]*>", "", page)  # a CSRF token may begin with a digit
        for points in re.findall(r' points="([^"]*)"', page):
            assert re.fullmatch(r"(\d+(\.\d+)?,\d+(\.\d+)? ?)+", points), points
        for number in re.findall(r' (?:width|x|y|x1|x2|y1|y2|value|max)="(\d[^"]*)"', page):
            assert re.fullmatch(r"\d+(\.\d+)?", number), number


def test_receipts_are_drawn_over_time_with_their_table(client, sent) -> None:
    response = client.get(f"/campaigns/{sent.pk}/report/timeline")
    assert response.context["chart"] is not None
    assert sum(row[1] for row in response.context["table"]) == 1
    assert sum(row[2] for row in response.context["table"]) == 1


def test_pause_resume_and_cancel_the_rest(client, alice) -> None:
    campaign = launched(alice)
    here = f"/campaigns/{campaign.pk}"
    assert "mise en pause" in client.post(f"{here}/pause", follow=True).content.decode()
    campaign.refresh_from_db()
    assert campaign.is_sending is False
    assert "Reprendre" in client.get(f"{here}/report").content.decode()
    client.post(f"{here}/resume")
    campaign.refresh_from_db()
    assert campaign.is_sending is True
    assert "n&#x27;est pas en pause" in client.post(f"{here}/resume", follow=True).content.decode()
    client.post(f"{here}/cancel-rest")
    alice.account.refresh_from_db()
    assert alice.account.held == 0
    assert stats(client.get(f"{here}/report"))["Non aboutis"] == 3  # 23, given back


def test_npai_twice_in_a_row_are_proposed_apart(client, alice, sent) -> None:
    again = launched(alice, [("A", "0612340002"), ("B", "0612340009")])
    make_outcomes(again, 30)
    shown = client.get(f"/campaigns/{again.pk}/report/npai").content.decode()
    assert "Vus deux fois de suite (1)" in shown
    assert "Tous ceux de ce rapport (2)" in shown
    page = client.post(f"/campaigns/{again.pk}/report/npai/add", {"which": "twice"}, follow=True).content.decode()
    assert "1 numéro ajouté à vos NPAI." in page
    assert set(Npai.objects.values_list("msisdn", flat=True)) == {33612340002}
    client.post(f"/campaigns/{again.pk}/report/npai/add", {"which": "all"})
    assert Npai.objects.count() == 2


def test_a_delivery_in_between_makes_it_no_second_time(client, alice, sent) -> None:
    between = launched(alice, [("A", "0612340002")])
    make_outcomes(between, 21)
    again = launched(alice, [("A", "0612340002")])
    make_outcomes(again, 30)
    assert "Vus deux fois de suite (0)" in client.get(f"/campaigns/{again.pk}/report/npai").content.decode()


def test_a_rare_status_is_found_without_reading_every_row(client, alice, django_assert_max_num_queries) -> None:
    campaign = launched(alice, [(f"P{i}", f"06{i:08d}") for i in range(10000000, 10000900)])
    make_outcomes(campaign, 21, 21, 21, 30)
    with django_assert_max_num_queries(40):
        response = client.get(f"/campaigns/{campaign.pk}/report/rows?status=30&after={campaign.first_message_id + 600}")
    assert len(response.context["found"]) == 25


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Conflict("No connector can carry this", code="no_connector").kept(), "Aucun connecteur ne peut porter cette campagne."),
        (Conflict("Something rare").kept(), "Quelqu&#x27;un, ou un autre onglet, a modifié cela entre-temps."),
        (InvalidInput("A rule without a sentence").kept(), "A rule without a sentence"),
        ("An error of before there were codes", "An error of before there were codes"),
    ],
)  # fmt: skip
def test_a_campaign_that_could_not_leave_says_why_in_french(sent, client, error, sentence) -> None:
    Campaign.objects.filter(pk=sent.pk).update(state=Campaign.State.FAILED, error=error)
    assert sentence in client.get(f"/campaigns/{sent.pk}/report").content.decode()
