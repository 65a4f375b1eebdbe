"""What an HTTP carrier tells us by calling: receipts and texts, stored in one transaction before it is answered."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from carillon.domain.errors import NotFound
from carillon.domain.traffic import Inbound, Receipt
from carillon.models import Connector
from carillon.services import inbound, live, matching, receipts


def url_of(connector: Connector) -> str:
    """Our public address for this connector; its path is the secret."""
    return f"{settings.PUBLIC_URL}/carriers/{connector.callback_key}"


def by_key(key: str) -> Connector:
    """Raises NotFound."""
    found = Connector.objects.filter(callback_key=key).exclude(callback_key="").first()
    if found is None:
        raise NotFound("There is no such address", code="connector_not_found")
    return found


@transaction.atomic
def receive(connector: Connector, arrivals: Sequence[Receipt | Inbound]) -> None:
    """A receipt that comes before its answer is on disk is kept, and matched within seconds by the worker."""
    told = [arrival for arrival in arrivals if isinstance(arrival, Receipt)]
    if told:
        tick = matching.open_tick(connector.pk)
        receipts.finish(tick, receipts.begin(tick, told, []))
        tick.write_sums()
        live.tell(connector.pk)
    texts = [arrival for arrival in arrivals if isinstance(arrival, Inbound)]
    if texts:
        inbound.keep(texts, connector_id=connector.pk)
