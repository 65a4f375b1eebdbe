"""Since when the people of a report are not written to any more: the date of their NPAI, and of their STOP."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from carillon.models import Campaign, Npai, OptOut

MEDIA = {"SMS": "MOBILE", "VMS": "VMS"}


@dataclass(frozen=True, slots=True)
class Marks:
    npai_at: datetime | None
    stopped_at: datetime | None


def of(campaign: Campaign, numbers: Collection[int]) -> dict[int, Marks]:
    """{msisdn: dates}, for those who have one. A STOP counts that would hold this campaign back: the account's, its brand's,
    the platform's.
    """
    wanted = list(numbers)
    npai = dict(
        Npai.objects.filter(account_id=campaign.account_id, msisdn__in=wanted).values_list("msisdn", "created_at")
    )
    stops = OptOut.objects.filter(
        account_id__in=[0, campaign.account_id],
        msisdn__in=wanted,
        medium=MEDIA.get(campaign.medium, "MOBILE"),
        brand_id__in=[0, campaign.brand_id or 0],
    )
    stopped: dict[int, datetime] = {}
    for number, at in stops.values_list("msisdn", "created_at"):
        stopped[number] = min(at, stopped.get(number, at))
    return {number: Marks(npai.get(number), stopped.get(number)) for number in npai.keys() | stopped.keys()}
