"""The platform's web server with one more address: /bare/, a Django view that inserts one row and answers JSON."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from types import ModuleType

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")
application = import_module("carillon.config.asgi").application  # sets Django up
urls = import_module("carillon.config.urls")


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    text = json.loads(request.body)["msg"]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_row (text) VALUES (%s) RETURNING id", [text])
        row = cursor.fetchone()
    return JsonResponse({"id": row[0]})


both = ModuleType("bench_urls")
both.__dict__.update({name: value for name, value in vars(urls).items() if name.startswith("handler")})
both.__dict__["urlpatterns"] = [path("bare/", bare), *urls.urlpatterns]
sys.modules["bench_urls"] = both
settings.ROOT_URLCONF = "bench_urls"
