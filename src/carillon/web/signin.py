"""Signing in: name and password, then the second factor; passkeys; signing out."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login as open_django_session
from django.contrib.auth import logout as close_django_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import CarillonError
from carillon.models import User
from carillon.services import access, passkeys, second_factor
from carillon.services.tokens import BadCredentials, TooManyAttempts
from carillon.web import toasts
from carillon.web.preferences import safe_next
from carillon.web.rights import LOGIN, public, signed_in
from carillon.web.visitors import address_of, agent_of

PENDING = "pending"  # in the session: who gave a right password and has yet to give a code
PENDING_LIFE_S = 15 * 60
DEVICE_COOKIE = "carillon_device"


class LoginForm(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("Identifiant"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username webauthn", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Mot de passe"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Saisissez votre code (valable 5 minutes)"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True, "spellcheck": "false"}
        ),
    )
    trust = forms.BooleanField(label=gettext_lazy("Désactiver 2FA pendant 7 jours sur cet appareil"), required=False)


@public
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request))
    form = LoginForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            user = access.check_sign_in(
                form.cleaned_data["login"], form.cleaned_data["password"], address=address_of(request), now=now
            )
        except BadCredentials:
            form.add_error(None, _("Identifiant ou mot de passe incorrect, ou accès désactivé."))
        except TooManyAttempts as error:
            form.add_error(None, wait_sentence(error))
        else:
            return _after_password(request, user)
    return render(request, "signin/login.html", {"form": form, "next": safe_next(request), **_passkey_context()})


def _passkey_context() -> dict[str, Any]:
    return {"has_passkeys": passkeys.is_possible()}


def wait_sentence(error: TooManyAttempts) -> str:
    minutes = max(1, -(-error.retry_after_s // 60))
    return ngettext(
        "Trop d'essais. Réessayez dans %(minutes)d minute.",
        "Trop d'essais. Réessayez dans %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def _after_password(request: HttpRequest, user: User) -> HttpResponse:
    now = timezone.now()
    secret = request.COOKIES.get(DEVICE_COOKIE, "")
    if not second_factor.is_needed(user) or second_factor.is_trusted(user, secret, now=now):
        if user.account.requires_second_factor and not second_factor.channel_of(user):
            toasts.note(
                request,
                _("Protégez votre compte : choisissez un second facteur dans « Ma méthode d'authentification »."),
            )
        return enter(request, user, safe_next(request))
    request.session[PENDING] = {"user": user.pk, "at": now.timestamp(), "next": safe_next(request)}
    request.session.cycle_key()
    _send(request, user)
    return HttpResponseRedirect("/login/code")


def _send(request: HttpRequest, user: User) -> bool:
    """Sends a code; a person who asks again too soon keeps the one they have."""
    try:
        request.session[PENDING] |= {"channel": second_factor.send_code(user, now=timezone.now())}
    except TooManyAttempts:
        request.session[PENDING].setdefault("channel", second_factor.channel_of(user))
        return False
    except CarillonError:
        toasts.failed(request, _("Le code n'a pas pu partir. Réessayez dans un instant."))
        request.session[PENDING].setdefault("channel", second_factor.channel_of(user))
        return False
    finally:
        request.session.modified = True
    return True


def _pending_user(request: HttpRequest) -> User | None:
    pending = request.session.get(PENDING)
    if not pending or timezone.now().timestamp() - pending["at"] > PENDING_LIFE_S:
        request.session.pop(PENDING, None)
        return None
    user = User.objects.select_related("account__parent").filter(pk=pending["user"], is_active=True).first()
    return user if user is not None and user.account.is_active else None


@public
def code(request: HttpRequest) -> HttpResponse:
    user = _pending_user(request)
    if user is None:
        return HttpResponseRedirect(LOGIN)
    channel = request.session[PENDING].get("channel", "")
    form = CodeForm(request.POST or None)
    if channel == second_factor.APP:
        form.fields["code"].label = _("Saisissez le code de votre application (valable 30 secondes)")
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.check(user, form.cleaned_data["code"], now=timezone.now())
        except second_factor.WrongCode:
            form.add_error("code", _("Ce code est faux, a expiré ou a déjà servi."))
        except TooManyAttempts as error:
            form.add_error("code", wait_sentence(error))
        else:
            return _after_code(request, user, is_trusted=form.cleaned_data["trust"])
    context = {"form": form, "channel": channel, "sent_to": _hidden_target(user, channel)}
    return render(request, "signin/code.html", context)


def _hidden_target(user: User, channel: str) -> str:
    """Where the code went, told to someone who has only proved the password: "•• 78", "a•••@maison.fr"."""
    if channel == second_factor.SMS:
        return f"•• •• •• {user.mobile[-2:]}"
    if channel == second_factor.EMAIL:
        name, _at, host = user.email.partition("@")
        return f"{name[:1]}•••@{host}"
    return ""


def _after_code(request: HttpRequest, user: User, *, is_trusted: bool) -> HttpResponse:
    target = request.session[PENDING]["next"]
    response = enter(request, user, target)
    if is_trusted:
        label = access.describe_agent(agent_of(request))
        response.set_cookie(
            DEVICE_COOKIE,
            second_factor.trust_device(user, label=label, now=timezone.now()),
            max_age=int(second_factor.TRUST_LIFE.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            path=LOGIN,
        )
    return response


@public
@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    user = _pending_user(request)
    if user is None:
        return HttpResponseRedirect(LOGIN)
    if _send(request, user):
        toasts.done(request, _("Un nouveau code est parti. Le précédent ne fonctionne plus."))
    else:
        toasts.note(
            request, _("Un code est parti il y a un instant. Attendez 30 secondes avant d'en demander un autre.")
        )
    return HttpResponseRedirect("/login/code")


def enter(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Opens the session, remembers the browser and goes where the person wanted to."""
    request.session.pop(PENDING, None)
    open_django_session(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if not request.session.session_key:
        request.session.save()
    key = request.session.session_key or ""
    access.open_session(user, session_key=key, agent=agent_of(request), address=address_of(request))
    request.session["seen"] = int(timezone.now().timestamp())
    response = HttpResponseRedirect(target)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        user.language,
        max_age=365 * 24 * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@signed_in
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    access.closed(request.session.session_key or "")
    close_django_session(request)
    return HttpResponseRedirect(LOGIN)


@public
@require_GET
def passkey_options(request: HttpRequest) -> HttpResponse:
    options, challenge = passkeys.sign_in_options()
    request.session["passkey_sign_in"] = challenge
    return JsonResponse(options)


@public
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """The browser's answer to `passkey_options`, as JSON; tells the page where to go."""
    challenge = request.session.pop("passkey_sign_in", "")
    try:
        credential = json.loads(request.body)
        if not isinstance(credential, dict) or not challenge:
            raise ValueError
        user = passkeys.check_sign_in(credential=credential, challenge=challenge, now=timezone.now())
    except (ValueError, BadCredentials):
        return JsonResponse({"error": _("Cette clé d'accès n'est pas connue ici.")}, status=400)
    target = safe_next(request)
    response = JsonResponse({"next": target})
    response.cookies.update(enter(request, user, target).cookies)
    return response


urlpatterns = [
    path("login", login, name="login"),
    path("login/code", code, name="login-code"),
    path("login/code/resend", resend, name="login-resend"),
    path("login/passkey/options", passkey_options, name="login-passkey-options"),
    path("login/passkey", passkey, name="login-passkey"),
    path("logout", logout, name="logout"),
]
