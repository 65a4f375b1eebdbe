"""Addresses of this room: each noun's module owns its own, as `urlpatterns`. English, the same in both languages."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("carillon.web.preferences")),
    path("", include("carillon.web.design")),
]
