"""Short link codes computed from the message and the link: no row per recipient, always of one length, not to be enumerated.

A keyed permutation of 0 … 62⁶-1 (a Feistel network over 36 bits, walked until it falls inside): six characters, so that
`clic-ici.net/` + code is 19 characters (features F1). The number permuted is `message_id * LINKS + index`.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 6
SPACE = 62**LENGTH  # 56,800,235,584
LINKS = 8  # links of one message, preview and opt-out included
HALF = 18
MASK = (1 << HALF) - 1
ROUNDS = 6
MAX_MESSAGE_ID = SPACE // LINKS - 1  # 7,100,029,447


@lru_cache(maxsize=8)
def _tables(key: bytes) -> tuple[bytes, ...]:
    """One 2^18-entry table of 3-byte values a round: a lookup instead of a hash for each of a million messages."""
    tables = []
    for number in range(ROUNDS):
        stream = hashlib.shake_256(hmac.digest(key, b"carillon.shortcode.%d" % number, "sha256")).digest(3 << HALF)
        tables.append(stream)
    return tuple(tables)


def _look(table: bytes, index: int) -> int:
    at = index * 3
    return (table[at] << 10 | table[at + 1] << 2 | table[at + 2] >> 6) & MASK


def _forward(value: int, tables: tuple[bytes, ...]) -> int:
    left, right = value >> HALF, value & MASK
    for table in tables:
        left, right = right, left ^ _look(table, right)
    return left << HALF | right


def _backward(value: int, tables: tuple[bytes, ...]) -> int:
    left, right = value >> HALF, value & MASK
    for table in reversed(tables):
        left, right = right ^ _look(table, left), left
    return left << HALF | right


def encode(key: bytes, *, message_id: int, index: int) -> str:
    """Six characters. Raises ValueError outside 0 … MAX_MESSAGE_ID or 0 … 7."""
    if not (0 <= message_id <= MAX_MESSAGE_ID and 0 <= index < LINKS):
        raise ValueError(f"no short code for message {message_id}, link {index}")
    tables = _tables(key)
    value = _forward(message_id * LINKS + index, tables)
    while value >= SPACE:  # 2^36 is 1.21 times the space: 0.21 walks on average
        value = _forward(value, tables)
    code = ""
    for _ in range(LENGTH):
        value, digit = divmod(value, 62)
        code = ALPHABET[digit] + code
    return code


def decode(key: bytes, code: str) -> tuple[int, int] | None:
    """(message_id, index); None when this is no code of ours."""
    if len(code) != LENGTH:
        return None
    value = 0
    for char in code:
        digit = ALPHABET.find(char)
        if digit < 0:
            return None
        value = value * 62 + digit
    tables = _tables(key)
    value = _backward(value, tables)
    while value >= SPACE:
        value = _backward(value, tables)
    return divmod(value, LINKS)
