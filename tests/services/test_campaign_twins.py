"""A duplicate is a campaign of its own: its typed recipients too."""

from __future__ import annotations

import pytest

from carillon.models import Recipient
from carillon.services import campaigns, inline, launching, preparation, reports
from tests.builders import make_campaign, make_connector, make_list, make_user
from tests.services.test_launching import OPEN

pytestmark = pytest.mark.django_db


def test_the_typed_recipients_of_a_copy_are_its_own() -> None:
    make_connector()
    user = make_user()
    shared = make_list(user.account, ["0612345600"])
    first = make_campaign(user.account, user=user, lists=[shared])
    own = inline.add_recipients(first, [{"mobile": "0612345678", "Nom": "Zoé"}, {"mobile": "0612345679"}])
    first = launching.launch(preparation.prepare(first.pk), actor=None, now=OPEN)
    twin = campaigns.duplicate(first, actor=user)
    lists = campaigns.lists_of(twin)
    copy = next(item for item in lists if item.pk != shared.pk)
    assert shared in lists and copy.pk != own.pk
    rows = list(Recipient.objects.filter(list_id=copy.pk).order_by("line"))
    assert [(row.msisdn, row.fields) for row in rows] == [
        (33612345678, ["0612345678", "Zoé"]),
        (33612345679, ["0612345679", ""]),
    ]
    inline.remove_recipient(twin, rows[0].id)
    inline.add_recipients(twin, [{"mobile": "0612345670"}])
    assert preparation.prepare(twin.pk).valid_count == 3
    report = reports.Report(first)
    named = report.columns().index("Nom")
    assert sorted(row[named] for row in report.rows()) == ["", "", "Zoé"]
