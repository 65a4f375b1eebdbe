from __future__ import annotations

import pytest

from carillon.domain import status
from carillon.domain.dialects import to_smsfactor
from carillon.domain.status import Outcome, Status


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(9, 0), (24, 1), (10, 1), (20, 2), (29, 2), (16, 3), (17, 3), (14, 4), (13, 4), (2, 5), (32, 6), (19, 7), (27, 9),
     (31, 11), (22, 12)],
)  # fmt: skip
def test_a_receiver_made_for_smsfactor_reads_its_own_codes(ours: int, theirs: int) -> None:
    assert to_smsfactor(ours) == theirs


@pytest.mark.parametrize("code", Status)
def test_it_is_told_delivered_only_when_the_person_has_it(code: Status) -> None:
    assert (to_smsfactor(code) == 3) is (status.row(code).outcome is Outcome.DELIVERED)


@pytest.mark.parametrize("code", Status)
def test_it_does_not_see_which_kind_of_traffic_a_message_was(code: Status) -> None:
    assert to_smsfactor(status.for_traffic(code, is_notification=True)) == to_smsfactor(code)


def test_a_status_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="11"):
        to_smsfactor(11)
