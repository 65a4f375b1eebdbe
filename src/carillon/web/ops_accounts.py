"""Operators: customers' accounts, their limits and credits; sender names to decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import Account
from carillon.services import account_options, accounts, credits, movements, sender_names, users
from carillon.services.campaigns import MOST_WEIGHT
from carillon.web import toasts
from carillon.web.forms import CreditsField, adopt
from carillon.web.rights import SignedInRequest, operator_only
from carillon.web.sender_names import with_words
from carillon.web.sentences import sentence_for
from carillon.web.users import UserForm

HERE = "/ops/accounts"
MODES = [
    (Account.CreditMode.LIMITED, gettext_lazy("Prépayé")),
    (Account.CreditMode.POSTPAID, gettext_lazy("Post-payé")),
    (Account.CreditMode.UNLIMITED, gettext_lazy("Illimité (sous-compte)")),
]


class AccountForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom du compte"), max_length=120)
    credit_mode = forms.ChoiceField(label=gettext_lazy("Crédits"), choices=MODES)
    max_segments = forms.IntegerField(
        label=gettext_lazy("SMS par message, au plus"), min_value=1, max_value=6, initial=1
    )
    countries = forms.CharField(
        label=gettext_lazy("Pays autorisés"),
        required=False,
        help_text=gettext_lazy("Codes à deux lettres séparés par des virgules. Vide : la France et ses territoires."),
    )
    short_code_mkg = forms.CharField(label=gettext_lazy("Numéro court marketing"), max_length=20, initial="36184")
    short_code_notification = forms.CharField(
        label=gettext_lazy("Numéro court notification"), max_length=20, initial="38184"
    )
    closes_at_hour = forms.IntegerField(
        label=gettext_lazy("Fin des envois marketing, en heures"), min_value=9, max_value=22, initial=20
    )
    weight = forms.IntegerField(
        label=gettext_lazy("Poids de ses campagnes"),
        min_value=1,
        max_value=MOST_WEIGHT,
        initial=1,
        help_text=gettext_lazy("Sur un connecteur partagé, 3 avance trois fois plus vite que 1."),
    )
    allows_sender_spaces = forms.BooleanField(label=gettext_lazy("Espaces permis dans l'émetteur"), required=False)
    is_test = forms.BooleanField(
        label=gettext_lazy("Compte de test"),
        required=False,
        help_text=gettext_lazy("Ses messages n'atteignent que des simulateurs."),
    )
    is_active = forms.BooleanField(label=gettext_lazy("Compte actif"), required=False, initial=True)

    def clean_countries(self) -> list[str]:
        codes = [code.strip().upper() for code in self.cleaned_data["countries"].split(",") if code.strip()]
        if wrong := [code for code in codes if len(code) != 2 or not code.isalpha()]:
            raise forms.ValidationError(_("%(code)s n'est pas un code de pays.") % {"code": wrong[0][:20]})
        return codes


class GrantForm(forms.Form):
    amount = CreditsField(label=gettext_lazy("Crédits"), help_text=gettext_lazy("Un nombre négatif les retire."))
    note = forms.CharField(label=gettext_lazy("Objet"), max_length=200, required=False)


def _get(account_id: int) -> Account:
    found = Account.objects.select_related("parent").filter(pk=account_id).first()
    if found is None:
        raise Http404
    return found


@operator_only
def account_list(request: SignedInRequest) -> HttpResponse:
    found = Account.objects.select_related("parent").annotate(people=Count("users")).order_by("name")
    wanted = request.GET.get("q", "").strip()
    if wanted:
        found = found.filter(name__icontains=wanted)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "ops/accounts.html", {"page": page, "q": wanted})


@operator_only
def new_account(request: SignedInRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, initial={"credit_mode": Account.CreditMode.LIMITED})
    if request.method == "POST" and form.is_valid():
        try:
            account = accounts.create(form.cleaned_data["name"], user=request.user)
            account_options.update(account, by_operator=True, **form.cleaned_data)
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Compte créé. Ajoutez-lui un administrateur et des crédits."))
            return HttpResponseRedirect(f"{HERE}/{account.pk}")
    return render(request, "ops/account_new.html", {"form": form})


@operator_only
def account(request: SignedInRequest, account_id: int) -> HttpResponse:
    found = _get(account_id)
    form = AccountForm(request.POST or None, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            account_options.update(found, by_operator=True, **form.cleaned_data)
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect(HERE)
    return _show(request, found, form, GrantForm())


def _initial(account: Account) -> dict[str, Any]:
    values = {name: getattr(account, name) for name in AccountForm.base_fields}
    return values | {"countries": ", ".join(account.countries)}


def _show(
    request: SignedInRequest, found: Account, form: AccountForm, grant: GrantForm, status: int = 200
) -> HttpResponse:
    context = {
        "account": found,
        "form": form,
        "grant": grant,
        "people": users.visible(request.user).filter(account=found),
        "movements": movements.described(movements.of(request.user, found)[:10]),
    }
    return render(request, "ops/account.html", context, status=status)


@operator_only
@require_POST
def grant(request: SignedInRequest, account_id: int) -> HttpResponse:
    found = _get(account_id)
    form = GrantForm(request.POST)
    if form.is_valid():
        try:
            credits.grant(found, form.cleaned_data["amount"], note=form.cleaned_data["note"], user=request.user)
        except InvalidInput as error:
            adopt(form, error)
        else:
            toasts.done(request, _("Crédits ajoutés."))
            return HttpResponseRedirect(f"{HERE}/{found.pk}")
    return _show(request, found, AccountForm(initial=_initial(found)), form, status=422)


@operator_only
def new_user(request: SignedInRequest, account_id: int) -> HttpResponse:
    found = _get(account_id)
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


@operator_only
def sender_list(request: SignedInRequest) -> HttpResponse:
    return render(request, "ops/senders.html", {"senders": with_words(list(sender_names.visible(request.user)[:200]))})


@operator_only
@require_POST
def decide(request: SignedInRequest, sender_id: int) -> HttpResponse:
    try:
        sender_names.decide(
            request.user,
            sender_id,
            request.POST.get("state", ""),
            reason=request.POST.get("reason", ""),
            now=timezone.now(),
        )
    except InvalidInput as error:
        toasts.failed(request, sentence_for(error))
    else:
        toasts.done(request, _("Décision enregistrée."))
    return HttpResponseRedirect("/ops/senders")


urlpatterns = [
    path("ops/accounts", account_list, name="ops-accounts"),
    path("ops/accounts/new", new_account, name="ops-account-new"),
    path("ops/accounts/<int:account_id>", account, name="ops-account"),
    path("ops/accounts/<int:account_id>/grant", grant, name="ops-grant"),
    path("ops/accounts/<int:account_id>/users/new", new_user, name="ops-user-new"),
    path("ops/senders", sender_list, name="ops-senders"),
    path("ops/senders/<int:sender_id>/decide", decide, name="ops-sender-decide"),
]
