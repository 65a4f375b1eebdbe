"""« Envoyer un test »: to whom, how often, at what price. What the text looks like: tests/api/test_campaigns.py."""

from __future__ import annotations

import pytest

from carillon.domain.errors import Conflict
from carillon.models import Account, Campaign, User
from carillon.services import test_sends as trials
from tests.builders import make_account, make_campaign, make_connector, make_list, make_optout, make_user

pytestmark = pytest.mark.django_db
MINE = "+33612345678"


def draft(**changes: object) -> tuple[Campaign, User]:
    make_connector()
    user = make_user(account=make_account(**changes), mobile=MINE)
    return make_campaign(user.account, actor=user, lists=[make_list(user.account, ["0612345600"])]), user


def test_nobody_who_opted_out_gets_a_test() -> None:
    campaign, user = draft()
    make_optout(user.account, 33612345679)
    with pytest.raises(Conflict, match="33612345679 asked"):
        trials.send(campaign, actor=user, numbers=["0612345678", "0612345679"])
    assert not Campaign.objects.filter(parent=campaign).exists()


def test_where_alerts_are_spared_a_test_of_one_leaves() -> None:
    campaign, user = draft(optout_spares_notifications=True)
    make_optout(user.account, 33612345679)
    Campaign.objects.filter(pk=campaign.pk).update(traffic="NOTIFICATION")
    campaign.refresh_from_db()
    assert len(trials.send(campaign, actor=user, numbers=["0612345679"])) == 1


def test_tests_of_one_campaign_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST_A_DAY", 3)
    campaign, user = draft()
    trials.send(campaign, actor=user, numbers=["0612345670", "0612345671"])
    with pytest.raises(Conflict) as refusal:
        trials.send(campaign, actor=user, numbers=["0612345672", "0612345673"])
    assert refusal.value.code == "too_many_tests"
    trials.send(campaign, actor=user, numbers=["0612345672"])


def test_changing_ones_mobile_does_not_make_free_messages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "FREE_A_DAY", 2)
    campaign, user = draft()
    held = []
    for number in ("+33612345671", "+33612345672", "+33612345673"):
        user.mobile = number
        trials.send(campaign, actor=user, numbers=[number])
        held.append(Account.objects.get(pk=user.account_id).held)
    assert held == [0, 0, 100]
