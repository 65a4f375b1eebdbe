"""Where the account wants to be told: receipts, replies, STOPs, clicks, low balance, finished campaigns."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from carillon.api.endpoints import Call, NoParameters, Reply, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Flag, Payload, Text, Whole, Words, iso_date
from carillon.models import Webhook, WebhookDelivery
from carillon.services import webhooks

SHOWN = 200  # deliveries


class WebhookPayload(Payload):
    url: Text | None = Field(None, max_length=500, description="https address that takes a POST.")
    events: Words | None = Field(None, description=f"Some of {', '.join(webhooks.EVENTS)}.")
    format: Text | None = Field(None, max_length=12, description="carillon (default) or smsfactor.")
    batchSize: Whole | None = Field(None, ge=1, le=webhooks.MAX_BATCH, description="Events in one call, 1 by default.")
    isEnabled: Flag | None = None


class WebhookAnswer(BaseModel):
    id: int
    url: str
    events: list[str]
    format: str
    batchSize: int
    isEnabled: bool
    pausedAt: str | None = Field(description="Set when calls are held back because the receiver does not answer.")
    failures: int
    createdAt: str | None
    secret: str | None = Field(None, description="Signs the calls; only in the answer that makes it.")


class WebhookList(BaseModel):
    webhooks: list[WebhookAnswer]


def _answer(webhook: Webhook, secret: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": webhook.pk,
        "url": webhook.url,
        "events": list(webhook.events),
        "format": webhook.format,
        "batchSize": webhook.batch_size,
        "isEnabled": webhook.is_enabled,
        "pausedAt": iso_date(webhook.paused_at),
        "failures": webhook.failures,
        "createdAt": iso_date(webhook.created_at),
    }
    return body | ({"secret": secret} if secret is not None else {})


def _get(call: Call) -> Webhook:
    """Webhooks hold an account's data in front of anyone: administrators only."""
    _check_role(call)
    return webhooks.get(call.account, call.number("webhook_id"))


def _check_role(call: Call) -> None:
    if not call.user.is_admin:
        raise ApiError("forbidden", "Only an administrator sees and changes webhooks.")


@endpoint(
    "GET", "webhooks", name="listWebhooks", scope="webhooks", tag="Webhooks", answer=WebhookList, is_addition=True
)
def list_webhooks(call: Call, _: NoParameters) -> dict[str, Any]:
    """Webhooks of the account."""
    _check_role(call)
    return {"webhooks": [_answer(webhook) for webhook in webhooks.visible(call.account)]}


@endpoint(
    "POST", "webhooks", name="createWebhook", scope="webhooks", tag="Webhooks", payload=WebhookPayload, answer=WebhookAnswer,
    errors=("invalid_input",), example={"url": "https://example.com/sms", "events": ["receipt", "reply"]},
    is_idempotent=True, is_addition=True, success=201,
)  # fmt: skip
def create_webhook(call: Call, payload: WebhookPayload) -> Reply:
    """Be told about events.

    The answer holds the secret that signs every call; it is not shown again.
    """
    _check_role(call)
    if not payload.url:
        raise ApiError("invalid_input", "url is required.", param="url")
    webhook, secret = webhooks.create(
        call.account,
        url=payload.url.strip(),
        events=payload.events or ["receipt"],
        format=(payload.format or "carillon").strip().lower(),
        batch_size=payload.batchSize or 1,
        user=call.user,
    )
    if payload.isEnabled is False:
        webhook = webhooks.change(webhook, is_enabled=False)
    return Reply(_answer(webhook, secret), status=201)


@endpoint(
    "GET", "webhooks/{webhook_id}", name="getWebhook", scope="webhooks", tag="Webhooks", answer=WebhookAnswer,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def get_webhook(call: Call, _: NoParameters) -> dict[str, Any]:
    """Read a webhook."""
    return _answer(_get(call))


@endpoint(
    "PUT", "webhooks/{webhook_id}", name="updateWebhook", scope="webhooks", tag="Webhooks", payload=WebhookPayload,
    answer=WebhookAnswer, errors=("not_found", "invalid_input"), is_addition=True,
)  # fmt: skip
def update_webhook(call: Call, payload: WebhookPayload) -> dict[str, Any]:
    """Change a webhook. What is not given stays; enabling a paused one, or a new address, resumes its calls."""
    given = {
        "url": payload.url.strip() if payload.url else None,
        "events": payload.events or None,
        "format": payload.format.strip().lower() if payload.format else None,
        "batch_size": payload.batchSize,
        "is_enabled": payload.isEnabled,
    }
    return _answer(webhooks.change(_get(call), **{name: value for name, value in given.items() if value is not None}))


class WebhookDeleted(BaseModel):
    deleted: int


@endpoint(
    "DELETE", "webhooks/{webhook_id}", name="deleteWebhook", scope="webhooks", tag="Webhooks", answer=WebhookDeleted,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def delete_webhook(call: Call, _: NoParameters) -> dict[str, Any]:
    """Delete a webhook and the calls it still had to make."""
    webhook = _get(call)
    number = webhook.pk
    webhooks.delete(webhook)
    return {"deleted": number}


@endpoint(
    "POST", "webhooks/{webhook_id}/secret", name="rotateSecret", scope="webhooks", tag="Webhooks", answer=WebhookAnswer,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def rotate_secret(call: Call, _: NoParameters) -> dict[str, Any]:
    """Make a new secret. The old one signs beside it for 24 hours."""
    webhook = _get(call)
    secret = webhooks.rotate_secret(webhook, now=call.now)
    return _answer(webhook, secret)


class Delivery(BaseModel):
    id: int
    event: str
    state: str = Field(description="waiting, done or failed.")
    events: int
    attempts: int
    lastStatus: int | None
    lastError: str
    createdAt: str | None
    doneAt: str | None


class DeliveryList(BaseModel):
    deliveries: list[Delivery]


@endpoint(
    "GET", "webhooks/{webhook_id}/deliveries", name="listDeliveries", scope="webhooks", tag="Webhooks", answer=DeliveryList,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def list_deliveries(call: Call, _: NoParameters) -> dict[str, Any]:
    """The last calls of a webhook, newest first."""
    found = WebhookDelivery.objects.filter(webhook=_get(call)).order_by("-id")[:SHOWN]
    return {"deliveries": [_delivery(row) for row in found]}


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "event": row.event,
        "state": str(row.state),
        "events": row.count,
        "attempts": row.attempts,
        "lastStatus": row.last_status,
        "lastError": row.last_error,
        "createdAt": iso_date(row.created_at),
        "doneAt": iso_date(row.done_at),
    }


@endpoint(
    "POST", "webhooks/{webhook_id}/test", name="testWebhook", scope="webhooks", tag="Webhooks", answer=Delivery,
    errors=("not_found",), is_addition=True,
)  # fmt: skip
def test_webhook(call: Call, _: NoParameters) -> dict[str, Any]:
    """Send a sample event to a webhook."""
    return _delivery(webhooks.send_test(_get(call)))


test_webhook.__test__ = False  # type: ignore[attr-defined]
