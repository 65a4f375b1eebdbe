"""What a webhook call says: our own format, and SMSFactor's (compatible receivers keep working).

carillon    {"id": "evt_…" per event, "event", "created_at", "data": {…}} ; several: {"events": [ … ]}
smsfactor   one flat object per call, by type: DLR, MO, STOP, CLICKER, BALANCE_ALERT
Dates are ISO 8601 with offset. Numbers are E.164 digits with + in our format, without in SMSFactor's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from carillon.domain import shortcodes
from carillon.domain.dialects import to_smsfactor
from carillon.domain.status import Status, is_final, label
from carillon.models import Campaign, List, Reply, Webhook
from carillon.services import links

Fact = tuple[str, dict[str, Any], datetime]  # event, payload of the outbox, when

RECEIPTS = """
SELECT m.id, m.campaign_id, m.msisdn, m.country, m.price, m.segments, r.list_id, r.fields
FROM message m JOIN campaign c ON c.id = m.campaign_id AND c.origin <> 'system'
LEFT JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id
WHERE m.id = ANY(%s) AND m.account_id = %s AND m.connector_id <> 0
"""
CLICKS = """
SELECT c.id, c.campaign_id, c.message_id, c.link_index, c.at, c.confidence, c.device, c.brand, c.model, c.os, m.msisdn,
       coalesce(l.url, ''), coalesce(l.domain, ''), coalesce(n.human_n, 1), s.header, s.mobile_column, r.fields
FROM click c JOIN campaign k ON k.id = c.campaign_id LEFT JOIN message m ON m.id = c.message_id
LEFT JOIN link l ON l.index = c.link_index
    AND l.campaign_id = CASE WHEN k.origin = 'system' AND k.parent_id IS NOT NULL THEN k.parent_id ELSE k.id END
LEFT JOIN click_count n ON n.message_id = c.message_id AND n.link_index = c.link_index
LEFT JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id LEFT JOIN list s ON s.id = r.list_id
WHERE c.id = ANY(%s) AND c.account_id = %s
"""
REFERENCES = ("ref", "reference", "id", "refclient")


def events_of(account_id: int, facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """One dict an event, in the order of the facts: event, id, created_at, data, order_key (the message)."""
    known = _Known(account_id, facts)
    return [event for kind, payload, at in facts for event in known.events(kind, payload, at)]


class _Known:
    """What the facts of one account name, read in a few queries."""

    def __init__(self, account_id: int, facts: Sequence[Fact]) -> None:
        payloads = [payload for _, payload, _ in facts]
        self.messages = _messages(account_id, [i for p in payloads for i in p.get("messages", ())])
        self.references = _references({row[6] for row in self.messages.values() if row[6]})
        self.clicks = _clicks(account_id, [p["click_id"] for p in payloads if "click_id" in p])
        replies = [p["reply_id"] for p in payloads if "reply_id" in p]
        self.replies = Reply.objects.filter(account_id=account_id).in_bulk(replies)
        self.ours = _system_campaigns(p["campaign_id"] for kind, p, _ in facts if kind == "campaign.finished")

    def events(self, kind: str, payload: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
        """None for what is gone meanwhile, or nobody's."""
        if kind == "receipt":
            known = [self.messages[i] for i in payload["messages"] if i in self.messages]
            return self._receipts(known, payload["status"], at)
        if "reply_id" in payload:
            reply = self.replies.get(payload["reply_id"])
            return [_reply(kind, reply)] if reply is not None else []
        if kind == "click":
            click = self.clicks.get(payload["click_id"])
            return [_click(click)] if click is not None else []
        campaign_id = payload.get("campaign_id", 0)
        if campaign_id in self.ours:
            return []
        number = f"{kind}-{campaign_id}-{at.timestamp():.6f}"
        return [{"event": kind, "id": number, "created_at": at.isoformat(), "data": payload}]

    def _receipts(self, rows: Sequence[Any], status: int, at: datetime) -> list[dict[str, Any]]:
        when, text, is_last = at.isoformat(), label(Status(status), language="en"), is_final(status)
        return [
            {
                "event": "receipt",
                "id": f"receipt-{message_id}-{status}",
                "created_at": when,
                "order_key": message_id,
                "data": {
                    "message_id": message_id,
                    "campaign_id": campaign_id,
                    "msisdn": f"+{msisdn}",
                    "country": country,
                    "status": status,
                    "status_text": text,
                    "is_final": is_last,
                    "segments": segments,
                    "credits": price / 100,
                    "reference": self._reference(list_id, fields),
                },
            }
            for message_id, campaign_id, msisdn, country, price, segments, list_id, fields in rows
        ]

    def _reference(self, list_id: int | None, fields: Sequence[str] | None) -> str | None:
        """The sender's own reference for this recipient, when its list has such a column."""
        place = self.references.get(list_id) if list_id else None
        return fields[place] if place is not None and fields and place < len(fields) else None


def _is_reference(column: str) -> bool:
    return column.strip().lower() in REFERENCES


