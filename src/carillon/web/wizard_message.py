"""Tab 3: the message, its links and files. The page counts by itself (composer.js); what these views answer is the truth."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.compose import prefilled
from carillon.domain.errors import CarillonError, Conflict, InvalidInput
from carillon.models import Asset, Campaign
from carillon.services import campaigns, composing, estimates, hosting, link_tracking, message_templates
from carillon.web import composer, toasts, wizard
from carillon.web.rights import SignedInRequest
from carillon.web.sentences import sentence_for

TEMPLATE = "wizard/message.html"
TAB = "campaign_message"
LONGEST = 10_000  # characters of a template


class MessageForm(forms.Form):
    sender = forms.CharField(
        required=False, max_length=20, label=gettext_lazy("Emetteur du message"),
        help_text=gettext_lazy("3 à 11 lettres sans accent et chiffres. Vide : numéro court, vos clients peuvent répondre."),
    )  # fmt: skip
    message = forms.CharField(required=False, strip=False, max_length=LONGEST, label=gettext_lazy("Message"))
    allow_ucs2 = forms.BooleanField(required=False, label=gettext_lazy("Activer tous les caractères (UCS2)"))
    auto_replace_emoji = forms.BooleanField(required=False, label=gettext_lazy("Autoriser les emojis"))
    auto_replace_gsm7 = forms.BooleanField(required=False, label=gettext_lazy("Remplacer les caractères non GSM7"))

    def clean_message(self) -> str:
        """Browsers send CR LF for each line break; a line break is one character."""
        return str(self.cleaned_data["message"]).replace("\r\n", "\n").replace("\r", "\n")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        given["auto_replace_emoji"] = bool(given.get("auto_replace_emoji") and given.get("allow_ucs2"))
        return given


def _initial(campaign: Campaign) -> dict[str, Any]:
    """A marketing message starts with its STOP mention, under what will be written."""
    text = campaign.message
    if not text and campaign.is_marketing:
        text = "\n" + prefilled("", campaign.short_code)
    names = ("sender", "allow_ucs2", "auto_replace_emoji", "auto_replace_gsm7")
    return {name: getattr(campaign, name) for name in names} | {"message": text}


def _defaults(data: QueryDict) -> dict[str, str]:
    return {
        name: value for name, value in zip(data.getlist("default_for"), data.getlist("default"), strict=False) if value
    }


def _typed(campaign: Campaign, data: QueryDict) -> Campaign:
    """A copy of the campaign, not stored, as the form says."""
    form = MessageForm(data)
    form.is_valid()
    typed = copy.copy(campaign)
    for name, value in form.cleaned_data.items():
        setattr(typed, name, value)
    typed.defaults = _defaults(data)
    return typed


@wizard.on_draft
def message(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, campaign, MessageForm(initial=_initial(campaign)))
    form = MessageForm(request.POST)
    if not form.is_valid():
        problem = str(next(iter(form.errors.values()))[0])
        if wizard.wants_json(request):
            return wizard.saved(campaign, problem=problem)
        return _page(request, campaign, form, status=422)
    changes = form.cleaned_data | {"defaults": _defaults(request.POST)}
    try:
        campaign = campaigns.update(campaign, version=wizard.version_in(request.POST), **changes)
        is_leaving = not wizard.wants_json(request)
        campaign = link_tracking.change(campaign, _link_changes(request.POST), forgets_unused=is_leaving)
    except Conflict as error:
        if wizard.wants_json(request):
            return wizard.refused(error)
        return _page(request, campaigns.get(request.user, campaign.pk), form, status=409, is_conflict=True)
    if wizard.wants_json(request):
        return wizard.saved(campaign)
    if "track" in request.POST or "untrack" in request.POST or request.FILES:
        return _links(request, campaign)
    problem = composer.verdict(campaign).problem or composer.preview_problem(campaign)
    if problem and "stay" not in request.POST:
        return _page(request, campaign, MessageForm(initial=_initial(campaign)), status=422, must_fix=problem)
    return HttpResponseRedirect(reverse(TAB if "stay" in request.POST else "campaign_send", args=[campaign.pk]))


def _link_changes(data: QueryDict) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for text in data.getlist("link"):
        if text.isascii() and text.isdigit() and len(text) < 3:
            found[int(text)] = {
                "has_preview": f"link-{text}-preview" in data,
                "title": data.get(f"link-{text}-title", "").strip()[:40],
                "description": data.get(f"link-{text}-description", "").strip()[:80],
            }
    return found


def _links(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """Follow a URL or stop following it, attach a file, give a preview its image."""
    try:
        if "track" in request.POST:
            link_tracking.track(campaign, request.POST["track"])
        elif request.POST.get("untrack", "").isdigit():
            link_tracking.untrack(campaign, int(request.POST["untrack"]))
        elif "image" in request.FILES:
            asset = _image(request, campaign)
            link_tracking.set_image(campaign, 0, asset)
        elif "attachment" in request.FILES:
            raw, name = _content(request, "attachment")
            link_tracking.attach(campaign, hosting.store_file(campaign.account, raw, name=name))
        elif "page" in request.FILES:
            raw, name = _content(request, "page")
            asset = hosting.store_page(campaign.account, raw, entry=request.POST.get("entry", "")[:200], name=name)
            link_tracking.attach(campaign, asset)
            toasts.done(request, _("Page hébergée : son lien est dans le message."))
    except InvalidInput as error:
        campaign.refresh_from_db()
        problem = f"{_file_name(request)} : {sentence_for(error)}" if request.FILES else sentence_for(error)
        return _page(
            request, campaign, MessageForm(initial=_initial(campaign)), status=422, file_problem=problem,
            problem_field=next(iter(request.FILES), ""),
        )  # fmt: skip
    return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]) + "#links")


def _file_name(request: SignedInRequest) -> str:
    return next((file.name for file in request.FILES.values() if isinstance(file, UploadedFile) and file.name), "?")[
        :80
    ]


def _image(request: SignedInRequest, campaign: Campaign) -> Asset:
    raw, name = _content(request, "image")
    return hosting.store_image(campaign.account, raw, name=name)


def _content(request: SignedInRequest, field: str) -> tuple[bytes, str]:
    """No more of a huge file is read than needed to refuse it."""
    file = request.FILES[field]
    assert isinstance(file, UploadedFile)
    return file.read(hosting.MOST_FILE + 1), file.name or field


@wizard.on_draft
def link_image(request: SignedInRequest, campaign: Campaign, index: int) -> HttpResponseBase:
    """The image of a link's preview, for the phone of the composer."""
    link = campaign.links.select_related("image").filter(index=index).first()
    if link is None or link.image is None:
        raise Http404
    path = hosting.folder() / link.image.path / link.image.entry
    if not path.is_file():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type=link.image.content_type)


