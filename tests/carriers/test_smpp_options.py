"""A connector's settings: what is wrong with them is said with the option's name, before anything connects."""

from __future__ import annotations

import pytest

from carillon.carriers.registry import KINDS, build
from carillon.carriers.smpp.client import SmppCarrier
from carillon.carriers.smpp.options import Alphabet, BindMode, Tls, check_password, parse
from carillon.domain.errors import InvalidInput
from carillon.domain.status import Status

LEAST = {"host": "smsc.example", "system_id": "me"}


def test_the_least_that_is_needed():
    options = parse(LEAST)
    assert (options.port, options.bind, options.binds, options.window) == (2775, BindMode.TRANSCEIVER, 1, 100)
    assert (options.alphabet, options.data_coding, options.tls) == (Alphabet.GSM, 0, Tls.OFF)


def test_everything_at_once():
    options = parse({
        **LEAST, "port": 3550, "system_type": "VMA", "interface_version": "0x33", "bind": "pair", "binds": 2,
        "window": 500, "rate": 250, "alphabet": "latin-1", "long_messages": "sar", "registered_delivery": 17, "tls": True,
        "tls_ca_file": "/etc/ssl/smsc.pem", "errors": {"069": 29, "0x1F": 31}, "command_statuses": {"0x400": 27},
        "tlvs": {"0x1401": "00AF"}, "replacements": {"€": "EUR"}, "receipt_timezone": "Europe/Paris",
        "user_message_reference": True, "answer_ids": "hex", "receipt_ids": "decimal",
    })  # fmt: skip
    assert (options.interface_version, options.rate, options.data_coding, options.tls) == (0x33, 250.0, 3, Tls.VERIFY)
    assert options.errors == {69: Status.UNASSIGNED, 31: Status.UNAVAILABLE}
    assert options.command_statuses == {0x400: Status.OPERATOR_REJECTED}
    assert options.tlvs == ((0x1401, b"\x00\xaf"),)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("hots", "x"),
        ("port", 0),
        ("port", 2775.5),
        ("port", "http"),
        ("port", True),
        ("window", 0),
        ("window", 100_000),
        ("rate", -1),
        ("rate", float("nan")),
        ("system_id", "x" * 16),
        ("system_id", 7),
        ("service_type", "TOOLONG"),
        ("bind", "both"),
        ("alphabet", "utf-8"),
        ("tls", "yes"),
        ("send_validity", "yes"),
        ("err_table", "other"),
        ("errors", {"069": 11}),
        ("errors", {"abc": 29}),
        ("errors", [69]),
        ("command_statuses", {"0x400": "REJECTED"}),
        ("tlvs", {"0x1401": "xyz"}),
        ("tlvs", {"0x0424": "00"}),
        ("tlvs", ["0x1401"]),
        ("replacements", {"ab": "c"}),
        ("replacements", "€"),
        ("receipt_timezone", "Paris"),
        ("receipt_timezone", "../etc/passwd"),
        ("reconnect_max_s", 0.5),
    ],
)
def test_a_wrong_option_is_named(field, value):
    with pytest.raises(InvalidInput) as caught:
        parse({**LEAST, field: value})
    assert caught.value.field == field
    assert field in caught.value.message


def test_options_from_a_command_line_are_texts():
    options = parse({
        **LEAST, "port": "3550", "rate": "12.5", "send_validity": "false", "tls": "true", "interface_version": "0x33",
        "errors": '{"069": 29}', "bind": "pair", "system_type": "123", "user_message_reference": "true",
    })  # fmt: skip
    assert (options.port, options.rate, options.send_validity, options.tls) == (3550, 12.5, False, Tls.VERIFY)
    assert (options.errors, options.bind, options.system_type) == ({69: Status.UNASSIGNED}, BindMode.PAIR, "123")


def test_a_password_too_long_for_smpp():
    assert check_password("12345678") == "12345678"
    with pytest.raises(InvalidInput, match="8 octets"):
        check_password("123456789")


def test_carriers_are_built_by_kind():
    carrier = build("simulator", {"port": 12775, "control_port": 12999})
    assert isinstance(carrier, SmppCarrier)
    assert (carrier.options.host, carrier.options.port, carrier.options.system_id) == ("127.0.0.1", 12775, "carillon")
    assert isinstance(build("smpp", LEAST, "secret"), SmppCarrier)
    with pytest.raises(InvalidInput, match="no kind of connector"):
        build("pigeon", {})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_refuses_an_option_it_does_not_know(kind):
    with pytest.raises(InvalidInput) as caught:
        build(kind, {"no_such_option": 1}, "secret")
    assert caught.value.field == "no_such_option"
