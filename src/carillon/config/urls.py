"""The two doors: pages and API. Each room owns its addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("carillon.api.urls")),
    path("", include("carillon.web.urls")),
]
handler404 = "carillon.web.middleware.not_found"
handler500 = "carillon.web.middleware.broken"
