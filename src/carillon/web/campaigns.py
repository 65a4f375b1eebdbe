"""« Mes campagnes »: finding, exporting, and what is done to whole campaigns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.handlers.asgi import ASGIRequest
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError, Conflict
from carillon.models import Campaign, User
from carillon.services import campaign_index, campaigns, launching, reports, streaming
from carillon.services.campaign_index import Filters, Flow, Stage
from carillon.services.long_lists import LongList
from carillon.web import campaign_rows, toasts
from carillon.web.campaign_rows import FLOWS, CampaignRow
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

PER_PAGE = 25
CSV = "text/csv; charset=utf-8"
STAGE_NAMES = {
    Stage.DRAFT: gettext_lazy("En création (Brouillons)"),
    Stage.SCHEDULED: gettext_lazy("Programmées"),
    Stage.RUNNING: gettext_lazy("En cours"),
    Stage.FINISHED: gettext_lazy("Terminées"),
}


class FilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, label=gettext_lazy("Nom ou numéro"))
    user = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, label=gettext_lazy("Utilisateur"))
    flow = forms.ChoiceField(required=False, label=gettext_lazy("Flux"))
    status = forms.ChoiceField(required=False, label=gettext_lazy("Statut"))
    since = forms.DateField(
        required=False, label=gettext_lazy("Entre le"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label=gettext_lazy("et le"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(_renamed(data))
        everyone = [("", _("Tous"))]
        self.fields["user"].choices = [*everyone, *((u.pk, u.full_name) for u in colleagues(user))]  # type: ignore[attr-defined]
        self.fields["flow"].choices = [*everyone, *FLOWS.items()]  # type: ignore[attr-defined]
        self.fields["status"].choices = [*everyone, *((s.value, name) for s, name in STAGE_NAMES.items())]  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """A value that cannot be understood filters nothing, and its error stands beside the field."""
        self.is_valid()
        given = self.cleaned_data
        return Filters(
            text=given.get("q", ""),
            user_id=given.get("user"),
            flow=Flow(given["flow"]) if given.get("flow") else None,
            stage=Stage(given["status"]) if given.get("status") else None,
            since=given.get("since"),
            until=given.get("until"),
        )

    @property
    def is_used(self) -> bool:
        return any(value not in (None, "") for value in self.cleaned_data.values())


def _renamed(data: Any) -> dict[str, str]:
    """The address says from and to; `from` is no Python name."""
    values = {key: data.get(key, "") for key in ("q", "user", "flow", "status")}
    return values | {"since": data.get("from", data.get("since", "")), "until": data.get("to", data.get("until", ""))}


def colleagues(user: User) -> list[User]:
    """Whose campaigns this person may filter by."""
    if not user.is_admin:
        return [user]
    return list(User.objects.filter(account_id=user.account_id).order_by("first_name", "last_name", "login")[:500])


@signed_in
def index(request: SignedInRequest) -> HttpResponseBase:
    form = FilterForm(request.GET, user=request.user)
    now = timezone.now()
    found = campaign_index.search(request.user, form.filters(), now=now)
    if request.GET.get("format") == "csv":
        return _as_csv(request, found, now)
    page = Paginator(LongList(found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": campaign_rows.rows(page.object_list, now=now),
        "query": _query(request),
    }
    template = "campaigns/rows.html" if request.htmx and request.htmx.target == "campaigns" else "campaigns/index.html"
    return render(request, template, context)


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
    for name in ("page", "format"):
        kept.pop(name, None)
    return kept.urlencode()


CSV_HEADER = (
    gettext_lazy("Numéro"), gettext_lazy("Nom"), gettext_lazy("Statut"), gettext_lazy("Flux"), gettext_lazy("Type"),
    gettext_lazy("Utilisateur"), gettext_lazy("Code de facturation"), gettext_lazy("Créée le"), gettext_lazy("Envoi le"),
    gettext_lazy("Destinataires"), gettext_lazy("Non envoyés"), gettext_lazy("Délivrés"), gettext_lazy("Non délivrés"),
    "STOP", gettext_lazy("Crédits"),
)  # fmt: skip


def _as_csv(request: HttpRequest, found: QuerySet[Campaign], now: datetime) -> StreamingHttpResponse:
    pieces = reports.csv_pieces([str(name) for name in CSV_HEADER], _csv_rows(found, now))
    name = f"campagnes-{timezone.localdate():%Y-%m-%d}.csv"
    return download(request, pieces, name=name)


def _csv_rows(found: QuerySet[Campaign], now: datetime) -> Iterator[list[str]]:
    """Read in pages: no cursor stays open between two pieces."""
    for start in itertools.count(0, reports.BATCH):
        batch = list(found[start : start + reports.BATCH])
        yield from map(_csv_row, campaign_rows.rows(batch, now=now))
        if len(batch) < reports.BATCH:
            return


def _csv_row(row: CampaignRow) -> list[str]:
    c, f = row.campaign, row.figures
    sent_at = c.scheduled_at or c.launched_at
    return [
        str(c.pk), c.name, str(row.label), c.medium, "Marketing" if c.is_marketing else "Notification",
        c.user.full_name if c.user else "", c.billing_code, _date(c.created_at), _date(sent_at) if sent_at else "",
        str(row.recipients), str(f.not_sent), str(f.delivered), str(f.missed), str(f.stopped), f"{c.price / 100:g}",
    ]  # fmt: skip


def _date(at: datetime) -> str:
    return timezone.localtime(at).strftime(reports.DATE)


def download(
    request: HttpRequest, pieces: Iterator[bytes], *, name: str, content_type: str = CSV
) -> StreamingHttpResponse:
    """A file that leaves as it is made; under ASGI from a thread of its own."""
    begun = streaming.begin(pieces)
    content = streaming.in_own_thread(begun) if isinstance(request, ASGIRequest) else begun
    response = StreamingHttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ---- deeds ----


def _deed(view: Callable[[SignedInRequest, Campaign], str | None]) -> Callable[..., HttpResponseBase]:
    """A POST on one campaign that says what it did and goes back to where one was; a refusal is a notice there."""

    def wrapped(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
        campaign = campaigns.get(request.user, campaign_id)
        try:
            address = view(request, campaign)
        except Conflict as error:
            toasts.failed(request, sentence_for(error))
            address = None
        return HttpResponseRedirect(address or back(request, reverse("campaigns")))

    return signed_in(require_POST(wrapped))


@_deed
def duplicate(request: SignedInRequest, campaign: Campaign) -> str:
    twin = campaigns.duplicate(campaign, actor=request.user, name=_("%(name)s (copie)") % {"name": campaign.name[:190]})
    toasts.done(request, _("Campagne dupliquée : voici la copie, modifiez-la avant de l'envoyer."))
    return reverse("campaign_description", args=[twin.pk])


@_deed
def delete(request: SignedInRequest, campaign: Campaign) -> None:
    campaigns.delete(campaign)
    toasts.done(
        request,
        _("Campagne « %(name)s » supprimée.") % {"name": campaign.name},
        undo=reverse("campaign_restore", args=[campaign.pk]),
    )


@_deed
def cancel_schedule(request: SignedInRequest, campaign: Campaign) -> str:
    launching.cancel_schedule(campaign, actor=request.user, now=timezone.now())
    toasts.done(request, _("Programmation annulée : la campagne est de nouveau un brouillon, rien n'est parti."))
    return reverse("campaign_send", args=[campaign.pk])


@signed_in
@require_POST
def restore(request: SignedInRequest, campaign_id: int) -> HttpResponseBase:
    campaign = campaigns.restore(request.user, campaign_id)
    toasts.done(request, _("Campagne « %(name)s » rétablie.") % {"name": campaign.name})
    return HttpResponseRedirect(back(request, reverse("campaigns")))


@signed_in
@require_POST
def bulk(request: SignedInRequest) -> HttpResponseBase:
    """One deed on the ticked rows. Those that refuse are counted and named in the notice; the others are done."""
    ids = [int(value) for value in request.POST.getlist("campaign") if value.isascii() and value.isdigit()][:500]
    chosen = list(campaigns.visible(request.user).filter(pk__in=ids))
    deeds: dict[str, Callable[[Campaign], object]] = {
        "delete": campaigns.delete,
        "duplicate": lambda c: campaigns.duplicate(c, actor=request.user),
        "cancel": lambda c: launching.cancel_schedule(c, actor=request.user, now=timezone.now()),
    }
    deed = deeds.get(request.POST.get("deed", ""))
    if not chosen or deed is None:
        toasts.note(request, _("Cochez d'abord une ou plusieurs campagnes."))
        return HttpResponseRedirect(back(request, reverse("campaigns")))
    refused: list[str] = []
    for campaign in chosen:
        try:
            deed(campaign)
        except CarillonError:
            refused.append(campaign.name)
    n = len(chosen) - len(refused)
    if n:
        undo = (
            f"{reverse('campaigns_restore')}?{urlencode({'ids': ','.join(map(str, ids))})}"
            if deed is campaigns.delete
            else ""
        )
        toasts.done(request, ngettext("%(n)d campagne traitée.", "%(n)d campagnes traitées.", n) % {"n": n}, undo=undo)
    if refused:
        toasts.failed(request, _("Non traitées : %(names)s.") % {"names": ", ".join(refused[:5])})
    return HttpResponseRedirect(back(request, reverse("campaigns")))


@signed_in
@require_POST
def restore_many(request: SignedInRequest) -> HttpResponseBase:
    ids = [int(value) for value in request.GET.get("ids", "").split(",") if value.isascii() and value.isdigit()][:500]
    for campaign_id in ids:
        campaigns.restore(request.user, campaign_id)
    toasts.done(request, ngettext("%(n)d campagne rétablie.", "%(n)d campagnes rétablies.", len(ids)) % {"n": len(ids)})
    return HttpResponseRedirect(back(request, reverse("campaigns")))


def back(request: HttpRequest, otherwise: str) -> str:
    """The page the form stood on, when it is one of ours."""
    given = request.POST.get("next") or request.headers.get("Referer", "")
    if given and url_has_allowed_host_and_scheme(given, {request.get_host()}):
        return given
    return otherwise


urlpatterns = [
    path("campaigns/", index, name="campaigns"),
    path("campaigns/bulk", bulk, name="campaigns_bulk"),
    path("campaigns/restore", restore_many, name="campaigns_restore"),
    path("campaigns/<int:campaign_id>/duplicate", duplicate, name="campaign_duplicate"),
    path("campaigns/<int:campaign_id>/delete", delete, name="campaign_delete"),
    path("campaigns/<int:campaign_id>/restore", restore, name="campaign_restore"),
    path("campaigns/<int:campaign_id>/cancel-schedule", cancel_schedule, name="campaign_cancel_schedule"),
]
