"""« Listes »: the lists kept on the platform, and what one of them holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import CarillonError, InvalidInput, NotFound
from carillon.domain.segments import measure
from carillon.models import List
from carillon.services import list_export, list_rows, list_search, lists
from carillon.web import list_cards, toasts
from carillon.web.campaigns import download
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

PER_PAGE = 25
ROWS_PER_PAGE = 50
SEPARATORS = re.compile(r"[,;\n]+")
UNFINISHED = (List.State.WAITING, List.State.IMPORTING)


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one column: its longest value, the SMS units it may take, how many rows have none."""

    name: str
    longest: str
    units: int
    empty: int
    forces_ucs2: str
    is_mobile: bool


@signed_in
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    found = lists.visible(request.user).select_related("user")
    pending = [list_cards.card(item) for item in found.filter(state__in=UNFINISHED)[:10]]
    shown = found.exclude(state__in=UNFINISHED).exclude(state=List.State.CANCELLED)
    page = Paginator(shown.filter(name__icontains=text) if text else shown, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "cards": pending, "q": text, "campaign": None}
    template = "lists/rows.html" if request.htmx and request.htmx.target == "lists" else "lists/index.html"
    return render(request, template, context)


@signed_in
@require_GET
def page(request: SignedInRequest, list_id: int) -> HttpResponse:
    item = lists.get(request.user, list_id)
    text = request.GET.get("q", "").strip()[:100]
    found = list_search.pages(item, text=text)
    rows = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page")) if item.state == List.State.READY else None
    context = {
        "item": item, "card": list_cards.card(item, with_rows=False), "columns": columns(item), "rows": rows, "q": text,
        "campaign": None,
    }  # fmt: skip
    template = "lists/page_rows.html" if request.htmx and request.htmx.target == "rows" else "lists/page.html"
    return render(request, template, context)


def columns(item: List) -> list[Column]:
    analysis: dict[str, Any] = item.analysis or {}
    more = analysis.get("_more", {})
    longest, lengths = analysis.get("maxDatasMap", {}), analysis.get("computedHeaderSize", {})
    made = []
    for name in item.header:
        value = max((longest.get(name, ""), more.get("costliest", {}).get(name, "")), key=lambda v: measure(v).units)
        empty = int(lengths.get(name, {}).get("0", 0))
        wide = more.get("widest", {}).get(name, "")
        made.append(Column(name, value, measure(value).units, empty, wide, name == item.mobile_column))
    return made


# ---- deeds ----


def _deed(act: Callable[[SignedInRequest, List], str]) -> Callable[..., HttpResponseBase]:
    """A POST on one list, then its page with a notice of what was done, or why not."""

    def wrapped(request: SignedInRequest, list_id: int) -> HttpResponseBase:
        item = lists.get(request.user, list_id)
        try:
            toasts.done(request, act(request, item))
        except NotFound:
            raise
        except CarillonError as error:
            toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse("list_page", args=[list_id]))

    return signed_in(require_POST(wrapped))


@_deed
def rename(request: SignedInRequest, item: List) -> str:
    lists.rename(item, name=request.POST.get("name", ""), description=request.POST.get("description", ""))
    return _("Liste enregistrée.")


@_deed
def add_numbers(request: SignedInRequest, item: List) -> str:
    given = [part for part in SEPARATORS.split(request.POST.get("numbers", "")) if part.strip()]
    before = item.valid_count - item.duplicate_count
    after = list_rows.add_numbers(item, given)
    n = after.valid_count - after.duplicate_count - before
    return ngettext("%(n)d nouveau numéro valide ajouté.", "%(n)d nouveaux numéros valides ajoutés.", n) % {"n": n}


@_deed
def remove(request: SignedInRequest, item: List) -> str:
    """The ticked rows, or every row of the typed numbers."""
    ids = [
        int(value) for value in request.POST.getlist("row") if value.isascii() and value.isdigit() and len(value) < 19
    ]
    typed = [part for part in SEPARATORS.split(request.POST.get("numbers", "")) if part.strip()]
    if not ids and not typed:
        raise InvalidInput("Choose rows", field="row", code="nothing_chosen")
    n = list_rows.remove_rows(item, ids) if ids else list_rows.remove_numbers(item, typed)
    return ngettext("%(n)d ligne supprimée.", "%(n)d lignes supprimées.", n) % {"n": n}


@_deed
def deduplicate(request: SignedInRequest, item: List) -> str:
    n = list_rows.deduplicate(item)
    return ngettext("%(n)d doublon supprimé.", "%(n)d doublons supprimés.", n) % {"n": n}


@signed_in
@require_POST
def delete(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.get(request.user, list_id)
    lists.discard(item)
    said = _("Liste « %(name)s » supprimée.") % {"name": item.name}
    toasts.done(request, said, undo=reverse("list_restore", args=[item.pk]))
    return HttpResponseRedirect(reverse("lists"))


@signed_in
@require_POST
def restore(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.restore(request.user, list_id)
    toasts.done(request, _("Liste « %(name)s » rétablie.") % {"name": item.name})
    return HttpResponseRedirect(reverse("lists"))


@signed_in
@require_POST
def merge(request: SignedInRequest) -> HttpResponseBase:
    ids = [
        int(value) for value in request.POST.getlist("list") if value.isascii() and value.isdigit() and len(value) < 19
    ]
    try:
        sources = [lists.get(request.user, i) for i in ids[:50]]
        name = request.POST.get("name", "").strip() or " + ".join(item.name for item in sources)[:200]
        item = list_rows.merge(request.user, sources, name=name)
    except NotFound:
        raise
    except CarillonError as error:
        toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse("lists"))
    toasts.done(request, _("Listes fusionnées dans « %(name)s ».") % {"name": item.name})
    return HttpResponseRedirect(reverse("list_page", args=[item.pk]))


# ---- files ----


@signed_in
@require_GET
def cleaned(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.get(request.user, list_id)
    return download(request, list_export.cleaned(item), name=f"{_file(item)}.csv")


@signed_in
@require_GET
def rejected(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.get(request.user, list_id)
    pieces = list_export.rejected(item, language=translation.get_language() or "fr")
    return download(request, pieces, name=f"{_file(item)}-rejets.csv")


@signed_in
@require_GET
def original(request: SignedInRequest, list_id: int) -> HttpResponseBase:
    item = lists.get(request.user, list_id)
    suffix = re.sub(r"[^a-z0-9]", "", item.file_name.rpartition(".")[2].lower())[:5] or "csv"
    name = f"{_file(item)}-original.{suffix}"
    return download(request, list_export.raw(item), name=name, content_type="application/octet-stream")


def _file(item: List) -> str:
    return slugify(item.name)[:60] or f"liste-{item.pk}"


urlpatterns = [
    path("lists/", index, name="lists"),
    path("lists/merge", merge, name="lists_merge"),
    path("lists/<int:list_id>", page, name="list_page"),
    path("lists/<int:list_id>/rename", rename, name="list_rename"),
    path("lists/<int:list_id>/add", add_numbers, name="list_add"),
    path("lists/<int:list_id>/remove", remove, name="list_remove"),
    path("lists/<int:list_id>/deduplicate", deduplicate, name="list_deduplicate"),
    path("lists/<int:list_id>/delete", delete, name="list_delete"),
    path("lists/<int:list_id>/restore", restore, name="list_restore"),
    path("lists/<int:list_id>/cleaned.csv", cleaned, name="list_cleaned"),
    path("lists/<int:list_id>/rejected.csv", rejected, name="list_rejected"),
    path("lists/<int:list_id>/original", original, name="list_original"),
]
