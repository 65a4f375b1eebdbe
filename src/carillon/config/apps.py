"""The one Django app of the platform."""

from django.apps import AppConfig

from carillon.config.messages import compile_stale


class CarillonConfig(AppConfig):
    name = "carillon"
    label = "carillon"
    verbose_name = "Carillon"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        compile_stale()
