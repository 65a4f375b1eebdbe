"""A draft is judged: everyone gets a verdict, a price and a place in the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from carillon.domain.errors import Conflict, InvalidInput
from carillon.domain.status import Status
from carillon.models import Brand, Campaign, Message, Sender, Slice
from carillon.services import campaigns, counts, inline, npai, optouts, preparation
from tests.builders import make_account, make_campaign, make_connector, make_list, make_optout, make_sendable_campaign

pytestmark = pytest.mark.django_db


def statuses(campaign: Campaign) -> list[int]:
    return list(Message.objects.filter(campaign_id=campaign.pk).order_by("id").values_list("status", flat=True))


def test_everyone_gets_one_verdict() -> None:
    make_connector()
    account = make_account(countries=["FR", "BE"])
    item = make_list(
        account, ["0612345678", "0612345678", "not a number", "+32470123456", "+4915123456789", "0612345679"]
    )
    make_optout(account, 33612345679)
    campaign = preparation.prepare(make_campaign(account, lists=[item]).pk)
    assert statuses(campaign) == [1, 4, 2, 19, 3, 14]  # Belgium is allowed but has no tariff
    assert counts.by_status(campaign.pk) == {1: 1, 2: 1, 3: 1, 4: 1, 14: 1, 19: 1}
    assert (campaign.recipient_count, campaign.valid_count, campaign.price) == (6, 1, 100)


def test_duplicates_across_lists_and_when_they_are_kept() -> None:
    make_connector()
    account = make_account()
    one, two = make_list(account, ["0612345678"]), make_list(account, ["0612345678", "0612345680"])
    campaign = make_campaign(account, lists=[one, two])
    assert statuses(preparation.prepare(campaign.pk)) == [1, 4, 1]
    campaigns.update(campaign, check_duplicate=False)
    assert statuses(preparation.prepare(campaign.pk)) == [1, 1, 1]


def test_texts_are_personalised_counted_and_priced() -> None:
    make_connector()
    account = make_account(max_segments=2)
    item = make_list(account, [("0612345678", "Jo"), ("0612345679", "J" * 200)], header=["SMS", "Prénom"])
    campaign = make_campaign(account, lists=[item], message="Bonjour ${prenom}", traffic="NOTIFICATION")
    campaign = preparation.prepare(campaign.pk)
    rows = list(Message.objects.filter(campaign_id=campaign.pk).order_by("id"))
    assert [r.text for r in rows] == ["Bonjour Jo", "Bonjour " + "J" * 200]
    assert [(r.segments, r.price) for r in rows] == [(1, 100), (2, 200)]
    assert (campaign.segment_count, campaign.price, campaign.max_segments) == (3, 300, 2)


def test_a_text_too_long_for_the_account_is_refused_alone() -> None:
    make_connector()
    account = make_account()
    item = make_list(account, [("0612345678", "Jo"), ("0612345679", "J" * 200)], header=["SMS", "Prénom"])
    campaign = preparation.prepare(make_campaign(account, lists=[item], message="Bonjour ${Prénom}").pk)
    assert statuses(campaign) == [Status.IN_PROGRESS, Status.TOO_LONG]


def test_slices_cover_what_is_sent_and_nothing_else() -> None:
    make_connector()
    account = make_account()
    numbers = [f"06{n:08d}" for n in range(10_000_000, 10_001_203)] + ["bad"]
    campaign = preparation.prepare(make_campaign(account, lists=[make_list(account, numbers)]).pk)
    slices = list(Slice.objects.filter(campaign_id=campaign.pk).order_by("id"))
    assert [s.n for s in slices] == [500, 500, 203]
    assert all(s.cursor_id == s.first_id - 1 and s.calendar == "FR" for s in slices)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM slice s JOIN message m ON m.connector_id = s.connector_id"
            " AND m.id BETWEEN s.first_id AND s.last_id WHERE s.campaign_id = %s",
            [campaign.pk],
        )
        assert cursor.fetchone()[0] == 1203


def test_recipients_overseas_get_their_own_calendar() -> None:
    make_connector()
    account = make_account()
    item = make_list(
        account,
        [("0612345678", ""), ("0692123456", ""), ("0612345680", "67000")],
        header=["SMS", "CP"],
    )
    campaign = preparation.prepare(make_campaign(account, lists=[item]).pk)
    assert set(Slice.objects.filter(campaign_id=campaign.pk).values_list("calendar", flat=True)) == {
        "FR",
        "RE",
        "FR-6AE",
    }
    campaigns.update(campaign, traffic="NOTIFICATION")
    campaign = preparation.prepare(campaign.pk)
    found = Slice.objects.filter(campaign_id=campaign.pk).values_list("calendar", "priority")
    assert set(found) == {("", 0)}


def test_excluded_lists_take_people_out() -> None:
    make_connector()
    account = make_account()
    everyone, excluded = make_list(account, ["0612345678", "0612345679"]), make_list(account, ["0612345679"])
    campaign = make_campaign(account, lists=[everyone], excluded=[excluded])
    campaign = preparation.prepare(campaign.pk)
    assert campaign.recipient_count == 1
    assert {"code": "excluded", "count": 1} in campaign.warnings


def test_typed_recipients_join_the_lists() -> None:
    make_connector()
    account = make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])], message="Bonjour ${nom}")
    inline.add_recipients(campaign, [{"mobile": "06 12 34 56 79", "Nom": "Martin"}, {"mobile": "nobody", "Nom": "X"}])
    with pytest.raises(InvalidInput, match="nom"):  # the first list has no such column: refused before launch
        preparation.prepare(campaign.pk)
    campaigns.update(campaign, message="Bonjour")
    assert statuses(preparation.prepare(campaign.pk)) == [1, 1, 2]


def test_a_second_preparation_starts_over() -> None:
    make_connector()
    account = make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    preparation.prepare(campaign.pk)
    campaign = preparation.prepare(campaign.pk)
    assert Message.objects.filter(campaign_id=campaign.pk).count() == 1
    assert counts.by_status(campaign.pk) == {1: 1}


def test_an_edit_meanwhile_wins_over_the_preparation() -> None:
    make_connector()
    account = make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])

    def edit(done: int, total: int) -> None:
        campaigns.update(campaign, message="another text")

    with pytest.raises(Conflict, match="changed while"):
        preparation.prepare(campaign.pk, progress=edit)
    assert Message.objects.filter(campaign_id=campaign.pk).count() == 0


def test_without_a_connector_the_campaign_says_so() -> None:
    account = make_account()
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    with pytest.raises(Conflict, match="connector"):
        preparation.prepare(campaign.pk)


def test_a_test_account_reaches_simulators_only() -> None:
    make_connector(kind="smpp")
    account = make_account(is_test=True)
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])])
    with pytest.raises(Conflict, match="connector"):
        preparation.prepare(campaign.pk)
    simulator = make_connector(kind="simulator", is_simulator=True)
    campaign = preparation.prepare(campaign.pk)
    assert Message.objects.get(campaign_id=campaign.pk).connector_id == simulator.pk


def test_opt_outs_of_the_platform_win_and_alerts_may_be_spared() -> None:
    make_connector()
    account = make_account()
    make_optout(account, 33612345678)
    make_optout(None, 33612345678)
    assert optouts.levels_of(account.pk, [33612345678, 33612345679]) == {33612345678: 15}
    campaign = make_campaign(account, lists=[make_list(account, ["0612345678"])], traffic="NOTIFICATION")
    assert statuses(preparation.prepare(campaign.pk)) == [15]
    account.optout_spares_notifications = True
    account.save()
    assert statuses(preparation.prepare(campaign.pk)) == [1]


def test_no_recipient_and_no_text_are_refused() -> None:
    make_connector()
    account = make_account()
    with pytest.raises(InvalidInput, match="recipient"):
        preparation.prepare(make_campaign(account).pk)
    with pytest.raises(InvalidInput, match="empty"):
        preparation.prepare(make_campaign(account, lists=[make_list(account, ["0612345678"])], message=" ").pk)


def test_a_sender_the_operators_refused_is_not_used() -> None:
    make_connector()
    account = make_account()
    Sender.objects.create(account=account, name="CASINO", state=Sender.State.REFUSED)
    Sender.objects.create(account=account, name="CARILLON", state=Sender.State.WAITING)
    item = make_list(account, ["0612345678"])
    with pytest.raises(InvalidInput, match="refused"):
        preparation.prepare(make_campaign(account, lists=[item], sender="Casino").pk)
    preparation.prepare(make_campaign(account, lists=[item], sender="CARILLON").pk)


def test_opt_outs_of_every_batch_are_found_at_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are read one ahead, in another thread, and must see what this transaction sees."""
    monkeypatch.setattr(preparation, "BATCH", 2)
    make_connector()
    account = make_account(is_multi_brand=True)
    brand = Brand.objects.create(account=account, name="Atelier Bleu")
    make_optout(account, 33612345679)
    make_optout(None, 33612345681)
    make_optout(account, 33612345683, brand_id=brand.pk, level="brand")
    make_optout(account, 33612345682, medium="VMS")
    make_optout(make_account(), 33612345680)
    item = make_list(account, [f"06123456{n}" for n in range(78, 85)])
    campaign = preparation.prepare(make_campaign(account, lists=[item], brand=brand).pk)
    assert statuses(campaign) == [1, 14, 1, 15, 1, 18, 1]
    with pytest.raises(preparation.Cancelled):
        preparation.prepare(campaign.pk, should_stop=lambda: True)
    assert statuses(campaign) == [1, 14, 1, 15, 1, 18, 1]  # the interrupted one left nothing behind


