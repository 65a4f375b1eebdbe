"""Who sees a list, its name, its end; rows added, removed, merged, searched; lists of lists; files given back."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.models import Account, Brand, Campaign, CampaignList, List, Recipient, User
from carillon.services import list_export, list_import, list_rows, list_search, lists
from tests.builders import make_account, make_user

CLIENTS = Path(__file__).parents[2] / "examples" / "clients.csv"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)
    return tmp_path


def make_list(
    content: bytes | None = None, *, user: User | None = None, name: str = "Clients", origin: str = "web"
) -> List:
    owner = user or make_user()
    file = io.BytesIO(CLIENTS.read_bytes() if content is None else content)
    item = lists.create_upload(
        account=owner.account, user=owner, file=file, file_name="clients.csv", name=name, origin=origin
    )
    return list_import.import_file(item.pk)


def people(account: Account) -> tuple[User, User, User]:
    return (
        make_user(account=account),
        make_user(account=account, role=User.Role.ADMIN),
        make_user(account=make_account(), role=User.Role.ADMIN),
    )


def numbers_of(item: List, verdict: int | None = None) -> list[int | None]:
    return [row.msisdn for row in list_rows.rows_of(item, verdict=verdict)]


def test_a_stranger_never_sees_a_list() -> None:
    owner = make_user()
    item = make_list(user=owner)
    colleague, admin, stranger = people(owner.account)
    operator = make_user(role=User.Role.OPERATOR)
    for actor in (stranger, colleague):
        with pytest.raises(NotFound):
            lists.get(actor, item.pk)
    insiders: tuple[User | None, ...] = (owner, admin, operator, None)
    for insider in insiders:
        assert lists.get(insider, item.pk) == item


def test_an_api_list_is_for_administrators_and_its_owner_unless_the_account_is_strict() -> None:
    owner = make_user()
    item = make_list(user=owner, origin="api")
    admin = make_user(account=owner.account, role=User.Role.ADMIN)
    assert lists.get(owner, item.pk) == lists.get(admin, item.pk) == item
    owner.account.lists_are_admin_only = True
    owner.account.save()
    with pytest.raises(NotFound):
        lists.get(owner, item.pk)
    assert lists.get(admin, item.pk) == item


def test_an_upload_on_behalf_of_another_accounts_user_is_refused() -> None:
    with pytest.raises(NotFound):
        lists.create_upload(
            account=make_account(), user=make_user(), file=io.BytesIO(CLIENTS.read_bytes()), file_name="a.csv"
        )


def test_an_upload_for_another_accounts_brand_is_refused() -> None:
    owner, other = make_user(), make_account()
    brand = Brand.objects.create(account=other, name="Autre")
    with pytest.raises(NotFound):
        lists.create_upload(
            account=owner.account, user=owner, file=io.BytesIO(b"SMS\n1"), file_name="a.csv", brand=brand
        )


def test_rename() -> None:
    item = make_list()
    assert lists.rename(item, name="  Printemps \n 2026 ", description="VIP").name == "Printemps 2026"
    with pytest.raises(InvalidInput):
        lists.rename(item, name="   ")
    item.refresh_from_db()
    assert (item.name, item.description) == ("Printemps 2026", "VIP")


def test_deleting_an_unused_list_removes_rows_and_file(django_capture_on_commit_callbacks: object) -> None:
    item = make_list()
    path = lists.path_of(item)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        lists.delete(item)
    assert not path.exists()
    assert not Recipient.objects.filter(list_id=item.pk).exists()
    with pytest.raises(NotFound):
        lists.get(None, item.pk)


def test_deleting_a_list_of_a_campaign_keeps_what_its_report_shows(django_capture_on_commit_callbacks: object) -> None:
    item = make_list()
    campaign = Campaign.objects.create(account=item.account, payer=item.account, name="Used")
    CampaignList.objects.create(campaign=campaign, list=item)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        lists.delete(item)
    assert lists.path_of(item).exists()
    assert Recipient.objects.filter(list_id=item.pk).count() == 11


def test_added_numbers_are_judged_against_the_list() -> None:
    item = make_list()
    done = list_rows.add_numbers(item, ["06 24 17 00 61", "0612345678", "nonsense", " "])
    assert (done.size, done.valid_count, done.invalid_count, done.duplicate_count) == (14, 12, 2, 2)
    rows = list(list_rows.rows_of(done))[-3:]
    assert [(row.line, row.verdict) for row in rows] == [(12, 4), (13, 1), (14, 2)]
    assert done.analysis["lineDuplicateMobile"] == ["11", "12"]
    assert done.analysis["invalidLineList"] == [10, 14]


def test_added_rows_find_their_columns_whatever_the_case() -> None:
    item = make_list()
    done = list_rows.add_rows(item, [{"PRENOM": "Zoé", "mobile": "0612345678"}])
    assert list(list_rows.rows_of(done))[-1].fields == ["", "Zoé", "", "", "", "", "", "0612345678"]
    with pytest.raises(InvalidInput, match="no column 'Age'"):
        list_rows.add_rows(item, [{"Age": "7", "mobile": "0612345678"}])
    with pytest.raises(InvalidInput):
        list_rows.add_rows(item, [])


def test_when_the_first_of_two_goes_the_second_becomes_valid() -> None:
    item = make_list()
    first = Recipient.objects.get(list_id=item.pk, line=4)
    assert list_rows.remove_rows(item, [first.id]) == 1
    item.refresh_from_db()
    assert (item.size, item.valid_count, item.duplicate_count) == (10, 9, 0)
    assert Recipient.objects.get(list_id=item.pk, line=11).verdict == 1
    assert item.analysis["lineDuplicateMobile"] == []


def test_removing_numbers_takes_every_row_of_them() -> None:
    item = make_list()
    assert list_rows.remove_numbers(item, ["+33 6 24 17 00 68", "none"]) == 2
    assert 33624170068 not in numbers_of(item)
    assert list_rows.remove_numbers(item, ["none"]) == 0


def test_removal_never_reaches_another_list() -> None:
    item, other = make_list(), make_list()
    stray = Recipient.objects.filter(list_id=other.pk).first()
    assert stray is not None
    assert list_rows.remove_rows(item, [stray.id]) == 0
    assert Recipient.objects.filter(list_id=other.pk).count() == 11


def test_deduplicate() -> None:
    item = make_list()
    assert list_rows.deduplicate(item) == 1
    assert list_rows.deduplicate(item) == 0
    item.refresh_from_db()
    assert (item.size, item.duplicate_count) == (10, 0)


def test_merge_joins_columns_and_judges_anew() -> None:
    owner = make_user()
    first = make_list(b"SMS;Nom\n0612345678;A\n0698765432;B\n", user=owner)
    second = make_list(b"nom;Portable;Ville\nC;0612345678;Paris\nD;0745112233;Lille\n", user=owner)
    merged = list_rows.merge(owner, [first, second], name="Tout")
    assert merged.header == ["SMS", "Nom", "Ville"]
    rows = list(list_rows.rows_of(merged))
    assert [row.fields for row in rows] == [
        ["0612345678", "A", ""],
        ["0698765432", "B", ""],
        ["0612345678", "C", "Paris"],
        ["0745112233", "D", "Lille"],
    ]
    assert [row.verdict for row in rows] == [1, 1, 4, 1]
    assert (merged.size, merged.duplicate_count, merged.user) == (4, 1, owner)


def test_merge_wants_lists_one_may_see() -> None:
    owner = make_user()
    mine, other = make_list(user=owner), make_list()
    with pytest.raises(InvalidInput):
        list_rows.merge(owner, [mine], name="x")
    with pytest.raises(InvalidInput):
        list_rows.merge(owner, [mine, other], name="x")
    colleague = make_user(account=owner.account)
    with pytest.raises(NotFound):
        list_rows.merge(colleague, [mine, mine], name="x")
    waiting = lists.create_upload(
        account=owner.account, user=owner, file=io.BytesIO(CLIENTS.read_bytes()), file_name="clients.csv"
    )
    with pytest.raises(Conflict):
        list_rows.merge(owner, [mine, waiting], name="x")


@pytest.mark.parametrize(
    ("search", "lines"),
    [
        ("jacqueline", [1]),
        ("06 24 17 00 68", [4, 11]),
        ("624170", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
        ("%", []),
        ("75017", [1]),
    ],
)
def test_search(search: str, lines: list[int]) -> None:
    item = make_list()
    assert [row.line for row in list_search.find(item, search)[:50]] == lines


def test_a_list_of_lists_with_single_recipients() -> None:
    owner = make_user()
    member = make_list(user=owner)
    item = list_rows.create_virtual(
        owner, name="VIP", members=[member], rows=[{"mobile": "0612345678", "firstName": "Zoé"}]
    )
    assert (item.kind, item.size, item.header) == ("VIRTUAL", 1, ["mobile", "firstName"])
    assert list_rows.totals(item) == {"size": 12, "valid": 11, "invalid": 1, "duplicates": 1}
    answer = lists.analysis_json(item)
    assert answer["type"] == "VIRTUAL"
    assert answer["listsItems"] == [{"idlistItems": member.pk, "listName": "Clients", "size": 11}]
    only_lists = list_rows.create_virtual(owner, name="Deux", members=[member])
    assert only_lists.size == 0
    with pytest.raises(InvalidInput):
        list_rows.create_virtual(owner, name="Trois", members=[only_lists])
    with pytest.raises(InvalidInput):
        list_rows.create_virtual(owner, name="Rien")
    with pytest.raises(NotFound):
        list_rows.create_virtual(owner, name="Autrui", members=[make_list()])
    with pytest.raises(NotFound):
        list_rows.create_virtual(None, name="Personne", rows=[{"mobile": "0612345678"}])


def test_a_list_not_imported_yet_cannot_be_changed() -> None:
    owner = make_user()
    item = lists.create_upload(
        account=owner.account, user=owner, file=io.BytesIO(CLIENTS.read_bytes()), file_name="clients.csv"
    )
    with pytest.raises(Conflict):
        list_rows.add_numbers(item, ["0612345678"])
    lists.delete(item)
    with pytest.raises(NotFound):
        list_rows.deduplicate(item)


def test_a_long_list_is_counted_again_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    item = make_list()
    monkeypatch.setattr(list_rows, "REFRESHED_AT_ONCE", 5)
    done = list_rows.add_numbers(item, ["0612345678"])
    assert (done.size, done.valid_count) == (12, 11)
    assert done.analysis["size"] == 11
    assert list_rows.refresh(item.pk).analysis["size"] == 12


def test_refreshing_an_untouched_list_changes_nothing() -> None:
    item = make_list()
    again = list_rows.refresh(item.pk)
    assert lists.analysis_json(again) == lists.analysis_json(item)


def test_the_raw_file_comes_back_byte_by_byte() -> None:
    item = make_list()
    assert b"".join(list_export.raw(item)) == CLIENTS.read_bytes()
    lists.path_of(item).unlink()
    with pytest.raises(NotFound):
        list_export.raw(item)


def test_the_cleaned_file_has_each_valid_number_once_and_no_formula() -> None:
    item = make_list(b"SMS;Nom\n0612345678;=1+1\n06 12 34 56 78;B\n12;C\n0698765432;-3\n")
    text = b"".join(list_export.cleaned(item)).decode("utf-8-sig")
    assert text.split("\r\n") == ["SMS;Nom", "+33612345678;'=1+1", "+33698765432;-3", ""]


def test_the_rejected_rows_say_their_line_and_why() -> None:
    item = make_list(b"SMS;Nom\n0612345678;A\n06 12 34 56 78;B\n12;C\n")
    text = b"".join(list_export.rejected(item)).decode("utf-8-sig")
    assert text.split("\r\n") == [
        "ID_LINE;STATUS_CODE;STATUS_TEXT;SMS;Nom",
        "3;2;Numéro mal formaté;12;C",
        "2;4;Doublons;06 12 34 56 78;B",
        "",
    ]


def test_numbers_of_an_account_elsewhere_are_read_nationally() -> None:
    account = make_account(countries=["BE"])
    item = make_list(b"GSM\n0470123456\n0612345678\n", user=make_user(account=account))
    assert numbers_of(item, verdict=1) == [32470123456]
    answer = lists.analysis_json(item)
    assert (answer["validCountryCounter"], answer["invalidCountryCounter"]) == ({"BE": 1}, {})


def test_uploads_nobody_imported_are_forgotten_after_a_week() -> None:
    kept = make_list()
    owner = make_user()
    waiting = lists.create_upload(
        account=owner.account, user=owner, file=io.BytesIO(CLIENTS.read_bytes()), file_name="clients.csv"
    )
    assert lists.sweep_abandoned(timezone.now() + timedelta(days=6)) == 0
    assert lists.sweep_abandoned(timezone.now() + timedelta(days=8)) == 1
    waiting.refresh_from_db()
    kept.refresh_from_db()
    assert (waiting.deleted_at is None, kept.deleted_at is None) == (False, True)
