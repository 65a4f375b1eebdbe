"""Files that a short link shows: preview images, attached files, hosted pages (a ZIP with HTML), mini-sites.

What is stored is never trusted: a type is read from the content, a ZIP is unpacked file by file within bounds, nothing is ever
run on our side, and the redirector serves it all under a policy that lets no script run in a visitor's browser.
"""

from __future__ import annotations

import io
import logging
import re
import secrets
import shutil
import zipfile
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import Q
from PIL import Image, UnidentifiedImageError

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Account, Asset, Link

logger = logging.getLogger(__name__)

MB = 1024 * 1024
MOST_FILE, MOST_ZIP, MOST_IMAGE = 10 * MB, 10 * MB, 10 * MB
MOST_UNPACKED, MOST_FILES, MOST_RATIO = 30 * MB, 200, 200
MOST_PIXELS = 40_000_000
ADVISED_IMAGE = 300 * 1024
PREVIEW_SIZE = (1200, 1200)  # shown some 600 wide; more is wasted
UNATTACHED_LIVES = timedelta(days=2)

# What a hosted page may hold, by suffix: no script of any kind, nothing that a server could run.
PAGE_TYPES = {
    ".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".webp": "image/webp", ".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf",
    ".mp4": "video/mp4", ".mp3": "audio/mpeg", ".pdf": "application/pdf",
}  # fmt: skip
IGNORED = {".js", ".mjs", ".map", ".md", ".svg"}  # left out without refusing the page; an SVG can hold scripts
FILE_TYPES = {"PNG": ("image/png", ".png"), "GIF": ("image/gif", ".gif"), "JPEG": ("image/jpeg", ".jpg")}
# Of a PDF: what acts by itself when it is opened.
ACTIVE_PDF = re.compile(
    rb"/(?:JavaScript|JS|Launch|OpenAction\s{0,9}<<[^>]{0,999}/S\s{0,9}/URI|EmbeddedFile|RichMedia)\b"
)


def folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "links"


def _refused(sentence: str, code: str, field: str = "file", subject: str = "") -> InvalidInput:
    return InvalidInput(sentence, field=field, code=code, subject=subject)


def make(
    account: Account, kind: Asset.Kind, *, name: str, content_type: str = "", entry: str = "", files: dict[str, bytes],
    form: dict[str, Any] | None = None,
) -> Asset:  # fmt: skip
    place = f"{account.pk}/{secrets.token_hex(16)}"
    root = folder() / place
    try:
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.write_bytes(content)
    except OSError:
        shutil.rmtree(root, ignore_errors=True)
        raise
    return Asset.objects.create(
        account=account, kind=kind, name=name[:120], content_type=content_type, path=place, entry=entry,
        size=sum(map(len, files.values())), settings=form or {},
    )  # fmt: skip


# --- images ------------------------------------------------------------------------------------------------------------


def opened(raw: bytes) -> Image.Image:
    """A picture whose size was looked at before its pixels. Raises InvalidInput."""
    try:
        image = Image.open(io.BytesIO(raw), formats=("PNG", "JPEG", "GIF"))
        if image.width * image.height > MOST_PIXELS:
            raise _refused("This picture has too many pixels", "image_too_big")
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("This is not a PNG, JPEG or GIF picture", "image_unreadable") from error
    return image


def store_image(account: Account, raw: bytes, *, name: str = "image.jpg") -> Asset:
    """The image of a preview: checked, made smaller and written again as JPEG, at most some 300 kB."""
    if len(raw) > MOST_IMAGE:
        raise _refused(f"A picture has at most {MOST_IMAGE // MB} MB", "too_big")
    image = opened(raw)
    if image.format == "GIF":
        raise _refused("The picture of a preview is a JPG or a PNG", "image_unreadable")
    flat = Image.new("RGB", image.size, "white")  # transparent parts become white
    rgba = image.convert("RGBA")
    flat.paste(rgba, mask=rgba.getchannel("A"))
    flat.thumbnail(PREVIEW_SIZE)
    content = b""
    for quality in (88, 75, 60, 45):
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=quality, optimize=True)
        content = out.getvalue()
        if len(content) <= ADVISED_IMAGE:
            break
    return make(
        account,
        Asset.Kind.IMAGE,
        name=name,
        content_type="image/jpeg",
        entry="preview.jpg",
        files={"preview.jpg": content},
    )


# --- attached files ----------------------------------------------------------------------------------------------------


def store_file(account: Account, raw: bytes, *, name: str) -> Asset:
    """« Fichier »: a PNG, GIF, JPEG or PDF, known by what it holds and not by its name."""
    if len(raw) > MOST_FILE:
        raise _refused(f"A file has at most {MOST_FILE // MB} MB", "too_big")
    if raw[:1024].lstrip().startswith(b"%PDF-"):
        if ACTIVE_PDF.search(raw):
            raise _refused("This PDF holds scripts or embedded files: print it to a plain PDF", "pdf_active")
        content_type, suffix = "application/pdf", ".pdf"
    else:
        content_type, suffix = FILE_TYPES[opened(raw).format or ""]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition(".")[0] or name).strip("-")[:60] or "document"
    return make(
        account, Asset.Kind.FILE, name=name, content_type=content_type, entry=stem + suffix, files={stem + suffix: raw}
    )


