"""The report of one campaign: live while it runs, its figures, its rows, and what may still be done about it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from carillon.domain import pauses
from carillon.domain.errors import CarillonError
from carillon.domain.status import Status, label
from carillon.models import Campaign
from carillon.services import (
    campaigns,
    launching,
    message_history,
    npai,
    report_figures,
    report_marks,
    report_search,
    reports,
)
from carillon.services.report_rows import MessageRow
from carillon.web import charts, report_live, toasts
from carillon.web.campaigns import download
from carillon.web.report_live import GROUPS
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for


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
    context = report_live.context(campaign)
    chosen = request.GET.get("status", "")
    found, more = _rows(campaign, request)
    return render(
        request,
        "report/index.html",
        context
        | {
            "chosen": chosen,
            "chosen_label": _label(chosen),
            "q": request.GET.get("q", ""),
            "found": found,
            "marks": _marks(campaign, found),
            "more": more,
        },
    )


@signed_in
@require_GET
def live(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """The fragment that refreshes itself; the last one says nothing about refreshing."""
    context = report_live.context(campaigns.get(request.user, campaign_id))
    response = render(request, "report/live.html", context)
    response.headers["HX-Trigger"] = "figures-moved" if context["is_live"] else "figures-ended"
    return response


@signed_in
@require_GET
def timeline(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """Drawn after the page is there: it reads one row per message."""
    campaign = campaigns.get(request.user, campaign_id)
    buckets, is_sample = report_figures.timeline(campaign, now=timezone.now())
    labels = [_clock(bucket.at, buckets[-1].at - buckets[0].at) for bucket in buckets]
    chart = (
        charts.line_chart(labels, [[b.delivered for b in buckets], [b.missed for b in buckets]]) if buckets else None
    )
    table = [(label, b.delivered, b.missed) for label, b in zip(labels, buckets, strict=True)]
    return render(request, "report/timeline.html", {"chart": chart, "table": table, "is_sample": is_sample})


def _clock(at: datetime, span: timedelta) -> str:
    local = timezone.localtime(at)
    if span < timedelta(minutes=10):
        return f"{local:%H:%M:%S}"
    return date_format(local, "D H:i") if span > timedelta(hours=20) else f"{local:%H:%M}"


# ---- rows ----


def _rows(campaign: Campaign, request: SignedInRequest) -> tuple[list[MessageRow], int | None]:
    after = request.GET.get("after", "")
    return report_search.find(
        campaign,
        text=request.GET.get("q", "")[:100],
        statuses=statuses_in(request.GET.get("status", "")),
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
    )


def _marks(campaign: Campaign, found: list[MessageRow]) -> dict[int, report_marks.Marks]:
    return report_marks.of(campaign, [row.msisdn for row in found if row.msisdn is not None])


def _label(chosen: str) -> str:
    if chosen in GROUPS:
        return str(GROUPS[chosen][0])
    language = translation.get_language() or "fr"
    known = {int(status) for status in Status}
    codes = [code for code in statuses_in(chosen) or () if code in known]
    return ", ".join(dict.fromkeys(label(code, language=language) for code in codes))


@signed_in
@require_GET
def rows(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    campaign = campaigns.get(request.user, campaign_id)
    found, more = _rows(campaign, request)
    chosen = request.GET.get("status", "")
    context = {"campaign": campaign, "found": found, "more": more, "chosen": chosen, "chosen_label": _label(chosen)}
    context |= {"marks": _marks(campaign, found), "q": request.GET.get("q", "")}
    return render(request, "report/rows.html", context)


@signed_in
@require_GET
def as_csv(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
    """The rows of the chosen statuses, or all of them, streamed."""
    campaign = campaigns.get(request.user, campaign_id)
    chosen = request.GET.get("status", "")
    language = translation.get_language() or "fr"
    made = reports.Report(campaign, statuses=statuses_in(chosen), language=language, legacy="legacy" in request.GET)
    name = "-".join(
        part for part in ("rapport", str(campaign.pk), slugify(campaign.name)[:60], slugify(chosen)) if part
    )
    pieces = reports.csv_pieces(made.columns(), made.rows())
    return download(request, pieces, name=f"{name}.csv")


@signed_in
@require_GET
def history(request: SignedInRequest, campaign_id: int, message_id: int) -> HttpResponse:
    """What happened to one message, when, why, at which price."""
    campaign = campaigns.get(request.user, campaign_id)
    found = message_history.get(request.user, message_id)
    template = "report/history.html" if request.htmx else "report/history_page.html"
    return render(
        request,
        template,
        {"campaign": campaign, "history": found, "m": found.row, "marks": _marks(campaign, [found.row])},
    )


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
    launching.pause(campaign, reason=pauses.by_person(request.user.full_name), now=timezone.now())
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
    toasts.done(
        request, _("Envoi annulé : rien n'est parti, vos crédits sont rendus. La campagne est de nouveau un brouillon.")
    )
    return HttpResponseRedirect(reverse("campaign_send", args=[campaign.pk]))


@signed_in
@require_GET
def npai_choice(request: SignedInRequest, campaign_id: int) -> HttpResponse:
    """Both counts, worked out when the person asks."""
    campaign = campaigns.get(request.user, campaign_id)
    return render(request, "report/npai_choice.html", {"campaign": campaign, "candidates": npai.candidates(campaign)})


@_deed
def add_npai(request: SignedInRequest, campaign: Campaign) -> str:
    found = npai.candidates(campaign)
    chosen = found.all if request.POST.get("which") == "all" else found.twice
    n = npai.add(campaign.account, chosen, source="report", campaign_id=campaign.pk)
    return ngettext("%(n)d numéro ajouté à vos NPAI.", "%(n)d numéros ajoutés à vos NPAI.", n) % {"n": n}


urlpatterns = [
    path("campaigns/<int:campaign_id>/report/npai", npai_choice, name="report_npai"),
    path("campaigns/<int:campaign_id>/report/npai/add", add_npai, name="report_npai_add"),
    path("campaigns/<int:campaign_id>/messages/<int:message_id>", history, name="message_history"),
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
