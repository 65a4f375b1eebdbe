"""The first page: campaigns in preparation, last campaigns."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from carillon.services import campaign_index
from carillon.web import campaign_rows
from carillon.web.rights import SignedInRequest, signed_in


@signed_in
def dashboard(request: SignedInRequest) -> HttpResponse:
    now = timezone.now()
    return render(
        request,
        "dashboard/index.html",
        {
            "drafts": campaign_rows.rows(campaign_index.latest(request.user, drafts=True), now=now),
            "latest": campaign_rows.rows(campaign_index.latest(request.user, drafts=False), now=now),
        },
    )


urlpatterns = [path("", dashboard, name="dashboard")]
