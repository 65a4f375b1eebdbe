"""One bind's socket: asyncio on one side, a `Session` on the other. It decides nothing: the client does."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from typing import Protocol

from carillon.carriers.certificates import trusting
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.options import BindMode, SmppOptions, Tls
from carillon.carriers.smpp.session import Chunk, Session, State

BIND_COMMANDS = {
    BindMode.TRANSCEIVER: (pdu.BIND_TRANSCEIVER,),
    BindMode.PAIR: (pdu.BIND_TRANSMITTER, pdu.BIND_RECEIVER),
    BindMode.TRANSMITTER: (pdu.BIND_TRANSMITTER,),
    BindMode.RECEIVER: (pdu.BIND_RECEIVER,),
}


class Owner(Protocol):
    """Who is told. Called from the event loop."""

    def on_chunk(self, link: Link, chunk: Chunk) -> None: ...
    def on_writable(self, link: Link) -> None: ...
    def on_gone(self, link: Link, reason: str) -> None: ...


class Link(asyncio.Protocol):
    """Made anew for each connection, so that an acknowledgement meant for an earlier one can do no harm."""

    def __init__(self, owner: Owner, session: Session) -> None:
        self.session = session
        self.gone = asyncio.Event()
        self.session_id = secrets.randbits(62)  # unlike any other, also of other processes
        self.was_bound = False
        self.is_choked = False
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def is_connected(self) -> bool:
        return self._transport is not None

    @property
    def room(self) -> int:
        return 0 if self.is_choked else self.session.room

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session.start(self._loop.time())
        self.flush()

    def data_received(self, data: bytes) -> None:
        chunk = self.session.receive(data, self._loop.time())
        self.was_bound = self.was_bound or chunk.is_bound
        self._owner.on_chunk(self, chunk)
        self.flush()

    def flush(self) -> None:
        """One write for all that has gathered; closes the socket once the session is over."""
        if self._transport is None:
            return
        output = self.session.take_output()
        if output:
            self._transport.write(output)
        if self.session.state is State.CLOSED:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self.is_choked = True

    def resume_writing(self) -> None:
        self.is_choked = False
        self._owner.on_writable(self)

    def connection_lost(self, error: Exception | None) -> None:
        reason = self.session.reason or (f"connection lost: {error}" if error else "the SMSC closed the connection")
        self.session.end(reason)
        self._transport = None
        self.gone.set()
        self._owner.on_gone(self, reason)


async def dial(link: Link, options: SmppOptions, context: ssl.SSLContext | None) -> None:
    """Connects the link. OSError (ssl.SSLError among them) or TimeoutError when that fails."""
    server_name = (options.tls_server_name or options.host) if context else None
    async with asyncio.timeout(options.connect_timeout_s):
        await asyncio.get_running_loop().create_connection(
            lambda: link, options.host, options.port, ssl=context, server_hostname=server_name
        )


def tls_context(options: SmppOptions) -> ssl.SSLContext | None:
    if options.tls is Tls.OFF:
        return None
    context = trusting(options.tls_ca_file)
    if options.tls is Tls.UNVERIFIED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
