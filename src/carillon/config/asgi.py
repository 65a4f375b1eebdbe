"""What the web server runs: short links in front, Django behind. `links` answers short links alone."""

import asyncio
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carillon.config.settings")
django = get_asgi_application()

from carillon.services import request_log  # noqa: E402 (needs the settings)
from carillon.web.doorstep import Doorstep  # noqa: E402
from carillon.web.redirector import Receive, Redirector, Scope, Send  # noqa: E402

doorstep = Doorstep(Redirector(), django)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The doorstep; while the server lives, the API's log is written beside the requests."""
    if scope["type"] != "lifespan":
        return await doorstep(scope, receive, send)
    request_log.start()
    try:
        await doorstep(scope, receive, send)
    finally:
        await asyncio.to_thread(request_log.stop)


def links() -> Doorstep:
    """A factory for `carillon links`."""
    return Doorstep(Redirector(), None)