def _references(list_ids: Iterable[int]) -> dict[int, int]:
    """{list: place of its column of references}, for lists that have one."""
    found = {}
    for pk, header in List.objects.filter(pk__in=list(list_ids)).values_list("pk", "header"):
        place = next((i for i, name in enumerate(header) if _is_reference(name)), None)
        if place is not None:
            found[pk] = place
    return found


def _system_campaigns(ids: Iterable[int]) -> set[int]:
    """Those that carry one text of the platform itself (a STOP confirmation, a code): nobody's campaign, so nobody is told."""
    return set(Campaign.objects.filter(pk__in=list(ids), origin="system").values_list("pk", flat=True))


def _messages(account_id: int, ids: Sequence[int]) -> dict[int, Any]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(RECEIPTS, [list(ids), account_id])
        return {row[0]: row for row in cursor.fetchall()}


def _clicks(account_id: int, ids: Sequence[int]) -> dict[int, Any]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(CLICKS, [list(ids), account_id])
        return {row[0]: row for row in cursor.fetchall()}


def _reply(event: str, reply: Reply) -> dict[str, Any]:
    return {
        "event": event,
        "id": f"{event}-{reply.pk}",
        "created_at": reply.received_at.isoformat(),
        "order_key": reply.message_id or 0,
        "data": {
            "reply_id": reply.pk,
            "msisdn": f"+{reply.msisdn}",
            "to": reply.to,
            "text": reply.text,
            "campaign_id": reply.campaign_id,
            "message_id": reply.message_id,
            "brand_id": reply.brand_id,
            **({"source": "link"} if reply.direction == "LK" else {}),
        },
    }


def _click(row: Any) -> dict[str, Any]:
    click_id, campaign_id, message_id, index, at, confidence, device, brand, model, os, msisdn, url, domain, clicks = (
        row[:14]
    )
    code = shortcodes.encode(links.key(), message_id=message_id, index=index)
    return {
        "event": "click",
        "id": f"click-{click_id}",
        "created_at": at.isoformat(),
        "order_key": message_id,
        "data": {
            "message_id": message_id,
            "campaign_id": campaign_id,
            "msisdn": f"+{msisdn}" if msisdn else None,
            "link": index + 1,
            "url": url,
            "short_url": f"{domain or links.default_domain()}/{code}",
            "clicks": clicks,
            "reference": next(
                (v for k, v in zip(row[14] or (), row[16] or (), strict=False) if _is_reference(k)), None
            ),
            "kind": "click",
            "human_confidence": confidence,
            "device": device,
            "brand": brand,
            "model": model,
            "os": os,
        },
        "infos": _infos(*row[14:]),
    }


def _infos(header: Sequence[str] | None, mobile: str | None, fields: Sequence[str] | None) -> list[str]:
    """Of a person's row, the first four values beside the number: SMSFactor's info1 to info4."""
    values = [value for name, value in zip(header or (), fields or (), strict=False) if name != mobile]
    return [*values, "", "", "", ""][:4]


def as_text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def envelope(events: Sequence[dict[str, Any]], *, webhook: Webhook, at: datetime) -> dict[str, Any]:
    """The JSON body of one call."""
    if webhook.format == "smsfactor":
        return _smsfactor(events[0], webhook)
    cleaned = [{key: value for key, value in event.items() if key not in ("order_key", "infos")} for event in events]
    if webhook.batch_size == 1:
        return cleaned[0] | {"sent_at": at.isoformat()} if "created_at" not in cleaned[0] else cleaned[0]
    return {"events": cleaned}


def _smsfactor(event: dict[str, Any], webhook: Webhook) -> dict[str, Any]:
    """compat.md §2: date in Europe/Paris, numbers without +, everything else as strings."""
    data: dict[str, Any] = event.get("data", {})
    when = event.get("created_at")
    date = (
        datetime.fromisoformat(when).astimezone(ZoneInfo("Europe/Paris")).isoformat(timespec="seconds") if when else ""
    )
    number = str(data.get("msisdn") or "").lstrip("+")
    kind = event["event"]
    if kind == "receipt":
        return {
            "date": date,
            "status": to_smsfactor(data["status"]),
            "destination": number,
            "message_id": data.get("reference") or str(data["message_id"]),
            "campaign_id": str(data["campaign_id"]),
            "country_code": data["country"],
        }
    if kind in ("reply", "stop"):
        return {
            "date": date,
            "message": data["text"],
            "from": number,
            "account_id": str(webhook.account_id),
            "last_message_id": str(data.get("message_id") or ""),
        }
    if kind == "click":
        return {
            "campaign_id": str(data["campaign_id"]),
            "gsmsid": data["reference"] or str(data["message_id"]),
            "date": date,
            "long_url": data["url"],
            "short_url": data["short_url"],
            "clicks_on_link": str(data["clicks"]),
            "brand": data["brand"],
            "model": data["model"],
            "os": data["os"],
            **{f"info{n}": value for n, value in enumerate(event.get("infos", ("",) * 4), 1)},
        }
    return {"date": date, "type": kind} | data
