"""« NPAI »: numbers nobody has, which are not written to any more."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import InvalidInput
from carillon.services import npai
from carillon.services.long_lists import LongList
from carillon.web import toasts
from carillon.web.blacklist import numbers_given, said
from carillon.web.campaigns import download
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, signed_in

PER_PAGE = 50


class AddForm(forms.Form):
    numbers = forms.CharField(
        required=False, max_length=100_000, label=gettext_lazy("Numéros"), widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Séparés par des virgules ou un par ligne."),
    )  # fmt: skip
    file = forms.FileField(
        required=False,
        label=gettext_lazy("Fichier"),
        help_text=gettext_lazy("CSV, TXT, XLS ou XLSX : la colonne des mobiles est reconnue."),
    )


def _page(request: SignedInRequest, form: AddForm, *, status: int = 200) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:40]
    page = Paginator(LongList(npai.visible(request.user.account, text=text)), PER_PAGE).get_page(
        request.GET.get("page")
    )
    template = "npai/rows.html" if request.htmx and request.htmx.target == "entries" else "npai/index.html"
    return render(request, template, {"page": page, "q": text, "form": form}, status=status)


@signed_in
def index(request: SignedInRequest) -> HttpResponseBase:
    """A POST adds numbers, typed or from a file."""
    if request.method != "POST":
        return _page(request, AddForm())
    form = AddForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        given = numbers_given(request, form)
    except InvalidInput as error:
        adopt(form, error)
        return _page(request, form, status=422)
    n = npai.add(request.user.account, given.valid, source="import" if form.cleaned_data["file"] else "web")
    toasts.done(request, said(n, given))
    return HttpResponseRedirect(reverse("npai"))


@signed_in
@require_POST
def remove(request: SignedInRequest) -> HttpResponseBase:
    numbers = [
        int(value)
        for value in request.POST.getlist("number")
        if value.isascii() and value.isdigit() and len(value) < 19
    ]
    n = npai.remove(request.user.account, numbers)
    toasts.done(request, ngettext("%(n)d numéro retiré.", "%(n)d numéros retirés.", n) % {"n": n})
    return HttpResponseRedirect(reverse("npai"))


@signed_in
@require_GET
def proposals(request: SignedInRequest) -> HttpResponse:
    """Drawn after the page is there: looks through the last campaigns."""
    return render(request, "npai/proposals.html", {"proposals": npai.proposals(request.user.account)})


@signed_in
@require_GET
def as_csv(request: SignedInRequest) -> HttpResponseBase:
    return download(request, npai.csv_pieces(request.user.account), name="npai.csv")


urlpatterns = [
    path("npai/", index, name="npai"),
    path("npai/remove", remove, name="npai_remove"),
    path("npai/proposals", proposals, name="npai_proposals"),
    path("npai/export.csv", as_csv, name="npai_csv"),
]
