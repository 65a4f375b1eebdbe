"""Recipient lists: who sees them, uploads, imports on their way, names, deletion. Rows: services.list_rows.

A user sees their own lists, an administrator the account's, an operator all. Lists sent by the API are for administrators and
for their owner, unless the account keeps them for administrators only.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from carillon.domain import recipients
from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.domain.recipients import Layout
from carillon.domain.recipients.layout import no_mobile_column
from carillon.models import Account, Brand, CampaignList, List, Recipient, User
from carillon.models.accounts import Actor
from carillon.services import routes
from carillon.services.deferral import defer

MAX_FILE_BYTES = 1024**3
ABANDONED_AFTER = timedelta(days=7)
_CHUNK_BYTES = 1024 * 1024
_BEFORE_IMPORT = (List.State.WAITING, List.State.FAILED, List.State.CANCELLED)


def visible(actor: Actor) -> QuerySet[List]:
    """Lists this person may see and use, newest first. A campaign's own (INLINE) and deleted ones are left out."""
    found = List.objects.filter(deleted_at=None).exclude(kind=List.Kind.INLINE).order_by("-created_at", "-id")
    if actor is None or actor.is_operator:
        return found
    found = found.filter(account_id=actor.account_id)
    if actor.is_admin:
        return found
    found = found.filter(user=actor)
    return found.exclude(origin="api") if actor.account.lists_are_admin_only else found


def get(actor: Actor, list_id: int) -> List:
    """NotFound, also for another account's: nothing tells whether it exists."""
    item = visible(actor).select_related("account", "user").filter(pk=list_id).first()
    if item is None:
        raise NotFound(f"There is no list {list_id}", code="list_not_found")
    return item


def create_upload(
    *,
    account: Account,
    user: User | None,
    file: BinaryIO | Iterable[bytes],
    file_name: str,
    name: str = "",
    description: str = "",
    origin: str = "web",
    brand: Brand | None = None,
) -> List:
    """Store the raw bytes and look at them: a list in state WAITING, with charset, delimiter, header and guessed mobile column.

    `file` is a stream or an iterable of chunks (Django's `UploadedFile.chunks()`). When no mobile column is found
    `mobile_column` is "": start_import wants one. InvalidInput (see domain.recipients.inspect; too_large) keeps nothing.
    """
    if user is not None and user.account_id != account.pk:
        raise NotFound("There is no such user", code="user_not_found")
    if brand is not None and brand.account_id != account.pk:
        raise NotFound("There is no such brand", code="brand_not_found")
    item = List(
        account=account, user=user, brand=brand, origin=origin, description=description.strip()[:200],
        name=_checked_name(name or Path(file_name).stem or "Liste"), file_name=Path(file_name).name[:200],
    )  # fmt: skip
    item.file_path = f"lists/{account.public_id}/{secrets.token_hex(16)}"
    path = path_of(item)
    try:
        item.file_size = _store(path, file)
        _describe(item, recipients.inspect(path, default_country=default_country(account), needs_mobile=False))
        item.save()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return item


def path_of(item: List) -> Path:
    return Path(settings.MEDIA_ROOT) / item.file_path


def _store(path: Path, file: BinaryIO | Iterable[bytes]) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    chunks = iter(lambda: file.read(_CHUNK_BYTES), b"") if hasattr(file, "read") else file
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stored:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise InvalidInput(
                    f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Split it, or keep only the columns you need.",
                    field="file", code="too_large",
                )  # fmt: skip
            stored.write(chunk)
    return size


def default_country(account: Account) -> str:
    """Whose national numbers the account writes: France, unless it may only send elsewhere."""
    return "FR" if not account.countries or "FR" in account.countries else account.countries[0]


def _describe(item: List, layout: Layout) -> None:
    item.charset, item.delimiter, item.has_header = layout.charset, layout.delimiter, layout.has_header
    item.header = layout.header
    item.mobile_column = layout.mobile_name if layout.mobile_column >= 0 else ""


def look(item: List, **choices: Any) -> Layout:
    """The stored file as it will be imported, with its first rows (`preview`). Choices: mobile_column, has_header, delimiter.

    What is not chosen stays as the list has it; a new delimiter or header makes the mobile column be guessed again.
    """
    chosen = {name: value for name, value in choices.items() if value is not None}
    is_same = not (chosen.keys() & {"has_header", "delimiter"})
    options: dict[str, Any] = {"charset": item.charset or None, "delimiter": item.delimiter or None}
    if is_same:
        options |= {"has_header": item.has_header, "mobile_column": item.mobile_column or None}
    options |= chosen
    country = default_country(item.account)
    return recipients.inspect(path_of(item), default_country=country, needs_mobile=False, **options)


