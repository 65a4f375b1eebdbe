"""« Administration » → « Utilisateurs »."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError, Conflict, InvalidInput
from carillon.models import User
from carillon.services import passwords, users
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only

ROLES = {
    User.Role.USER: gettext_lazy("Utilisateur"),
    User.Role.ADMIN: gettext_lazy("Administrateur"),
    User.Role.OPERATOR: gettext_lazy("Opérateur de la plateforme"),
}


class UserForm(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("Login"),
        max_length=150,
        help_text=gettext_lazy("Par défaut, l'adresse e-mail."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Rôle"))
    first_name = forms.CharField(label=gettext_lazy("Prénom"), max_length=80, required=False)
    last_name = forms.CharField(label=gettext_lazy("Nom"), max_length=80, required=False)
    email = forms.EmailField(label="Email")
    mobile = forms.CharField(
        label=gettext_lazy("Mobile"), max_length=30, required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("Activer / désactiver le login"),
        required=False,
        help_text=gettext_lazy("Sur NON, cette personne ne peut pas entrer, et les deux e-mails attendent."),
    )

    def __init__(self, actor: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [(role, ROLES[User.Role(role)]) for role in users.roles_for(actor)]  # type: ignore[attr-defined]


@admin_only
def user_list(request: SignedInRequest) -> HttpResponse:
    found = users.visible(request.user)
    wanted = request.GET.get("q", "").strip()
    if wanted:
        found = found.filter(
            Q(login__icontains=wanted)
            | Q(first_name__icontains=wanted)
            | Q(last_name__icontains=wanted)
            | Q(email__icontains=wanted)
        )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    for user in page.object_list:
        user.role_label = ROLES[User.Role(user.role)]  # type: ignore[attr-defined]
    return render(request, "admin/users.html", {"page": page, "q": wanted})


@admin_only
def new_user(request: SignedInRequest) -> HttpResponse:
    form = UserForm(request.user, request.POST or None, initial={"role": User.Role.USER})
    if request.method == "POST" and form.is_valid():
        try:
            user = users.add(request.user, now=timezone.now(), **form.cleaned_data)
        except CarillonError as error:
            adopt(form, error)
        else:
            if user.is_active:
                toasts.done(request, _("Login ajouté. Deux e-mails sont partis pour l'activer."))
            else:
                toasts.done(request, _("Login ajouté, inactif. Activez-le quand vous voulez."))
            return HttpResponseRedirect("/admin/users")
    return render(request, "admin/user.html", {"form": form})


@admin_only
def edit_user(request: SignedInRequest, user_id: int) -> HttpResponse:
    user = users.get(request.user, user_id)
    form = UserForm(
        request.user, request.POST or None, initial={name: getattr(user, name) for name in UserForm.base_fields}
    )
    if request.method == "POST" and form.is_valid():
        try:
            users.change(request.user, user, now=timezone.now(), **form.cleaned_data)
        except (InvalidInput, Conflict) as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect("/admin/users")
    return render(request, "admin/user.html", {"form": form, "person": users.get(request.user, user_id)})


@admin_only
@require_POST
def invite(request: SignedInRequest, user_id: int) -> HttpResponse:
    """Sends the two e-mails again."""
    user = users.get(request.user, user_id)
    try:
        passwords.invite(user, now=timezone.now())
    except InvalidInput:
        toasts.failed(request, _("Indiquez d'abord une adresse e-mail."))
    else:
        toasts.done(request, _("Les deux e-mails sont partis."))
    return HttpResponseRedirect(f"/admin/users/{user.pk}")


@admin_only
def administration(request: SignedInRequest) -> HttpResponse:
    return HttpResponseRedirect("/admin/users")


urlpatterns = [
    path("admin/", administration, name="administration"),
    path("admin/users", user_list, name="users"),
    path("admin/users/new", new_user, name="user-new"),
    path("admin/users/<int:user_id>", edit_user, name="user"),
    path("admin/users/<int:user_id>/invite", invite, name="user-invite"),
]
