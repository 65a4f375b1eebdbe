"""Tab 2: whom it is sent to. Existing lists, files, typed numbers; lists whose contacts are left out."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from carillon.domain import msisdn as numbers
from carillon.domain.errors import CarillonError, InvalidInput, NotFound
from carillon.domain.recipients.layout import is_mobile_name
from carillon.models import Campaign, List
from carillon.services import campaigns, composing, inline, list_rows, list_search, lists
from carillon.web import list_cards, list_uploads, toasts, wizard
from carillon.web.rights import SignedInRequest
from carillon.web.sentences import sentence_for

TEMPLATE = "wizard/recipients.html"
TAB = "campaign_recipients"
OWN_FIELDS = ("email", "titre", "prénom", "nom")  # of a typed recipient when there is no list yet
SUGGESTED = 200
FOUND = 20
SEPARATORS = re.compile(r"[,;\n]+")


@wizard.on_draft
def recipients(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    return _page(request, campaign)


def _page(request: SignedInRequest, campaign: Campaign, *, status: int = 200, problem: str = "") -> HttpResponse:
    """`problem`: of what was typed, which stays in its fields."""
    chosen = campaigns.lists_of(campaign)
    used = {item.pk for item in chosen}
    inline_list = next((item for item in chosen if item.kind == List.Kind.INLINE), None)
    return wizard.show(
        request, campaign, TEMPLATE, tab=TAB, status=status, problem=problem,
        mobile=request.POST.get("mobile", "") if problem else "",
        cards=[list_cards.card(item) for item in chosen if item.kind != List.Kind.INLINE],
        excluded=campaigns.lists_of(campaign, excluded=True),
        known=[item for item in lists.visible(request.user).filter(account=campaign.account)[:SUGGESTED] if item.pk not in used],
        typed=list(list_rows.rows_of(inline_list)[:50]) if inline_list else [], inline_list=inline_list,
        fields=_with_values(request, typed_fields(campaign)) if problem else [(name, "") for name in typed_fields(campaign)],
        address=f"{reverse('list_upload')}?campaign={campaign.pk}",
    )  # fmt: skip


def _with_values(request: SignedInRequest, names: list[str]) -> list[tuple[str, str]]:
    given = dict(zip(request.POST.getlist("field"), request.POST.getlist("value"), strict=False))
    return [(name, given.get(name, "")) for name in names]


def typed_fields(campaign: Campaign) -> list[str]:
    """What may be said of a typed recipient besides the number: the lists' columns, else a few usual ones."""
    columns = [name for name in composing.header_of(campaign) if not is_mobile_name(name)]
    return columns[:30] or list(OWN_FIELDS)


def _deed(act: Callable[[SignedInRequest, Campaign], str]) -> Callable[..., HttpResponseBase]:
    """A POST that changes whom the draft is sent to, then shows the tab again."""

    @require_POST
    def wrapped(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
        try:
            said = act(request, campaign)
            if said:
                toasts.done(request, said)
        except NotFound:
            raise
        except CarillonError as error:
            toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]))

    return wizard.on_draft(wrapped)


def _chosen(request: SignedInRequest, campaign: Campaign) -> List:
    """The list a person picked: « Nom (n° 12) » as the completion proposes it, or its exact name."""
    text = request.POST.get("list", "").strip()
    mine = lists.visible(request.user).filter(account=campaign.account)
    found = re.search(r"n° ?(\d{1,18})\)?$", text)
    item = mine.filter(pk=int(found[1])).first() if found else mine.filter(name__iexact=text).first()
    if item is None:
        raise InvalidInput("There is no such list", field="list", code="list_not_found")
    return item


@_deed
def add_list(request: SignedInRequest, campaign: Campaign) -> str:
    item = _chosen(request, campaign)
    list_uploads.join(campaign, [item])
    return _("Liste « %(name)s » ajoutée.") % {"name": item.name}


@_deed
def exclude_list(request: SignedInRequest, campaign: Campaign) -> str:
    item = _chosen(request, campaign)
    kept = [other for other in _listed(campaign) if other.pk != item.pk]
    excluded = [*(other for other in campaigns.lists_of(campaign, excluded=True) if other.pk != item.pk), item]
    campaigns.set_lists(campaign, lists=kept, excluded=excluded)
    return _("Les contacts de « %(name)s » ne recevront pas cette campagne.") % {"name": item.name}


