"""Codes are of one length, lead back to their message, and tell nothing of their neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import shortcodes

KEY, OTHER = b"a key", b"another key"


@given(message_id=st.integers(0, shortcodes.MAX_MESSAGE_ID), index=st.integers(0, shortcodes.LINKS - 1))
def test_a_code_leads_back_to_its_message(message_id: int, index: int) -> None:
    code = shortcodes.encode(KEY, message_id=message_id, index=index)
    assert len(code) == 6 and code.isalnum() and code.isascii()
    assert shortcodes.decode(KEY, code) == (message_id, index)


def test_neighbours_look_nothing_alike_and_never_meet() -> None:
    codes = [shortcodes.encode(KEY, message_id=i, index=0) for i in range(2000)]
    assert len(set(codes)) == 2000
    assert len({code[:2] for code in codes}) > 1000  # of 3,844 beginnings


def test_another_platform_s_codes_mean_something_else() -> None:
    code = shortcodes.encode(KEY, message_id=7, index=1)
    assert shortcodes.decode(OTHER, code) != (7, 1)


@pytest.mark.parametrize("code", ["", "ABCDE", "ABCDEFG", "ABC-EF", "ÀBCDEF", "AB DEF"])
def test_what_is_no_code(code: str) -> None:
    assert shortcodes.decode(KEY, code) is None


@pytest.mark.parametrize(("message_id", "index"), [(-1, 0), (shortcodes.MAX_MESSAGE_ID + 1, 0), (1, 8), (1, -1)])
def test_there_is_no_code_outside_the_space(message_id: int, index: int) -> None:
    with pytest.raises(ValueError, match="no short code"):
        shortcodes.encode(KEY, message_id=message_id, index=index)
