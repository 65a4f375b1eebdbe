"""A few recipients sent by the short road leave exactly what the general road leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from carillon.models import Account, Campaign, User
from carillon.services import campaigns, counts, inline, launching, preparation, unit_sends
from tests.builders import make_account, make_connector, make_optout, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)  # a Tuesday
NIGHT = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
ROWS = [
    {"mobile": "0612345678", "REF": "A1"},
    {"mobile": "+33 6 12 34 56 79", "firstName": "Léa"},
    {"mobile": "0112345678"},
    {"mobile": "06 12 34 56 78"},
    {"mobile": "0712345670"},
    {"mobile": "+4479460000000"},
]
VARYING = {"id", "pk", "first_message_id", "last_message_id", "created_at", "updated_at", "prepared_at", "version"}


def general_road(user: User, rows: list[dict[str, str]], now: datetime, **fields: Any) -> Campaign:
    campaign = campaigns.create(actor=user, origin="api", **fields)
    inline.add_recipients(campaign, rows, name=campaign.name)
    return launching.launch(preparation.prepare(campaign.pk), actor=user, now=now, on_lack="mark")


def short_road(user: User, rows: list[dict[str, str]], now: datetime, **fields: Any) -> Campaign | None:
    sent = unit_sends.send(actor=user, user=user, brand=None, rows=rows, now=now, **fields)
    return None if sent is None else Campaign.objects.get(pk=sent.campaign.pk)


def rows_of(sql: str, campaign: Campaign) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [campaign.pk])
        return cursor.fetchall()


def facts(campaign: Campaign) -> dict[str, Any]:
    """Everything the two roads write, without ids and moments."""
    kept = {key: value for key, value in model_to_dict(campaign).items() if key not in VARYING}
    kept.pop("lists")
    base = campaign.first_message_id
    return {
        "campaign": kept,
        "counts": counts.by_status(campaign.pk),
        "messages": rows_of(
            f"SELECT id - {base}, connector_id, account_id, msisdn, country, status, segments, price, sender, text, reason"
            " FROM message WHERE campaign_id = %s ORDER BY id",
            campaign,
        ),
        "slices": rows_of(
            f"SELECT connector_id, account_id, first_id - {base}, last_id - {base}, cursor_id - {base}, n, state, priority,"
            " calendar, not_before, run_id FROM slice WHERE campaign_id = %s ORDER BY id",
            campaign,
        ),
        "recipients": rows_of(
            "SELECT r.account_id, r.line, r.msisdn, r.country, r.verdict, r.fields, l.header, l.kind, l.state, l.size,"
            " l.valid_count, l.invalid_count, l.duplicate_count, l.origin, l.name, l.mobile_column FROM recipient r"
            " JOIN list l ON l.id = r.list_id JOIN campaign_list c ON c.list_id = l.id WHERE c.campaign_id = %s ORDER BY r.id",
            campaign,
        ),
        "ledger": rows_of(
            "SELECT account_id, kind, balance, held, user_id FROM ledger WHERE campaign_id = %s", campaign
        ),
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "Bonjour ${REF}", "traffic": "NOTIFICATION"},
        {"message": "Bonjour ${firstName}", "traffic": "MKG", "sender": "CARILLON"},
        {"message": "Été ${REF} ç €", "traffic": "MKG", "allow_ucs2": True, "check_duplicate": False},
        {"message": "{{REF}}", "renderer": "HANDLEBARS", "defaults": {"REF": "none"}, "billing_code": "B1"},
    ],
    ids=["notification", "personalised sender", "duplicates kept", "handlebars"],
)
def test_both_roads_leave_the_same(fields: dict[str, Any]) -> None:
    make_connector()
    one, two = make_user(), make_user()
    for user in (one, two):
        make_optout(user.account, 33712345670)
    given = {"name": "same", "sender": "", "renderer": "BASIC", **fields}
    general, short = general_road(one, ROWS, NOON, **given), short_road(two, ROWS, NOON, **given)
    assert short is not None
    expected, found = facts(general), facts(short)
    for side, user in ((expected, one), (found, two)):
        text = repr(side).replace(str(user.account_id), "ACCOUNT").replace(str(user.pk), "USER")
        side["text"] = text
    assert [m[3:] for m in found["messages"]] == [m[3:] for m in expected["messages"]]
    assert [s[2:] for s in found["slices"]] == [s[2:] for s in expected["slices"]]
    assert [r[1:] for r in found["recipients"]] == [r[1:] for r in expected["recipients"]]
    assert [row[1:4] for row in found["ledger"]] == [row[1:4] for row in expected["ledger"]]
    assert found["counts"] == expected["counts"]
    own = {"account", "user", "payer", "launched_at", "scheduled_at"}
    assert {k: v for k, v in found["campaign"].items() if k not in own} == {
        k: v for k, v in expected["campaign"].items() if k not in own
    }
    for user in (one, two):
        user.account.refresh_from_db()
    assert two.account.held == one.account.held > 0


def test_one_text_to_one_person_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    make_connector()
    user = make_user()
    with django_assert_max_num_queries(3):  # Django's own; the two pipelines are not counted
        sent = short_road(user, [{"mobile": "0612345678"}], NOON, message="Hi", traffic="NOTIFICATION", sender="")
    assert sent is not None and sent.is_unit and sent.is_sending


@pytest.mark.parametrize(
    ("now", "changes", "rows"),
    [
        (NIGHT, {}, ROWS),
        (NOON, {"balance": 50}, ROWS),
        (NOON, {"cap_messages": 2}, ROWS),
        (NOON, {}, [{"mobile": "0112345678"}]),
        (NOON, {}, []),
    ],
    ids=["closed hours", "no credit", "a cap", "nobody valid", "nobody"],
)
def test_anything_unusual_takes_the_general_road_and_leaves_nothing(
    now: datetime, changes: dict[str, Any], rows: list[dict[str, str]]
) -> None:
    make_connector()
    user = make_user(account=make_account(**changes))
    assert short_road(user, rows, now, message="Promo", traffic="MKG", sender="") is None
    assert not Campaign.objects.filter(account=user.account).exists()
    assert Account.objects.get(pk=user.account_id).held == 0


def test_a_test_account_reaches_simulators_only() -> None:
    make_connector()
    simulator = make_connector(is_simulator=True)
    user = make_user(account=make_account(is_test=True))
    sent = short_road(user, [{"mobile": "0612345678"}], NOON, message="Hi", traffic="NOTIFICATION", sender="")
    assert sent is not None and sent.simulator_only
    assert rows_of("SELECT connector_id FROM message WHERE campaign_id = %s", sent) == [(simulator.pk,)]