@_deed
def remove_list(request: SignedInRequest, campaign: Campaign) -> str:
    """From the draft; the list itself stays."""
    gone = request.POST.get("list", "")
    kept = [item for item in _listed(campaign) if str(item.pk) != gone]
    excluded = [item for item in campaigns.lists_of(campaign, excluded=True) if str(item.pk) != gone]
    campaigns.set_lists(campaign, lists=kept, excluded=excluded)
    return _("Liste retirée de cette campagne. Elle reste dans vos listes.")


def _listed(campaign: Campaign) -> list[List]:
    return [item for item in campaigns.lists_of(campaign) if item.kind != List.Kind.INLINE]


@wizard.on_draft
@require_POST
def add_typed(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """One recipient with its fields, or several numbers between commas. What is refused stays in its field."""
    try:
        n = _add_typed(request, campaign)
    except InvalidInput as error:
        return _page(request, campaign, status=422, problem=_typed_problem(error))
    toasts.done(request, ngettext("%(n)d destinataire ajouté.", "%(n)d destinataires ajoutés.", n) % {"n": n})
    return HttpResponseRedirect(reverse(TAB, args=[campaign.pk]))


def _typed_problem(error: InvalidInput) -> str:
    if error.code == "mobile" and error.subject:
        return _("« %(number)s » n'est pas un numéro de mobile.") % {"number": error.subject}
    if error.code == "number_missing":
        return _("Indiquez un numéro de mobile.")
    return sentence_for(error)


def _add_typed(request: SignedInRequest, campaign: Campaign) -> int:
    given = [part.strip() for part in SEPARATORS.split(request.POST.get("mobile", "")) if part.strip()]
    if not given:
        raise InvalidInput("Give a number", field="mobile", code="number_missing")
    wrong = [part for part in given if not numbers.parse(part).is_mobile]
    if wrong:
        raise InvalidInput(f"Not a mobile number: {wrong[0]}", field="mobile", code="mobile", subject=wrong[0][:30])
    names, values = request.POST.getlist("field"), request.POST.getlist("value")
    fields = (
        {name: value.strip() for name, value in zip(names, values, strict=False) if value.strip()}
        if len(given) == 1
        else {}
    )
    inline.add_recipients(campaign, [{"mobile": number} | fields for number in given], name=_("Saisie manuelle"))
    return len(given)


@_deed
def remove_row(request: SignedInRequest, campaign: Campaign) -> str:
    """A typed one leaves the draft; a row of a list leaves that list."""
    row, list_id = request.POST.get("row", ""), request.POST.get("list", "")
    item = next((item for item in campaigns.lists_of(campaign) if str(item.pk) == list_id), None)
    if item is None or not (row.isascii() and row.isdigit() and len(row) < 19):
        raise NotFound("There is no such recipient", code="recipient_not_found")
    if item.kind == List.Kind.INLINE:
        inline.remove_recipient(campaign, int(row))
    else:
        list_rows.remove_rows(lists.get(request.user, item.pk), [int(row)])
        list_uploads.join(campaign, [])  # what was prepared is worthless now
    return _("Destinataire supprimé.")


@wizard.on_draft
def search(request: SignedInRequest, campaign: Campaign) -> HttpResponseBase:
    """Recipients of the draft by name or number."""
    text = request.GET.get("q", "")[:100]
    found: list[tuple[List, object]] = []
    if text.strip():
        for item in campaigns.lists_of(campaign):
            if item.state == List.State.READY and len(found) < FOUND:
                found += [(item, row) for row in list_search.find(item, text, most=FOUND)[: FOUND - len(found)]]
    return render(request, "wizard/recipients_found.html", {"campaign": campaign, "found": found, "q": text})


urlpatterns = [
    path("campaigns/<int:campaign_id>/recipients", recipients, name=TAB),
    path("campaigns/<int:campaign_id>/recipients/add", add_list, name="recipients_add_list"),
    path("campaigns/<int:campaign_id>/recipients/exclude", exclude_list, name="recipients_exclude_list"),
    path("campaigns/<int:campaign_id>/recipients/remove", remove_list, name="recipients_remove_list"),
    path("campaigns/<int:campaign_id>/recipients/type", add_typed, name="recipients_type"),
    path("campaigns/<int:campaign_id>/recipients/remove-row", remove_row, name="recipients_remove_row"),
    path("campaigns/<int:campaign_id>/recipients/search", search, name="recipients_search"),
]
