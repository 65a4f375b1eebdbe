"""The pages on a free port of loopback, in a thread, on the database that is the default one now."""

from __future__ import annotations

from types import TracebackType

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread


class Server:
    """`url` is http://localhost:port: a name, not an address, so that passkeys work."""

    def __enter__(self) -> Server:
        self.thread = LiveServerThread("localhost", StaticFilesHandler, port=0)
        self.thread.daemon = True
        self.thread.start()
        self.thread.is_ready.wait()
        if self.thread.error:
            raise self.thread.error
        self.url = f"http://localhost:{self.thread.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thread.terminate()