@composing.reading_lists_once()
def _page(
    request: SignedInRequest, campaign: Campaign, form: MessageForm, *, status: int = 200, is_conflict: bool = False,
    must_fix: str = "", **more: str,
) -> HttpResponse:  # fmt: skip
    typed = _typed(campaign, request.POST) if request.method == "POST" else copy.copy(campaign)
    if request.method != "POST":
        typed.message = form.initial["message"]
    verdict = composer.verdict(typed)
    theirs = [(_("Emetteur du message"), campaign.sender), (_("Message"), campaign.message)] if is_conflict else None
    return wizard.show(
        request, campaign, TEMPLATE, tab=TAB, status=status, form=form, theirs=theirs, must_fix=must_fix,
        chips=composer.chips(campaign), wanting=composer.wanting(typed), defaults=typed.defaults,
        data=composer.browser_data(campaign), verdict=verdict, cost=verdict.cost,
        urls=link_tracking.detected(typed.message), links=campaign.links.order_by("index"),
        templates=message_templates.visible(request.user)[:100], row=0, **more,
    )  # fmt: skip


@wizard.on_draft
@composing.reading_lists_once()
def preview(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """The phone, the counter, the verdict and the price of what is being typed; nothing is stored."""
    typed = _typed(campaign, request.POST)
    text = request.POST.get("row", "0")
    row = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    verdict = composer.verdict(typed, row=row)
    context = {
        "campaign": campaign, "verdict": verdict, "row": row, "strip": wizard.strip(campaign, verdict.cost), "strip_oob": True,
        "urls": link_tracking.detected(typed.message), "links": campaign.links.order_by("index"),
    }  # fmt: skip
    return render(request, "wizard/message_preview.html", context)


@wizard.on_draft
def spread(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """How many SMS each recipient costs, over all rows."""
    typed = _typed(campaign, request.POST) if request.method == "POST" else campaign
    context: dict[str, Any] = {"campaign": campaign}
    try:
        found = estimates.spread(typed)
        total = sum(found.by_segments.values()) + sum(found.refused.values())
        bars = [(n, rows, 100 * rows / (total or 1)) for n, rows in sorted(found.by_segments.items())]
        context |= {"spread": found, "bars": bars, "refused": sorted(found.refused.items())}
    except CarillonError as error:
        context["problem"] = sentence_for(error)
    return render(request, "wizard/spread.html", context)


@wizard.on_draft
@require_POST
def keep_template(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """« Sauvegarder » the text as a template."""
    typed = _typed(campaign, request.POST)
    try:
        kept = message_templates.save(
            actor=request.user, name=request.POST.get("template_name", "")[:120], message=typed.message,
            traffic=campaign.traffic, renderer=campaign.renderer,
        )  # fmt: skip
    except InvalidInput as error:
        return render(request, "wizard/template_saved.html", {"problem": sentence_for(error)}, status=422)
    return render(request, "wizard/template_saved.html", {"kept": kept})


urlpatterns = [
    path("campaigns/<int:campaign_id>/message", message, name=TAB),
    path("campaigns/<int:campaign_id>/message/preview", preview, name="message_preview"),
    path("campaigns/<int:campaign_id>/message/spread", spread, name="message_spread"),
    path("campaigns/<int:campaign_id>/message/image/<int:index>", link_image, name="link_image"),
    path("campaigns/<int:campaign_id>/message/template", keep_template, name="message_template"),
]
