"""Tab 4: when, a test, the summary, and the button that spends the credits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError, Conflict, InvalidInput
from carillon.models import Campaign
from carillon.services import campaigns, launching, preparation, readiness, test_sends
from carillon.web import composer, toasts, wizard
from carillon.web.rights import SignedInRequest
from carillon.web.sentences import sentence_for, sentence_for_kept
from carillon.web.tags import moment

TEMPLATE = "wizard/send.html"
TAB = "campaign_send"
SEPARATORS = re.compile(r"[,;\n]+")
FIRST_YEAR = 2000
MOST_PER_HOUR = 1_000_000
QUARTERS = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30, 45)]


class SendForm(forms.Form):
    when = forms.ChoiceField(choices=[("now", gettext_lazy("Immédiat")), ("later", gettext_lazy("Différé"))])
    day = forms.DateField(required=False, label=gettext_lazy("Date"), input_formats=["%Y-%m-%d", "%d/%m/%Y"])
    clock = forms.TimeField(
        required=False, label=gettext_lazy("Heure"), input_formats=["%H:%M", "%Hh%M", "%H:%M:%S", "%Hh"]
    )
    pace = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_PER_HOUR, label=gettext_lazy("Étaler l'envoi"),
        help_text=gettext_lazy("Messages par heure, pour que votre centre d'appels ou vos magasins suivent. Vide : le plus vite possible."),
    )  # fmt: skip
    description = forms.CharField(
        required=False, max_length=2000, label=gettext_lazy("Description"),
        help_text=gettext_lazy("Ajouter une description qui apparaîtra sur vos rapports de campagne"),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("when") == "later":
            for name in ("day", "clock"):
                if given.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Indiquez la date.") if name == "day" else _("Indiquez l'heure."))
            if given.get("day") is not None and not FIRST_YEAR <= given["day"].year < FIRST_YEAR + 1000:
                self.add_error("day", _("Indiquez la date."))  # the year 1 has no moment in every zone
        return given

    def wished(self) -> datetime | None:
        """The wished start, aware; None: at once. A clock time that a change to summer time skips counts as an hour later."""
        given = self.cleaned_data
        if given["when"] == "now":
            return None
        return timezone.make_aware(datetime.combine(given["day"], given["clock"])).astimezone(UTC)


def _initial(campaign: Campaign) -> dict[str, Any]:
    at = campaign.scheduled_at
    kept = {"description": campaign.description, "pace": campaign.pace_per_hour or None}
    if at is None:
        return kept | {"when": "now", "day": None, "clock": None}
    local = timezone.localtime(at)
    return kept | {"when": "later", "day": local.date(), "clock": local.time()}


@wizard.on_draft
def send(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    now = timezone.now()
    if request.method != "POST":
        return _page(request, campaign, SendForm(initial=_initial(campaign)))
    form = SendForm(request.POST)
    if not form.is_valid():
        if wizard.wants_json(request):
            return wizard.saved(campaign, problem=str(next(iter(form.errors.values()))[0]))
        return _page(request, campaign, form, status=422)
    at = form.wished()
    try:
        campaign = campaigns.update(
            campaign,
            version=wizard.version_in(request.POST),
            scheduled_at=at,
            description=form.cleaned_data["description"],
            pace_per_hour=form.cleaned_data["pace"] or 0,
        )
        launching.check_date(campaign, at, now)
    except Conflict as error:
        if wizard.wants_json(request):
            return wizard.refused(error)
        return _page(request, campaigns.get(request.user, campaign.pk), form, status=409, is_conflict=True)
    except InvalidInput as error:
        problem = _date_problem(campaign, error, at or now)
        if wizard.wants_json(request):
            return wizard.saved(campaign, problem=problem)
        form.add_error("day", problem)
        return _page(request, campaign, form, status=422)
    if wizard.wants_json(request):
        return wizard.saved(campaign)
    return _page(request, campaign, form, shows_summary=True)


def _date_problem(campaign: Campaign, error: InvalidInput, at: datetime) -> str:
    if error.code != "out_of_hours":
        return sentence_for(error)
    window = launching.window_at(campaign, at)
    return _("Le marketing est interdit à ce moment (%(why)s). Prochain moment permis : %(next)s.") % {
        "why": _why(window),
        "next": moment(window.opens_at),
    }


def _why(window: launching.Window) -> str:
    language = translation.get_language() or "fr"
    return window.closure.sentence(language) if window.closure is not None else ""


def _page(
    request: SignedInRequest, campaign: Campaign, form: SendForm, *, status: int = 200, is_conflict: bool = False,
    shows_summary: bool = False,
) -> HttpResponse:  # fmt: skip
    state = _state(campaign)
    campaign = state["campaign"]
    theirs = (
        [(_("Date d'envoi"), campaign.scheduled_at), (_("Description"), campaign.description)] if is_conflict else None
    )
    return wizard.show(
        request, campaign, TEMPLATE, tab=TAB, status=status, form=form, theirs=theirs, quarters=QUARTERS,
        shows_summary=shows_summary and state["is_ready"], numbers=request.user.mobile, row=1,
        today=timezone.localdate(), **{key: value for key, value in state.items() if key != "campaign"},
    )  # fmt: skip


def _state(campaign: Campaign) -> dict[str, Any]:
    """Where the draft stands before the last button: judged, being judged, or what forbids sending it."""
    now = timezone.now()
    problem, tab = "", ""
    try:
        campaign = readiness.ensure(campaign, now=now)
    except CarillonError as error:
        problem, tab = _problem(error)
        if error.code == "unknown_field":
            problem = composer.verdict(campaign).problem or problem  # names the list and the field
    if not problem and composer.says_nothing(campaign):
        problem, tab = _("Écrivez votre message."), "campaign_message"
    is_prepared = not problem and campaign.prepared_at is not None
    if not problem and not is_prepared and campaign.error:
        problem, tab = sentence_for_kept(campaign.error), "campaign_message"
    context: dict[str, Any] = {
        "campaign": campaign, "problem": problem, "problem_tab": tab, "is_prepared": is_prepared, "is_ready": False,
    }  # fmt: skip
    if not is_prepared:
        return context | {"total": sum(item.size for item in campaigns.lists_of(campaign))}
    summary = preparation.summary(campaign)
    at = campaign.scheduled_at or now
    window = launching.window_at(campaign, at)
    tests = Campaign.objects.filter(parent=campaign, origin="system").count()
    blocks = _blocks(campaign, summary, tests)
    return context | {
        "summary": summary, "refusals": wizard.refused_statuses(campaign), "window": window, "why": _why(window),
        "waiting": readiness.waiting(campaign, at if window.is_open else window.opens_at), "tests": tests, "blocks": blocks,
        "is_ready": not blocks, "is_scheduling": campaign.scheduled_at is not None or not window.is_open,
        "starts_at": campaign.scheduled_at or (None if window.is_open else window.opens_at),
        "hours": -(-summary.valid // campaign.pace_per_hour) if campaign.pace_per_hour else 0,
        "preview": composer.verdict(campaign, row=1).preview, "notes": composer.verdict(campaign).notes,
    }  # fmt: skip


def _problem(error: CarillonError) -> tuple[str, str]:
    """(sentence, the tab where it is put right)"""
    if error.code in ("no_recipient", "list_not_ready"):
        return sentence_for(error), "campaign_recipients"
    if isinstance(error, InvalidInput):
        return composer.sentence(error), "campaign_message"
    return sentence_for(error), ""


def _blocks(campaign: Campaign, summary: preparation.Summary, tests: int) -> str:
    """Why the last button is not active; empty when it is."""
    if summary.valid == 0:
        return _("Aucun destinataire ne peut recevoir ce message.")
    if summary.price > summary.available and campaign.payer.credit_mode != "postpaid":
        return _("Crédit insuffisant.")
    if tests and not campaign.is_test_confirmed:
        return _("Dites d'abord si le test reçu est conforme.")
    return ""


@wizard.on_draft
def state(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """Followed while a long campaign is being judged; reloads the page when it is done."""
    context = _state(campaign)
    if context["is_prepared"] or context["problem"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "wizard/preparing.html", context)


@wizard.on_draft
@require_POST
def test(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    given = [part.strip() for part in SEPARATORS.split(request.POST.get("numbers", "")) if part.strip()]
    text = request.POST.get("row", "1")
    row = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    try:
        sent = test_sends.send(campaign, actor=request.user, numbers=given, row=row)
        n = len(sent)
        said = ngettext(
            "Test envoyé à %(n)d numéro. Regardez votre téléphone.",
            "Test envoyé à %(n)d numéros. Regardez vos téléphones.", n,
        )  # fmt: skip
        toasts.done(request, said % {"n": n})
    except CarillonError as error:
        toasts.failed(request, _test_problem(error))
    return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]) + "#test")


def _test_problem(error: CarillonError) -> str:
    if isinstance(error, InvalidInput) and error.field == "phoneNumbers":
        return _("Indiquez de 1 à 20 numéros de mobile, séparés par des virgules.")
    if error.code == "row_not_found":
        return _("Cette ligne n'existe pas dans vos listes.")
    return sentence_for(error)


@wizard.on_draft
@require_POST
def confirm_test(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    campaign = campaigns.update(campaign, is_test_confirmed=request.POST.get("conform") == "yes")
    if not campaign.is_test_confirmed:
        toasts.note(request, _("Corrigez le message, puis envoyez un nouveau test."))
    return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]) + "#test")


@wizard.on_draft
@require_POST
def launch(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """The second button, under the summary. Sent once however often it is clicked: the second click finds no draft."""
    now = timezone.now()
    found = _state(campaign)
    if found["problem"] or not found["is_ready"]:
        toasts.failed(request, found["problem"] or found.get("blocks") or _("La campagne n'est pas encore prête."))
        return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]))
    try:
        campaign = campaigns.update(campaign, version=wizard.version_in(request.POST))
        campaign = launching.launch(
            campaign, actor=request.user, at=campaign.scheduled_at, now=now, hold=launching.HOLD
        )
    except CarillonError as error:
        sentence = sentence_for(error)
        if isinstance(error, InvalidInput):
            sentence = _date_problem(campaign, error, campaign.scheduled_at or now)
        toasts.failed(request, sentence)
        return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]))
    return HttpResponseRedirect(reverse("report", args=[campaign.pk]))


@wizard.on_draft
def strip(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """The counters alone, after an import ended."""
    return render(request, "wizard/strip.html", {"campaign": campaign, "strip": wizard.strip(campaign)})


urlpatterns = [
    path("campaigns/<int:campaign_id>/send", send, name=TAB),
    path("campaigns/<int:campaign_id>/send/state", state, name="send_state"),
    path("campaigns/<int:campaign_id>/send/test", test, name="send_test"),
    path("campaigns/<int:campaign_id>/send/confirm-test", confirm_test, name="send_confirm_test"),
    path("campaigns/<int:campaign_id>/send/launch", launch, name="send_launch"),
    path("campaigns/<int:campaign_id>/strip", strip, name="wizard_strip"),
]
