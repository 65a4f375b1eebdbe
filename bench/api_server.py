"""The platform's web server with one more address: /bare/, a Django view that inserts one row and answers JSON."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")

from carillon.config.asgi import application  # noqa: E402 - sets Django up
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

__all__ = ["application"]


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    text = json.loads(request.body)["msg"]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_row (text) VALUES (%s) RETURNING id", [text])
        row = cursor.fetchone()
    return JsonResponse({"id": row[0]})


from carillon.config import urls  # noqa: E402

both = ModuleType("bench_urls")
both.urlpatterns = [path("bare/", bare), *urls.urlpatterns]  # type: ignore[attr-defined]
for name in ("handler404", "handler500"):
    if hasattr(urls, name):
        setattr(both, name, getattr(urls, name))
sys.modules["bench_urls"] = both
settings.ROOT_URLCONF = "bench_urls"
