"""« Développeur » → « Webhooks »: where an account is told, what was told, trying again."""

from __future__ import annotations

import json

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import CarillonError
from carillon.models import Webhook, WebhookDelivery
from carillon.services import webhooks
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, admin_only

HERE = "/developer/webhooks"
EVENTS = {
    "receipt": gettext_lazy("Accusé de réception"),
    "reply": gettext_lazy("Réponse"),
    "stop": gettext_lazy("STOP"),
    "click": gettext_lazy("Clic"),
    "balance.low": gettext_lazy("Solde bas"),
    "campaign.finished": gettext_lazy("Campagne terminée"),
    "test": gettext_lazy("Essai"),
}
STATES = {
    WebhookDelivery.State.WAITING: (gettext_lazy("En attente"), "warn"),
    WebhookDelivery.State.DONE: (gettext_lazy("Reçu"), "ok"),
    WebhookDelivery.State.FAILED: (gettext_lazy("Abandonné"), "bad"),
}


class WebhookForm(forms.Form):
    url = forms.URLField(
        label=gettext_lazy("Adresse à appeler"), max_length=500, assume_scheme="https", help_text="https://…"
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Événements"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, EVENTS[name]) for name in webhooks.EVENTS],
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[
            ("carillon", gettext_lazy("Carillon : JSON signé")),
            ("smsfactor", gettext_lazy("SMSFactor : pour les programmes écrits pour lui")),
        ],
    )
    batch_size = forms.IntegerField(
        label=gettext_lazy("Événements par appel, au plus"), min_value=1, max_value=webhooks.MAX_BATCH, initial=1
    )
    is_enabled = forms.BooleanField(label=gettext_lazy("Activé"), required=False, initial=True)


@admin_only
def webhook_list(request: SignedInRequest) -> HttpResponse:
    found = list(webhooks.visible(request.user.account))
    for hook in found:
        hook.event_labels = [EVENTS.get(event, event) for event in hook.events]  # type: ignore[attr-defined]
    return render(request, "developer/webhooks.html", {"webhooks": found})


@admin_only
def new_webhook(request: SignedInRequest) -> HttpResponse:
    """The signing secret is on the answer to this POST only."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        is_enabled = values.pop("is_enabled")
        try:
            hook, secret = webhooks.create(request.user.account, user=request.user, **values)
        except CarillonError as error:
            adopt(form, error)
        else:
            if not is_enabled:
                webhooks.change(hook, is_enabled=False)
            return render(request, "developer/webhook_secret.html", {"webhook": hook, "secret": secret})
    return render(request, "developer/webhook_new.html", {"form": form})


@admin_only
def webhook(request: SignedInRequest, webhook_id: int) -> HttpResponse:
    hook = webhooks.get(request.user.account, webhook_id)
    names = ("url", "events", "format", "batch_size", "is_enabled")
    form = WebhookForm(request.POST or None, initial={name: getattr(hook, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            webhooks.change(hook, **form.cleaned_data)
        except CarillonError as error:
            adopt(form, error)
        else:
            toasts.done(request, _("C'est enregistré."))
            return HttpResponseRedirect(f"{HERE}/{hook.pk}")
    calls = WebhookDelivery.objects.filter(webhook=hook).order_by("-id")[:5_000]
    page = Paginator(calls, 25).get_page(request.GET.get("page"))
    rows = [
        {"call": call, "event": EVENTS.get(call.event, call.event), "state": STATES[WebhookDelivery.State(call.state)]}
        for call in page.object_list
    ]
    return render(request, "developer/webhook.html", {"webhook": hook, "form": form, "page": page, "rows": rows})


@admin_only
@require_POST
def act(request: SignedInRequest, webhook_id: int, deed: str) -> HttpResponse:
    """test, resume, delete or rotate."""
    hook = webhooks.get(request.user.account, webhook_id)
    if deed == "rotate":
        secret = webhooks.rotate_secret(hook, now=timezone.now())
        return render(request, "developer/webhook_secret.html", {"webhook": hook, "secret": secret, "is_new": True})
    if deed == "delete":
        webhooks.delete(hook)
        toasts.done(request, _("Webhook supprimé."))
        return HttpResponseRedirect(HERE)
    if deed == "test":
        webhooks.send_test(hook)
        toasts.done(request, _("Un appel d'essai part. Son résultat apparaît ci-dessous dans un instant."))
    elif deed == "resume":
        webhooks.resume(hook)
        toasts.done(request, _("Le webhook reprend : ce qui attendait part."))
    else:
        raise Http404
    return HttpResponseRedirect(f"{HERE}/{hook.pk}")


def _call(request: SignedInRequest, delivery_id: int) -> WebhookDelivery:
    found = WebhookDelivery.objects.select_related("webhook").filter(
        pk=delivery_id, webhook__in=Webhook.objects.filter(account=request.user.account)
    )
    call = found.first()
    if call is None:
        raise Http404
    return call


@admin_only
def delivery(request: SignedInRequest, delivery_id: int) -> HttpResponse:
    call = _call(request, delivery_id)
    state, kind = STATES[WebhookDelivery.State(call.state)]
    context = {
        "call": call,
        "event": EVENTS.get(call.event, call.event),
        "state": state,
        "state_kind": kind,
        "body": json.dumps(call.body, ensure_ascii=False, indent=2),
    }
    return render(request, "developer/delivery.html", context)


@admin_only
@require_POST
def replay(request: SignedInRequest, delivery_id: int) -> HttpResponse:
    call = webhooks.replay(_call(request, delivery_id))
    toasts.done(request, _("Le même appel part de nouveau."))
    return HttpResponseRedirect(f"{HERE}/{call.webhook_id}")


urlpatterns = [
    path("developer/webhooks", webhook_list, name="webhooks"),
    path("developer/webhooks/new", new_webhook, name="webhook-new"),
    path("developer/webhooks/<int:webhook_id>", webhook, name="webhook"),
    path("developer/webhooks/<int:webhook_id>/<slug:deed>", act, name="webhook-act"),
    path("developer/deliveries/<int:delivery_id>", delivery, name="webhook-delivery"),
    path("developer/deliveries/<int:delivery_id>/replay", replay, name="webhook-replay"),
]
