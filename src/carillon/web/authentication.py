"""« Ma méthode d'authentification »: second factor, recovery codes, passkeys, trusted devices, open sessions, password."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import segno
from django import forms
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import InvalidInput
from carillon.models import TrustedDevice
from carillon.services import access, passkeys, passwords, second_factor
from carillon.services.tokens import TooManyAttempts
from carillon.web import toasts
from carillon.web.password_reset import NewPasswordForm
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for
from carillon.web.signin import wait_sentence

HERE = "/account/authentication"
APP_SECRET = "app_secret"  # noqa: S105 - in the session, until the app has shown a right code


PROVEN_AT, PROVEN_FOR = "proven_at", timedelta(minutes=5)
NOT_PROVEN = InvalidInput("Your password is needed to change this.", field="current", code="password_needed")


class ProofForm(forms.Form):
    current = forms.CharField(
        label=gettext_lazy("Mot de passe actuel"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class AppForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code que montre l'application"),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class ChangeForm(NewPasswordForm):
    current = forms.CharField(
        label=gettext_lazy("Mot de passe actuel"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password", "again")


@signed_in
def authentication(request: SignedInRequest) -> HttpResponse:
    return render(request, "account/authentication.html", _context(request))


def _context(request: SignedInRequest, **more: Any) -> dict[str, Any]:
    user = request.user
    return {
        "channel": second_factor.channel_of(user),
        "codes_left": second_factor.recovery_codes_left(user),
        "sessions": access.sessions_of(user),
        "current_key": request.session.session_key,
        "devices": TrustedDevice.objects.filter(user=user, expires_at__gt=timezone.now()).order_by("-created_at"),
        "passkeys": passkeys.of(user),
        "is_proven": is_proven(request),
        "has_passkeys": passkeys.is_possible(),
        **more,
    }


def password_asked(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A POST that changes how one comes in: the password first, on a page of its own that sends the same form again.

    Asked once for `PROVEN_FOR`. Wears @signed_in itself.
    """

    @wraps(view)
    def wrapped(request: SignedInRequest, **more: Any) -> HttpResponseBase:
        if request.method != "POST" or is_proven(request):
            return view(request, **more)
        form = ProofForm(request.POST if "current" in request.POST else None)
        if form.is_bound and form.is_valid():
            try:
                passwords.prove(request.user, form.cleaned_data["current"], now=timezone.now())
            except InvalidInput as error:
                form.add_error("current", sentence_for(error))
            except TooManyAttempts as error:
                form.add_error("current", wait_sentence(error))
            else:
                request.session[PROVEN_AT] = timezone.now().timestamp()
                return view(request, **more)
        kept = [(name, value) for name, value in request.POST.items() if name not in ("current", "csrfmiddlewaretoken")]
        return render(request, "account/proof.html", {"form": form, "kept": kept}, status=422 if form.is_bound else 200)

    return signed_in(wrapped)


def is_proven(request: SignedInRequest) -> bool:
    at = float(request.session.get(PROVEN_AT, 0))
    return 0 <= timezone.now().timestamp() - at < PROVEN_FOR.total_seconds()


@password_asked
@require_POST
def prove(request: SignedInRequest) -> HttpResponse:
    """Before what a script does: adding a passkey."""
    return HttpResponseRedirect(f"{HERE}#passkeys")


@password_asked
@require_POST
def use_channel(request: SignedInRequest) -> HttpResponse:
    channel = request.POST.get("channel", "")
    if channel == second_factor.APP:
        return HttpResponseRedirect(f"{HERE}/app")
    try:
        second_factor.use_channel(request.user, channel)
    except InvalidInput as error:
        toasts.failed(request, sentence_for(error))
    else:
        toasts.done(request, _("Votre méthode d'authentification est changée."))
    return HttpResponseRedirect(HERE)


@password_asked
def app(request: SignedInRequest) -> HttpResponse:
    """The QR code and the secret in text; the app counts once it has shown a right code."""
    secret = request.session.setdefault(APP_SECRET, second_factor.new_app_secret())
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.use_app(request.user, secret=secret, code=form.cleaned_data["code"], now=timezone.now())
        except second_factor.WrongCode:
            form.add_error(
                "code", _("Ce n'est pas le code que l'application montre maintenant. Vérifiez l'heure du téléphone.")
            )
        else:
            del request.session[APP_SECRET]
            toasts.done(request, _("L'application est votre second facteur. Gardez des codes de secours."))
            return HttpResponseRedirect(HERE)
    code = segno.make(second_factor.app_address(request.user, secret), error="m")
    context = {
        "form": form,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "qr": code.svg_data_uri(scale=5, border=0),
    }
    return render(request, "account/app.html", context)


