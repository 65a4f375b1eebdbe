"""Files that become lists: sent by the wizard or by the page of lists, followed until their analysis is done."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import Campaign, List
from carillon.services import campaigns, lists
from carillon.web import list_cards, toasts
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for


@signed_in
@require_POST
def upload(request: SignedInRequest) -> HttpResponseBase:
    """One or several files; with `campaign` in the address they join that draft. Answers their cards, or why not (422)."""
    campaign = _campaign(request)
    files = request.FILES.getlist("files")
    if not files:
        return _answer(request, campaign, [], _("Choisissez un ou plusieurs fichiers CSV, TXT, XLS ou XLSX."))
    items: list[List] = []
    problem = ""
    for file in files:
        try:
            items.append(_take(request, campaign, file.chunks(), file.name or "liste.csv"))
        except InvalidInput as error:
            problem = f"{file.name} : {sentence_for(error)}"
    if campaign is not None and items:
        join(campaign, items)
    return _answer(request, campaign, items, problem)


def _campaign(request: SignedInRequest) -> Campaign | None:
    text = request.GET.get("campaign", "")
    return campaigns.get(request.user, int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _take(request: SignedInRequest, campaign: Campaign | None, chunks: object, name: str) -> List:
    account = campaign.account if campaign is not None else request.user.account
    user = request.user if request.user.account_id == account.pk else campaign.user if campaign else None
    item = lists.create_upload(account=account, user=user, file=chunks, file_name=name)  # type: ignore[arg-type]
    return lists.start_import(item) if item.mobile_column else item


def join(campaign: Campaign, items: list[List]) -> Campaign:
    """Add lists to those the draft sends to."""
    chosen = [item for item in campaigns.lists_of(campaign) if item.kind != List.Kind.INLINE]
    known = {item.pk for item in chosen}
    more = [item for item in items if item.pk not in known]
    excluded = campaigns.lists_of(campaign, excluded=True)
    left = [item for item in excluded if item.pk not in {new.pk for new in more}]
    return campaigns.set_lists(campaign, lists=[*chosen, *more], excluded=left)


def _answer(request: SignedInRequest, campaign: Campaign | None, items: list[List], problem: str) -> HttpResponseBase:
    if request.htmx:
        if problem and not items:
            return HttpResponse(problem, status=422, content_type="text/plain; charset=utf-8")
        context = {"cards": [list_cards.card(item) for item in items], "campaign": campaign}
        return render(request, "lists/cards.html", context)
    if problem:
        toasts.failed(request, problem)
    return HttpResponseRedirect(reverse("campaign_recipients", args=[campaign.pk]) if campaign else reverse("lists"))


@signed_in
@require_GET
def card(request: SignedInRequest, list_id: int) -> HttpResponse:
    """Refreshes itself until the analysis is done."""
    context = {
        "card": list_cards.card(lists.get(request.user, list_id)),
        "campaign": _campaign(request),
        "is_fragment": True,
    }
    return render(request, "lists/card.html", context)


@signed_in
@require_POST
def choose_column(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    """Which column holds the mobile numbers, when none is named so."""
    item = lists.get(request.user, list_id)
    campaign = _campaign(request)
    problem = ""
    try:
        item = lists.start_import(item, mobile_column=request.POST.get("mobile_column", ""))
    except CarillonError as error:
        problem = sentence_for(error)
    if not request.htmx:
        if problem:
            toasts.failed(request, problem)
        return HttpResponseRedirect(
            reverse("campaign_recipients", args=[campaign.pk]) if campaign else reverse("lists")
        )
    made = list_cards.card(item)
    made.problem = problem
    return render(request, "lists/card.html", {"card": made, "campaign": campaign}, status=422 if problem else 200)


@signed_in
@require_POST
def cancel(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.get(request.user, list_id)
    lists.cancel_import(item)
    campaign = _campaign(request)
    if request.htmx:
        made = list_cards.card(lists.get(request.user, list_id))
        return render(request, "lists/card.html", {"card": made, "campaign": campaign})
    return HttpResponseRedirect(reverse("campaign_recipients", args=[campaign.pk]) if campaign else reverse("lists"))


urlpatterns = [
    path("lists/upload", upload, name="list_upload"),
    path("lists/<int:list_id>/card", card, name="list_card"),
    path("lists/<int:list_id>/column", choose_column, name="list_column"),
    path("lists/<int:list_id>/cancel", cancel, name="list_cancel"),
]
