"""« Mon compte »: who I am, how the pages look to me, my credits, the balance alert."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.domain import senders
from carillon.domain.errors import InvalidInput
from carillon.services import balance_alerts, movements, profiles
from carillon.services.credits import payer_of
from carillon.services.tokens import TooManyAttempts
from carillon.web import toasts
from carillon.web.forms import CreditsField, adopt
from carillon.web.rights import SignedInRequest, admin_only, signed_in
from carillon.web.signin import wait_sentence

PER_PAGE = 50
NEWEST = 5_000  # movements one can page through


class ProfileForm(forms.Form):
    first_name = forms.CharField(label=gettext_lazy("Prénom"), max_length=80, required=False)
    last_name = forms.CharField(label=gettext_lazy("Nom"), max_length=80, required=False)
    email = forms.EmailField(label="Email", required=False)
    mobile = forms.CharField(
        label=gettext_lazy("Mobile"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("Les tests envoyés à ce numéro sont gratuits. Il reçoit aussi vos codes par SMS."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    current = forms.CharField(
        label=gettext_lazy("Mot de passe actuel"),
        max_length=200,
        required=False,
        strip=False,
        help_text=gettext_lazy(
            "Demandé seulement pour changer l'e-mail ou le mobile : vos codes et mots de passe y arrivent."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    default_sender = forms.CharField(
        label=gettext_lazy("Émetteur par défaut"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Proposé dans chaque nouvelle campagne. Vide : le numéro court."),
    )
    reply_email = forms.EmailField(
        label=gettext_lazy("E-mail des réponses"),
        required=False,
        help_text=gettext_lazy("Les réponses à vos campagnes y sont aussi envoyées."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Langue"), choices=[("fr", "Français"), ("en", "English")])
    theme = forms.ChoiceField(
        label=gettext_lazy("Apparence"),
        choices=[
            ("system", gettext_lazy("Comme le système")),
            ("light", gettext_lazy("Clair")),
            ("dark", gettext_lazy("Sombre")),
        ],
    )
    has_shortcuts = forms.BooleanField(label=gettext_lazy("Raccourcis clavier"), required=False)

    def __init__(self, *args: Any, allows_spaces: bool = False, country: str = "FR", **options: Any) -> None:
        self.allows_spaces, self.country = allows_spaces, country
        super().__init__(*args, **options)

    def clean_default_sender(self) -> str:
        name = str(self.cleaned_data["default_sender"]).strip()
        verdict = senders.judge(name, country=self.country, allows_spaces=self.allows_spaces)
        if not verdict.is_accepted:
            raise forms.ValidationError(sender_advice(verdict.proposal))
        return name


def sender_advice(proposal: str) -> str:
    """Why a sender name is refused, and the nearest one that is not."""
    rule = _("3 à 11 lettres sans accent et chiffres, avec au moins une lettre, sans espace ni ponctuation.")
    return f"{rule} " + _("Par exemple : %(name)s") % {"name": proposal} if proposal else rule


class AlertForm(forms.Form):
    is_on = forms.BooleanField(label=gettext_lazy("Me prévenir quand le solde est bas"), required=False)
    threshold = CreditsField(label=gettext_lazy("Seuil, en crédits"), required=False, min_value=0)
    email = forms.EmailField(label=gettext_lazy("Prévenir par e-mail"), required=False)
    mobile = forms.CharField(
        label=gettext_lazy("Prévenir par SMS"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("is_on") and values.get("threshold") is None and "threshold" not in self.errors:
            self.add_error("threshold", _("À partir de combien de crédits ?"))
        return values


@signed_in
def profile(request: SignedInRequest) -> HttpResponse:
    user = request.user
    form = ProfileForm(
        request.POST or None,
        initial={name: getattr(user, name) for name in ProfileForm.base_fields if name != "current"},
        allows_spaces=user.account.allows_sender_spaces,
        country=(user.account.countries or ["FR"])[0],
    )
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            current = values.pop("current")
            profiles.update_by_hand(user, current=current, now=timezone.now(), **values)
        except InvalidInput as error:
            adopt(form, error)
        except TooManyAttempts as error:
            form.add_error("current", wait_sentence(error))
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect("/account/")
    return render(request, "account/profile.html", {"form": form})


@signed_in
def credits(request: SignedInRequest) -> HttpResponse:
    payer = payer_of(request.user.account)
    page = Paginator(movements.of(request.user, payer)[:NEWEST], PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "account/credits.html", {"page": page, "movements": movements.described(page.object_list)})


@admin_only
def balance_alert(request: SignedInRequest) -> HttpResponse:
    account = request.user.account
    form = AlertForm(
        request.POST or None,
        initial={
            "is_on": account.alert_threshold is not None,
            "threshold": account.alert_threshold,
            "email": account.alert_email or request.user.email,
            "mobile": account.alert_mobile,
        },
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        threshold = values["threshold"] if values["is_on"] else None
        try:
            balance_alerts.set_alert(account, threshold=threshold, email=values["email"], mobile=values["mobile"])
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect("/account/balance-alert")
    return render(request, "account/balance_alert.html", {"form": form})


urlpatterns = [
    path("account/", profile, name="account"),
    path("account/profile", profile, name="profile"),
    path("account/credits", credits, name="credits"),
    path("account/balance-alert", balance_alert, name="balance-alert"),
]
