"""What the web server runs: short links in front, Django behind. `links` answers short links alone."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")
django = get_asgi_application()

from carillon.web.doorstep import Doorstep  # noqa: E402 (needs the settings)
from carillon.web.redirector import Redirector  # noqa: E402

application = Doorstep(Redirector(), django)


def links() -> Doorstep:
    """A factory for `carillon links`."""
    return Doorstep(Redirector(), None)
