"""What every page gets: language and theme of the person, strict headers, errors of the services as pages, toasts for htmx."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.messages import get_messages
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from carillon.domain.errors import CarillonError, Conflict, Forbidden, InsufficientCredit, InvalidInput, NotFound
from carillon.services import access

GetResponse = Callable[[HttpRequest], HttpResponse]

CSP = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class Preferences:
    """Language of a signed-in person's profile, which goes before the cookie and the browser's wishes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "")
        if language and language != translation.get_language():
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or language
        return self.get_response(request)


class Seen:
    """Notes, every five minutes at most, that a signed-in browser is in use; this also prolongs its session."""

    EVERY_S = 300

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and request.session.session_key:
            now = timezone.now()
            if now.timestamp() - request.session.get("seen", 0) > self.EVERY_S:
                request.session["seen"] = int(now.timestamp())
                access.seen(request.session.session_key, now=now)
        return response


class Headers:
    """Content security policy, and no copy of a private page in any cache (so that Back after sending asks again)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["HX-Request"])
            if getattr(request, "user", None) is not None and request.user.is_authenticated:
                response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class Errors:
    """Errors that services raise become pages, once, here. A view catches what it can say better beside a field."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path.startswith(("/api/", "/MediasflowApi/"))  # it says so in JSON
        if not is_api and ("\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")):
            return render(request, "404.html", status=404)  # PostgreSQL stores no NUL: nothing can be named so
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotFound | Forbidden):  # never says whether it exists elsewhere
            return render(request, "404.html", status=404)
        if isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL" in str(error)):
            error = InvalidInput(
                "A NUL character cannot be stored.", code="nul"
            )  # or a text or number beyond its bounds
        if not isinstance(error, CarillonError):
            return None
        status = 409 if isinstance(error, Conflict) else 402 if isinstance(error, InsufficientCredit) else 400
        if not isinstance(error, Conflict | InsufficientCredit | InvalidInput):
            return None
        return render(request, "error.html", {"error": error, "status": status}, status=status)


class Toasts:
    """Notices left while answering htmx are added to that answer, out of band, rather than kept for the next whole page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not self._takes_toasts(request, response):
            return response
        notices = get_messages(request)
        if getattr(notices, "used", True):  # a whole page has shown them
            return response
        if pending := list(notices):
            html = render_to_string("components/toasts_oob.html", {"messages": pending}, request)
            response.content += html.encode()
        return response

    @staticmethod
    def _takes_toasts(request: HttpRequest, response: HttpResponse) -> bool:
        return bool(
            getattr(request, "htmx", False)
            and not response.streaming
            and response.status_code in {200, 409, 422}
            and response.headers.get("Content-Type", "").startswith("text/html")
            and not {"HX-Redirect", "HX-Refresh", "HX-Location"} & set(response.headers)
        )


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return render(request, "404.html", status=404)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's secret does not match: cookies are off, or the page is from before a sign-in in another tab."""
    return render(request, "stale.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)
