"""Tab 1: where to, what kind, under which name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from carillon.domain.errors import Conflict
from carillon.models import Account, Brand, Campaign
from carillon.services import campaigns
from carillon.web import wizard
from carillon.web.rights import SignedInRequest, signed_in

TEMPLATE = "wizard/description.html"
TAB = "campaign_description"


class DescriptionForm(forms.Form):
    name = forms.CharField(max_length=200, label=_("Nom de la campagne"))
    traffic = forms.ChoiceField(label=_("Type"), choices=Campaign.Traffic.choices, initial=Campaign.Traffic.MKG)
    billing_code = forms.CharField(
        max_length=80, required=False, label=_("Code de facturation"), help_text=_("Il sera repris sur votre facture.")
    )
    brand = forms.ModelChoiceField(
        Brand.objects.none(), required=False, label=_("Marque"), empty_label=_("Aucune"),
        help_text=_("Les STOP reçus valent pour cette marque."),
    )  # fmt: skip

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.filter(account=account).order_by("name")
        if account.is_multi_brand or brands.exists():
            self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        else:
            del self.fields["brand"]


@signed_in
def new(request: SignedInRequest) -> HttpResponse:
    """Nothing is stored before the first « Suivant »: looking at the page leaves no empty draft."""
    form = DescriptionForm(request.POST or None, account=request.user.account)
    if request.method == "POST" and form.is_valid():
        campaign = campaigns.create(actor=request.user, **form.cleaned_data)
        return HttpResponseRedirect(reverse("campaign_recipients", args=[campaign.pk]))
    return wizard.show(request, None, TEMPLATE, tab=TAB, form=form, status=422 if form.errors else 200)


@wizard.on_draft
def description(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    initial = {key: getattr(campaign, key) for key in ("name", "traffic", "billing_code", "brand")}
    form = DescriptionForm(request.POST or None, account=campaign.account, initial=initial)
    if request.method != "POST":
        return wizard.show(request, campaign, TEMPLATE, tab=TAB, form=form)
    if not form.is_valid():
        if wizard.wants_json(request):
            return wizard.saved(campaign, problem=str(next(iter(form.errors.values()))[0]))
        return wizard.show(request, campaign, TEMPLATE, tab=TAB, form=form, status=422)
    try:
        campaign = campaigns.update(campaign, version=wizard.version_in(request.POST), **form.cleaned_data)
    except Conflict as error:
        if wizard.wants_json(request):
            return wizard.refused(error)
        fresh = campaigns.get(request.user, campaign.pk)
        return wizard.show(request, fresh, TEMPLATE, tab=TAB, form=form, theirs=_theirs(fresh), status=409)
    if wizard.wants_json(request):
        return wizard.saved(campaign)
    return HttpResponseRedirect(reverse("campaign_recipients", args=[campaign.pk]))


def _theirs(campaign: Campaign) -> list[tuple[Any, str]]:
    """What the other window saved, to compare."""
    return [
        (_("Nom de la campagne"), campaign.name),
        (_("Type"), campaign.traffic),
        (_("Code de facturation"), campaign.billing_code),
    ]


urlpatterns = [
    path("campaigns/new", new, name="campaign_new"),
    path("campaigns/<int:campaign_id>/description", description, name=TAB),
]
