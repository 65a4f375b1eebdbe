"""« Administration » → « Marques »: STOPs attach to the brand of a campaign."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import Conflict, InvalidInput
from carillon.services import brands
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only
from carillon.web.sentences import sentence_for

HERE = "/admin/brands"


class BrandForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom de la marque"), max_length=80)
    is_client = forms.BooleanField(
        label=gettext_lazy("C'est un client de notre agence"),
        required=False,
        help_text=gettext_lazy("Ses STOP sont comptés à part dans les rapports (statut 18)."),
    )


@admin_only
def brand_list(request: SignedInRequest) -> HttpResponse:
    form = BrandForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            brands.add(request.user.account, **form.cleaned_data)
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Marque ajoutée."))
            return HttpResponseRedirect(HERE)
    return render(request, "admin/brands.html", {"form": form, "brands": brands.of(request.user.account)})


@admin_only
def brand(request: SignedInRequest, brand_id: int) -> HttpResponse:
    found = brands.get(request.user.account, brand_id)
    form = BrandForm(request.POST or None, initial={"name": found.name, "is_client": found.is_client})
    if request.method == "POST" and form.is_valid():
        try:
            brands.rename(found, form.cleaned_data["name"], is_client=form.cleaned_data["is_client"])
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect(HERE)
    return render(request, "admin/brand.html", {"form": form, "brand": found})


@admin_only
@require_POST
def remove(request: SignedInRequest, brand_id: int) -> HttpResponse:
    try:
        brands.remove(brands.get(request.user.account, brand_id))
    except Conflict as error:
        toasts.failed(request, sentence_for(error))
    else:
        toasts.done(request, _("Marque supprimée."))
    return HttpResponseRedirect(HERE)


urlpatterns = [
    path("admin/brands", brand_list, name="brands"),
    path("admin/brands/<int:brand_id>", brand, name="brand"),
    path("admin/brands/<int:brand_id>/remove", remove, name="brand-remove"),
]
