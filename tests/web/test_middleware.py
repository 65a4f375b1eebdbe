"""What every answer gets: errors in words, notices for htmx, the time a browser was last seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage import default_storage
from django.contrib.sessions.backends.db import SessionStore
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from carillon.domain.errors import Conflict, Forbidden, InsufficientCredit, InvalidInput, NotFound
from carillon.models import User, UserSession
from carillon.web import toasts
from carillon.web.middleware import Errors, Toasts
from tests.browser.driving import session_for
from tests.web.conftest import signed_in


def answer_to(error: Exception) -> HttpResponse | None:
    def unused(request: HttpRequest) -> HttpResponse:
        raise AssertionError

    request = RequestFactory().get("/")
    request.user = User(login="x")
    request.user.account_id = 0
    return Errors(unused).process_exception(request, error)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (NotFound("There is no campaign 7"), 404, "Cette page n'existe pas"),
        (Forbidden("not yours"), 404, "Cette page n'existe pas"),
        (Conflict("sent already"), 409, "a modifié cela entre-temps"),
        (InsufficientCredit("no", needed=900, available=100), 402, "il faut 9 crédits, il en reste 1"),
        (InvalidInput("A name of <b>9</b>"), 400, "&lt;b&gt;9&lt;/b&gt;"),
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), 400, "ne peut pas être enregistré"),
    ],
)
def test_errors_of_services_become_pages(
    alice: User, error: Exception, status: int, sentence: str, monkeypatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("carillon.web.users.users.visible", fail)
    response = signed_in(alice).get("/admin/users")
    assert response.status_code == status
    assert sentence in response.content.decode()
    if status == 404:
        assert "There is no" not in response.content.decode()


def test_other_errors_are_not_hidden() -> None:
    assert answer_to(KeyError("x")) is None


def test_a_notice_is_shown_once(alice: User) -> None:
    client = signed_in(alice)
    client.post("/account/authentication/devices/forget")  # leaves a notice for the next page
    response = client.get("/account/authentication", headers={"HX-Request": "true"})
    page = response.content.decode()
    assert '<div id="toasts" hx-swap-oob' not in page  # the answer is a whole page
    assert page.count("Le code sera de nouveau demandé") == 1
    assert "HX-Request" in response["Vary"]


def test_a_notice_rides_on_a_fragment_for_htmx() -> None:
    def fragment(request: HttpRequest) -> HttpResponse:
        toasts.done(request, "Liste supprimée.", undo="/lists/3/restore")
        return HttpResponse("<p>fragment</p>")

    request = RequestFactory().get("/", headers={"HX-Request": "true"})
    request.htmx = HtmxDetails(request)
    request.session = SessionStore()
    request._messages = default_storage(request)
    request.user = AnonymousUser()
    page = Toasts(fragment)(request).content.decode()
    assert page.startswith("<p>fragment</p>")
    assert 'hx-swap-oob="beforeend"' in page
    assert 'action="/lists/3/restore"' in page


def test_a_browser_is_seen_every_five_minutes_at_most(client: Client, alice: User) -> None:
    client.cookies["carillon_session"] = session_for(alice)
    long_ago = timezone.now() - timedelta(hours=1)
    UserSession.objects.update(seen_at=long_ago)
    client.get("/account/")
    assert UserSession.objects.get().seen_at == long_ago
    session = client.session
    session["seen"] = int(long_ago.timestamp())
    session.save()
    client.get("/account/")
    assert UserSession.objects.get().seen_at > long_ago


@pytest.mark.django_db
def test_an_unknown_page_is_answered_in_words(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert "Cette page n'existe pas" in response.content.decode()


def test_a_form_from_before_another_sign_in_is_refused_in_words(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post("/account/", {"language": "en"})
    assert response.status_code == 403
    assert "Cette page a vieilli" in response.content.decode()


def test_nul_characters_are_answered_not_fallen_over(alice: User, monkeypatch) -> None:
    client = signed_in(alice)
    assert client.get("/admin/users?q=%00").status_code == 404
    assert client.get("/campaigns/%00").status_code == 404
    assert client.post("/campaigns/new", {"name": "a\0b", "medium": "SMS", "traffic": "MKG"}).status_code < 500
