"""Addresses of this room: each noun's module owns its own, as `urlpatterns`. English, the same in both languages."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("carillon.web.signin")),
    path("", include("carillon.web.password_reset")),
    path("", include("carillon.web.authentication")),
    path("", include("carillon.web.mailbox")),
    path("", include("carillon.web.preferences")),
    path("", include("carillon.web.design")),
]
