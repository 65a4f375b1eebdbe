"""The report of one campaign: live while it runs, its figures, its rows, and what may still be done about it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import CarillonError
from carillon.domain.status import NOT_SENT_STATUSES, Status
from carillon.models import Campaign
from carillon.services import campaigns, counts, launching, report_figures, report_search, reports
from carillon.services.report_figures import Figures
from carillon.web import campaign_rows, charts, toasts
from carillon.web.campaign_rows import CampaignRow
from carillon.web.campaigns import download
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

GROUPS: dict[str, tuple[Any, Collection[int] | None]] = {  # the key figures: label, statuses of their rows
    "all": (gettext_lazy("Destinataires"), None),
    "handed": (gettext_lazy("Envoyés"), report_figures.DELIVERED | report_figures.MISSED | report_figures.NETWORK_WAITING),
    "delivered": (gettext_lazy("Aboutis"), report_figures.DELIVERED),
    "missed": (gettext_lazy("Non aboutis"), report_figures.MISSED),
    "waiting": (gettext_lazy("En attente"), report_figures.WAITING | report_figures.NETWORK_WAITING),
    "not_sent": (gettext_lazy("Non envoyés"), NOT_SENT_STATUSES),
    "stopped": (gettext_lazy("STOP"), frozenset({Status.STOPPED})),
    "unassigned": (gettext_lazy("NPAI"), report_figures.UNASSIGNED),
}
RATE_WINDOW = timedelta(seconds=60)  # an older mark of the poll says nothing about the rate of now


@dataclass(frozen=True, slots=True)
class Pace:
    """`mark` is what the next poll gives back, so that the rate is worked out without storing anything."""

    mark: str
    per_second: float | None
    ends_at: datetime | None


def statuses_in(text: str) -> Collection[int] | None:
    """The address's `status`: a group's name, or codes between commas or semicolons. None: every row."""
    if text in GROUPS:
        return GROUPS[text][1]
    codes = [int(part) for part in text.replace(";", ",").split(",") if part.strip().isdigit() and len(part) < 5]
    return codes or None


@signed_in
@require_GET
def report(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
    campaign = campaigns.get(request.user, campaign_id)
    if campaign.state == Campaign.State.DRAFT:
        return HttpResponseRedirect(reverse("campaign_description", args=[campaign.pk]))
    context = _live_context(campaign, request)
    chosen = request.GET.get("status", "")
    found, more = _rows(campaign, request)
    return render(
        request,
        "report/index.html",
        context | {"chosen": chosen, "chosen_label": _label(chosen), "q": request.GET.get("q", ""), "found": found, "more": more},
    )


@signed_in
@require_GET
def live(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """The fragment that refreshes itself; the last one says nothing about refreshing."""
    return render(request, "report/live.html", _live_context(campaigns.get(request.user, campaign_id), request))


def _live_context(campaign: Campaign, request: SignedInRequest) -> dict[str, Any]:
    now = timezone.now()
    by_status = counts.by_status(campaign.pk)
    replied, clicked = report_figures.answers(campaign)
    figures = report_figures.figures(by_status, replied=replied, clicked=clicked)
    row = campaign_rows.row(campaign, figures, now=now)
    return {
        "campaign": campaign,
        "row": row,
        "figures": figures,
        "lines": report_figures.status_lines(by_status),
        "funnel": _funnel(figures, campaign),
        "pace": _pace(campaign, figures, request.GET.get("mark", ""), now),
        "is_live": _is_live(row, figures),
        "undo_s": _undo_seconds(campaign, now),
        "closed": _closed(campaign, figures, now),
    }


def _is_live(row: CampaignRow, figures: Figures) -> bool:
    moving = row.campaign.state in (Campaign.State.INJECTING, Campaign.State.INPROGRESS)
    return moving or row.is_scheduled or (row.is_running and figures.at_operator + figures.waiting > 0)


def _funnel(figures: Figures, campaign: Campaign) -> list[tuple[Any, int, float, float]]:
    """(label, n, percent, length of the bar)"""
    steps: list[tuple[Any, int]] = [
        (_("Destinataires"), figures.total), (_("Envoyés"), figures.handed), (_("Aboutis"), figures.delivered),
    ]  # fmt: skip
    if campaign.links.exists():
        steps.append((_("Ont cliqué"), figures.clicked))
    if figures.replied:
        steps.append((_("Ont répondu"), figures.replied))
    widths = charts.bar_widths([n for _label, n in steps])
    return [(label, n, 100 * n / (figures.total or 1), width) for (label, n), width in zip(steps, widths, strict=True)]


def _pace(campaign: Campaign, figures: Figures, mark: str, now: datetime) -> Pace:
    """Messages a second since the last poll, else since the start; when the rest will have left at that rate."""
    done = figures.sendable - figures.waiting
    fresh = f"{done}-{int(now.timestamp() * 1000)}"
    if not figures.waiting or campaign.paused_at or campaign.state != Campaign.State.INPROGRESS:
        return Pace("", None, None)
    rate: float | None = None
    parts = mark.split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        seconds = now.timestamp() - int(parts[1]) / 1000
        if 0.5 < seconds < RATE_WINDOW.total_seconds() and done >= int(parts[0]):
            rate = (done - int(parts[0])) / seconds
    elif campaign.scheduled_at and now > campaign.scheduled_at:
        rate = done / max((now - campaign.scheduled_at).total_seconds(), 1)
    ends_at = now + timedelta(seconds=figures.waiting / rate) if rate and figures.waiting / rate < 30 * 86400 else None
    return Pace(fresh, rate, ends_at)


def _undo_seconds(campaign: Campaign, now: datetime) -> int:
    """Seconds left to call back a launch that was just confirmed; 0: too late, or it was not immediate."""
    if campaign.state != Campaign.State.SCHEDULED or not launching.is_held(campaign) or campaign.scheduled_at is None:
        return 0
    return max(int((campaign.scheduled_at - now).total_seconds()) + 1, 1)


def _closed(campaign: Campaign, figures: Figures, now: datetime) -> launching.Window | None:
    """The legal window, when it is what the waiting messages wait for."""
    if campaign.state != Campaign.State.INPROGRESS or not figures.waiting or campaign.paused_at:
        return None
    window = launching.window_at(campaign, now)
    return None if window.is_open else window


@signed_in
@require_GET
def timeline(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """Drawn after the page is there: it reads one row per message."""
    campaign = campaigns.get(request.user, campaign_id)
    buckets, is_sample = report_figures.timeline(campaign, now=timezone.now())
    labels = [_clock(bucket.at, buckets[-1].at - buckets[0].at) for bucket in buckets]
    chart = charts.line_chart(labels, [[b.delivered for b in buckets], [b.missed for b in buckets]]) if buckets else None
    table = [(label, b.delivered, b.missed) for label, b in zip(labels, buckets, strict=True)]
    return render(request, "report/timeline.html", {"chart": chart, "table": table, "is_sample": is_sample})


def _clock(at: datetime, span: timedelta) -> str:
    local = timezone.localtime(at)
    if span < timedelta(minutes=10):
        return f"{local:%H:%M:%S}"
    return date_format(local, "D H:i") if span > timedelta(hours=20) else f"{local:%H:%M}"


# ---- rows ----


def _rows(campaign: Campaign, request: SignedInRequest) -> tuple[list[report_search.MessageRow], int | None]:
    after = request.GET.get("after", "")
    return report_search.find(
        campaign,
        text=request.GET.get("q", "")[:100],
        statuses=statuses_in(request.GET.get("status", "")),
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
    )


def _label(chosen: str) -> str:
    if chosen in GROUPS:
        return str(GROUPS[chosen][0])
    language = translation.get_language() or "fr"
    known = {int(status) for status in Status}
    return ", ".join(dict.fromkeys(_status_label(code, language) for code in statuses_in(chosen) or () if code in known))


def _status_label(code: int, language: str) -> str:
    row = report_figures.statuses.row(code)
    return row.label_fr if language.startswith("fr") else row.label_en


@signed_in
@require_GET
def rows(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    campaign = campaigns.get(request.user, campaign_id)
    found, more = _rows(campaign, request)
    chosen = request.GET.get("status", "")
    context = {"campaign": campaign, "found": found, "more": more, "chosen": chosen, "chosen_label": _label(chosen)}
    return render(request, "report/rows.html", context | {"q": request.GET.get("q", "")})


@signed_in
@require_GET
def as_csv(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
    """The rows of the chosen statuses, or all of them, streamed."""
    campaign = campaigns.get(request.user, campaign_id)
    chosen = request.GET.get("status", "")
    language = translation.get_language() or "fr"
    made = reports.Report(campaign, statuses=statuses_in(chosen), language=language, legacy="legacy" in request.GET)
    name = "-".join(part for part in ("rapport", str(campaign.pk), slugify(campaign.name)[:60], slugify(chosen)) if part)
    pieces = reports.csv_pieces(made.columns(), made.rows())
    return download(pieces, name=f"{name}.csv", content_type="text/csv; charset=utf-8")


# ---- deeds ----


def _deed(act: Callable[[SignedInRequest, Campaign], str]) -> Callable[..., HttpResponseBase]:
    """A POST on one campaign that ends on its report with a notice of what was done, or why not."""

    def wrapped(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
        campaign = campaigns.get(request.user, campaign_id)
        try:
            toasts.done(request, act(request, campaign))
        except CarillonError as error:
            toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse("report", args=[campaign.pk]))

    return signed_in(require_POST(wrapped))


@_deed
def pause(request: SignedInRequest, campaign: Campaign) -> str:
    launching.pause(campaign, reason=request.user.full_name, now=timezone.now())
    return _("Campagne mise en pause : rien de plus ne part avant que vous la repreniez.")


@_deed
def resume(request: SignedInRequest, campaign: Campaign) -> str:
    launching.resume(campaign)
    return _("Campagne reprise.")


@_deed
def cancel_rest(request: SignedInRequest, campaign: Campaign) -> str:
    launching.cancel_rest(campaign, actor=request.user, now=timezone.now())
    return _("Le reste de la campagne ne partira pas ; ses crédits vous sont rendus.")


@signed_in
@require_POST
def undo(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
    """The ten seconds after « Envoyer »."""
    campaign = campaigns.get(request.user, campaign_id)
    try:
        launching.cancel_schedule(campaign, actor=request.user, now=timezone.now())
    except CarillonError as error:
        toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse("report", args=[campaign.pk]))
    toasts.done(request, _("Envoi annulé : rien n'est parti, vos crédits sont rendus. La campagne est de nouveau un brouillon."))
    return HttpResponseRedirect(reverse("campaign_send", args=[campaign.pk]))


urlpatterns = [
    path("campaigns/<int:campaign_id>/report", report, name="report"),
    path("campaigns/<int:campaign_id>/report.csv", as_csv, name="report_csv"),
    path("campaigns/<int:campaign_id>/report/live", live, name="report_live"),
    path("campaigns/<int:campaign_id>/report/timeline", timeline, name="report_timeline"),
    path("campaigns/<int:campaign_id>/report/rows", rows, name="report_rows"),
    path("campaigns/<int:campaign_id>/pause", pause, name="campaign_pause"),
    path("campaigns/<int:campaign_id>/resume", resume, name="campaign_resume"),
    path("campaigns/<int:campaign_id>/cancel-rest", cancel_rest, name="campaign_cancel_rest"),
    path("campaigns/<int:campaign_id>/undo", undo, name="campaign_undo"),
]