@password_asked
@require_POST
def recovery_codes(request: SignedInRequest) -> HttpResponse:
    """New codes, on the answer to this POST only: they are shown once."""
    codes = second_factor.new_recovery_codes(request.user)
    return render(request, "account/recovery_codes.html", {"codes": codes, "text": "\n".join(codes)})


@signed_in
@require_POST
def forget_devices(request: SignedInRequest) -> HttpResponse:
    second_factor.forget_devices(request.user)
    toasts.done(request, _("Le code sera de nouveau demandé sur chaque appareil."))
    return HttpResponseRedirect(HERE)


@signed_in
@require_POST
def end_session(request: SignedInRequest, session_id: int) -> HttpResponse:
    access.end_session(request.user, session_id)
    toasts.done(request, _("Cette session est fermée."))
    return HttpResponseRedirect(HERE)


@signed_in
@require_POST
def end_sessions(request: SignedInRequest) -> HttpResponse:
    access.end_sessions(request.user, except_key=request.session.session_key or "")
    toasts.done(request, _("Les autres sessions sont fermées."))
    return HttpResponseRedirect(HERE)


@signed_in
@sensitive_post_parameters()
def password(request: SignedInRequest) -> HttpResponse:
    form = ChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            passwords.change(
                request.user,
                current=form.cleaned_data["current"],
                password=form.cleaned_data["password"],
                session_key=request.session.session_key or "",
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else "password", sentence_for(error))
        except TooManyAttempts as error:
            form.add_error("current", wait_sentence(error))
        else:
            old_key = request.session.session_key or ""
            update_session_auth_hash(request, request.user)
            access.moved(old_key, request.session.session_key or "")
            toasts.done(request, _("Votre mot de passe est changé. Vos autres sessions sont fermées."))
            return HttpResponseRedirect(HERE)
    return render(request, "account/password.html", {"form": form})


@signed_in
@require_GET
def passkey_options(request: SignedInRequest) -> HttpResponse:
    if not is_proven(request):
        return JsonResponse({"error": sentence_for(NOT_PROVEN)}, status=403)
    options, challenge = passkeys.creation_options(request.user)
    request.session["passkey_creation"] = challenge
    return JsonResponse(options)


@signed_in
@require_POST
def add_passkey(request: SignedInRequest) -> HttpResponse:
    if not is_proven(request):
        return JsonResponse({"error": sentence_for(NOT_PROVEN)}, status=403)
    challenge = request.session.pop("passkey_creation", "")
    try:
        answer = json.loads(request.body)
        if not isinstance(answer, dict) or not challenge:
            raise ValueError
        passkeys.add(
            request.user,
            name=str(answer.get("name", "")),
            credential=answer.get("credential") or {},
            challenge=challenge,
        )
    except (ValueError, InvalidInput):
        return JsonResponse({"error": _("Cette clé d'accès n'a pas pu être vérifiée.")}, status=400)
    toasts.done(request, _("Clé d'accès ajoutée. Elle remplace le mot de passe et le code."))
    return JsonResponse({"next": HERE})


@signed_in
@require_POST
def remove_passkey(request: SignedInRequest, passkey_id: int) -> HttpResponse:
    passkeys.remove(request.user, passkey_id)
    toasts.done(request, _("Clé d'accès supprimée."))
    return HttpResponseRedirect(HERE)


urlpatterns = [
    path("account/authentication", authentication, name="authentication"),
    path("account/authentication/proof", prove, name="authentication-proof"),
    path("account/authentication/channel", use_channel, name="authentication-channel"),
    path("account/authentication/app", app, name="authentication-app"),
    path("account/authentication/recovery-codes", recovery_codes, name="authentication-recovery-codes"),
    path("account/authentication/devices/forget", forget_devices, name="authentication-forget-devices"),
    path("account/authentication/sessions/<int:session_id>/end", end_session, name="authentication-end-session"),
    path("account/authentication/sessions/end", end_sessions, name="authentication-end-sessions"),
    path("account/authentication/passkeys/options", passkey_options, name="authentication-passkey-options"),
    path("account/authentication/passkeys/add", add_passkey, name="authentication-passkey-add"),
    path(
        "account/authentication/passkeys/<int:passkey_id>/remove", remove_passkey, name="authentication-passkey-remove"
    ),
    path("account/password", password, name="account-password"),
]