# --- hosted pages ------------------------------------------------------------------------------------------------------


def store_page(account: Account, raw: bytes, *, entry: str, name: str = "") -> Asset:
    """A ZIP with an HTML page; `entry` is the page's file inside it, "" the only one or index.html. Scripts are left out.

    Raises InvalidInput: not a ZIP, a path that leaves its folder, a bomb, encrypted, a type that is not hosted, no such page.
    """
    if len(raw) > MOST_ZIP:
        raise _refused(f"A ZIP has at most {MOST_ZIP // MB} MB", "too_big")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = _unpacked(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise _refused("This is not a ZIP that can be read", "zip_unreadable") from error
    page = _entry(files, entry)
    try:
        return make(account, Asset.Kind.PAGE, name=name or page, content_type="text/html", entry=page, files=files)
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused("The ZIP holds a file and a folder of one name", "zip_unreadable") from error


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES:
        raise _refused(f"A hosted page has at most {MOST_FILES} files", "zip_too_many")
    files: dict[str, bytes] = {}
    total = 0
    for member in members:
        path = _safe_path(member.filename)
        if path is None:
            continue
        if member.flag_bits & 0x1:
            raise _refused("This ZIP is encrypted", "zip_encrypted", subject=path[:60])
        # What the directory of a ZIP says of its sizes may be a lie: the reading stops by itself.
        with archive.open(member) as stream:
            content = stream.read(MOST_UNPACKED - total + 1)
        total += len(content)
        if total > MOST_UNPACKED or len(content) > MOST_RATIO * max(member.compress_size, 1000):
            raise _refused("This ZIP unpacks to far too much", "zip_bomb", subject=path[:60])
        files[path] = content
    return files


def _safe_path(name: str) -> str | None:
    """The path inside the page's folder; None for what is left out. Raises InvalidInput for what must not be there at all."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\x00" in name or re.match(r"[A-Za-z]:", name) or len(name) > 200:
        raise _refused(
            f"The ZIP holds a path that leaves its folder: {name[:60]!r}", "zip_traversal", subject=name[:60]
        )
    if (
        path.parts[0] == "__MACOSX"
        or any(part.startswith(".") for part in path.parts)
        or path.suffix.lower() in IGNORED
    ):
        return None
    if path.suffix.lower() not in PAGE_TYPES:
        raise _refused(f"Files like {path.name[:60]!r} are not hosted", "zip_type", subject=path.name[:60])
    return str(path)


def _entry(files: dict[str, bytes], entry: str) -> str:
    pages = [path for path in files if path.lower().endswith((".html", ".htm"))]
    if not entry.strip() and len(pages) == 1:
        return pages[0]
    wanted = str(PurePosixPath(entry.strip().replace("\\", "/").lstrip("/") or "index.html"))
    found = next((path for path in files if path == wanted), None)
    found = found or next(
        (path for path in sorted(files, key=len) if path.lower().endswith("/" + wanted.lower())), None
    )
    if found is None or not found.lower().endswith((".html", ".htm")):
        raise _refused(f"The ZIP holds no page {wanted[:60]!r}", "zip_no_page", subject=wanted[:60])
    return found


# --- reading and forgetting --------------------------------------------------------------------------------------------


def file_of(asset: Asset, path: str) -> tuple[Path, str]:
    """Where a file of the asset is, and its content type. Raises NotFound, also for a path that would leave its folder."""
    missing = NotFound("There is no such file", code="file_not_found")
    root = (folder() / asset.path).resolve()
    target = (root / path).resolve()
    if asset.deleted_at is not None or not target.is_relative_to(root) or not target.is_file():
        raise missing
    if asset.kind == Asset.Kind.PAGE:
        content_type = PAGE_TYPES.get(target.suffix.lower())
        if content_type is None:
            raise missing
        return target, content_type
    return target, asset.content_type


def forget(asset: Asset, *, now: datetime) -> None:
    shutil.rmtree(folder() / asset.path, ignore_errors=True)
    Asset.objects.filter(pk=asset.pk).update(deleted_at=now)


def sweep(now: datetime) -> int:
    """Delete the files no living link shows any more; returns how many assets. A draft's files live as long as the draft."""
    alive = Link.objects.filter(Q(ends_at=None) | Q(ends_at__gte=now)).filter(campaign__deleted_at=None)
    used = set(alive.exclude(asset=None).values_list("asset_id", flat=True))
    used |= set(alive.exclude(image=None).values_list("image_id", flat=True))
    shown = Asset.objects.filter(pk__in=used, kind=Asset.Kind.MINISITE).values_list("settings", flat=True)
    used |= {form["image_id"] for form in shown if form.get("image_id")}
    n = 0
    for asset in Asset.objects.filter(deleted_at=None, created_at__lt=now - UNATTACHED_LIVES).exclude(pk__in=used):
        forget(asset, now=now)
        n += 1
    return n
