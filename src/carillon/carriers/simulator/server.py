"""The simulator's sockets: SMPP binds on one loopback port, line-JSON control on another."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct

from carillon.carriers.simulator.centre import Centre, Delivery
from carillon.carriers.simulator.control import ControlPort
from carillon.carriers.simulator.handsets import Power
from carillon.carriers.simulator.options import SimulatorOptions
from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.pdu import Framer, PduError

logger = logging.getLogger(__name__)


class ClientConnection(asyncio.Protocol):
    """One ESME's connection."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._output: list[bytes] = []
        self._is_scheduled = False
        self._bind_command = 0
        self._sequence = 0
        self._unstored: dict[int, Delivery] = {}
        self._is_choked = False
        self.system_id = ""

    # ------------------------------------------------------------------ centre.Client

    def can_take(self) -> bool:
        options = self._centre.options
        return (
            self._bind_command in (pdu.BIND_RECEIVER, pdu.BIND_TRANSCEIVER)
            and not self._is_choked and not options.is_mute and len(self._unstored) < options.receipt_window
        )  # fmt: skip

    def deliver(self, delivery: Delivery) -> None:
        self._sequence = self._sequence % pdu.MAX_SEQUENCE + 1
        self._unstored[self._sequence] = delivery
        delivery.tries += 1
        if delivery.is_receipt:
            self._centre.counts.receipts_sent += 1
        else:
            self._centre.counts.texts_sent += 1
        self._send(pdu.pack(pdu.DELIVER_SM, self._sequence, pdu.encode_message(delivery.message)))

    # ------------------------------------------------------------------ asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._centre.clients.append(self)

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            if self._transport is None:
                return
            self._on_frame(frame)
        if self._framer.error is not None and self._transport is not None:
            self._send(pdu.pack(pdu.GENERIC_NACK, self._framer.error_sequence, status=self._framer.error.status))
            self._flush()
            self._transport.close()
            return
        self._centre.pump()

    def pause_writing(self) -> None:
        self._is_choked = True

    def resume_writing(self) -> None:
        self._is_choked = False
        self._centre.pump()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._forget()

    def reset(self) -> None:
        """Ends the connection as a crash would: what was not written yet is never sent."""
        if self._transport is None:
            return
        self._centre.counts.drops += 1
        self._output.clear()
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        self._transport = None
        self._forget()

    def _hang_up(self) -> None:
        """Closes after what was said before."""
        self._centre.counts.drops += 1
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._forget()

    def _forget(self) -> None:
        if self in self._centre.clients:
            self._centre.clients.remove(self)
        self._bind_command = 0
        unstored, self._unstored = list(self._unstored.values()), {}
        if unstored:
            self._centre.take_back(unstored)

    def _send(self, octets: bytes) -> None:
        """Gathers what one turn of the loop has to say into one write."""
        if self._centre.options.is_mute:
            return
        self._output.append(octets)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_scheduled = False
        if self._transport is not None and self._output:
            self._transport.write(b"".join(self._output))
        self._output.clear()

    # ------------------------------------------------------------------ PDUs

    def _on_frame(self, frame: pdu.Frame) -> None:
        command, _, sequence, body = frame
        if command == pdu.SUBMIT_SM:
            self._on_submit(sequence, body)
        elif command in (pdu.DELIVER_SM_RESP, pdu.DATA_SM_RESP):
            self._on_stored(sequence)
        elif command in pdu.BINDS:
            self._on_bind(command, sequence, body)
        elif command == pdu.ENQUIRE_LINK:
            self._send(pdu.pack(pdu.ENQUIRE_LINK_RESP, sequence))
        elif command == pdu.UNBIND:
            self._send(pdu.pack(pdu.UNBIND_RESP, sequence))
            self._flush()
            self._bind_command = 0
            if self._transport is not None:
                self._transport.close()
        elif not command & pdu.RESPONSE:
            logger.info("refused: %s", pdu.describe(frame))
            self._send(pdu.pack(pdu.GENERIC_NACK, sequence, status=pdu.RINVCMDID))

    def _on_bind(self, command: int, sequence: int, body: bytes) -> None:
        options = self._centre.options
        status = pdu.ROK
        try:
            bind = pdu.decode_bind(body)
        except PduError as error:
            self._send(pdu.pack(command | pdu.RESPONSE, sequence, status=error.status))
            return
        if self._bind_command:
            status = pdu.RALYBND
        elif options.system_id and bind.system_id != options.system_id:
            status = 0x0F
        elif options.password is not None and bind.password != options.password:
            status = pdu.RINVPASWD
        if status != pdu.ROK:
            self._send(pdu.pack(command | pdu.RESPONSE, sequence, status=status))
            return
        self.system_id = bind.system_id
        self._bind_command = command
        self._centre.counts.binds += 1
        version = pdu.encode_tlvs([(pdu.TLV_SC_INTERFACE_VERSION, b"\x34")])
        self._send(pdu.pack(command | pdu.RESPONSE, sequence, b"carillon-simul\0" + version))

    def _on_submit(self, sequence: int, body: bytes) -> None:
        if self._bind_command not in (pdu.BIND_TRANSMITTER, pdu.BIND_TRANSCEIVER):
            self._answer(sequence, pdu.RINVBNDSTS)
            return
        try:
            message = pdu.decode_message(body)
        except PduError as error:
            self._answer(sequence, error.status)
            return
        verdict = self._centre.submit(message, self.system_id)
        if verdict.is_reset:
            self.reset()
            return
        if verdict.is_dropped:
            self._hang_up()
            return
        if verdict.early:
            self._centre.queue(verdict.early)
        if verdict.is_unanswered:
            return
        delay_s = self._centre.options.answer_delay_s
        if delay_s:
            self._centre.after(delay_s, lambda: self._answer(sequence, verdict.status, verdict.message_id))
        else:
            self._answer(sequence, verdict.status, verdict.message_id)

    def _answer(self, sequence: int, status: int, message_id: str = "") -> None:
        if self._transport is not None:
            body = message_id.encode() + b"\0" if status == pdu.ROK else b""
            self._send(pdu.pack(pdu.SUBMIT_SM_RESP, sequence, body, status=status))

    def _on_stored(self, sequence: int) -> None:
        delivery = self._unstored.pop(sequence, None)
        if delivery is None:
            return
        if delivery.is_receipt:
            self._centre.counts.receipts_stored += 1
        else:
            self._centre.counts.texts_stored += 1


