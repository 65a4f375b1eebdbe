"""The clicks of a campaign, as a part of its report: over time, by device, and per link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from carillon.services import campaigns, clicks
from carillon.web import charts
from carillon.web.rights import SignedInRequest, signed_in


@signed_in
@require_GET
def report_clicks(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """Drawn after the page is there: it reads one row per visit."""
    campaign = campaigns.get(request.user, campaign_id)
    found = clicks.of_campaign(campaign)
    if found is None:
        return render(request, "report/clicks.html", {"campaign": campaign})
    labels = [_clock(at, found.step) for at in found.at]
    kinds = {"phone": _("Téléphone"), "tablet": _("Tablette"), "computer": _("Ordinateur"), "": _("Inconnu")}
    context = {
        "campaign": campaign,
        "clicks": found,
        "chart": charts.line_chart(labels, [found.over_time]) if labels else None,
        "table": list(zip(labels, found.over_time, strict=True)),
        "bars": [
            (_("Appareils"), _bars({kinds.get(kind, kind): n for kind, n in found.by_device.items()})),
            (_("Systèmes"), _bars(found.by_system)),
            (_("Marques"), _bars(found.by_brand)),
        ],
        "links": clicks.per_link(campaign),
    }
    return render(request, "report/clicks.html", context)


def _clock(at: datetime, step: timedelta) -> str:
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if step < timedelta(hours=1) else date_format(local, "j M H:i")


def _bars(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """(words, clicks, width of the bar of 100)."""
    widths = charts.bar_widths(list(counts.values()))
    return [(name or _("Inconnu"), n, width) for (name, n), width in zip(counts.items(), widths, strict=True)]


urlpatterns = [path("campaigns/<int:campaign_id>/report/clicks", report_clicks, name="report_clicks")]
