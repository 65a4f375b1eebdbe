"""Where an account is told what happens: create, change, rotate, replay; and the fan-out from facts to calls.

Facts come in the outbox, written in the transaction of the deed. `fan_out` turns them into deliveries (one call each, of up to
`batch_size` events); services.webhook_calls makes the calls. Neither is ever in the way of the gateway.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Account, User, Webhook, WebhookDelivery
from carillon.services import net_guard, webhook_bodies
from carillon.services.deferral import defer
from carillon.services.sealing import seal, unseal
from carillon.services.ticks import literal, text_literal

EVENTS = ("receipt", "reply", "stop", "click", "balance.low", "campaign.finished")
OF_OUTBOX = {"message.status": "receipt"}  # other names are the same on both sides
FORMATS = ("carillon", "smsfactor")
MAX_BATCH = 500
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
LIFE = timedelta(hours=48)  # of a delivery that cannot be made


def visible(account: Account) -> Iterable[Webhook]:
    return Webhook.objects.filter(account=account).order_by("id")


def get(account: Account, webhook_id: int) -> Webhook:
    found = Webhook.objects.filter(account=account, pk=webhook_id).first()
    if found is None:
        raise NotFound(f"There is no webhook {webhook_id}", code="webhook_not_found")
    return found


def create(
    account: Account,
    *,
    url: str,
    events: Sequence[str],
    format: str = "carillon",
    batch_size: int = 1,
    user: User | None = None,
) -> tuple[Webhook, str]:
    """The webhook, and the secret its calls are signed with: shown once."""
    _check(url=url, events=events, format=format, batch_size=batch_size)
    secret = "whsec_" + secrets.token_urlsafe(32)
    webhook = Webhook.objects.create(
        account=account,
        user=user,
        url=url,
        events=list(events),
        format=format,
        batch_size=batch_size,
        secret=seal(secret),
    )
    return webhook, secret


def change(webhook: Webhook, **changes: Any) -> Webhook:
    """url, events, format, batch_size, is_enabled. Enabling or changing the address of a paused one resumes it."""
    merged = {k: changes.get(k, getattr(webhook, k)) for k in ("url", "events", "format", "batch_size")}
    _check(**merged)
    for key, value in changes.items():
        setattr(webhook, key, value)
    if changes.keys() & {"url", "is_enabled"}:
        webhook.paused_at, webhook.failures = None, 0
    webhook.save()
    if webhook.is_enabled:
        _wake(webhook.pk)
    return webhook


def _check(*, url: str, events: Sequence[str], format: str, batch_size: int) -> None:
    net_guard.check_url(url)
    unknown = [event for event in events if event not in EVENTS]
    if unknown or not events:
        raise InvalidInput(f"Events are {', '.join(EVENTS)}", field="events", code="unknown_event")
    if format not in FORMATS:
        raise InvalidInput(f"Formats are {', '.join(FORMATS)}", field="format")
    if not 1 <= batch_size <= MAX_BATCH:
        raise InvalidInput(f"A call carries 1 to {MAX_BATCH} events", field="batch_size")
    if format == "smsfactor" and batch_size != 1:
        raise InvalidInput("The SMSFactor format has one event a call", field="batch_size", code="one_event_a_call")


def rotate_secret(webhook: Webhook, *, now: datetime) -> str:
    """A new secret; for a day, calls carry signatures by both."""
    secret = "whsec_" + secrets.token_urlsafe(32)
    webhook.previous_secret, webhook.secret, webhook.rotated_at = webhook.secret, seal(secret), now
    webhook.save()
    return secret


def secrets_of(webhook: Webhook, *, now: datetime) -> list[str]:
    """Newest first; the one before it only within a day of the rotation."""
    found = [unseal(webhook.secret)]
    if webhook.previous_secret and webhook.rotated_at and now - webhook.rotated_at < OLD_SECRET_SIGNS_FOR:
        found.append(unseal(webhook.previous_secret))
    return found


def delete(webhook: Webhook) -> None:
    webhook.delete()


def resume(webhook: Webhook) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(paused_at=None, failures=0)
    WebhookDelivery.objects.filter(webhook=webhook, state="waiting").update(next_at=timezone.now())
    _wake(webhook.pk)


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """The same body again, as a delivery of its own."""
    twin = WebhookDelivery.objects.create(
        webhook=delivery.webhook, account_id=delivery.account_id, event=delivery.event, body=delivery.body,
        count=delivery.count, order_key=delivery.order_key, next_at=timezone.now(),
    )  # fmt: skip
    _wake(delivery.webhook_id)
    return twin


def send_test(webhook: Webhook) -> WebhookDelivery:
    """One call with an event "test", so that a person sees what arrives."""
    body = webhook_bodies.envelope(
        [{"event": "test", "data": {"message": "Carillon"}}], webhook=webhook, at=timezone.now()
    )
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, account_id=webhook.account_id, event="test", body=body, next_at=timezone.now()
    )
    _wake(webhook.pk)
    return delivery


# The oldest facts, of some EVENTS_AT_ONCE events: a receipt's fact names up to a thousand messages.
TAKE = """
WITH oldest AS (
    SELECT id, coalesce(jsonb_array_length(payload->'messages'), 1) AS n FROM outbox ORDER BY id LIMIT 500
), taken AS (SELECT id FROM (SELECT id, sum(n) OVER (ORDER BY id) - n AS before FROM oldest) o WHERE before < %s)
DELETE FROM outbox USING taken WHERE outbox.id = taken.id
RETURNING outbox.id, account_id, event, payload, at
"""
EVENTS_AT_ONCE = 5_000
ADD = """
INSERT INTO webhook_delivery (webhook_id, account_id, event, count, order_key, body, state, attempts, next_at, created_at, last_error)
SELECT %s, %s, event, n, order_key, body, 'waiting', 0, %s, %s, ''
FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::jsonb[]) WITH ORDINALITY u(event, n, order_key, body, place) ORDER BY place
"""


@transaction.atomic
def fan_out() -> int:
    """Take facts from the outbox and make deliveries of them; returns how many facts were taken.

    Only one runs at a time (the job has a lock), so that the events of one message keep their order.
    """
    with connection.cursor() as cursor:
        # A crash just after the commit brings the facts back and takes the calls away: all is done again. The disk is the gateways'.
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(TAKE, [EVENTS_AT_ONCE])
        facts = sorted(
            (i, a, e, json.loads(p), at) for i, a, e, p, at in cursor.fetchall()
        )  # Django leaves jsonb as text
    if not facts:
        return 0
    hooks: dict[int, list[Webhook]] = {}
    for hook in Webhook.objects.filter(account_id__in={f[1] for f in facts}, is_enabled=True):
        hooks.setdefault(hook.account_id, []).append(hook)
    woken: set[int] = set()
    for account_id, own in hooks.items():
        wanted = {event for hook in own for event in hook.events}
        mine = [(OF_OUTBOX.get(e, e), payload, at) for _, a, e, payload, at in facts if a == account_id]
        events = webhook_bodies.events_of(account_id, [fact for fact in mine if fact[0] in wanted])
        for hook in own:
            if _enqueue(hook, [event for event in events if event["event"] in hook.events]):
                woken.add(hook.pk)
    for hook_id in woken:
        _wake(hook_id)
    return len(facts)


def _enqueue(hook: Webhook, events: Sequence[dict[str, Any]]) -> bool:
    now = timezone.now()
    calls = [events[start : start + hook.batch_size] for start in range(0, len(events), hook.batch_size)]
    if calls:
        bodies = [webhook_bodies.as_text(webhook_bodies.envelope(call, webhook=hook, at=now)) for call in calls]
        # Array literals written here: the driver's own would cost more than all the rest.
        columns = [
            text_literal([call[0]["event"] for call in calls]), literal(len(call) for call in calls),
            literal(call[0].get("order_key", 0) if len(call) == 1 else 0 for call in calls), text_literal(bodies),
        ]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(ADD, [hook.pk, hook.account_id, now, now, *columns])
    return bool(calls)


def wake_due(*, now: datetime) -> int:
    """A safety net: calls that are due and that no job has taken for half a minute."""
    overdue = WebhookDelivery.objects.filter(
        webhook=OuterRef("pk"), state="waiting", next_at__lt=now - timedelta(seconds=30)
    )
    found = list(Webhook.objects.filter(Exists(overdue), is_enabled=True).values_list("pk", flat=True))
    for webhook_id in found:
        _wake(webhook_id)
    return len(found)


def _wake(webhook_id: int) -> None:
    defer("webhooks.send", webhook_id=webhook_id, lock=f"webhook-{webhook_id}", queueing_lock=f"webhook-{webhook_id}")