def test_who_got_enough_marketing_lately_is_spared_this_time() -> None:
    connector = make_connector()
    account = make_account(cap_messages=2, cap_days=7)
    now = timezone.now()
    for days in (1, 3, 9):  # the last is too long ago to count
        at = now - timedelta(days=days)
        make_sendable_campaign(connector, n=1, account=account, first_msisdn=33612345678, launched_at=at)
        if days > 1:
            make_sendable_campaign(connector, n=1, account=account, first_msisdn=33612345679, launched_at=at)
    people = [make_list(account, ["0612345678", "0612345679"])]
    marketing = preparation.prepare(make_campaign(account, lists=people, traffic="MKG").pk)
    assert statuses(marketing) == [14, 1]
    assert Message.objects.filter(campaign_id=marketing.pk).earliest("id").reason == "cap"
    alert = preparation.prepare(make_campaign(account, lists=people, traffic="NOTIFICATION").pk)
    assert statuses(alert) == [1, 1]


def test_unassigned_numbers_are_not_written_to() -> None:
    make_connector()
    account, other = make_account(), make_account()
    npai.add(account, [33612345678], source="web")
    npai.add(other, [33612345679], source="web")
    campaign = preparation.prepare(make_campaign(account, lists=[make_list(account, ["0612345678", "0612345679"])]).pk)
    assert statuses(campaign) == [14, 1]
