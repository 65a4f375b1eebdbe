"""Operators: connectors (the carriers the gateways talk to), routes to them, tariffs."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.carriers import registry
from carillon.domain.errors import CarillonError, Conflict, InvalidInput
from carillon.models import Connector
from carillon.services import callbacks, connectors, platform_health
from carillon.web import toasts
from carillon.web.forms import adopt
from carillon.web.rights import SignedInRequest, operator_only
from carillon.web.sentences import sentence_for
from carillon.web.tags import CONNECTOR_STATES

HERE = "/ops/connectors"


class ConnectorForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom"), max_length=60)
    kind = forms.ChoiceField(label=gettext_lazy("Genre"))
    options = forms.CharField(
        label=gettext_lazy("Options"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy("Une par ligne : host=smsc.example.org, port=2775, system_id=…, window=100, rate=200"),
    )
    secret = forms.CharField(
        label=gettext_lazy("Mot de passe ou clé"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Vide : garder l'actuel."),
    )
    is_enabled = forms.BooleanField(label=gettext_lazy("Activé"), required=False, initial=True)

    def __init__(self, *args: Any, connector: Connector | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connector = connector
        self.fields["kind"].choices = [(kind, kind) for kind in sorted(registry.KINDS)]  # type: ignore[attr-defined]

    def clean_options(self) -> dict[str, str]:
        read: dict[str, str] = {}
        for line in self.cleaned_data["options"].splitlines():
            if not line.strip():
                continue
            key, separator, value = line.partition("=")
            if not separator:
                raise forms.ValidationError(_("« %(line)s » : écrivez nom=valeur.") % {"line": line.strip()[:60]})
            read[key.strip().replace("-", "_")] = value.strip()
        return read

    def clean(self) -> dict[str, Any]:
        """Built without being started: whatever cannot be meant is refused here, in the carrier's own words."""
        values = super().clean() or {}
        if "options" in values and "kind" in values:
            secret = values.get("secret") or (connectors.secret_of(self.connector) if self.connector else "")
            kept = connectors.options_of(self.connector) if self.connector else {}
            options = {k: kept.get(k, "") if v == connectors.HIDDEN else v for k, v in values["options"].items()}
            try:
                values["options"] = meant(values["kind"], options, secret)
            except CarillonError as error:
                self.add_error("options", error.message)
        return values


def meant(kind: str, written: dict[str, str], secret: str) -> dict[str, Any]:
    """The options as the carrier takes them: what reads as a number, a truth or a table is one, unless it wants a text.

    Raises what the carrier raises, in the end.
    """
    options: dict[str, Any] = {name: _read(value) for name, value in written.items()}
    while True:
        try:
            registry.build(kind, options, secret)
        except InvalidInput as error:
            if error.field not in written or options[error.field] == written[error.field]:
                raise
            options[error.field] = written[error.field]  # "00" and "12345" may be texts
        else:
            return options


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def as_lines(options: dict[str, Any]) -> str:
    return "\n".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(options.items())
    )


@operator_only
def connector_list(request: SignedInRequest) -> HttpResponse:
    lanes = platform_health.look(now=timezone.now()).lanes
    rows = [{"lane": lane, "connector": lane.connector, **state_of(lane)} for lane in lanes]
    return render(request, "ops/connectors.html", {"rows": rows})


def state_of(lane: platform_health.Lane) -> dict[str, Any]:
    """The words and the colour of a connector's state; an old report says nothing about now."""
    if not lane.connector.is_enabled:
        return {"label": _("Désactivé"), "state_kind": ""}
    if not lane.is_fresh:
        return {"label": _("Sans nouvelles"), "state_kind": "warn"}
    label, kind = CONNECTOR_STATES.get(lane.connector.state, (lane.connector.state, ""))
    return {"label": label, "state_kind": kind}


@operator_only
def new_connector(request: SignedInRequest) -> HttpResponse:
    form = ConnectorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        is_enabled = values.pop("is_enabled")
        try:
            connector = connectors.add(**values, sealed=registry.SECRET_OPTIONS.get(values["kind"], ()))
        except CarillonError as error:
            adopt(form, error)
        else:
            if not is_enabled:
                connectors.change(connector, is_enabled=False)
            toasts.done(request, _("Connecteur ajouté. La passerelle s'y relie dans les deux secondes."))
            return HttpResponseRedirect(HERE)
    return render(request, "ops/connector.html", {"form": form})


def _get(connector_id: int) -> Connector:
    found = Connector.objects.filter(pk=connector_id).first()
    if found is None:
        raise Http404
    return found


@operator_only
def connector(request: SignedInRequest, connector_id: int) -> HttpResponse:
    found = _get(connector_id)
    initial = {
        "name": found.name,
        "kind": found.kind,
        "options": as_lines(connectors.shown_options(found)),
        "is_enabled": found.is_enabled,
    }
    form = ConnectorForm(request.POST or None, initial=initial, connector=found)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        connectors.change(
            found,
            name=values["name"],
            kind=values["kind"],
            options=values["options"],
            is_enabled=values["is_enabled"],
            secret=values["secret"] or None,
            sealed=registry.SECRET_OPTIONS.get(values["kind"], ()),
        )
        toasts.done(request, _("C'est enregistré. La passerelle se relie de nouveau."))
        return HttpResponseRedirect(HERE)
    address = callbacks.url_of(found) if found.kind in registry.PROVIDERS else ""
    return render(request, "ops/connector.html", {"form": form, "connector": found, "callback": address})


@operator_only
@require_POST
def switch(request: SignedInRequest, connector_id: int) -> HttpResponse:
    found = _get(connector_id)
    connectors.change(found, is_enabled=not found.is_enabled)
    toasts.done(request, _("Connecteur activé.") if found.is_enabled else _("Connecteur désactivé."))
    return HttpResponseRedirect(HERE)


@operator_only
@require_POST
def remove(request: SignedInRequest, connector_id: int) -> HttpResponse:
    try:
        connectors.remove(_get(connector_id))
    except Conflict as error:
        toasts.failed(request, sentence_for(error))
    else:
        toasts.done(request, _("Connecteur supprimé."))
    return HttpResponseRedirect(HERE)


urlpatterns = [
    path("ops/connectors", connector_list, name="connectors"),
    path("ops/connectors/new", new_connector, name="connector-new"),
    path("ops/connectors/<int:connector_id>", connector, name="connector"),
    path("ops/connectors/<int:connector_id>/switch", switch, name="connector-switch"),
    path("ops/connectors/<int:connector_id>/remove", remove, name="connector-remove"),
]
