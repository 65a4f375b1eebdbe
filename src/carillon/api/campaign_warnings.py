"""What preparation and launch noted about a campaign, as sentences for the answer's `warnings`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from carillon.models import Campaign


def sentences(campaign: Campaign, *, zone: ZoneInfo) -> list[str]:
    found = [_sentence(warning, zone) for warning in campaign.warnings if isinstance(warning, dict)]
    if campaign.error == "insufficient_credit":
        found.append("Insufficient credit: every recipient ends with status 8 and nothing was sent.")
    return [text for text in found if text]


def _sentence(warning: Mapping[str, Any], zone: ZoneInfo) -> str:
    code = warning.get("code")
    if code == "out_of_hours":
        at = datetime.fromisoformat(str(warning.get("at"))).astimezone(zone)
        return f"Marketing is not allowed now: the campaign is scheduled for {at.isoformat(timespec='minutes')}."
    if code == "excluded":
        return f"{warning.get('count')} recipients are on a list that was excluded."
    if code == "sender_replaced":
        countries = ", ".join(map(str, warning.get("countries", [])))
        return f"The sender is not possible in {countries}: those recipients see the country's default number."
    message = warning.get("message")
    return str(message) if message else str(code or "")
