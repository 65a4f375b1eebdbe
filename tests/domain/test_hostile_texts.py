"""Texts made to keep a pattern busy: every one of these took time that grows with the square of its length, minutes at this one."""

from __future__ import annotations

import pytest

from carillon.domain import optout
from carillon.domain.renderers import flat

LENGTH = 200_000


@pytest.mark.parametrize(
    ("renderer", "head"), [("BASIC", "${"), ("MEDIASFLOW", "$$["), ("MEDIASFLOW_B", "$$[record]")], ids=lambda v: v
)
@pytest.mark.parametrize("filling", ["a.", " ", "a "])
def test_a_field_that_never_ends_is_text(renderer: str, head: str, filling: str) -> None:
    text = head + filling * (LENGTH // len(filling))
    assert "".join(flat.parse(renderer, text).literals) == text


@pytest.mark.parametrize("text", ["stop" + " " * LENGTH, "desabo" + "\n" * LENGTH, "desabo" * (LENGTH // 6)])
def test_a_mention_that_never_comes_is_none(text: str) -> None:
    assert not optout.has_mention(text)
