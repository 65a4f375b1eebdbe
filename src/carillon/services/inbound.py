"""Texts from people, kept as they came."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from carillon.domain.traffic import Inbound
from carillon.models import Reply
from carillon.services.deferral import defer


def keep(inbounds: Sequence[Inbound], *, connector_id: int) -> None:
    """Rows without an account yet; a text the carrier sends twice (same id) is kept once. A job handles them at once."""
    rows = [
        Reply(
            connector_id=connector_id, carrier_message_id=inbound.carrier_message_id[:80], msisdn=inbound.msisdn,
            to=inbound.to.lstrip("+")[:20], text=inbound.text.replace("\x00", ""), received_at=inbound.received_at or timezone.now(),
        )
        for inbound in inbounds
    ]  # fmt: skip
    with transaction.atomic():
        Reply.objects.bulk_create(rows, ignore_conflicts=True)
        defer("replies.handle", queueing_lock="replies.handle")
