"""lists/upload: multipart to disk, the analysis of the guide's own sample (§2.11.1), and what is refused."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from carillon.models import Account, List, Recipient
from tests.api.callers import Caller, refusal
from tests.domain.test_recipients_sample import SAMPLE

CLIENTS = (Path(__file__).parents[2] / "examples" / "clients.csv").read_bytes()
SMALL = b"SMS;Nom\r\n0611111111;Anne\r\n0611111112;Bea\r\n"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def upload(
    caller: Caller, data: bytes = SMALL, *, field: str = "File", name: str = "l.csv", headers: Any = None, **fields: Any
) -> Any:
    body = {"filename": "liste_demo", **fields, field: SimpleUploadedFile(name, data)}
    return caller.client.post("/api/v1/lists/upload", body, headers=headers or {})


def test_the_guides_list_gives_the_guides_analysis(alice: Caller) -> None:
    answer = upload(alice, CLIENTS, name="clients.csv").json()
    assert {key: answer[key] for key in SAMPLE} == SAMPLE
    rest = {key: value for key, value in answer.items() if key not in SAMPLE}
    assert rest.pop("customerID") == alice.user.account.public_id
    assert rest.pop("userOwnerID") == alice.user.public_id
    assert rest.pop("creationDate").endswith("Z[UTC]") and rest.pop("filePath") and rest.pop("id")
    assert rest == {"campainId": 0, "description": "liste_demo", "listName": "liste_demo"}


def test_the_list_can_be_sent_to(alice: Caller) -> None:
    number = upload(alice).json()["id"]
    answer = alice.post(
        "campaigns/inject", {"listsId": [number], "msg": "Bonjour ${Nom}", "typeSelect": "NOTIFICATION"}
    ).json()
    assert (answer["countValid"], answer["creditCount"]) == (2, 2.0)
    assert alice.get(f"lists/{number}").json()["size"] == 2


@pytest.mark.parametrize("field", ["File", "file"])
def test_the_field_of_the_file_and_the_description(alice: Caller, field: str) -> None:
    answer = upload(alice, field=field, description="Shown in the campaign").json()
    assert (answer["listName"], answer["description"]) == ("liste_demo", "Shown in the campaign")


def test_the_body_may_be_the_file_itself(alice: Caller) -> None:
    response = alice.client.generic("POST", "/api/v1/lists/upload?filename=raw", SMALL, content_type="text/csv")
    assert (response.status_code, response.json()["listName"], response.json()["size"]) == (200, "raw", 2)


def test_the_checksum_is_of_the_file(alice: Caller, media: Path) -> None:
    good = hashlib.sha256(SMALL).hexdigest()
    assert upload(alice, headers={"X-Content-SHA256": good}).status_code == 200
    assert refusal(upload(alice, headers={"X-Content-SHA256": "0" * 64}))[:2] == (400, "checksum_mismatch")
    assert List.objects.filter(deleted_at=None).count() == 1


@pytest.mark.parametrize(
    ("data", "fields", "param"),
    [
        (SMALL, {"filename": ""}, "filename"),
        (b"", {}, "file"),
        (b"PK\x03\x04 not a workbook", {}, "file"),
    ],
    ids=["no name", "empty", "not a list"],
)
def test_what_is_no_list_is_refused_and_nothing_kept(
    alice: Caller, data: bytes, fields: dict[str, str], param: str, media: Path
) -> None:
    response = upload(alice, data, **fields)
    assert refusal(response)[0] == 422 and refusal(response)[2] in (param, "File")
    assert not List.objects.filter(deleted_at=None).exists() and not Recipient.objects.exists()
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_list_without_numbers_is_refused(alice: Caller) -> None:
    response = upload(alice, b"Name;Town\r\nAnne;Paris\r\n")
    assert refusal(response)[0] == 422 and not List.objects.filter(deleted_at=None).exists()


def test_one_file_is_needed(alice: Caller) -> None:
    assert refusal(alice.client.post("/api/v1/lists/upload", {"filename": "x"})) == (422, "invalid_input", "File")
    assert refusal(alice.post("lists/upload", {"filename": "x"})) == (422, "invalid_input", "File")
    two = {"filename": "x", "a": io.BytesIO(SMALL), "b": io.BytesIO(SMALL)}
    assert refusal(alice.client.post("/api/v1/lists/upload", two)) == (422, "invalid_input", "File")


def test_more_than_a_gigabyte_is_refused_before_it_is_read(alice: Caller) -> None:
    response = alice.client.generic(
        "POST", "/api/v1/lists/upload", b"x", content_type="text/csv", CONTENT_LENGTH=str(2 * 1024**3)
    )
    assert refusal(response)[:2] == (413, "too_large")


def test_an_administrator_may_upload_for_a_user(alice: Caller, bob: Caller) -> None:
    number = upload(alice, userOwnerID=bob.user.public_id).json()["id"]
    assert bob.get(f"lists/{number}").status_code == 200
    assert refusal(upload(bob, userOwnerID=alice.user.public_id)) == (403, "forbidden", "userOwnerID")


def test_lists_of_the_api_may_be_kept_for_administrators(alice: Caller, bob: Caller, account: Account) -> None:
    account.lists_are_admin_only = True
    account.save()
    number = upload(bob).json()["id"]
    assert refusal(bob.get(f"lists/{number}"))[:2] == (404, "list_not_found")
    assert alice.get(f"lists/{number}").status_code == 200


def test_lists_are_read_page_by_page_and_deleted(alice: Caller, charlie: Caller) -> None:
    numbers = [upload(alice, filename=f"l{n}").json()["id"] for n in range(3)]
    page = alice.get("lists?limit=2").json()
    assert [line["id"] for line in page["lists"]] == numbers[:0:-1] and page["nextBefore"] == numbers[1]
    assert [line["id"] for line in alice.get(f"lists?before={page['nextBefore']}").json()["lists"]] == numbers[:1]
    assert charlie.get("lists").json()["lists"] == []
    assert refusal(charlie.delete(f"lists/{numbers[0]}"))[:2] == (404, "list_not_found")
    assert alice.delete(f"lists/{numbers[0]}").json() == {"deleted": numbers[0]}
    assert refusal(alice.get(f"lists/{numbers[0]}"))[:2] == (404, "list_not_found")


def test_a_list_of_lists_and_single_people(alice: Caller, charlie: Caller) -> None:
    member = upload(alice).json()["id"]
    body = {"filename": "both", "listsId": [member], "listRecipient": [{"mobile": "0611111113"}]}
    made = alice.post("lists", body).json()
    assert (made["type"], made["listName"], made["size"]) == ("VIRTUAL", "both", 1)
    assert [entry["idlistItems"] for entry in made["listsItems"]] == [member]
    sent = alice.post(
        "campaigns/inject", {"listsId": made["id"], "msg": "Hi", "typeSelect": "NOTIFICATION", "startNow": True}
    )
    assert sent.json()["countValid"] == 3
    assert refusal(charlie.post("lists", body))[:2] == (404, "list_not_found")
    assert refusal(alice.post("lists", {"filename": "none"}))[0] == 422


def test_a_large_list_sent_at_once_is_left_to_a_job(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from carillon.api import inject
    from carillon.jobs import campaigns as jobs
    from carillon.models import Campaign

    monkeypatch.setattr(inject, "INLINE_SIZE", 1)
    number = upload(alice).json()["id"]
    answer = alice.post(
        "campaigns/inject", {"listsId": number, "msg": "Hi", "typeSelect": "NOTIFICATION", "startNow": True}
    ).json()
    assert answer["status"] == "INJECTING"
    campaign = Campaign.objects.get(pk=answer["id"])
    from carillon.services import injection

    injection.inject(campaign.pk, actor=alice.user, now=campaign.created_at)
    assert alice.get(f"campaigns/{campaign.pk}").json()["status"] == "INPROGRESS"
    assert jobs.inject.name == "campaigns.inject"
