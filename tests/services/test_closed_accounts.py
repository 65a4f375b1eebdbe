"""A closed account: nobody comes in and nothing leaves, nor from its sub-accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carillon.domain.errors import Conflict
from carillon.models import Account, Campaign
from carillon.services import account_options, launching, preparation, subaccounts, tokens
from tests.builders import make_account, make_campaign, make_connector, make_list, make_user

pytestmark = pytest.mark.django_db

OPEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in Paris


def ready(account: Account) -> Campaign:
    campaign = make_campaign(account, lists=[make_list(account, ["0612345600", "0612345601"])])
    return preparation.prepare(campaign.pk)


def test_what_a_closed_sub_account_sends_is_paused_and_what_it_scheduled_is_a_draft_again() -> None:
    make_connector()
    admin = make_user(role="admin")
    child = subaccounts.create(admin, name="Nord", mode="limited", amount=10_000)
    running = launching.launch(ready(child), actor=None, now=OPEN)
    scheduled = launching.launch(ready(child), actor=None, now=OPEN, at=OPEN + timedelta(hours=1))
    elsewhere = launching.launch(ready(admin.account), actor=None, now=OPEN)
    child.refresh_from_db()
    subaccounts.change(child, is_active=False)
    for campaign in (running, scheduled, elsewhere):
        campaign.refresh_from_db()
    assert (running.state, running.is_sending, running.paused_at is not None) == ("INPROGRESS", False, True)
    assert (scheduled.state, scheduled.reserved) == ("DRAFT", 0)
    assert elsewhere.is_sending
    child.refresh_from_db()
    assert child.held == 200
    for deed in (launching.resume, lambda c: launching.launch(scheduled, actor=None, now=OPEN)):
        with pytest.raises(Conflict, match="closed"):
            deed(running)


def test_a_sub_account_closes_with_its_parent() -> None:
    make_connector()
    parent = make_account()
    child = make_account(parent=parent)
    user = make_user(account=child)
    secret = tokens.create(user=user, name="test")[1]
    scheduled = launching.launch(ready(child), actor=None, now=OPEN, at=OPEN + timedelta(hours=1))
    assert tokens.find(secret, now=OPEN) is not None and tokens.is_usable(user)
    account_options.update(parent, by_operator=True, is_active=False)
    assert tokens.find(secret, now=OPEN) is None and not tokens.is_usable(type(user).objects.get(pk=user.pk))
    assert Campaign.objects.get(pk=scheduled.pk).state == "DRAFT"


def test_a_campaign_scheduled_while_its_account_closes_does_not_start() -> None:
    make_connector()
    account = make_account()
    scheduled = launching.launch(ready(account), actor=None, now=OPEN, at=OPEN + timedelta(hours=1))
    Account.objects.filter(pk=account.pk).update(is_active=False)
    assert not launching.start(scheduled.pk, now=OPEN + timedelta(hours=1))
