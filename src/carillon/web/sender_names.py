"""« Administration » → « Émetteurs »: the names an account asked for, and what was decided."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain import senders
from carillon.domain.errors import InvalidInput
from carillon.models import Account, Sender
from carillon.services import sender_names
from carillon.web import toasts
from carillon.web.account import sender_advice
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only

HERE = "/admin/senders"
STATES = {
    Sender.State.WAITING: (gettext_lazy("En attente"), "warn"),
    Sender.State.ALLOWED: (gettext_lazy("Autorisé"), "ok"),
    Sender.State.REFUSED: (gettext_lazy("Refusé"), "bad"),
    Sender.State.DISABLED: (gettext_lazy("Désactivé"), ""),
}


class SenderForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Nom d'émetteur"),
        max_length=20,
        help_text=gettext_lazy("3 à 11 lettres sans accent et chiffres. Vos destinataires ne pourront pas répondre."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, account: Account, *args: object) -> None:
        self.account = account
        super().__init__(*args)  # type: ignore[arg-type]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        country = (self.account.countries or ["FR"])[0]
        verdict = senders.judge(name, country=country, allows_spaces=self.account.allows_sender_spaces)
        if not verdict.is_accepted:
            raise forms.ValidationError(sender_advice(verdict.proposal))
        return name


def with_words(found: list[Sender]) -> list[Sender]:
    """Each with `state_label` and `state_kind`, for its pill."""
    for sender in found:
        sender.state_label, sender.state_kind = STATES[Sender.State(sender.state)]  # type: ignore[attr-defined]
    return found


@admin_only
def sender_list(request: SignedInRequest) -> HttpResponse:
    account = request.user.account
    form = SenderForm(account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sender = sender_names.ask(account, form.cleaned_data["name"], now=timezone.now())
        except InvalidInput as error:
            adopt(form, error)
        else:
            is_free = sender.state == Sender.State.ALLOWED
            toasts.done(request, _("Émetteur autorisé.") if is_free else _("Demande envoyée aux opérateurs."))
            return HttpResponseRedirect(HERE)
    own = Sender.objects.filter(account=account).order_by("name")
    return render(request, "admin/senders.html", {"form": form, "senders": with_words(list(own))})


@admin_only
@require_POST
def withdraw(request: SignedInRequest, sender_id: int) -> HttpResponse:
    sender_names.withdraw(request.user, sender_id)
    toasts.done(request, _("Émetteur retiré."))
    return HttpResponseRedirect(HERE)


urlpatterns = [
    path("admin/senders", sender_list, name="senders"),
    path("admin/senders/<int:sender_id>/withdraw", withdraw, name="sender-withdraw"),
]
