"""The part of a report that moves: progress, key figures, funnel, table of statuses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.domain.status import NOT_SENT_STATUSES, Status
from carillon.models import Campaign
from carillon.services import counts, launching, live, report_figures
from carillon.services.report_figures import Figures
from carillon.web import campaign_rows, charts
from carillon.web.campaign_rows import CampaignRow

GROUPS: dict[str, tuple[Any, Collection[int] | None]] = {  # the key figures: label, statuses of their rows
    "all": (gettext_lazy("Destinataires"), None),
    "handed": (
        gettext_lazy("Envoyés"),
        report_figures.DELIVERED | report_figures.MISSED | report_figures.NETWORK_WAITING,
    ),
    "delivered": (gettext_lazy("Aboutis"), report_figures.DELIVERED),
    "missed": (gettext_lazy("Non aboutis"), report_figures.MISSED),
    "waiting": (gettext_lazy("En attente"), report_figures.WAITING | report_figures.NETWORK_WAITING),
    "not_sent": (gettext_lazy("Non envoyés"), NOT_SENT_STATUSES),
    "stopped": (gettext_lazy("STOP"), frozenset({Status.STOPPED})),
}


@dataclass(frozen=True, slots=True)
class Stat:
    """One key figure. `key` names its rows (and their CSV), "" when it has none."""

    label: Any
    n: int
    percent: float | None = None
    key: str = ""


def context(campaign: Campaign) -> dict[str, Any]:
    now = timezone.now()
    by_status = counts.by_status(campaign.pk)
    replied, clicked = report_figures.answers(campaign)
    figures = report_figures.figures(by_status, replied=replied, clicked=clicked)
    row = campaign_rows.row(campaign, figures, now=now)
    has_links = campaign.links.exists()
    return {
        "campaign": campaign,
        "row": row,
        "figures": figures,
        "handed_now": figures.sendable - figures.waiting,
        "stats": _stats(figures, has_links),
        "lines": report_figures.status_lines(by_status),
        "funnel": _funnel(figures, has_links),
        "pace": live.progress(campaign.pk, total=campaign.valid_count, now=now)
        if row.is_running and figures.waiting
        else None,
        "is_live": _is_live(row, figures),
        "undo_s": _undo_seconds(campaign, now),
        "closed": _closed(campaign, figures, now),
    }


def _is_live(row: CampaignRow, figures: Figures) -> bool:
    moving = row.campaign.state in (Campaign.State.INJECTING, Campaign.State.INPROGRESS)
    return moving or row.is_scheduled or (row.is_running and figures.at_operator + figures.waiting > 0)


def _stats(figures: Figures, has_links: bool) -> list[Stat]:
    numbers = {
        "all": figures.total, "handed": figures.handed, "delivered": figures.delivered, "missed": figures.missed,
        "waiting": figures.at_operator + figures.waiting, "not_sent": figures.not_sent, "stopped": figures.stopped,
    }  # fmt: skip
    total = figures.total or 1
    stats = [Stat(GROUPS[key][0], n, None if key == "all" else 100 * n / total, key) for key, n in numbers.items()]
    stats.append(Stat(_("Réponses"), figures.replied, 100 * figures.replied / total))
    return [*stats, Stat(_("Clics"), figures.clicked, 100 * figures.clicked / total)] if has_links else stats


def _funnel(figures: Figures, has_links: bool) -> list[tuple[Any, int, float, float]]:
    """(label, n, percent, length of the bar)"""
    steps: list[tuple[Any, int]] = [
        (_("Destinataires"), figures.total), (_("Envoyés"), figures.handed), (_("Aboutis"), figures.delivered),
    ]  # fmt: skip
    if has_links:
        steps.append((_("Ont cliqué"), figures.clicked))
    steps.append((_("Ont répondu"), figures.replied))
    widths = charts.bar_widths([n for _label, n in steps])
    return [(label, n, 100 * n / (figures.total or 1), width) for (label, n), width in zip(steps, widths, strict=True)]


def _undo_seconds(campaign: Campaign, now: datetime) -> int:
    """Seconds left to call back a launch that was just confirmed; 0: it was not immediate, or has begun."""
    if not launching.is_held(campaign) or campaign.scheduled_at is None:
        return 0
    return max(int((campaign.scheduled_at - now).total_seconds()) + 1, 1)


def _closed(campaign: Campaign, figures: Figures, now: datetime) -> launching.Window | None:
    """The legal window, when it is what the waiting messages wait for."""
    if campaign.state != Campaign.State.INPROGRESS or not figures.waiting or campaign.paused_at:
        return None
    window = launching.window_at(campaign, now)
    return None if window.is_open else window
