"""The one Django app of the platform."""

from django.apps import AppConfig


class CarillonConfig(AppConfig):
    name = "carillon"
    label = "carillon"
    verbose_name = "Carillon"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from carillon.web.catalogue import compile_catalogues

        compile_catalogues()
