"""Forgotten password and first activation: two e-mails, both needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from carillon.domain.errors import InvalidInput
from carillon.services import accounts, passwords
from carillon.services.tokens import TooManyAttempts
from carillon.web import toasts
from carillon.web.rights import LOGIN, public
from carillon.web.sentences import sentence_for
from carillon.web.signin import wait_sentence
from carillon.web.visitors import address_of

PASSWORD_RULE = gettext_lazy(
    "Au moins 11 caractères, avec une majuscule, une minuscule, un chiffre et un caractère spécial. "
    "Nous vous conseillons d'en changer tous les 2 à 3 mois."
)


class ForgottenForm(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("Identifiant ou adresse e-mail"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """Shared by the two flows and by the change of a known password: the policy is checked beside its field."""

    password = forms.CharField(
        label=gettext_lazy("Nouveau mot de passe"),
        max_length=200,
        strip=False,
        help_text=PASSWORD_RULE,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Le même, une seconde fois"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") and values.get("again") and values["password"] != values["again"]:
            self.add_error("again", _("Les deux mots de passe diffèrent."))
        if values.get("password"):
            try:
                accounts.check_password(values["password"], login=values.get("login", ""))
            except InvalidInput as error:
                self.add_error("password", sentence_for(error))
        return values


class ResetForm(NewPasswordForm):
    login = forms.CharField(
        label=gettext_lazy("Identifiant"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    temporary = forms.CharField(
        label=gettext_lazy("Mot de passe temporaire"),
        help_text=gettext_lazy("Dans le premier e-mail."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code d'activation"),
        help_text=gettext_lazy("Dans le second e-mail."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order: Sequence[str] = ("login", "temporary", "code", "password", "again")


class ActivationForm(ResetForm):
    new_login = forms.CharField(
        label=gettext_lazy("Nouvel identifiant"),
        required=False,
        max_length=150,
        help_text=gettext_lazy("Laissez vide pour garder celui que votre administrateur a choisi."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ("login", "temporary", "code", "new_login", "password", "again")


@public
def forgotten(request: HttpRequest) -> HttpResponse:
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            passwords.ask_reset(form.cleaned_data["login"], address=address_of(request), now=timezone.now())
        except TooManyAttempts as error:
            form.add_error(None, wait_sentence(error))
        else:
            return HttpResponseRedirect("/password/new?sent=1")
    return render(request, "signin/forgotten.html", {"form": form})


@public
@sensitive_post_parameters()
def new_password(request: HttpRequest) -> HttpResponse:
    return _finish(request, ResetForm, "signin/new_password.html")


@public
@sensitive_post_parameters()
def activate(request: HttpRequest) -> HttpResponse:
    return _finish(request, ActivationForm, "signin/activate.html")


def _finish(request: HttpRequest, form_class: type[ResetForm], template: str) -> HttpResponse:
    form = form_class(request.POST or None, initial={"login": request.GET.get("login", "")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        values.pop("again")
        try:
            passwords.finish(**values, address=address_of(request), now=timezone.now())
        except passwords.WrongReset:
            form.add_error(
                None,
                _("L'identifiant, le mot de passe temporaire ou le code est faux, ou ils ont expiré ou déjà servi."),
            )
        except TooManyAttempts as error:
            form.add_error(None, wait_sentence(error))
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, sentence_for(error))
        else:
            toasts.done(request, _("Votre mot de passe est défini. Vous pouvez entrer."))
            return HttpResponseRedirect(LOGIN)
    return render(request, template, {"form": form, "is_sent": "sent" in request.GET})


urlpatterns = [
    path("password/forgotten", forgotten, name="password-forgotten"),
    path("password/new", new_password, name="password-new"),
    path("activate", activate, name="activate"),
]
