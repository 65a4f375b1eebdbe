"""The two doors: pages and API. Each room owns its addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("carillon.api.urls")),
    path("", include("carillon.web.urls")),
]
