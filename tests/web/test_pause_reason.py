"""Why a campaign is paused, on its report."""

from __future__ import annotations

import pytest
from django.utils import timezone

from carillon.domain import pauses
from carillon.models import Campaign, User
from carillon.services import launching, preparation
from tests.builders import make_campaign, make_connector, make_list
from tests.web.conftest import signed_in


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "fr",
            "110 des 150 derniers messages ont échoué, le plus souvent « Numéro non attribué » (statut 29, 90 fois)",
        ),
        ("en", "110 of the last 150 messages failed, most often “Unassigned number” (status 29, 90 times)"),
    ],
)
def test_a_campaign_that_paused_itself_says_why_in_the_readers_language(
    alice: User, language: str, sentence: str
) -> None:
    make_connector(is_simulator=True)
    clients = make_list(alice.account, [("Zoé", "0612340001")], header=("Prénom", "SMS"), user=alice)
    campaign = make_campaign(alice.account, actor=alice, message="Bonjour", traffic="NOTIFICATION", lists=[clients])
    launching.launch(preparation.prepare(campaign.pk), actor=alice, now=timezone.now())
    reason = pauses.failure_rate(failed=110, known=150, status=29, times=90)
    Campaign.objects.filter(pk=campaign.pk).update(
        state=Campaign.State.INPROGRESS, is_sending=False, paused_at=timezone.now(), paused_reason=reason
    )
    User.objects.update(language=language)
    assert sentence in signed_in(alice).get(f"/campaigns/{campaign.pk}/report").content.decode()
