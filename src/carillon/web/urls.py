"""Addresses of this room: each noun's module owns its own, as `urlpatterns`. English, the same in both languages."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("carillon.web.signin")),
    path("", include("carillon.web.password_reset")),
    path("", include("carillon.web.authentication")),
    path("", include("carillon.web.account")),
    path("", include("carillon.web.users")),
    path("", include("carillon.web.sender_names")),
    path("", include("carillon.web.brands")),
    path("", include("carillon.web.subaccounts")),
    path("", include("carillon.web.account_settings")),
    path("", include("carillon.web.developer")),
    path("", include("carillon.web.ops")),
    path("", include("carillon.web.ops_accounts")),
    path("", include("carillon.web.ops_connectors")),
    path("", include("carillon.web.ops_routes")),
    path("", include("carillon.web.mailbox")),
    path("", include("carillon.web.preferences")),
    path("", include("carillon.web.dashboard")),
    path("", include("carillon.web.campaigns")),
    path("", include("carillon.web.wizard_description")),
    path("", include("carillon.web.wizard_recipients")),
    path("", include("carillon.web.wizard_message")),
    path("", include("carillon.web.wizard_send")),
    path("", include("carillon.web.report")),
    path("", include("carillon.web.lists")),
    path("", include("carillon.web.list_uploads")),
    path("", include("carillon.web.message_templates")),
    path("", include("carillon.web.simulator")),
    path("", include("carillon.web.design")),
]
