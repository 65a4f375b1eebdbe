"""Searching finds capitals with accents: the platform's own PostgreSQL folds them."""

from __future__ import annotations

import pytest

from carillon.services import campaigns, list_search
from tests.builders import make_account, make_campaign, make_list, make_user


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["école", "ÉCOLE", "École"])
def test_capitals_with_accents_are_found(typed: str) -> None:
    account = make_account()
    user = make_user(account=account, role="admin")
    pupils = make_list(account, [("ÉCOLE DU NORD", "0612340001"), ("École du Sud", "0612340002"), ("Lycée", "0612340003")],
                       header=("Nom", "SMS"), user=user)  # fmt: skip
    assert len(list_search.find(pupils, typed)) == 2
    campaign = make_campaign(account, actor=user, name="Rentrée à l'ÉCOLE")
    assert campaign in campaigns.visible(user).filter(name__icontains=typed)
