"""Language and theme: kept in a cookie for everyone, and in the profile of who is signed in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from carillon.models import User
from carillon.services import profiles
from carillon.web.context import THEME_COOKIE, THEMES
from carillon.web.rights import public

A_YEAR_S = 365 * 24 * 3600


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """The `next` address of the form or the query, when it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next") or default
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else default


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(safe_next(request))
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, chosen)
        if isinstance(request.user, User):
            profiles.update(request.user, language=chosen)
    return response


@public
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(safe_next(request))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        _keep(response, THEME_COOKIE, chosen)
        if isinstance(request.user, User):
            profiles.update(request.user, theme=chosen)
    return response


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=A_YEAR_S, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )


urlpatterns = [
    path("preferences/language", language, name="language"),
    path("preferences/theme", theme, name="theme"),
]
