"""TLS to the SMSC: the certificate is verified, and a wrong one stops the bind."""

from __future__ import annotations

import pytest

from carillon.carriers.base import CarrierState
from carillon.carriers.registry import build
from carillon.carriers.simulator import SimulatorOptions, serve
from carillon.domain.errors import CarrierError
from tests.carriers.certificates import make
from tests.carriers.ear import Ear, carrier_to, looped, outbound


@looped
async def test_a_message_over_tls(tmp_path):
    ca_file, context = make(tmp_path)
    smsc = await serve("127.0.0.1", 0, None, SimulatorOptions(receipt_delay_s=0.0), tls=context)
    async with carrier_to(smsc.port, tls="verify", tls_ca_file=str(ca_file)) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(number) for number in range(50)])
        await ear.until(lambda: len(ear.receipts) == 50)
    await smsc.close()


@pytest.mark.parametrize("fault", ["another authority", "another name"])
@looped
async def test_a_wrong_certificate_stops_the_bind(tmp_path, fault):
    ca_file, context = make(tmp_path, name="localhost" if fault == "another authority" else "smsc.example")
    (tmp_path / "other").mkdir()
    other, _ = make(tmp_path / "other")
    smsc = await serve("127.0.0.1", 0, None, SimulatorOptions(), tls=context)
    trusted = other if fault == "another authority" else ca_file
    async with carrier_to(smsc.port, tls="verify", tls_ca_file=str(trusted)) as (carrier, ear):
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        assert "certificate" in carrier.health.reason
        assert smsc.centre.counts.binds == 0
    await smsc.close()


@looped
async def test_another_name_may_be_expected(tmp_path):
    ca_file, context = make(tmp_path, name="smsc.example")
    smsc = await serve("127.0.0.1", 0, None, SimulatorOptions(), tls=context)
    options = {"tls": "verify", "tls_ca_file": str(ca_file), "tls_server_name": "smsc.example"}
    async with carrier_to(smsc.port, **options) as (_, ear):
        await ear.bound()
    await smsc.close()


@looped
async def test_a_plain_server_is_no_tls_server():
    smsc = await serve("127.0.0.1", 0, None, SimulatorOptions())
    async with carrier_to(smsc.port, tls="unverified") as (carrier, ear):
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        assert carrier.room() == 0
    await smsc.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
@looped
async def test_a_file_without_certificates_is_named(tmp_path, content):
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    smpp = build("smpp", {"host": "127.0.0.1", "system_id": "me", "tls": "verify", "tls_ca_file": str(ca_file)})
    http = build("smsmode", {"ca_file": str(ca_file)}, "key")
    for carrier in (smpp, http):
        with pytest.raises(CarrierError, match=r"ca\.pem holds no usable certificates"):
            await carrier.start(Ear())
