"""Texts nobody expects, from people nobody wrote to: kept, handled, and nothing breaks."""

from __future__ import annotations

import pytest

from carillon.domain.traffic import Inbound
from carillon.models import Reply
from carillon.services import inbound, inbox, launching, optouts, preparation, replies, report_rows
from tests.builders import make_account, make_campaign, make_connector, make_list, make_outcomes, make_user
from tests.services.test_optout_links import NOW

pytestmark = pytest.mark.django_db

PERSON = 33612345678


@pytest.mark.parametrize("text", ["", " ", "👍🏽", "\x00", "a\x00b", "é" * 2000, "\u202eSTOP ne", "=HYPERLINK(1)"])
def test_any_text_is_kept_shown_and_exported(text: str) -> None:
    make_connector()
    account = make_account(balance=1000)
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=NOW)
    make_outcomes(campaign, 16)
    inbound.keep([Inbound(PERSON, "36184", text)], connector_id=1)
    replies.handle_waiting()
    reply = Reply.objects.get(direction="MO")
    assert (reply.campaign_id, reply.text) == (campaign.pk, text.replace("\x00", ""))
    admin = make_user(account=account, role="admin")
    assert [row.msisdn for row in inbox.conversations(admin)] == [PERSON]
    assert b"".join(inbox.csv_pieces(admin)).decode("utf-8-sig").count(";MO;") == 1
    (row,) = report_rows.read(campaign)
    assert row.replies == [reply.text]


@pytest.mark.parametrize("text", ["👍 STOP", "STOP 🙏", "🛑 stop"])
def test_stop_is_heard_among_emoji(text: str) -> None:
    account = make_account(short_code_mkg="36777")
    inbound.keep([Inbound(PERSON, "36777", text)], connector_id=1)
    replies.handle_waiting()
    assert optouts.levels_of(account.pk, [PERSON]) == {PERSON: 14}


def test_a_stop_to_a_number_of_nobody_is_kept_for_operators() -> None:
    account = make_account()
    inbound.keep([Inbound(PERSON, "99999", "STOP")], connector_id=1)
    assert replies.handle_waiting() == 1
    reply = Reply.objects.get()
    assert (reply.account, reply.kind) == (None, "stop")
    assert optouts.levels_of(account.pk, [PERSON]) == {}
