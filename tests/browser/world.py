"""The people and things that the pages of tests/browser/pages.py show. Each page's maker adds what their pages need."""

from __future__ import annotations

from dataclasses import dataclass, field

from carillon.models import User
from tests.browser.campaign_world import add_campaigns
from tests.browser.house_world import add_house
from tests.browser.reply_world import add_replies
from tests.builders import make_account, make_user


@dataclass
class World:
    """`people` by name; `ids` fills the {names} in the paths of the pages."""

    people: dict[str, User]
    ids: dict[str, object] = field(default_factory=dict)


def build() -> World:
    account = make_account(name="La Maison des Cadeaux", balance=16_000, is_test=True)
    people = {
        "bob": make_user(account=account, login="bob", first_name="Bob", last_name="Durand", email="bob@maison.test"),
        "alice": make_user(
            account=account, login="alice", role="admin", first_name="Alice", last_name="Martin",
            email="alice@maison.test", mobile="+33612345678",
        ),
        "olga": make_user(login="olga", role="operator", first_name="Olga", last_name="Petit", email="olga@carillon.test"),
    }  # fmt: skip
    ids = add_campaigns(account, people["alice"]) | add_house(people["alice"], people["bob"])
    ids |= add_replies(people["alice"], sent=int(str(ids["sent"])), linked=int(str(ids["linked"])))
    return World(people, ids)
