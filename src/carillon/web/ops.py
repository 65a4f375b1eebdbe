"""Operators: the platform's health, for people (/ops/) and for machines (/metrics, /healthz)."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from carillon.models import User
from carillon.services import metrics as metric_page
from carillon.services import platform_health
from carillon.services.platform_health import Concern
from carillon.web.rights import SignedInRequest, operator_only, public

SENTENCES = {
    "no_connector": _("Aucun connecteur n'est activé : rien ne peut partir. Ajoutez-en un."),
    "no_gateway": _("Aucune passerelle ne tourne : les messages attendent. Lancez « carillon gateway »."),
    "down": _("%(name)s est coupé : %(reason)s"),
    "late": _("%(name)s : des messages prêts attendent depuis %(minutes)d minutes."),
    "receipts_stopped": _("%(name)s : aucun accusé de réception depuis plusieurs minutes."),
    "many_failures": _("%(name)s : la plupart de ses derniers messages ont échoué."),
    "many_doubts": _("De nombreux messages sont au sort incertain : voyez « carillon gateway doubts »."),
    "counters_behind": _("Les compteurs prennent du retard : un « carillon worker » tourne-t-il ?"),
    "no_partition": _("La table du mois prochain n'est pas prête : un « carillon worker » tourne-t-il ?"),
}


@operator_only
def health(request: SignedInRequest) -> HttpResponse:
    found = platform_health.look(now=timezone.now())
    concerns = [{"is_grave": one.is_grave, "text": sentence_of(one)} for one in found.concerns]
    return render(request, "ops/health.html", {"health": found, "concerns": concerns})


def sentence_of(concern: Concern) -> str:
    """What to read for it; an alarm without a sentence here shows the service's."""
    values = concern.values
    if concern.code == "failed_jobs":
        count = values["count"]
        return ngettext("%(count)d tâche de fond a échoué.", "%(count)d tâches de fond ont échoué.", count) % values
    sentence = SENTENCES.get(concern.code)
    return str(sentence) % values if sentence else str(values.get("sentence", concern.code))


@public
def metrics(request: HttpRequest) -> HttpResponse:
    """For who bears CARILLON_METRICS_TOKEN, and for operators; to anyone else it does not exist."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    has_token = bool(settings.METRICS_TOKEN) and secrets.compare_digest(given, settings.METRICS_TOKEN)
    if not has_token and not (isinstance(request.user, User) and request.user.is_operator):
        raise Http404
    return HttpResponse(metric_page.text(now=timezone.now()), content_type=metric_page.CONTENT_TYPE)


@public
def alive(request: HttpRequest) -> HttpResponse:
    """ "ok" when this process answers and reaches the database; for load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("ops/", health, name="ops"),
    path("metrics", metrics, name="metrics"),
    path("healthz", alive, name="alive"),
]
