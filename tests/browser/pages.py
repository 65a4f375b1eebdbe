"""Every page there is to look at. Add yours: the smoke test visits each in several appearances."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`path` may hold {names} of World.ids; `who` is a name of World.people, "" for someone who is not signed in."""

    path: str
    who: str = "alice"
    status: int = 200


PAGES = (
    Page("/login", who=""),
    Page("/password/forgotten", who=""),
    Page("/password/new?sent=1", who=""),
    Page("/activate?login=bob", who=""),
    Page("/account/authentication"),
    Page("/account/authentication/app"),
    Page("/account/password"),
    Page("/no-such-page", status=404),
    Page("/account/"),
    Page("/account/credits"),
    Page("/account/credits", who="bob"),
    Page("/account/balance-alert"),
    Page("/admin/users"),
    Page("/admin/users/new"),
    Page("/admin/users/{bob}"),
    Page("/admin/brands"),
    Page("/admin/brands/{brand}"),
    Page("/admin/senders"),
    Page("/admin/accounts"),
    Page("/admin/accounts/new"),
    Page("/admin/accounts/{child}"),
    Page("/admin/accounts/{child}/users/new"),
    Page("/admin/settings"),
    Page("/developer/tokens"),
    Page("/developer/tokens/new"),
    Page("/developer/log"),
    Page("/developer/log/{request}"),
    Page("/developer/webhooks"),
    Page("/developer/webhooks/new"),
    Page("/developer/webhooks/{webhook}"),
    Page("/developer/deliveries/{call}"),
    Page("/ops/", who="olga"),
    Page("/ops/accounts", who="olga"),
    Page("/ops/accounts/new", who="olga"),
    Page("/ops/accounts/{child}", who="olga"),
    Page("/ops/connectors", who="olga"),
    Page("/ops/connectors/{connector}", who="olga"),
    Page("/ops/routes?number=0612345678&traffic=MKG&account={child}", who="olga"),
    Page("/ops/senders", who="olga"),
    Page("/"),
    Page("/campaigns/"),
    Page("/campaigns/new"),
    Page("/campaigns/{draft}/description"),
    Page("/campaigns/{draft}/recipients"),
    Page("/campaigns/{draft}/message"),
    Page("/campaigns/{linked}/message"),
    Page("/campaigns/{draft}/send"),
    Page("/campaigns/{scheduled}/report"),
    Page("/campaigns/{sent}/report"),
    Page("/lists/"),
    Page("/lists/{clients}"),
    Page("/templates/"),
    Page("/replies/"),
    Page("/replies/{person}"),
    Page("/replies/settings"),
    Page("/blacklist/"),
    Page("/blacklist/{optout}/remove"),
    Page("/npai/"),
    Page("/campaigns/{linked}/minisite"),
    Page("/campaigns/{linked}/minisite/{minisite}"),
    Page("/simulator/"),
)
