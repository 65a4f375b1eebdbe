"""« Développeur »: tokens, the log of API requests, and where the API is explained."""

from __future__ import annotations

import json

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError
from carillon.models import Token, User
from carillon.services import request_log, subaccounts, tokens
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, signed_in

HERE = "/developer/tokens"
NEWEST = 5_000  # rows one can page through: counting millions for a page number would take longer than the page
SCOPES = {
    "send": gettext_lazy("Envoyer des messages et des campagnes"),
    "lists": gettext_lazy("Gérer les listes"),
    "reports": gettext_lazy("Lire les rapports"),
    "blacklist": gettext_lazy("Gérer la liste noire"),
    "webhooks": gettext_lazy("Gérer les webhooks"),
}


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Nom du jeton"), max_length=80, help_text=gettext_lazy("Pour le reconnaître : « site web ».")
    )
    account = forms.ChoiceField(label=gettext_lazy("Compte"))
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Droits"), required=False, widget=forms.CheckboxSelectMultiple, choices=list(SCOPES.items())
    )
    is_test = forms.BooleanField(
        label=gettext_lazy("Jeton de test"),
        required=False,
        help_text=gettext_lazy("Ses messages n'atteignent que des simulateurs et ne coûtent rien de réel."),
    )

    def __init__(self, user: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        children = list(subaccounts.of(user.account)) if user.is_admin else []
        self.accounts = {str(account.pk): account for account in [user.account, *children]}
        self.fields["account"].choices = [(key, one.name) for key, one in self.accounts.items()]  # type: ignore[attr-defined]


@signed_in
def developer(request: SignedInRequest) -> HttpResponse:
    return HttpResponseRedirect(HERE)


@signed_in
def token_list(request: SignedInRequest) -> HttpResponse:
    found = list(tokens.visible(request.user)[:200])
    for token in found:
        token.scope_labels = [SCOPES.get(scope, scope) for scope in token.scopes]  # type: ignore[attr-defined]
    return render(request, "developer/tokens.html", {"tokens": found, "public_url": settings.PUBLIC_URL})


@signed_in
def new_token(request: SignedInRequest) -> HttpResponse:
    """The secret is on the answer to this POST only."""
    form = TokenForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            token, secret = tokens.create(
                user=request.user,
                name=values["name"],
                account=form.accounts[values["account"]],
                scopes=values["scopes"],
                is_test=values["is_test"],
            )
        except CarillonError as error:
            adopt(form, error)
        else:
            return render(request, "developer/token_made.html", {"token": token, "secret": secret})
    return render(request, "developer/token_new.html", {"form": form})


@signed_in
@require_POST
def revoke(request: SignedInRequest, token_id: int) -> HttpResponse:
    tokens.revoke(actor=request.user, token_id=token_id)
    toasts.done(request, _("Jeton révoqué. Il ne fonctionne plus."))
    return HttpResponseRedirect(HERE)


@signed_in
def log(request: SignedInRequest) -> HttpResponse:
    found = request_log.visible(request.user)
    if not request.user.is_admin:
        found = found.filter(token_id__in=Token.objects.filter(user=request.user).values("id"))
    wanted, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    if wanted:
        found = found.filter(path__icontains=wanted)
    if status in {"2", "4", "5"}:
        found = found.filter(status__gte=int(status) * 100, status__lt=int(status) * 100 + 100)
    page = Paginator(found[:NEWEST], 50).get_page(request.GET.get("page"))
    names = dict(Token.objects.filter(pk__in=[row.token_id for row in page.object_list]).values_list("pk", "name"))
    rows = [{"row": row, "token": names.get(row.token_id or 0, "")} for row in page.object_list]
    return render(request, "developer/log.html", {"page": page, "rows": rows, "q": wanted, "status": status})


@signed_in
def log_entry(request: SignedInRequest, entry_id: int) -> HttpResponse:
    found = request_log.visible(request.user)
    if not request.user.is_admin:
        found = found.filter(token_id__in=Token.objects.filter(user=request.user).values("id"))
    entry = found.filter(pk=entry_id).first()
    if entry is None:
        raise Http404
    context = {"entry": entry, "asked": _pretty(entry.request_body), "answered": _pretty(entry.response_body)}
    return render(request, "developer/log_entry.html", context)


def _pretty(body: str) -> str:
    """JSON indented; anything else, or cut JSON, as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


urlpatterns = [
    path("developer/", developer, name="developer"),
    path("developer/tokens", token_list, name="tokens"),
    path("developer/tokens/new", new_token, name="token-new"),
    path("developer/tokens/<int:token_id>/revoke", revoke, name="token-revoke"),
    path("developer/log", log, name="request-log"),
    path("developer/log/<int:entry_id>", log_entry, name="request-log-entry"),
]