class Simulator:
    """A running simulator. `port` and `control_port` are what was bound (useful after asking for 0)."""

    def __init__(self, centre: Centre, server: asyncio.Server, control: asyncio.Server | None) -> None:
        self.centre = centre
        self._server = server
        self._control = control
        self.port: int = server.sockets[0].getsockname()[1]
        self.control_port: int = control.sockets[0].getsockname()[1] if control is not None else 0

    def inject_mo(self, msisdn: str, *, text: str, to: str = "", system_id: str | None = None) -> int:
        return self.centre.inject_mo(msisdn, to=to, text=text, system_id=system_id)

    def switch(self, msisdn: str, power: Power) -> None:
        self.centre.switch(msisdn, power)

    def drop_connections(self) -> int:
        """Resets every connection, answers unsent. Returns how many."""
        return drop_all(self.centre)

    async def run_forever(self) -> None:
        await self._server.serve_forever()

    async def close(self) -> None:
        self._server.close()
        if self._control is not None:
            self._control.close()
        drop_all(self.centre)
        self.centre.close()
        await asyncio.sleep(0)


def drop_all(centre: Centre) -> int:
    connections = [client for client in centre.clients if isinstance(client, ClientConnection)]
    for connection in connections:
        connection.reset()
    return len(connections)


async def serve(
    host: str = "127.0.0.1",
    port: int = 2775,
    control_port: int | None = 2776,
    options: SimulatorOptions | None = None,
    *,
    tls: ssl.SSLContext | None = None,
) -> Simulator:
    """Starts and returns at once. Port 0 takes a free one; `control_port` None opens none."""
    centre = Centre(options or SimulatorOptions())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientConnection(centre), host, port, ssl=tls)
    control = None
    if control_port is not None:
        control = await loop.create_server(lambda: ControlPort(centre, drop_all), host, control_port)
    return Simulator(centre, server, control)
