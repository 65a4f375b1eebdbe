"""Who may see a page. Every view of this room wears exactly one of these decorators; a guard test walks all addresses.

A person who is not signed in is sent to the sign-in page and comes back afterwards. A person who is signed in but may not
see the page gets 404, as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from carillon.models import User

View = Callable[..., HttpResponseBase]
LOGIN = "/login"


class SignedInRequest(HttpRequest):
    """What views behind a decorator receive: the user is known."""

    user: User
    htmx: Any


def public(view: View) -> View:
    """Anyone may see it."""
    return _marked(view, "public")


def signed_in(view: View) -> View:
    """Any user of any account; the view itself scopes what it reads by `request.user`."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return _marked(checked, "signed_in")


def admin_only(view: View) -> View:
    """Administrators of the account, and operators."""
    return _only(view, "admin_only", lambda user: user.is_admin)


def operator_only(view: View) -> View:
    """Operators of the platform."""
    return _only(view, "operator_only", lambda user: user.is_operator)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back. htmx is told to move the whole page; after a POST one comes back to where the form was."""
    target = request.get_full_path()
    if getattr(request, "htmx", False):
        target = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    elif request.method != "GET":
        target = _path_of_referer(request)
    address = LOGIN + ("" if target == "/" else "?" + urlencode({"next": target}))
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _path_of_referer(request: HttpRequest) -> str:
    base = f"{request.scheme}://{request.get_host()}/"
    referer = request.headers.get("Referer", "")
    return "/" + referer.removeprefix(base) if referer.startswith(base) else "/"


def _only(view: View, name: str, may: Callable[[User], bool]) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return to_sign_in(request)
        if not may(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return _marked(checked, name)


def _marked(view: View, rights: str) -> View:
    view.rights = rights  # type: ignore[attr-defined]
    return view
