"""Files behind a link: read with suspicion, served without a script, deleted at the end."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Asset, ClickCount, Link
from carillon.services import hosting, minisites
from carillon.services.minisites import MiniSite
from tests.builders import make_account
from tests.links.asking import PREVIEWER, Caller, codes, linked

PAGE = b"<html><link rel=stylesheet href=style.css><h1>Bonjour</h1><script>alert(1)</script>"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 280)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, kind)
    return out.getvalue()


def test_a_page_is_unpacked_without_its_scripts(media: Path, shared_db: str) -> None:
    raw = zipped(
        {"site/index.html": PAGE, "site/style.css": b"h1{}", "site/x.js": b"1", "__MACOSX/._a.html": b"", ".git/a": b""}
    )
    asset = hosting.store_page(make_account(), raw, entry="index.html")
    kept = sorted(str(p.relative_to(hosting.folder() / asset.path)) for p in hosting.folder().rglob("*") if p.is_file())
    assert (asset.entry, kept) == ("site/index.html", ["site/index.html", "site/style.css"])


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../../evil.html": PAGE}, "zip_traversal"),
        ({"/etc/evil.html": PAGE}, "zip_traversal"),
        ({"..\\evil.html": PAGE}, "zip_traversal"),
        ({"index.html": PAGE, "shell.php": b"<?php"}, "zip_type"),
        ({"index.html": PAGE, ".htaccess": b"", "run.cgi": b""}, "zip_type"),
        ({"index.html": PAGE, "big.css": b"\0" * 20_000_000}, "zip_bomb"),
        ({f"{i}.html": b"" for i in range(300)}, "zip_too_many"),
        ({"other.html": PAGE}, "zip_no_page"),
        ({"a.html": PAGE, "a.html/index.html": PAGE}, "zip_unreadable"),
    ],
)
def test_what_a_zip_must_not_hold(media: Path, shared_db: str, files: dict[str, bytes], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        hosting.store_page(make_account(), zipped(files), entry="index.html")
    assert caught.value.code == code
    assert not [p for p in media.rglob("*") if p.is_file()]


def test_a_zip_that_lies_about_its_sizes_or_is_none(media: Path, shared_db: str) -> None:
    for raw in (b"PK\x03\x04 nothing", b"", zipped({"index.html": PAGE})[:-30]):
        with pytest.raises(InvalidInput) as caught:
            hosting.store_page(make_account(), raw, entry="index.html")
        assert caught.value.code == "zip_unreadable"


def test_files_are_known_by_what_they_hold(media: Path, shared_db: str) -> None:
    account = make_account()
    assert hosting.store_file(account, picture("GIF"), name="promo.exe").content_type == "image/gif"
    stored = hosting.store_file(account, b"%PDF-1.7\n%%EOF", name="../Menu d'été.pdf")
    assert (stored.content_type, stored.entry) == ("application/pdf", "Menu-d-t.pdf")
    for raw, code in (
        (b"<html><script>", "image_unreadable"),
        (b"%PDF-1.7 /OpenAction /JavaScript (app.alert)", "pdf_active"),
        (b"MZ\x90", "image_unreadable"),
    ):
        with pytest.raises(InvalidInput) as caught:
            hosting.store_file(account, raw, name="promo.png")
        assert caught.value.code == code


def test_a_pdf_made_to_keep_the_search_for_scripts_busy_is_read_once(media: Path, shared_db: str) -> None:
    raw = b"%PDF-1.7\n" + b"/OpenAction <<" * 100_000
    assert hosting.store_file(make_account(), raw, name="a.pdf").size == len(raw)


def test_a_preview_image_is_written_again_small(media: Path, shared_db: str) -> None:
    asset = hosting.store_image(make_account(), picture("JPEG", (3000, 2000)))
    path, content_type = hosting.file_of(asset, "preview.jpg")
    with Image.open(path) as image:
        assert (content_type, image.format, max(image.size)) == ("image/jpeg", "JPEG", 1200)
    assert path.stat().st_size <= hosting.ADVISED_IMAGE
    for raw in (b"GIF89a", b"\x89PNG\r\n\x1a\n broken", picture("GIF")):
        with pytest.raises(InvalidInput):
            hosting.store_image(make_account(), raw)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_opened(media: Path, shared_db: str) -> None:
    out = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(out, "PNG")
    with pytest.raises(InvalidInput) as caught:
        hosting.store_image(make_account(), out.getvalue())
    assert caught.value.code == "image_too_big"


def test_a_hosted_page_is_served_below_its_code_and_no_script_runs(media: Path, caller: Caller) -> None:
    account = make_account(max_segments=3)
    asset = hosting.store_page(account, zipped({"index.html": PAGE, "style.css": b"h1{}"}), entry="index.html")
    campaign = linked("", account=account, kind="LOCAL", asset_id=asset.pk)
    path = codes(campaign)[0]
    assert caller.ask(path).location == f"{path}/index.html"
    page = caller.ask(f"{path}/index.html")
    assert (page.status, page.body) == (200, PAGE)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';") and "sandbox" in policy and "allow-scripts" not in policy
    assert caller.ask(f"{path}/style.css").headers["content-type"].startswith("text/css")
    for outside in ("../../secret_key", "%2e%2e/x", "/etc/passwd", "none.html", ""):
        assert caller.ask(f"{path}/{outside}").status == 404
    caller.store()
    assert ClickCount.objects.get(campaign_id=campaign.pk).n == 1


def test_robots_see_a_preview_and_its_image_is_counted(media: Path, caller: Caller) -> None:
    account = make_account(max_segments=3)
    image = hosting.store_image(account, picture())
    campaign = linked(
        account=account, has_preview=True, title="Pour ${Nom} <b>", description="Moins 20 %", image_id=image.pk
    )
    path = codes(campaign)[0]
    page = caller.ask(path, agent=PREVIEWER, host="clic-ici.net")
    assert page.status == 200
    assert 'property="og:title" content="Pour Zoé &lt;b&gt;"' in page.text
    assert f'content="https://clic-ici.net{path}/preview.jpg"' in page.text
    assert caller.ask(f"{path}/preview.jpg", agent=PREVIEWER).headers["content-type"] == "image/jpeg"
    assert caller.ask(path).status == 302  # people go on
    caller.store()
    found = {c.link_index: (c.n, c.human_n) for c in ClickCount.objects.filter(campaign_id=campaign.pk)}
    assert found == {-1: (1, 0), 0: (2, 1)}


def test_a_mini_site_is_made_of_a_form(media: Path, caller: Caller) -> None:
    account = make_account(max_segments=3)
    image = hosting.store_image(account, picture())
    site = MiniSite(
        "Ventes <privées>",
        "Ligne 1\nLigne 2",
        button_label="Voir",
        button_url="https://shop.example/",
        image_id=image.pk,
    )
    asset = minisites.store(account, site)
    path = codes(linked("", account=account, kind="LOCAL", asset_id=asset.pk))[0]
    assert caller.ask(path).location == f"{path}/"
    page = caller.ask(f"{path}/")
    assert (
        "Ventes &lt;privées&gt;" in page.text and page.text.count("<p>Ligne") == 2 and 'src="preview.jpg"' in page.text
    )
    assert caller.ask(f"{path}/preview.jpg").status == 200
    opt_out = page.text.partition('<footer><a href="')[2].partition('"')[0]
    assert "<form" in caller.ask(opt_out).text


@pytest.mark.parametrize(
    "changes",
    [
        {"title": " "}, {"ink": "red;}"}, {"button_label": "Voir"}, {"image_id": 10**9},
        {"button_label": "x", "button_url": "javascript:alert(1)"},
    ],
)  # fmt: skip
def test_what_a_mini_site_refuses(media: Path, shared_db: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        minisites.store(make_account(), MiniSite(**({"title": "Bonjour"} | changes)))  # type: ignore[arg-type]


def test_files_go_when_their_last_link_has_ended(media: Path, connector: Any) -> None:
    account = make_account(max_segments=3)
    kept, gone, draft = (hosting.store_file(account, picture(), name="a.png") for _ in range(3))
    now = timezone.now() + timedelta(days=60)
    linked("", account=account, kind="LOCAL", asset_id=kept.pk, life_days=90)
    linked("", account=account, kind="LOCAL", asset_id=gone.pk)
    linked("", account=account, kind="LOCAL", asset_id=draft.pk, launch=False)
    Link.objects.filter(asset=kept).update(ends_at=now + timedelta(days=1))
    Link.objects.filter(asset=gone).update(ends_at=now - timedelta(days=1))
    hosting.sweep(now)
    assert {a.pk for a in Asset.objects.filter(account=account, deleted_at=None)} == {kept.pk, draft.pk}
    gone.refresh_from_db()
    with pytest.raises(NotFound):
        hosting.file_of(gone, gone.entry)
    assert not (hosting.folder() / gone.path).exists()
