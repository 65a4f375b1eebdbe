"""The one Django app of the platform."""

from django.apps import AppConfig


class CarillonConfig(AppConfig):
    name = "carillon"
    label = "carillon"
    verbose_name = "Carillon"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from carillon.config.procrastinate import load_jobs

        load_jobs()  # after Procrastinate's own ready(), which stands before us in INSTALLED_APPS
