"""« Réponses » → « Réglages »: automatic answers, keywords, and where replies are forwarded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import InvalidInput
from carillon.models import AutoReply, Campaign
from carillon.services import auto_replies, campaigns, inbox
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only

RECENT = 50


class AnswerForm(forms.Form):
    keyword = forms.CharField(
        required=False, max_length=30, label=gettext_lazy("Mot-clé"),
        help_text=gettext_lazy("Le premier mot de la réponse : INFO, OUI… Vide : répond à tout le reste."),
    )  # fmt: skip
    text = forms.CharField(
        max_length=1000, label=gettext_lazy("Réponse automatique"), widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Envoyée une fois par personne et par campagne, au plus une fois par jour. Coûte un SMS."),
    )  # fmt: skip
    campaign = forms.ChoiceField(required=False, label=gettext_lazy("Campagne"))

    def __init__(self, *args: Any, recent: list[Campaign], **more: Any) -> None:
        super().__init__(*args, **more)
        self._recent = {str(campaign.pk): campaign for campaign in recent}
        field = self.fields["campaign"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Toutes les campagnes")),
            *((pk, f"n° {pk} · {c.name}") for pk, c in self._recent.items()),
        ]

    def clean_campaign(self) -> Campaign | None:
        return self._recent.get(self.cleaned_data["campaign"])


class ForwardForm(forms.Form):
    reply_emails = forms.CharField(
        required=False, label=gettext_lazy("Transférer les réponses à"), widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Une adresse e-mail par ligne."),
    )  # fmt: skip


def _recent(request: SignedInRequest) -> list[Campaign]:
    found = (
        campaigns.visible(request.user)
        .filter(account=request.user.account)
        .exclude(origin__in=campaigns.HIDDEN_ORIGINS)
    )
    return list(found.order_by("-pk")[:RECENT])


def _page(
    request: SignedInRequest, *, form: AnswerForm | None = None, forward: ForwardForm | None = None, status: int = 200
) -> HttpResponse:
    account = request.user.account
    rules = list(auto_replies.of(account))
    names = Campaign.objects.filter(account=account, pk__in=[r.campaign_id for r in rules if r.campaign_id]).in_bulk()
    context = {
        "rules": [(rule, names.get(rule.campaign_id or 0)) for rule in rules],
        "form": form or AnswerForm(recent=_recent(request)),
        "forward": forward or ForwardForm(initial={"reply_emails": "\n".join(account.reply_emails)}),
    }
    return render(request, "replies/settings.html", context, status=status)


@admin_only
def settings(request: SignedInRequest) -> HttpResponseBase:
    """A POST adds an automatic answer."""
    if request.method != "POST":
        return _page(request)
    form = AnswerForm(request.POST, recent=_recent(request))
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        auto_replies.save(request.user.account, **form.cleaned_data)
    except InvalidInput as error:
        adopt(form, error)
        return _page(request, form=form, status=422)
    toasts.done(request, _("Réponse automatique ajoutée."))
    return HttpResponseRedirect(reverse("reply_settings"))


@admin_only
@require_POST
def forwarding(request: SignedInRequest) -> HttpResponseBase:
    form = ForwardForm(request.POST)
    try:
        inbox.set_forwarding(request.user.account, request.POST.get("reply_emails", "").splitlines())
    except InvalidInput as error:
        form.is_valid()
        adopt(form, error)
        return _page(request, forward=form, status=422)
    toasts.done(request, _("C'est enregistré."))
    return HttpResponseRedirect(reverse("reply_settings"))


def _one(request: SignedInRequest, answer_id: int) -> AutoReply:
    return auto_replies.get(request.user.account, answer_id)


@admin_only
@require_POST
def switch(request: SignedInRequest, answer_id: int) -> HttpResponseBase:
    answer = _one(request, answer_id)
    auto_replies.switch(answer, is_enabled=not answer.is_enabled)
    toasts.done(
        request, _("Réponse automatique désactivée.") if answer.is_enabled else _("Réponse automatique activée.")
    )
    return HttpResponseRedirect(reverse("reply_settings"))


@admin_only
@require_POST
def remove(request: SignedInRequest, answer_id: int) -> HttpResponseBase:
    auto_replies.remove(_one(request, answer_id))
    toasts.done(request, _("Réponse automatique supprimée."))
    return HttpResponseRedirect(reverse("reply_settings"))


urlpatterns = [
    path("replies/settings", settings, name="reply_settings"),
    path("replies/settings/forwarding", forwarding, name="reply_forwarding"),
    path("replies/settings/answers/<int:answer_id>/switch", switch, name="auto_reply_switch"),
    path("replies/settings/answers/<int:answer_id>/remove", remove, name="auto_reply_remove"),
]
