"""Kinds of argument that several commands share. Each refuses what cannot be meant, with a sentence for argparse."""

from __future__ import annotations

import argparse
from datetime import datetime
from decimal import Decimal, InvalidOperation


def credit_amount(text: str) -> int:
    """Credits as people write them (12, 12.5, 12,50) → hundredths of a credit."""
    try:
        hundredths = Decimal(text.strip().replace(",", ".").replace("_", "")) * 100
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of credits") from None
    if not hundredths.is_finite() or hundredths != hundredths.to_integral_value():
        raise argparse.ArgumentTypeError(f"{text!r}: a credit has at most two decimals")
    return int(hundredths)


def country_list(text: str) -> list[str]:
    """FR,BE → the codes, in capitals."""
    codes = [code.strip().upper() for code in text.split(",") if code.strip()]
    for code in codes:
        if len(code) != 2 or not code.isascii() or not code.isalpha():
            raise argparse.ArgumentTypeError(f"{code!r} is not a country code of two letters, such as FR")
    return codes


def moment(text: str) -> datetime:
    """An ISO 8601 date and time; without a zone, it is one of this machine."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date and time such as 2026-12-24T10:30") from None
    return value.astimezone()


def status_list(text: str) -> list[int]:
    """16,21 → status codes."""
    try:
        return [int(code) for code in text.split(",") if code.strip()]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of status codes such as 16,21") from None
