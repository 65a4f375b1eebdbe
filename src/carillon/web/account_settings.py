"""« Administration » → « Réglages »: what an account's administrators decide for everyone in it."""

from __future__ import annotations

import ipaddress

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.services import account_options
from carillon.web import toasts
from carillon.web.rights import SignedInRequest, admin_only


class SettingsForm(forms.Form):
    requires_second_factor = forms.BooleanField(
        label=gettext_lazy("Double facteur obligatoire"),
        required=False,
        help_text=gettext_lazy("Chacun confirme son mot de passe par un code."),
    )
    ip_allow_list = forms.CharField(
        label=gettext_lazy("Adresses autorisées pour l'API"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("Une adresse ou un réseau par ligne, par exemple 203.0.113.7 ou 2001:db8::/48."),
    )
    lists_are_admin_only = forms.BooleanField(
        label=gettext_lazy("Listes envoyées par l'API réservées aux administrateurs"), required=False
    )
    sends_stop_confirmation = forms.BooleanField(
        label=gettext_lazy("Confirmer les STOP par SMS"),
        required=False,
        help_text=gettext_lazy("Obligatoire en France ; chaque confirmation coûte un crédit."),
    )
    stop_words = forms.CharField(
        label=gettext_lazy("Vos propres mots pour STOP"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Séparés par des virgules, en plus de STOP et de ses formes : ANNULER, PLUS DE PUB…"),
    )
    optout_spares_notifications = forms.BooleanField(
        label=gettext_lazy("Un STOP marketing laisse passer les notifications"), required=False
    )
    cap_messages = forms.IntegerField(
        label=gettext_lazy("Messages marketing par personne, au plus"),
        min_value=0,
        max_value=1000,
        help_text=gettext_lazy("0 : pas de limite."),
    )
    cap_days = forms.IntegerField(label=gettext_lazy("… en tant de jours"), min_value=1, max_value=365)
    closes_at_hour = forms.IntegerField(
        label=gettext_lazy("Fin des envois marketing, en heures"),
        min_value=9,
        max_value=22,
        help_text=gettext_lazy("De 8 h à cette heure, du lundi au samedi, hors jours fériés. Jamais après 22 h."),
    )

    def clean_stop_words(self) -> list[str]:
        words = [" ".join(word.split())[:30] for word in self.cleaned_data["stop_words"].split(",") if word.strip()]
        return list(dict.fromkeys(words))[:20]

    def clean_ip_allow_list(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["ip_allow_list"].splitlines() if line.strip()]
        for line in lines:
            try:
                ipaddress.ip_network(line, strict=False)
            except ValueError:
                raise forms.ValidationError(
                    _("%(line)s n'est ni une adresse ni un réseau.") % {"line": line[:60]}
                ) from None
        return lines


@admin_only
def account_settings(request: SignedInRequest) -> HttpResponse:
    account = request.user.account
    initial = {name: getattr(account, name) for name in SettingsForm.base_fields}
    initial["stop_words"] = ", ".join(account.stop_words)
    initial["ip_allow_list"] = "\n".join(account.ip_allow_list)
    form = SettingsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        account_options.update(account, **form.cleaned_data)
        toasts.done(request, _("C'est enregistré."))
        return HttpResponseRedirect("/admin/settings")
    return render(request, "admin/settings.html", {"form": form})


urlpatterns = [path("admin/settings", account_settings, name="account-settings")]
