"""A deleted list comes back for a day; then its rows and its file are gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from carillon.domain.errors import NotFound
from carillon.models import List, Recipient
from carillon.services import lists
from tests.builders import make_account, make_campaign, make_list, make_user

pytestmark = pytest.mark.django_db


def test_it_comes_back_whole() -> None:
    alice = make_user(role="admin")
    item = make_list(alice.account, ["0612345678"], user=alice)
    lists.discard(item)
    with pytest.raises(NotFound):
        lists.get(alice, item.pk)
    assert lists.restore(alice, item.pk).size == 1
    assert Recipient.objects.filter(list_id=item.pk).count() == 1


def test_nobody_else_brings_it_back() -> None:
    alice, stranger = make_user(role="admin"), make_user(role="admin")
    item = make_list(alice.account, ["0612345678"], user=alice)
    lists.discard(item)
    with pytest.raises(NotFound):
        lists.restore(stranger, item.pk)


def test_after_a_day_its_rows_are_gone_and_it_does_not_come_back() -> None:
    alice = make_user(role="admin")
    item = make_list(alice.account, ["0612345678"], user=alice)
    lists.discard(item)
    assert lists.purge_discarded(timezone.now() - timedelta(days=1)) == 0
    assert lists.purge_discarded(timezone.now() + timedelta(seconds=1)) == 1
    assert not Recipient.objects.filter(list_id=item.pk).exists()
    with pytest.raises(NotFound):
        lists.restore(alice, item.pk)
    assert lists.purge_discarded(timezone.now() + timedelta(seconds=1)) == 0


def test_what_a_report_still_needs_is_kept() -> None:
    account = make_account()
    item = make_list(account, ["0612345678"])
    make_campaign(account, lists=[item])
    lists.discard(item)
    assert lists.purge_discarded(timezone.now() + timedelta(seconds=1)) == 0
    assert Recipient.objects.filter(list_id=item.pk).exists()
    assert List.objects.get(pk=item.pk).deleted_at is not None
