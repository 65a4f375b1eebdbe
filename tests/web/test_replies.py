"""« Réponses »: strangers see nothing; colleagues read, answer, share; the settings answer by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from carillon.models import Account, AutoReply, Message, Reply, User
from carillon.services import inbox, optouts
from tests.builders import make_campaign, make_connector
from tests.web.conftest import signed_in

PERSON = 33612345678


def said(account: Account, text: str, *, msisdn: int = PERSON, **changes: Any) -> Reply:
    values: dict[str, Any] = {"kind": "reply", "received_at": timezone.now() - timedelta(minutes=10)}
    return Reply.objects.create(account=account, msisdn=msisdn, to="36184", text=text, **(values | changes))


def page(user: User, address: str = "/replies/") -> str:
    answer = signed_in(user).get(address)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_a_stranger_sees_no_conversation_and_can_do_nothing_with_it(alice: User, charlie: User) -> None:
    reply = said(alice.account, "Secret de fabrique")
    assert "Secret" not in page(charlie)
    client = signed_in(charlie)
    assert client.get(f"/replies/{PERSON}").status_code == 404
    for deed in ("answer", "unread", "assign"):
        assert client.post(f"/replies/{PERSON}/{deed}", {"text": "Bonjour", "to": charlie.pk}).status_code == 404
    assert "Secret" not in b"".join(client.get("/replies/export.csv").streaming_content).decode()
    reply.refresh_from_db()
    assert (reply.read_at, reply.assigned_to) == (None, None)


def test_a_colleague_sees_their_own_campaigns_replies_and_what_they_are_given(alice: User, bob: User) -> None:
    said(alice.account, "Pour Bob", campaign_id=make_campaign(alice.account, user=bob).pk)
    said(alice.account, "Pour Alice", msisdn=PERSON + 1)
    assert ("Pour Bob" in page(bob), "Pour Alice" in page(bob)) == (True, False)
    signed_in(alice).post(f"/replies/{PERSON + 1}/assign", {"to": bob.pk})
    assert "Pour Alice" in page(bob, "/replies/?which=mine")


def test_a_conversation_cannot_be_given_to_someone_elsewhere(alice: User, charlie: User) -> None:
    said(alice.account, "Bonjour")
    assert signed_in(alice).post(f"/replies/{PERSON}/assign", {"to": charlie.pk}).status_code == 404


def test_opening_reads_and_the_latest_stands_for_the_conversation(alice: User) -> None:
    said(alice.account, "Premier", received_at=timezone.now() - timedelta(hours=2))
    said(alice.account, "<b>Second</b>")
    listed = page(alice)
    assert "Premier" not in listed and "&lt;b&gt;Second" in listed and "2 non lues" in listed
    whole = page(alice, f"/replies/{PERSON}")
    assert whole.index("Premier") < whole.index("Second")
    assert "Aucune conversation" in page(alice, "/replies/?which=unread")
    signed_in(alice).post(f"/replies/{PERSON}/unread")
    assert "1 non lue" in page(alice, "/replies/?which=unread")


@pytest.mark.parametrize("few", [0, 500])
@pytest.mark.parametrize(
    ("q", "is_found"), [("06 12 34", True), ("fabrique", True), ("+33612345678", True), ("0699", False)]
)
def test_search_by_number_or_words(
    alice: User, q: str, is_found: bool, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "FEW", few)
    said(alice.account, "Secret de fabrique", received_at=timezone.now() - timedelta(hours=1))
    said(alice.account, "Secret, encore")
    assert ("Secret" in signed_in(alice).get("/replies/", {"q": q}).content.decode()) is is_found


def test_answering_sends_a_text_in_the_same_conversation(alice: User) -> None:
    make_connector(is_simulator=True)
    said(alice.account, "À quelle heure ?")
    answer = signed_in(alice).post(f"/replies/{PERSON}/answer", {"text": "Dès 18 h."})
    assert answer.status_code == 302
    assert Message.objects.get(account_id=alice.account.pk).text == "Dès 18 h."
    assert Reply.objects.get(direction="MT").text == "Dès 18 h."
    assert "Dès 18 h." in page(alice, f"/replies/{PERSON}")


def test_an_answer_that_cannot_leave_keeps_what_was_written(alice: User) -> None:
    make_connector(is_simulator=True)
    said(alice.account, "STOP", kind="stop")
    optouts.add(alice.account, PERSON, source="stop")
    refused = signed_in(alice).post(f"/replies/{PERSON}/answer", {"text": "Attendez"})
    assert refused.status_code == 422 and not Message.objects.exists()
    said(alice.account, "Bonjour", msisdn=PERSON + 1)
    Account.objects.filter(pk=alice.account.pk).update(balance=0)
    poor = signed_in(alice).post(f"/replies/{PERSON + 1}/answer", {"text": "Mon brouillon"})
    assert poor.status_code == 422 and "Mon brouillon" in poor.content.decode()


def test_the_export_holds_no_formula(alice: User) -> None:
    said(alice.account, '=HYPERLINK("http://evil")')
    exported = b"".join(signed_in(alice).get("/replies/export.csv").streaming_content).decode("utf-8-sig")
    assert exported.startswith("DATE;SENS;NUMERO") and ";=HYPERLINK" not in exported and '"=HYPERLINK' not in exported


def test_only_administrators_set_automatic_answers(alice: User, bob: User, charlie: User) -> None:
    assert signed_in(bob).get("/replies/settings").status_code == 404
    rule = AutoReply.objects.create(account=alice.account, keyword="INFO", text="Ouvert de 9 h à 18 h")
    for stranger in (bob, charlie):
        client = signed_in(stranger)
        assert client.post(f"/replies/settings/answers/{rule.pk}/remove").status_code == 404
        assert client.post(f"/replies/settings/answers/{rule.pk}/switch").status_code == 404
    rule.refresh_from_db()
    assert rule.is_enabled


def test_automatic_answers_are_added_switched_and_removed(alice: User) -> None:
    client = signed_in(alice)
    campaign = make_campaign(alice.account, name="Noël")
    assert (
        client.post("/replies/settings", {"keyword": "Info", "text": "9 h à 18 h", "campaign": campaign.pk}).status_code
        == 302
    )
    rule = AutoReply.objects.get()
    assert (rule.keyword, rule.campaign_id, rule.is_enabled) == ("Info", campaign.pk, True)
    assert "Noël" in page(alice, "/replies/settings")
    client.post(f"/replies/settings/answers/{rule.pk}/switch")
    rule.refresh_from_db()
    assert not rule.is_enabled
    client.post(f"/replies/settings/answers/{rule.pk}/remove")
    assert not AutoReply.objects.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"keyword": "arrêt", "text": "Non"}, "STOP ou START"),
        ({"keyword": "INFO", "text": ""}, "obligatoire"),
        ({"keyword": "info", "text": "Encore"}, "déjà une réponse"),
        ({"keyword": "!!", "text": "Quoi"}, "lettres ou des chiffres"),
    ],
)
def test_what_an_automatic_answer_cannot_be(alice: User, given: dict[str, str], sentence: str) -> None:
    AutoReply.objects.create(account=alice.account, keyword="INFO", text="Ouvert")
    answer = signed_in(alice).post("/replies/settings", given)
    assert answer.status_code == 422 and sentence in answer.content.decode()


def test_forward_addresses_are_checked(alice: User) -> None:
    client = signed_in(alice)
    assert (
        client.post("/replies/settings/forwarding", {"reply_emails": "a@maison.test\nnot an address"}).status_code
        == 422
    )
    assert (
        client.post("/replies/settings/forwarding", {"reply_emails": " a@maison.test\n\nb@maison.test"}).status_code
        == 302
    )
    assert Account.objects.get(pk=alice.account.pk).reply_emails == ["a@maison.test", "b@maison.test"]
