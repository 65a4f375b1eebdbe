"""« Administration » → « Sous-comptes »: creating, giving and taking back credits, closing."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import Account
from carillon.services import subaccounts, users
from carillon.web import toasts
from carillon.web.forms import CreditsField, adopt
from carillon.web.rights import SignedInRequest, admin_only
from carillon.web.tags import credits
from carillon.web.users import UserForm

HERE = "/admin/accounts"
MODES = [
    (Account.CreditMode.LIMITED, gettext_lazy("Limité : il dépense les crédits que vous lui donnez")),
    (Account.CreditMode.UNLIMITED, gettext_lazy("Illimité : chaque envoi débite le compte principal")),
]


class NewForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom du sous-compte"), max_length=120)
    mode = forms.ChoiceField(label=gettext_lazy("Crédits"), choices=MODES)
    amount = CreditsField(
        label=gettext_lazy("Crédits à lui donner"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("Pris sur votre solde ; pour un sous-compte limité."),
    )


class EditForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom du sous-compte"), max_length=120)
    credit_mode = forms.ChoiceField(label=gettext_lazy("Crédits"), choices=MODES)
    is_active = forms.BooleanField(
        label=gettext_lazy("Sous-compte actif"),
        required=False,
        help_text=gettext_lazy("Désactivé, personne n'y entre et rien n'en part."),
    )


class GiveForm(forms.Form):
    amount = CreditsField(
        label=gettext_lazy("Crédits à transférer"), help_text=gettext_lazy("Un nombre négatif les reprend.")
    )


@admin_only
def account_list(request: SignedInRequest) -> HttpResponse:
    return render(request, "admin/accounts.html", {"accounts": subaccounts.of(request.user.account)})


@admin_only
def new_account(request: SignedInRequest) -> HttpResponse:
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            child = subaccounts.create(
                request.user, name=values["name"], mode=values["mode"], amount=values["amount"] or 0
            )
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Sous-compte créé. Ajoutez-lui des utilisateurs."))
            return HttpResponseRedirect(f"{HERE}/{child.pk}")
    return render(request, "admin/account_new.html", {"form": form})


@admin_only
def account(request: SignedInRequest, account_id: int) -> HttpResponse:
    found = subaccounts.get(request.user, account_id)
    form = EditForm(
        request.POST or None,
        initial={"name": found.name, "credit_mode": found.credit_mode, "is_active": found.is_active},
    )
    if request.method == "POST" and form.is_valid():
        try:
            subaccounts.change(found, **form.cleaned_data)
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect(HERE)
    return _show(request, found, form, GiveForm())


def _show(request: SignedInRequest, found: Account, form: EditForm, give: GiveForm, status: int = 200) -> HttpResponse:
    context = {
        "child": found,
        "form": form,
        "give": give,
        "people": users.visible(request.user).filter(account=found),
    }
    return render(request, "admin/account.html", context, status=status)


@admin_only
def new_user(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Someone who will work in the sub-account."""
    found = subaccounts.get(request.user, account_id)
    form = UserForm(request.user, request.POST or None, initial={"role": "admin", "is_active": True})
    if request.method == "POST" and form.is_valid():
        try:
            users.add(request.user, account=found, now=timezone.now(), **form.cleaned_data)
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Login ajouté. Deux e-mails sont partis pour l'activer."))
            return HttpResponseRedirect(f"{HERE}/{found.pk}")
    return render(request, "admin/user.html", {"form": form, "back": f"{HERE}/{found.pk}"})


@admin_only
@require_POST
def give(request: SignedInRequest, account_id: int) -> HttpResponse:
    found = subaccounts.get(request.user, account_id)
    form = GiveForm(request.POST)
    if form.is_valid():
        try:
            subaccounts.give(request.user, found, form.cleaned_data["amount"])
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Crédits transférés."))
            return HttpResponseRedirect(f"{HERE}/{found.pk}")
    edit = EditForm(initial={"name": found.name, "credit_mode": found.credit_mode, "is_active": found.is_active})
    return _show(request, found, edit, form, status=422)


@admin_only
@require_POST
def reset(request: SignedInRequest, account_id: int) -> HttpResponse:
    returned = subaccounts.reset(request.user, subaccounts.get(request.user, account_id))
    toasts.done(request, _("%(amount)s crédits sont revenus sur votre solde.") % {"amount": credits(returned)})
    return HttpResponseRedirect(f"{HERE}/{account_id}")


urlpatterns = [
    path("admin/accounts", account_list, name="subaccounts"),
    path("admin/accounts/new", new_account, name="subaccount-new"),
    path("admin/accounts/<int:account_id>", account, name="subaccount"),
    path("admin/accounts/<int:account_id>/users/new", new_user, name="subaccount-user-new"),
    path("admin/accounts/<int:account_id>/give", give, name="subaccount-give"),
    path("admin/accounts/<int:account_id>/reset", reset, name="subaccount-reset"),
]
