"""tinyList: the guide's examples, previews that are shown only when whole, hosted pages, everything doubtful said (F5)."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from carillon.models import Asset, Link, ShortDomain
from tests.api.callers import Caller, refusal
from tests.api.test_inject import golden, messages_of

REDIRECT = {"index": 0, "type": "REDIRECT", "urlToRedirect": "http://example.test/?id=${REF}"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def image() -> str:
    out = io.BytesIO()
    Image.new("RGB", (600, 280), "red").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def archive(**files: str) -> str:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in files.items():
            made.writestr(name.replace("_", "."), text)
    return base64.b64encode(out.getvalue()).decode()


PREVIEW = {"isOG": True, "label": "Title", "description": "Description", "imageName": "og_image.png"}


def test_the_guides_example_is_read(alice: Caller) -> None:
    """§2.1, tinyList 2: index as { "0" }, an image that is none ("xxxx"), a domain that is not ours: said, and sent."""
    guide = golden("tiny_list.json")
    person = {"mobile": "0632545311", "extendedKeys": [{"Nom": "Gaillard"}]}
    answer = alice.inject(**guide, listRecipient=[person], startNow=True).json()
    entry = answer["tinyList"][0]
    assert (entry["index"], entry["isOG"], entry["listParameter"]) == (0, False, ["name=${Nom}"])
    assert entry["urlToRedirect"] == guide["tinyList"][0]["urlToRedirect"]
    said = " ".join(answer["warnings"])
    assert "1mf.eu is not a domain" in said and "no preview" in said
    text = messages_of(answer["id"])[0][1]
    assert text.startswith("Bonjour pour plus d'info : ") and text.endswith("STOP 36184") and "${" not in text


@pytest.mark.parametrize("index", [0, "0", {"0": None}, ["0"], '{"0"}', 0.0])
def test_every_printed_form_of_index(alice: Caller, index: Any) -> None:
    assert alice.inject(msg="x ${track_1}", tinyList=[REDIRECT | {"index": index}]).json()["tinyList"][0]["index"] == 0


def test_the_domain_is_one_of_the_accounts(alice: Caller) -> None:
    ShortDomain.objects.create(name="1mf.eu")
    ShortDomain.objects.create(name="own.test", account=alice.user.account, is_default=True)
    answer = alice.inject(msg="x ${track_1}", tinyList=[REDIRECT | {"host": "1mf.eu"}], startNow=True).json()
    assert answer["tinyList"][0]["host"] == "1mf.eu" and messages_of(answer["id"])[0][1].startswith("x 1mf.eu/")
    assert alice.inject(msg="x ${track_1}", tinyList=[REDIRECT]).json()["tinyList"][0]["host"] == "own.test"


def test_a_whole_preview_is_shown(alice: Caller) -> None:
    answer = alice.inject(msg="x ${track_1}", tinyList=[REDIRECT | PREVIEW], b64ImagePreview=image()).json()
    assert answer["tinyList"][0]["isOG"] is True
    link = Link.objects.get()
    assert link.has_preview and link.image is not None and link.image.content_type == "image/jpeg"


@pytest.mark.parametrize("missing", ["label", "description", "imageName", "b64ImagePreview", "isOG"])
def test_a_preview_that_lacks_something_is_no_error(alice: Caller, missing: str) -> None:
    entry = {**REDIRECT, **PREVIEW, "b64ImagePreview": image()}
    del entry[missing]
    answer = alice.inject(msg="x ${track_1}", tinyList=[entry])
    assert answer.status_code == 200 and answer.json()["tinyList"][0]["isOG"] is False


def test_titles_between_the_guides_and_the_extranets_limit_are_warned_about(alice: Caller) -> None:
    answer = alice.inject(msg="x ${track_1}", tinyList=[REDIRECT | {"label": "t" * 30, "description": "d" * 60}]).json()
    assert sum("the guide's limit" in warning for warning in answer["warnings"]) == 2
    assert refusal(alice.inject(msg="x", tinyList=[REDIRECT | {"label": "t" * 41}])) == (
        422, "invalid_input", "tinyList[0].label"
    )  # fmt: skip


def test_a_hosted_page(alice: Caller) -> None:
    entry = {"index": 0, "type": "LOCAL", "nameToLocalHTML": "page.html"}
    for key in ("b64ZipLocal", "b64ZipLoccal"):
        answer = alice.inject(msg="x ${track_1}", tinyList=[entry], **{key: archive(page_html="<p>Hi</p>")})
        assert answer.json()["tinyList"][0]["nameToLocalHTML"] == "page.html"
    assert Asset.objects.filter(kind="page").count() == 2


@pytest.mark.parametrize(
    "given", ["xxxx", "not base64!", archive(other_html="x"), base64.b64encode(b"PK\x03\x04" + b"0" * 50).decode()]
)
def test_a_page_that_cannot_be_hosted_is_refused(alice: Caller, given: str) -> None:
    entry = {"index": 0, "type": "LOCAL", "nameToLocalHTML": "page.html", "b64ZipLocal": given}
    assert refusal(alice.inject(msg="x ${track_1}", tinyList=[entry])) == (422, "invalid_input", "b64ZipLocal")
    assert not Asset.objects.exists()


def test_a_bomb_is_refused(alice: Caller) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("page.html", b"\0" * 60_000_000)
    entry = {
        "index": 0,
        "type": "LOCAL",
        "nameToLocalHTML": "page.html",
        "b64ZipLocal": base64.b64encode(out.getvalue()).decode(),
    }
    assert refusal(alice.inject(msg="x ${track_1}", tinyList=[entry])) == (422, "invalid_input", "b64ZipLocal")


@pytest.mark.parametrize(("given", "days"), [(None, 45), (10, 10), ("10", 10), ("2026-12-11T11:00:00Z", 11)])
def test_the_life_of_a_link(alice: Caller, given: Any, days: int) -> None:
    assert (
        alice.inject(msg="x ${track_1}", tinyList=[REDIRECT | {"endOfLife": given}]).json()["tinyList"][0]["endOfLife"]
        == days
    )


@pytest.mark.parametrize("given", [0, -1, 100_000, "soon", "2020-01-01"])
def test_a_life_that_cannot_be(alice: Caller, given: Any) -> None:
    assert refusal(alice.inject(msg="x", tinyList=[REDIRECT | {"endOfLife": given}]))[::2] == (
        422,
        "tinyList[0].endOfLife",
    )


def test_an_index_stands_once(alice: Caller) -> None:
    assert refusal(alice.inject(msg="x", tinyList=[REDIRECT, REDIRECT])) == (422, "invalid_input", "tinyList")
