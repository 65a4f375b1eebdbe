"""Links are written with the account's domain, else the platform's, else the short address of the settings."""

from __future__ import annotations

import pytest

from carillon.domain.errors import InvalidInput
from carillon.models import Link, ShortDomain
from carillon.services import links, short_domains
from tests.builders import make_account, make_campaign

pytestmark = pytest.mark.django_db


def test_an_accounts_own_domain_goes_first() -> None:
    account, other = make_account(), make_account()
    assert links.domain_for(account) == "127.0.0.1:8000"
    short_domains.add("Clic-Ici.net")
    short_domains.add("a.example", account=account)
    short_domains.add("b.example", account=account, is_default=True)
    assert (links.domain_for(account), links.domain_for(other)) == ("b.example", "clic-ici.net")


@pytest.mark.parametrize(
    "name", ["", "localhost", "a b.example", "https://a.example", "a.example/x", "-a.example", "clic-ici.net"]
)
def test_what_is_no_domain_or_taken(name: str) -> None:
    short_domains.add("clic-ici.net")
    with pytest.raises(InvalidInput):
        short_domains.add(name)


def test_a_domain_that_drafts_use_stays() -> None:
    short_domains.add("clic-ici.net")
    link = Link.objects.create(campaign=make_campaign(), index=0, domain="clic-ici.net", url="https://shop.example")
    with pytest.raises(InvalidInput):
        short_domains.remove("clic-ici.net")
    link.delete()
    short_domains.remove("clic-ici.net")
    assert not ShortDomain.objects.exists()


def test_every_text_of_a_link_has_the_same_length() -> None:
    short_domains.add("clic-ici.net")
    campaign = make_campaign()
    Link.objects.create(campaign=campaign, index=0, domain="clic-ici.net", url="https://shop.example")
    write = links.texts_for(campaign)["track_1"]
    assert {len(write(i)) for i in (0, 1, 10**6, 7_000_000_000)} == {19}  # features F1
