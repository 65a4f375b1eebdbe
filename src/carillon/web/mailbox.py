"""The demonstration's mailbox, open to anyone: only where CARILLON_DEMO_MAILBOX says so."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from carillon.services import mailbox as letters
from carillon.web.rights import public


@public
def mailbox(request: HttpRequest) -> HttpResponse:
    if settings.MAILBOX is None:
        raise Http404
    return render(request, "mailbox.html", {"letters": letters.letters(settings.MAILBOX)})


urlpatterns = [path("mailbox/", mailbox, name="mailbox")]
