"""Operators say from the command line whose campaigns advance faster."""

from __future__ import annotations

import pytest

from carillon.config.cli import main
from tests.builders import make_account, make_campaign

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_campaign_has_its_accounts_weight_until_it_gets_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    campaign = make_campaign(make_account(name="La Maison"))
    assert main(["account", "weight", "La Maison", "3"]) == 0
    assert main(["campaign", "show", str(campaign.pk), "--json"]) == 0
    assert '"weight": 3' in capsys.readouterr().out
    assert main(["campaign", "weight", str(campaign.pk), "7"]) == 0
    assert main(["campaign", "show", str(campaign.pk), "--json"]) == 0
    assert '"weight": 7' in capsys.readouterr().out
    campaign.refresh_from_db()
    campaign.account.refresh_from_db()
    assert (campaign.weight, campaign.account.weight) == (7, 3)


def test_a_weight_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    campaign = make_campaign(make_account(name="La Maison"))
    assert main(["account", "weight", "La Maison", "0"]) != 0
    assert main(["campaign", "weight", str(campaign.pk), "101"]) != 0
    assert "from 1 to 100" in capsys.readouterr().err
