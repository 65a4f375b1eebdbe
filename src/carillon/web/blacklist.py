"""« Liste noire »: who asked not to be written to; and « NPAI »: numbers nobody has."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from carillon.domain.errors import InvalidInput
from carillon.models import Brand
from carillon.services import blacklist, brands, consents, lists, number_files, optouts
from carillon.services.long_lists import LongList
from carillon.services.number_files import Numbers
from carillon.web import toasts
from carillon.web.campaigns import download
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only, signed_in
from carillon.web.sentences import sentence_for

PER_PAGE = 50
BIGGEST = 50 * 1024 * 1024  # bytes of an imported file
MEDIA = [("MOBILE", gettext_lazy("SMS")), ("VMS", gettext_lazy("Messages vocaux"))]


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
    medium = forms.ChoiceField(choices=MEDIA, label=gettext_lazy("Pour"))
    brand = forms.ChoiceField(required=False, label=gettext_lazy("Marque"))
    description = forms.CharField(required=False, max_length=300, label=gettext_lazy("Description"))

    def __init__(self, *args: object, known: list[Brand], **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self._known = {str(brand.pk): brand for brand in known}
        field = self.fields["brand"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Toutes")), *((pk, brand.name) for pk, brand in self._known.items())]

    def clean_brand(self) -> Brand | None:
        return self._known.get(self.cleaned_data["brand"])


def _brands(request: SignedInRequest) -> list[Brand]:
    return list(Brand.objects.filter(account=request.user.account).order_by("name"))


def numbers_given(request: SignedInRequest, form: forms.Form) -> Numbers:
    """From the file when there is one, else as typed. Raises InvalidInput."""
    upload = form.cleaned_data.get("file")
    if upload is not None:
        if upload.size > BIGGEST:
            raise InvalidInput("This file is too big", field="file", code="too_big")
        return number_files.in_file(upload.file, country=lists.default_country(request.user.account))
    found = number_files.typed(form.cleaned_data["numbers"])
    if not found.valid:
        raise InvalidInput("Give at least one number", field="numbers", code="invalid_number")
    return found


def _page(request: SignedInRequest, form: AddForm, *, status: int = 200) -> HttpResponse:
    known = _brands(request)
    text, medium = request.GET.get("q", "").strip()[:100], request.GET.get("medium", "")
    chosen = next((b for b in known if str(b.pk) == request.GET.get("brand")), None)
    found = blacklist.visible(
        request.user.account, text=text, medium=medium if medium in optouts.MEDIA else "", brand=chosen
    )
    page = Paginator(LongList(found), PER_PAGE).get_page(request.GET.get("page"))
    names = {brand.pk: brand.name for brand in known}
    rows = [(row, names.get(row.brand_id, "")) for row in page.object_list]
    context = {"page": page, "rows": rows, "q": text, "medium": medium, "brands": known, "brand": chosen, "form": form}
    template = "blacklist/rows.html" if request.htmx and request.htmx.target == "entries" else "blacklist/index.html"
    return render(request, template, context, status=status)


@signed_in
def index(request: SignedInRequest) -> HttpResponseBase:
    """A POST adds numbers, typed or from a file."""
    known = _brands(request)
    if request.method != "POST":
        return _page(request, AddForm(known=known))
    form = AddForm(request.POST, request.FILES, known=known)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        given = numbers_given(request, form)
    except InvalidInput as error:
        adopt(form, error)
        return _page(request, form, status=422)
    data = form.cleaned_data
    n = blacklist.add_many(
        request.user.account, given.valid, medium=data["medium"], brand=data["brand"], description=data["description"],
        source="import" if data["file"] else "web", user=request.user,
    )  # fmt: skip
    toasts.done(request, said(n, given))
    return HttpResponseRedirect(reverse("blacklist"))


def said(n: int, given: Numbers) -> str:
    text = ngettext("%(n)d numéro ajouté.", "%(n)d numéros ajoutés.", n) % {"n": n}
    known = len(given.valid) - n
    if known:
        text += " " + ngettext("%(n)d y était déjà.", "%(n)d y étaient déjà.", known) % {"n": known}
    if given.invalid:
        text += " " + ngettext("%(n)d n'est pas un numéro.", "%(n)d ne sont pas des numéros.", given.invalid) % {
            "n": given.invalid
        }
    return text


@admin_only
def remove(request: SignedInRequest, optout_id: int) -> HttpResponseBase:
    """Only with the person's consent, which is kept for ever."""
    account = request.user.account
    entry = blacklist.get(account, optout_id)
    brand = brands.get(account, entry.brand_id) if entry.brand_id else None
    problem = ""
    if request.method == "POST":
        consent = request.POST.get("consent", "")[:500]
        try:
            optouts.remove(account, entry.msisdn, medium=entry.medium, brand=brand, consent=consent, user=request.user)
        except InvalidInput as error:
            problem = sentence_for(error)
        else:
            toasts.done(request, _("Numéro retiré de la liste noire ; le consentement est conservé dans le journal."))
            return HttpResponseRedirect(reverse("blacklist"))
    context = {"entry": entry, "brand": brand, "problem": problem, "consent": request.POST.get("consent", "")}
    return render(request, "blacklist/remove.html", context, status=422 if problem else 200)


@signed_in
@require_GET
def as_csv(request: SignedInRequest) -> HttpResponseBase:
    return download(request, blacklist.csv_pieces(request.user.account), name="liste-noire.csv")


@admin_only
@require_GET
def log(request: SignedInRequest) -> HttpResponseBase:
    """The chained log; `carillon optout verify` checks it, far from here."""
    return download(
        request,
        _lines(request.user.account.pk),
        name="journal-consentements.jsonl",
        content_type="application/x-ndjson",
    )


def _lines(account_id: int) -> Iterator[bytes]:
    yield b""
    for entry in consents.export(account_id):
        yield (json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n").encode()


urlpatterns = [
    path("blacklist/", index, name="blacklist"),
    path("blacklist/export.csv", as_csv, name="blacklist_csv"),
    path("blacklist/log.jsonl", log, name="blacklist_log"),
    path("blacklist/<int:optout_id>/remove", remove, name="blacklist_remove"),
]
