"""Operators: which connector carries what, why, and what a country costs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain import msisdn
from carillon.domain.errors import CarillonError
from carillon.models import Account, Connector, Route, Tariff
from carillon.services import routes
from carillon.web import tags, toasts
from carillon.web.forms import CreditsField, adopt
from carillon.web.rights import SignedInRequest, operator_only

HERE = "/ops/routes"
TRAFFIC = [
    ("", gettext_lazy("Tout")),
    ("MKG", gettext_lazy("Marketing")),
    ("NOTIFICATION", gettext_lazy("Notification")),
]


class RouteForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom"), max_length=60)
    connector = forms.ModelChoiceField(
        label=gettext_lazy("Connecteur"),
        queryset=Connector.objects.order_by("name"),
        empty_label=gettext_lazy("Choisir…"),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priorité"), initial=100, help_text=gettext_lazy("La plus petite qui convient l'emporte.")
    )
    weight = forms.IntegerField(
        label=gettext_lazy("Poids"), initial=1, min_value=1, help_text=gettext_lazy("Partage à priorité égale.")
    )
    traffic = forms.ChoiceField(label=gettext_lazy("Type"), choices=TRAFFIC, required=False)
    country = forms.CharField(
        label=gettext_lazy("Pays"), max_length=2, required=False, help_text=gettext_lazy("Code à deux lettres, FR.")
    )
    prefix = forms.CharField(  # type: ignore[assignment]
        label=gettext_lazy("Préfixe"), max_length=15, required=False, help_text=gettext_lazy("Chiffres sans +, 3367.")
    )
    account = forms.ModelChoiceField(
        label=gettext_lazy("Compte"),
        queryset=Account.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("Tous"),
    )
    cost = CreditsField(label=gettext_lazy("Coût, en crédits par SMS"), required=False, min_value=0)


class TariffForm(forms.Form):
    country = forms.CharField(label=gettext_lazy("Pays"), max_length=2)
    price = CreditsField(label=gettext_lazy("Crédits par SMS"), min_value=0)
    account = forms.ModelChoiceField(
        label=gettext_lazy("Compte"),
        queryset=Account.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("Toute la plateforme"),
    )


class ExplainForm(forms.Form):
    number = forms.CharField(label=gettext_lazy("Numéro"), max_length=30)
    account = forms.ModelChoiceField(
        label=gettext_lazy("Compte"), queryset=Account.objects.order_by("name"), empty_label=gettext_lazy("Choisir…")
    )
    traffic = forms.ChoiceField(label=gettext_lazy("Type"), choices=TRAFFIC[1:])


@operator_only
def route_list(request: SignedInRequest) -> HttpResponse:
    return _show(request, RouteForm(), TariffForm())


def _show(request: SignedInRequest, form: RouteForm, tariff: TariffForm, status: int = 200) -> HttpResponse:
    explain = ExplainForm(request.GET if "number" in request.GET else None)
    context: dict[str, Any] = {
        "routes": Route.objects.select_related("connector", "account"),
        "tariffs": Tariff.objects.filter(medium="SMS").select_related("account").order_by("account__name", "country"),
        "form": form,
        "tariff": tariff,
        "explain": explain,
    }
    if explain.is_bound and explain.is_valid():
        found = _explain(explain)
        if found is not None:
            context["explanation"] = found
            context["why"] = why(found)
            context["considered"] = [line(one) for one in found.considered]
    return render(request, "ops/routes.html", context, status=status)


def _explain(form: ExplainForm) -> routes.Explanation | None:
    values = form.cleaned_data
    number = msisdn.parse(values["number"])
    if number.msisdn is None:
        form.add_error("number", _("Ce n'est pas un numéro."))
        return None
    router = routes.Router.load(values["account"], simulator_only=values["account"].is_test)
    return router.explain(country=number.country, msisdn=number.msisdn, traffic=values["traffic"])


def why(found: routes.Explanation) -> str:
    """Why the message takes this way, or none."""
    chosen = found.chosen
    if chosen is None:
        if found.considered:
            return _("Aucune route ne convient.")
        return _("Aucun connecteur n'est activé (les simulateurs ne servent que les comptes de test).")
    sentences = [
        _("%(rule)s : la plus petite priorité qui convient (%(priority)s).")
        % {"rule": chosen.rule, "priority": chosen.priority}
        if chosen.rule
        else _("Aucune route ne convient : tout connecteur activé sert.")
    ]
    if chosen.cost:
        sentences.append(
            _("La moins chère de cette priorité : %(cost)s crédit par SMS.") % {"cost": tags.credits(chosen.cost)}
        )
    if found.sharing > 1:
        sentences.append(_("Partagé selon les poids entre %(n)s connecteurs.") % {"n": found.sharing})
    if not chosen.is_up:
        sentences.append(_("Ce connecteur est coupé, comme tous ceux qui conviennent : ses messages attendent."))
    return " ".join(sentences)


def line(one: routes.Considered) -> str:
    """What became of one route that was considered."""
    c = one.candidate
    way = f"{c.rule} → {c.connector}" if c.rule else c.connector
    if not c.rule:
        return f"{way} : " + (
            _("sert quand aucune route ne convient") if c.is_up else _("servirait, mais il est coupé")
        )
    if not one.wanted:
        fits = _("convient (priorité %(priority)s)") if c.is_up else _("convient (priorité %(priority)s), mais coupé")
        return f"{way} : " + fits % {"priority": c.priority}
    names = {"traffic": _("le type"), "country": _("le pays"), "prefix": _("le préfixe")}
    wanted = ", ".join(f"{names[name]} {value}" for name, value in one.wanted.items())
    return f"{way} : " + _("non, demande %(wanted)s") % {"wanted": wanted}


@operator_only
@require_POST
def add_route(request: SignedInRequest) -> HttpResponse:
    form = RouteForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            routes.add_route(**(values | {"cost": values["cost"] or 0}))
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Route ajoutée."))
            return HttpResponseRedirect(HERE)
    return _show(request, form, TariffForm(), status=422)


@operator_only
@require_POST
def remove_route(request: SignedInRequest, route_id: int) -> HttpResponse:
    routes.remove_route(route_id)
    toasts.done(request, _("Route supprimée."))
    return HttpResponseRedirect(HERE)


@operator_only
@require_POST
def switch_route(request: SignedInRequest, route_id: int) -> HttpResponse:
    is_enabled = routes.switch_route(route_id)
    toasts.done(request, _("Route activée.") if is_enabled else _("Route désactivée."))
    return HttpResponseRedirect(HERE)


@operator_only
@require_POST
def set_tariff(request: SignedInRequest) -> HttpResponse:
    form = TariffForm(request.POST)
    if form.is_valid():
        try:
            routes.set_tariff(**form.cleaned_data)
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Tarif enregistré."))
            return HttpResponseRedirect(HERE)
    return _show(request, RouteForm(), form, status=422)


urlpatterns = [
    path("ops/routes", route_list, name="routes"),
    path("ops/routes/add", add_route, name="route-add"),
    path("ops/routes/<int:route_id>/remove", remove_route, name="route-remove"),
    path("ops/routes/<int:route_id>/switch", switch_route, name="route-switch"),
    path("ops/tariffs/set", set_tariff, name="tariff-set"),
]
