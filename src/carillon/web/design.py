"""The design system on one page, with DEBUG on: every component in every state, to look at and to test."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from carillon.domain.status import TABLE
from carillon.web import toasts
from carillon.web.rights import signed_in


class SampleForm(forms.Form):
    name = forms.CharField(label="Nom de la campagne", help_text="Vous seul le voyez.")
    sender = forms.CharField(label="Emetteur du message", required=False)
    password = forms.CharField(label="Mot de passe", widget=forms.PasswordInput)
    kind = forms.ChoiceField(label="Type", choices=[("MKG", "Marketing"), ("NOTIFICATION", "Notification")])
    message = forms.CharField(label="Message", widget=forms.Textarea)
    is_active = forms.BooleanField(label="Activer / désactiver le login", required=False)
    agrees = forms.BooleanField(label="Désactiver 2FA pendant 7 jours sur cet appareil", required=False)


@signed_in
def design(request: HttpRequest) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    if "toast" in request.GET:
        toasts.done(request, "Liste supprimée.", undo="/design/")
        toasts.failed(request, "Le fichier n'a pas pu être lu.")
    context: dict[str, Any] = {
        "form": SampleForm({"sender": "Maison", "is_active": "on"}),
        "icons": icon_names(),
        "codes": [int(code) for code in TABLE],
        "page": Paginator(range(420), 20).get_page(7),
        "tokens": ["bg", "card", "sunken", "ink", "soft", "line", "brand", "call", "menu", "ok", "warn", "bad", "pink"],
    }
    return render(request, "design.html", context)


def icon_names() -> list[str]:
    sprite = finders.find("carillon/icons.svg")
    assert isinstance(sprite, str)
    with open(sprite, encoding="utf-8") as source:
        return re.findall(r'<symbol id="([^"]+)"', source.read())


urlpatterns = [path("design/", design, name="design")]
