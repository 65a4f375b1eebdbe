"""What the pages of administration, account, developers and operators show."""

from __future__ import annotations

from django.utils import timezone

from carillon.models import ApiRequest, Connector, Route, Sender, User, Webhook
from carillon.services import brands, credits, routes, second_factor, sender_names, subaccounts, tokens, webhooks
from tests.builders import make_connector


def add_house(alice: User, bob: User) -> dict[str, object]:
    """Gives the ids that fill paths: bob, brand, child, request, connector, webhook, call."""
    account, now = alice.account, timezone.now()
    brand = brands.add(account, "Maison du Nord", is_client=True)
    sender_names.ask(account, "MAISON", now=now)
    Sender.objects.create(account=account, name="CADEAUX", state=Sender.State.WAITING)
    Sender.objects.create(account=account, name="BANQUE", state=Sender.State.REFUSED, reason="Marque d'un autre")
    child = subaccounts.create(alice, name="Boutique de Lille", mode="limited", amount=2_500)
    subaccounts.create(alice, name="Boutique de Lens", mode="unlimited")
    credits.grant(account, 50_000, note="Facture 2026-12", user=alice)
    token, _secret = tokens.create(user=alice, name="Site web", scopes=["send", "reports"], is_test=True)
    tokens.revoke(actor=alice, token_id=tokens.create(user=alice, name="Ancien site")[0].pk)
    request = ApiRequest.objects.create(
        request_id="5e0c", account_id=account.pk, token_id=token.pk, at=now, method="POST", path="/api/v1/campaigns/inject",
        status=422, duration_ms=18, address="203.0.113.7", request_body='{"msg": "Bonjour"}', response_body='{"code": "no_recipient"}',
    )  # fmt: skip
    second_factor.trust_device(alice, label="Firefox, Windows", now=now)
    connector = _north()
    hook, _signing_secret = webhooks.create(
        account, url="https://example.org/hook", events=["receipt", "stop"], user=alice
    )
    call = webhooks.send_test(hook)
    webhooks.change(hook, batch_size=50)
    Webhook.objects.filter(pk=hook.pk).update(paused_at=now, failures=12)
    return {
        "bob": bob.pk, "brand": brand.pk, "child": child.pk, "request": request.pk, "connector": connector.pk,
        "webhook": hook.pk, "call": call.pk,
    }  # fmt: skip


def _north() -> Connector:
    connector = make_connector(
        name="Opérateur Nord", options={"host": "smsc.example.org", "system_id": "carillon"}, state="down",
        state_reason="bind refused: wrong password", state_at=timezone.now(),
    )  # fmt: skip
    Route.objects.get_or_create(name="France", defaults={"connector": connector, "country": "FR", "traffic": "MKG"})
    routes.set_tariff(country="BE", price=150)
    return connector
