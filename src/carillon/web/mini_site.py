"""A mini-site for a message: one small form, one hosted page behind a tracked link."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.domain.errors import InvalidInput
from carillon.models import Asset, Campaign, Link
from carillon.services import hosting, link_tracking, minisites
from carillon.services.minisites import MiniSite
from carillon.web import link_pages, toasts, wizard
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest

COLOUR = {"type": "color"}


class MiniSiteForm(forms.Form):
    title = forms.CharField(max_length=80, label=gettext_lazy("Titre"))
    text = forms.CharField(
        required=False,
        max_length=minisites.MOST_TEXT,
        label=gettext_lazy("Texte"),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    image = forms.FileField(
        required=False, label=gettext_lazy("Image"), help_text=gettext_lazy("JPG ou PNG ; réduite à 300 ko.")
    )
    button_label = forms.CharField(required=False, max_length=40, label=gettext_lazy("Texte du bouton"))
    button_url = forms.CharField(
        required=False, max_length=2000, label=gettext_lazy("Adresse du bouton"), widget=forms.URLInput()
    )
    background = forms.CharField(
        label=gettext_lazy("Couleur du fond"), initial="#ffffff", widget=forms.TextInput(attrs=COLOUR)
    )
    ink = forms.CharField(
        label=gettext_lazy("Couleur du texte"), initial="#17202b", widget=forms.TextInput(attrs=COLOUR)
    )
    button_colour = forms.CharField(
        label=gettext_lazy("Couleur du bouton"), initial="#1f4fd8", widget=forms.TextInput(attrs=COLOUR)
    )
    has_opt_out = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Lien « Ne plus recevoir de SMS »")
    )


def _link(campaign: Campaign, index: int) -> Link:
    found = campaign.links.select_related("asset").filter(index=index, asset__kind=Asset.Kind.MINISITE).first()
    if found is None or found.asset is None or found.asset.deleted_at is not None:
        raise Http404
    return found


def _site(link: Link) -> MiniSite:
    assert link.asset is not None
    return minisites.of(link.asset)


@wizard.on_draft
def minisite(request: SignedInRequest, campaign: Campaign, index: int | None = None) -> HttpResponseBase:
    """A new one, or that of link `index`."""
    link = _link(campaign, index) if index is not None else None
    before = _site(link) if link else None
    form = MiniSiteForm(request.POST or None, request.FILES or None, initial=asdict(before) if before else None)
    if request.method == "POST" and form.is_valid():
        try:
            asset = minisites.store(campaign.account, _given(form, campaign, before))
            if link is not None:
                link_tracking.change(campaign, {link.index: {"asset_id": asset.pk}}, forgets_unused=False)
            else:
                campaign = link_tracking.attach(campaign, asset)
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Mini-site enregistré : son lien est dans le message."))
            return HttpResponseRedirect(reverse("campaign_message", args=[campaign.pk]) + "#links")
    context = {"form": form, "campaign": campaign, "index": index, "has_image": bool(before and before.image_id)}
    return render(request, "wizard/minisite.html", context, status=422 if form.errors else 200)


def _given(form: MiniSiteForm, campaign: Campaign, before: MiniSite | None) -> MiniSite:
    values: dict[str, Any] = dict(form.cleaned_data)
    file = values.pop("image")
    values["image_id"] = before.image_id if before else None
    if isinstance(file, UploadedFile):
        raw = file.read(hosting.MOST_IMAGE + 1)
        values["image_id"] = hosting.store_image(campaign.account, raw, name=file.name or "image").pk
    return MiniSite(**values)


@wizard.on_draft
def view(request: SignedInRequest, campaign: Campaign, index: int) -> HttpResponseBase:
    """The page as its visitors will see it, under the same policy."""
    site = _site(_link(campaign, index))
    origin = f"{request.scheme}://{request.get_host()}"
    page = link_pages.minisite(site, image="preview.jpg" if site.image_id else "", opt_out="#", origin=origin)
    return HttpResponse(page.body, headers={"Content-Security-Policy": page.policy})


@wizard.on_draft
def image(request: SignedInRequest, campaign: Campaign, index: int) -> HttpResponseBase:
    site = _site(_link(campaign, index))
    asset = Asset.objects.filter(pk=site.image_id or 0, account=campaign.account, deleted_at=None).first()
    if asset is None:
        raise Http404
    found, content_type = hosting.file_of(asset, asset.entry)
    answer = HttpResponse(found.read_bytes(), content_type=content_type)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # the page above lives in a sandbox
    return answer


urlpatterns = [
    path("campaigns/<int:campaign_id>/minisite", minisite, name="minisite"),
    path("campaigns/<int:campaign_id>/minisite/<int:index>", minisite, name="minisite_edit"),
    path("campaigns/<int:campaign_id>/minisite/<int:index>/", view, name="minisite_view"),
    path("campaigns/<int:campaign_id>/minisite/<int:index>/preview.jpg", image, name="minisite_image"),
]
