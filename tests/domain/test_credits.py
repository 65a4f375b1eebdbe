from __future__ import annotations

import pytest

from carillon.domain.credits import as_credits


@pytest.mark.parametrize(("hundredths", "credits"), [(0, 0.0), (100, 1.0), (150, 1.5), (175, 1.75), (-250, -2.5)])
def test_programs_read_credits_where_we_count_hundredths(hundredths: int, credits: float) -> None:
    assert as_credits(hundredths) == credits
