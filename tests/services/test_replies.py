"""Texts from people: matched to what they got, STOP obeyed, answered once, told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from carillon.domain.traffic import Inbound
from carillon.models import Account, AutoReply, Brand, Campaign, ConsentEntry, Message, OptOut, Outbox, Reply
from carillon.services import counts, forwarding, inbound, launching, mail, optouts, preparation, replies
from tests.builders import make_account, make_campaign, make_connector, make_list, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
PERSON = 33612345678


def sent(account: Account | None = None, **changes: Any) -> Campaign:
    """A campaign that reached PERSON."""
    account = account or make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])], **changes)
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW)
    deliver(campaign)
    return campaign


def deliver(campaign: Campaign, status: int = 16) -> None:
    message = Message.objects.get(campaign_id=campaign.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO submission (message_id, segment, segments, submitted_at, account_id, campaign_id, connector_id,"
            " status, price, carrier_message_id) VALUES (%s, 1, 1, %s, %s, %s, %s, %s, 100, %s)",
            [message.id, NOW, campaign.account_id, campaign.pk, message.connector_id, status, str(message.id)],
        )
    counts.add(campaign.pk, {1: -1, status: 1})


def receive(text: str, *, to: str = "36184", number: int = PERSON, **changes: Any) -> Reply:
    inbound.keep([Inbound(number, to, text, **changes)], connector_id=1)
    replies.handle_waiting()
    return Reply.objects.filter(direction="MO").latest("id")


@pytest.fixture(autouse=True)
def _connector() -> None:
    make_connector()


def test_a_reply_belongs_to_the_latest_message_to_that_person() -> None:
    account = make_account()
    sent(account)
    latest = sent(account, message="Autre message")
    sent(make_account(short_code_mkg="36999"))
    reply = receive("merci beaucoup")
    assert (reply.account_id, reply.campaign_id, reply.kind) == (account.pk, latest.pk, "reply")
    assert Outbox.objects.get(event="reply").payload == {"reply_id": reply.pk}


def test_a_reply_answers_what_was_sent_not_what_waits() -> None:
    account = make_account()
    got = sent(account)
    waiting = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    launching.launch(preparation.prepare(waiting.pk), actor=None, now=NOW)
    assert receive("STOP").campaign_id == got.pk
    assert counts.by_status(got.pk)[17] == 1


def test_a_brand_named_in_the_text_goes_before_the_latest() -> None:
    account = make_account(is_multi_brand=True)
    atelier = Brand.objects.create(account=account, name="Atelier Bleu")
    first = sent(account, brand=atelier)
    sent(account)
    assert receive("STOP atelier bleu").campaign_id == first.pk
    assert OptOut.objects.get().brand_id == atelier.pk


def test_stop_opts_out_counts_17_and_confirms_once() -> None:
    campaign = sent()
    assert receive("Stop svp").kind == "stop"
    receive("STOP")
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}
    assert counts.by_status(campaign.pk) == {17: 1}
    confirmations = Message.objects.filter(account_id=campaign.account_id).exclude(campaign_id=campaign.pk)
    assert [m.text[:13] for m in confirmations] == ["Votre demande"]
    assert Outbox.objects.filter(event="stop").count() == 2


def test_stop_is_obeyed_without_credit_and_before_the_receipt() -> None:
    account = make_account(balance=100)
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW)
    receive("STOP")
    assert optouts.levels_of(account.pk, [PERSON]) == {PERSON: 14}
    assert counts.by_status(campaign.pk) == {1: 1}
    deliver(campaign)
    assert replies.settle_stops() == 1
    assert replies.settle_stops() == 0
    assert counts.by_status(campaign.pk) == {17: 1}


def test_start_lifts_the_opt_out_with_the_text_as_proof() -> None:
    campaign = sent()
    receive("STOP")
    assert receive("START").kind == "start"
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {}
    proof = ConsentEntry.objects.filter(account_id=campaign.account_id).latest("sequence")
    assert proof.event == "optin" and "START" in proof.body["consent"]
    receive("STOP")
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}


def test_a_stop_handled_before_the_start_that_came_first_holds() -> None:
    """Several workers take texts side by side: the later text is the person's wish, whichever is handled first."""
    campaign = sent()
    inbound.keep([Inbound(PERSON, "36184", "START"), Inbound(PERSON, "36184", "STOP")], connector_id=1)
    start, stop = Reply.objects.filter(direction="MO").order_by("id").values_list("pk", flat=True)
    assert replies.handle(stop) and replies.handle(start)
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}


def test_automatic_answers_leave_once_and_never_loop() -> None:
    campaign = sent()
    AutoReply.objects.create(account=campaign.account, text="Merci, nous vous rappelons.")
    AutoReply.objects.create(account=campaign.account, campaign_id=campaign.pk, keyword="oui", text="C'est noté !")
    receive("oui volontiers")
    receive("oui ?")
    receive("allo", number=36184)
    answers = Reply.objects.filter(direction="MT")
    assert [(a.text, a.msisdn) for a in answers] == [("C'est noté !", PERSON)]


def test_the_same_text_delivered_twice_is_one_reply() -> None:
    sent()
    receive("merci", carrier_message_id="abc")
    receive("merci", carrier_message_id="abc")
    assert Reply.objects.count() == 1


def test_a_text_from_a_stranger_is_kept_for_operators() -> None:
    make_account(), make_account()  # two accounts share the short code: nobody's in particular
    reply = receive("STOP", number=33699999999, to="36184")
    assert (reply.account_id, reply.kind, reply.handled_at is None) == (None, "stop", False)


def test_hand_written_answers_respect_opt_outs() -> None:
    sent()
    reply = receive("quel est le prix ?")
    assert replies.answer(reply, "10 euros").message_id is not None
    receive("STOP")
    with pytest.raises(Exception, match="not to be written"):
        replies.answer(reply, "encore nous")


def test_old_automatic_answers_do_not_silence_for_ever() -> None:
    account = make_account()
    sent(account)
    AutoReply.objects.create(account=account, text="Bonjour")
    receive("un")
    Reply.objects.filter(direction="MT").update(received_at=NOW - timedelta(days=3))
    sent(account)
    receive("deux")
    assert Reply.objects.filter(direction="MT").count() == 2


def test_an_accounts_own_words_are_heard_as_stop() -> None:
    campaign = sent(make_account(stop_words=["Plus de pub", "ANNULER"]))
    assert receive("annulér !").kind == "stop"
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}
    other = sent(make_account(short_code_mkg="36999"))
    assert receive("annuler", to="36999").kind == "reply"
    assert not optouts.levels_of(other.account_id, [PERSON])


def test_replies_are_forwarded_to_the_account_and_to_whose_campaign_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    letters: list[tuple[str, str]] = []
    monkeypatch.setattr(mail, "send", lambda to, **values: letters.append((to, values["text"])))
    monkeypatch.setattr(replies, "defer", lambda name, **arguments: forwarding.forward(**arguments))
    account = make_account(reply_emails=["accueil@maison.test"])
    sent(account, user=make_user(account=account, reply_email="zoe@maison.test"))
    receive("merci")
    receive("STOP")
    assert letters == [("accueil@maison.test", "merci"), ("zoe@maison.test", "merci")]
