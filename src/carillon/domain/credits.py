"""Amounts. Everything is stored and added in hundredths of a credit, as whole numbers; credits are for who reads them."""

from __future__ import annotations

CREDIT = 100  # hundredths: one segment at the base rate


def as_credits(hundredths: int) -> float:
    """150 → 1.5, the form of `creditCount` (API guide §2.1.3.1)."""
    return hundredths / CREDIT
