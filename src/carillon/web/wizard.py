"""What the four tabs of the wizard share: the draft, the tabs, the strip of counters, two windows on one draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.domain.errors import CarillonError, Conflict
from carillon.domain.status import Status
from carillon.models import Campaign, List
from carillon.services import campaigns, preparation
from carillon.services.estimates import Estimate
from carillon.web import toasts
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

TABS: tuple[tuple[str, Promise], ...] = (
    ("campaign_description", gettext_lazy("1 - Description")),
    ("campaign_recipients", gettext_lazy("2 - Destinataires")),
    ("campaign_message", gettext_lazy("3 - Message")),
    ("campaign_send", gettext_lazy("4 - Test & Envoi")),
)
EDITABLE = (Campaign.State.DRAFT, Campaign.State.FAILED)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: Promise
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """The counters above tabs 3 and 4. `price` None: not known before the message is judged. Hundredths of a credit."""

    recipients: int
    invalid: int
    duplicates: int
    refused: int
    price: int | None
    available: int

    @property
    def lacks_credit(self) -> bool:
        return self.price is not None and self.price > self.available


def on_draft(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view gets a draft this person may edit. What is sent already leads to its report (the Back button after sending)."""

    @wraps(view)
    def wrapped(request: SignedInRequest, campaign_id: int, **more: Any) -> HttpResponseBase:
        campaign = campaigns.get(request.user, campaign_id)
        if campaign.state in EDITABLE:
            return view(request, campaign, **more)
        if wants_json(request):
            return JsonResponse({"code": "not_a_draft"}, status=409)
        toasts.note(request, _("Cette campagne n'est plus un brouillon : voici où elle en est."))
        address = reverse("report", args=[campaign.pk])
        if request.htmx:
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)

    return signed_in(wrapped)


def wants_json(request: SignedInRequest) -> bool:
    """The page saves by itself (autosave.js)."""
    return request.headers.get("Accept") == "application/json"


def tabs(campaign: Campaign | None, current: str) -> list[Tab]:
    return [
        Tab(name, label, reverse(name, args=[campaign.pk]) if campaign else "", name == current) for name, label in TABS
    ]


def show(
    request: SignedInRequest, campaign: Campaign | None, template: str, *, tab: str, status: int = 200, **context: Any
) -> HttpResponse:
    cost = context.pop("cost", None)
    shared = {"campaign": campaign, "tabs": tabs(campaign, tab), "strip": strip(campaign, cost) if campaign else None}
    return render(request, template, shared | context, status=status)


def strip(campaign: Campaign, cost: Estimate | None = None) -> Strip:
    """Exact once the campaign is prepared; before that, what the lists say, and the price of the worst case when given."""
    if campaign.prepared_at is not None:
        s = preparation.summary(campaign)
        return Strip(s.recipients, s.invalid, s.duplicates, sum(s.refused.values()), s.price, s.available)
    lists = [item for item in campaigns.lists_of(campaign) if item.state == List.State.READY]
    campaign.payer.refresh_from_db(fields=["balance", "held"])
    return Strip(
        recipients=sum(item.size for item in lists),
        invalid=sum(item.invalid_count for item in lists),
        duplicates=sum(item.duplicate_count for item in lists),
        refused=0,
        price=cost.price if cost is not None else None,
        available=campaign.payer.available,
    )


def refused_statuses(campaign: Campaign) -> list[tuple[Status, int]]:
    """Other refusals than bad numbers and duplicates, most frequent first."""
    found = preparation.summary(campaign).refused
    return sorted(((Status(code), n) for code, n in found.items()), key=lambda pair: -pair[1])


def version_in(data: Mapping[str, Any]) -> int | None:
    text = str(data.get("version", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def saved(campaign: Campaign, problem: str = "") -> JsonResponse:
    """The answer to a form that saves itself."""
    answer = {"version": campaign.version, "at": f"{timezone.localtime():%H:%M}"}
    return JsonResponse(answer | ({"problem": problem} if problem else {}))


def refused(error: CarillonError) -> JsonResponse:
    status = 409 if isinstance(error, Conflict) else 422
    return JsonResponse({"code": error.code, "problem": sentence_for(error)}, status=status)