def start_import(
    item: List, *, mobile_column: str | None = None, has_header: bool | None = None, delimiter: str | None = None
) -> List:
    """Ask for the import in the background, with the person's choices. Conflict when it is done or under way."""
    with transaction.atomic():
        fresh = List.objects.select_for_update().get(pk=item.pk)
        if fresh.state not in _BEFORE_IMPORT or fresh.deleted_at is not None or not fresh.file_path:
            raise Conflict(f"The list '{fresh.name}' is already imported, or being imported", code="already_imported")
        layout = look(fresh, mobile_column=mobile_column, has_header=has_header, delimiter=delimiter)
        if layout.mobile_column < 0:
            raise no_mobile_column(layout.header)
        _describe(fresh, layout)
        fresh.state, fresh.error, fresh.cancel_requested = List.State.WAITING, "", False
        fresh.done_bytes = fresh.done_rows = 0
        fresh.save()
        defer("lists.import", list_id=fresh.pk, lock=f"list-{fresh.pk}", queueing_lock=f"list-import-{fresh.pk}")
    return fresh


def cancel_import(item: List) -> None:
    """Seen within half a second by a running import; a waiting one is cancelled at once. Nothing happens to others."""
    waiting = List.objects.filter(pk=item.pk, state=List.State.WAITING)
    if not waiting.update(state=List.State.CANCELLED, cancel_requested=True):
        List.objects.filter(pk=item.pk, state=List.State.IMPORTING).update(cancel_requested=True)


def rename(item: List, *, name: str, description: str | None = None) -> List:
    item.name = _checked_name(name)
    if description is not None:
        item.description = description.strip()[:200]
    item.save(update_fields=["name", "description", "updated_at"])
    return item


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise InvalidInput("A list needs a name", field="name", code="name_required")
    return plain[:200]


@transaction.atomic
def delete(item: List) -> None:
    """The list disappears. Its rows and file go too, unless a campaign used them: its report still shows their columns."""
    cancel_import(item)
    List.objects.filter(pk=item.pk).update(deleted_at=timezone.now())  # waits for an import that is just ending
    if CampaignList.objects.filter(list=item).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM recipient WHERE account_id = %s AND list_id = %s", [item.account_id, item.pk])
    if item.file_path:
        transaction.on_commit(lambda: path_of(item).unlink(missing_ok=True))


def sweep_abandoned(now: datetime) -> int:
    """Delete the uploads nobody imported within a week: personal data is not kept for nothing. How many."""
    old = List.objects.filter(
        deleted_at=None, state__in=_BEFORE_IMPORT, kind=List.Kind.CSV, updated_at__lt=now - ABANDONED_AFTER
    )
    found = list(old)
    for item in found:
        delete(item)
    return len(found)


def discard(item: List) -> None:
    """The list disappears; `restore` brings it back until `purge_discarded` takes its rows and file."""
    cancel_import(item)
    List.objects.filter(pk=item.pk).update(deleted_at=timezone.now())


def restore(actor: Actor, list_id: int) -> List:
    """NotFound when there is none, it is another account's, or its rows are gone already."""
    found = (
        List.objects.filter(pk=list_id)
        .exclude(kind=List.Kind.INLINE)
        .exclude(deleted_at=None)
        .exclude(file_path="purged")
    )
    if actor is not None and not actor.is_operator:
        found = found.filter(account_id=actor.account_id)
        if not actor.is_admin:
            found = found.filter(user=actor)
    item = found.first()
    if item is None or (item.size and not Recipient.objects.filter(list_id=list_id).exists()):
        raise NotFound(f"There is no list {list_id}", code="list_not_found")
    found.update(deleted_at=None)
    return get(actor, list_id)


def purge_discarded(before: datetime) -> int:
    """Take the rows and files of lists deleted before that moment; how many. Those that a campaign used keep their rows."""
    gone = List.objects.filter(deleted_at__lt=before).exclude(kind=List.Kind.INLINE).exclude(file_path="purged")
    items = list(gone.exclude(pk__in=CampaignList.objects.values("list_id"))[:1000])
    for item in items:
        delete(item)
        List.objects.filter(pk=item.pk).update(file_path="purged")
    return len(items)


def analysis_json(item: List) -> dict[str, Any]:
    """The answer of lists/upload (API guide v2.8 §2.11.1): exactly its keys; VIRTUAL lists have listsItems besides."""
    found: dict[str, Any] = {key: value for key, value in item.analysis.items() if not key.startswith("_")}
    countries: dict[str, int] = item.analysis.get("_more", {}).get("countries", {})
    allowed = routes.allowed_countries(item.account)  # as of today, not of the import
    found |= {
        "campainId": 0,  # as the guide spells it
        "creationDate": f"{item.created_at:%Y-%m-%dT%H:%M:%S}.{item.created_at.microsecond // 1000:03d}Z[UTC]",
        "customerID": item.account.public_id,
        "description": item.description or item.name,
        "filePath": f"lists/{item.pk}",  # opaque: "used internally"
        "id": item.pk,
        "listName": item.name,
        "type": "VIRTUAL" if item.kind == List.Kind.VIRTUAL else "CSV",
        "userOwnerID": item.user.public_id if item.user else "",
        "validCountryCounter": {country: n for country, n in countries.items() if country in allowed},
        "invalidCountryCounter": {country: n for country, n in countries.items() if country not in allowed},
    }
    if item.kind == List.Kind.VIRTUAL:
        members = item.members.filter(deleted_at=None).order_by("id")
        found |= {"listsItems": [{"idlistItems": m.pk, "listName": m.name, "size": m.size} for m in members]}
    return found
