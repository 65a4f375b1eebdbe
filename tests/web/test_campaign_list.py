"""« Mes campagnes » and the dashboard: who sees what, every filter, the export, what is done to whole campaigns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from carillon.models import Campaign, User
from carillon.services import launching, preparation
from tests.builders import make_campaign, make_connector, make_list
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


def named(client: Client, query: str = "") -> set[str]:
    rows = client.get(f"/campaigns/{query}").context["rows"]
    return {row.campaign.name for row in rows}


def scheduled(user: User, **changes: object) -> Campaign:
    make_connector(is_simulator=True)
    clients = make_list(user.account, ["0612345678"])
    campaign = make_campaign(user.account, actor=user, traffic="NOTIFICATION", lists=[clients], **changes)
    now = timezone.now()
    return launching.launch(preparation.prepare(campaign.pk), actor=user, at=now + timedelta(days=2), now=now)


@pytest.mark.parametrize("path", ["/", "/campaigns/", "/campaigns/new", "/lists/", "/templates/"])
def test_a_stranger_must_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/login")


def test_a_user_sees_their_own_an_administrator_the_house_and_nobody_another_house(alice, bob, charlie, olga) -> None:
    for user in (alice, bob, charlie):
        make_campaign(user.account, actor=user, name=user.login)
    assert named(signed_in(bob)) == {"bob"}
    assert named(signed_in(alice)) == {"alice", "bob"}
    assert named(signed_in(charlie)) == {"charlie"}
    assert named(signed_in(olga)) == {"alice", "bob", "charlie"}


@pytest.mark.parametrize(
    "path",
    ["description", "recipients", "message", "send", "report", "report.csv", "report/live", "report/rows", "strip"],
)
def test_a_stranger_of_another_house_finds_nothing(alice, charlie, path: str) -> None:
    campaign = make_campaign(alice.account, actor=alice)
    assert signed_in(charlie).get(f"/campaigns/{campaign.pk}/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["duplicate", "delete", "restore", "cancel-schedule", "pause", "resume", "cancel-rest", "undo", "send/launch", "send/test",
     "recipients/add", "recipients/type", "report/npai/add", "message/template"],
)  # fmt: skip
def test_a_stranger_does_nothing_to_it(alice, charlie, path: str) -> None:
    campaign = make_campaign(alice.account, actor=alice)
    assert signed_in(charlie).post(f"/campaigns/{campaign.pk}/{path}").status_code == 404
    campaign.refresh_from_db()
    assert campaign.deleted_at is None
    assert campaign.state == "DRAFT"


def test_the_dashboard_leads_a_newcomer_on(bob) -> None:
    page = signed_in(bob).get("/").content.decode()
    assert "Écrivons votre première campagne" in page
    assert "Campagnes en préparation" in page


def test_the_dashboard_shows_ten_drafts_and_ten_others(alice) -> None:
    for i in range(12):
        make_campaign(alice.account, actor=alice, name=f"draft {i}")
    scheduled(alice, name="later")
    context = signed_in(alice).get("/").context
    assert [row.campaign.name for row in context["drafts"]] == [f"draft {i}" for i in range(11, 1, -1)]
    assert [row.campaign.name for row in context["latest"]] == ["later"]


def test_filters_find_by_name_number_person_stage_flow_and_day(alice, bob) -> None:
    soldes = make_campaign(alice.account, actor=alice, name="Soldes d'été")
    make_campaign(alice.account, actor=bob, name="Rappel", is_unit=True)
    old = make_campaign(alice.account, actor=alice, name="Vieille")
    Campaign.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=400))
    scheduled(alice, name="Plus tard")
    client = signed_in(alice)
    assert named(client, "?q=SOLDES") == {"Soldes d'été"}
    assert named(client, f"?q={soldes.pk}") == {"Soldes d'été"}
    assert named(client, f"?user={bob.pk}") == {"Rappel"}
    assert named(client, "?status=scheduled") == {"Plus tard"}
    assert named(client, "?status=draft") == {"Soldes d'été", "Rappel", "Vieille"}
    assert named(client, "?flow=unit") == {"Rappel", "Plus tard"}
    assert named(client, "?flow=vms") == set()
    today = timezone.localdate()
    assert named(client, f"?from={today}&to={today}") == {"Soldes d'été", "Rappel"}
    assert named(client, f"?to={today - timedelta(days=300)}") == {"Vieille"}


def test_a_filter_that_means_nothing_is_named_and_filters_nothing(alice) -> None:
    make_campaign(alice.account, actor=alice, name="Soldes")
    response = signed_in(alice).get("/campaigns/?from=demain")
    assert {row.campaign.name for row in response.context["rows"]} == {"Soldes"}
    assert response.context["form"].errors["since"]


def test_stages_follow_what_happened(alice) -> None:
    now = timezone.now()
    states = {
        "runs": {"state": "INPROGRESS", "launched_at": now},
        "waits for receipts": {"state": "INJECTED", "launched_at": now - timedelta(hours=1)},
        "two days old": {"state": "INJECTED", "launched_at": now - timedelta(hours=49)},
        "all final": {"state": "INJECTED", "launched_at": now, "finished_at": now},
        "broken": {"state": "FAILED"},
    }
    for name, changes in states.items():
        Campaign.objects.filter(pk=make_campaign(alice.account, actor=alice, name=name).pk).update(**changes)
    client = signed_in(alice)
    assert named(client, "?status=running") == {"runs", "waits for receipts"}
    assert named(client, "?status=finished") == {"two days old", "all final", "broken"}


def test_the_export_holds_what_the_filters_found_and_no_formula(alice) -> None:
    make_campaign(alice.account, actor=alice, name="=HYPERLINK(evil)")
    make_campaign(alice.account, actor=alice, name="other")
    response = signed_in(alice).get("/campaigns/?q=HYPERLINK&format=csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert response["Content-Disposition"].startswith('attachment; filename="campagnes-')
    lines = text.splitlines()
    assert len(lines) == 2
    assert ";'=HYPERLINK(evil);En création;" in lines[1]


def test_html_in_a_name_is_only_text(alice) -> None:
    make_campaign(alice.account, actor=alice, name="<script>alert(1)</script>")
    page = signed_in(alice).get("/campaigns/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_delete_and_the_way_back(alice) -> None:
    campaign = make_campaign(alice.account, actor=alice, name="Soldes")
    client = signed_in(alice)
    response = client.post(f"/campaigns/{campaign.pk}/delete", follow=True)
    page = response.content.decode()
    assert "Campagne « Soldes » supprimée." in page
    assert f'action="/campaigns/{campaign.pk}/restore"' in page
    assert named(client) == set()
    client.post(f"/campaigns/{campaign.pk}/restore")
    assert named(client) == {"Soldes"}


def test_what_is_scheduled_is_cancelled_before_it_is_deleted(alice) -> None:
    campaign = scheduled(alice)
    client = signed_in(alice)
    assert "annulez-la d&#x27;abord" in client.post(f"/campaigns/{campaign.pk}/delete", follow=True).content.decode()
    client.post(f"/campaigns/{campaign.pk}/cancel-schedule")
    campaign.refresh_from_db()
    assert campaign.state == "DRAFT"
    alice.account.refresh_from_db()
    assert alice.account.held == 0


def test_a_copy_opens_as_a_draft(alice) -> None:
    campaign = make_campaign(alice.account, actor=alice, name="Soldes", message="Bonjour")
    response = signed_in(alice).post(f"/campaigns/{campaign.pk}/duplicate")
    twin = Campaign.objects.exclude(pk=campaign.pk).get()
    assert response["Location"] == f"/campaigns/{twin.pk}/description"
    assert (twin.name, twin.message, twin.state) == ("Soldes (copie)", "Bonjour", "DRAFT")


def test_several_at_once_and_back(alice, charlie) -> None:
    ids = [make_campaign(alice.account, actor=alice, name=f"c{i}").pk for i in range(3)]
    theirs = make_campaign(charlie.account, actor=charlie)
    client = signed_in(alice)
    page = client.post(
        "/campaigns/bulk", {"deed": "delete", "campaign": [*ids[:2], theirs.pk]}, follow=True
    ).content.decode()
    assert "2 campagnes traitées." in page
    assert named(client) == {"c2"}
    theirs.refresh_from_db()
    assert theirs.deleted_at is None
    client.post(f"/campaigns/restore?ids={ids[0]},{ids[1]}")
    assert named(client) == {"c0", "c1", "c2"}


def test_a_way_back_never_leaves_the_house(alice) -> None:
    campaign = make_campaign(alice.account, actor=alice)
    response = signed_in(alice).post(f"/campaigns/{campaign.pk}/delete", {"next": "https://evil.test/"})
    assert response["Location"] == "/campaigns/"


def test_dates_at_the_ends_of_the_calendar_filter_nothing(alice) -> None:
    make_campaign(alice.account, actor=alice, name="Soldes")
    assert "Soldes" in signed_in(alice).get("/campaigns/?from=0001-01-01&to=9999-12-31").content.decode()
