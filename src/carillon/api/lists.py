"""Lists of recipients: upload with analysis (guide §2.11), and ours: read, list, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field

from carillon.api import bodies
from carillon.api.campaign_payload import People, people_rows
from carillon.api.endpoints import Call, NoParameters, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Payload, Text, Whole, Wholes
from carillon.api.inject import brand_of, owner_of
from carillon.domain.errors import CarillonError
from carillon.models import List
from carillon.services import list_import, list_rows, lists

MAX_BYTES = lists.MAX_FILE_BYTES + 1024 * 1024  # the file and the form around it
RAW_TYPES = frozenset({"text/csv", "text/plain", "application/octet-stream"})


class UploadPayload(Payload):
    userOwnerID: Text | None = Field(None, max_length=40, description="User the list is for; administrators only.")
    description: Text | None = Field(
        None, max_length=200, description='Name shown in the tab "Recipients" of a campaign.'
    )
    filename: Text = Field(max_length=200, description="Name shown in the menu LISTS.", examples=["liste_demo"])
    brand: Text | None = Field(None, max_length=80)


class Analysis(BaseModel):
    """What was found in the list: guide §2.11.2. `campainId` is spelt as the guide spells it."""

    model_config = ConfigDict(extra="allow")
    campainId: int
    charsetDetected: str
    computedHeaderSize: dict[str, dict[str, int]] = Field(description="Per column: {length: number of rows}.")
    countDuplicateEmail: int
    countDuplicateMobile: int
    creationDate: str
    customerID: str
    description: str
    emptyKeys: list[str]
    filePath: str
    globalInvalidLine: int
    header: list[str]
    id: int
    invalidCountryCounter: dict[str, int]
    invalidLineList: list[int]
    invalidNumberEMAIL: int
    invalidNumberMOBILE: int
    lineDuplicateEmail: list[str]
    lineDuplicateMobile: list[str]
    listName: str
    maxDatasMap: dict[str, str]
    maxSizeDataLine: int
    size: int
    type: str
    userOwnerID: str
    validCountryCounter: dict[str, int]
    validNumberEMAIL: int
    validNumberMOBILE: int


@endpoint(
    "POST PUT",
    "lists/upload",
    name="uploadList",
    scope="lists",
    tag="Lists",
    payload=UploadPayload,
    answer=Analysis,
    errors=("invalid_input", "too_large", "checksum_mismatch", "forbidden"),
    is_upload=True,
)
def upload(call: Call, _: None) -> dict[str, Any]:
    """Send a list of recipients.

    A multipart form with the file in `File` (CSV, TXT, XLSX or XLS), up to 1 GB; it goes to disk as it arrives. One column is
    named mobile, sms, portable or gsm. The answer is the analysis; its `id` is the `listsId` of campaigns/inject.
    """
    file, name, fields = _received(call.request)
    payload = UploadPayload.read({"filename": name} | fields)
    call.warnings += payload.unknown()
    digest = hashlib.sha256()
    item = lists.create_upload(
        account=call.account,
        user=owner_of(call, payload.userOwnerID),
        file=_hashed(file, digest),
        file_name=name or payload.filename,
        name=payload.filename,
        description=payload.description or "",
        origin="api",
        brand=brand_of(call, payload.brand),
    )
    try:
        given = call.request.headers.get("X-Content-SHA256")
        if given:
            bodies.compare_sum(given, digest.digest())
        item = list_import.import_file(item.pk)
    except (CarillonError, ApiError):
        lists.delete(item)
        raise
    return lists.analysis_json(item)


def _received(request: HttpRequest) -> tuple[Iterable[bytes], str, dict[str, Any]]:
    """(chunks of the file, its name, the form's fields). The announced length is looked at before anything is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > MAX_BYTES:
        raise ApiError("too_large", f"The file is larger than {lists.MAX_FILE_BYTES // 1024**2} MB.", param="File")
    query = {name: values[-1] for name, values in request.GET.lists() if values}
    if request.content_type in RAW_TYPES:
        return _chunks(request), query.get("filename", ""), query
    if request.content_type != "multipart/form-data":
        raise ApiError("invalid_input", "Send a multipart form with the list in the field File.", param="File")
    fields = bodies.read_form(request)
    files = [file for group in request.FILES.lists() for file in group[1]]
    if len(files) != 1:
        message = "File is required: the list itself." if not files else "Send one file at a time."
        raise ApiError("invalid_input", message, param="File")
    bodies.check_text(fields)
    return files[0].chunks(), files[0].name or "", query | fields


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    source: BinaryIO = request  # type: ignore[assignment]
    while chunk := source.read(1024 * 1024):
        yield chunk


def _hashed(chunks: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


class VirtualPayload(Payload):
    filename: Text = Field(max_length=200, description="Name of the list.", examples=["autumn"])
    listsId: Wholes | None = Field(None, description="Lists it is made of; none of them may be VIRTUAL itself.")
    listRecipient: People | None = Field(None, description="Single recipients, at most 50.")
    userOwnerID: Text | None = Field(None, max_length=40, description="User the list is for; administrators only.")


@endpoint(
    "POST",
    "lists",
    name="createVirtualList",
    scope="lists",
    tag="Lists",
    payload=VirtualPayload,
    answer=Analysis,
    errors=("invalid_input", "list_not_found", "too_many_recipients", "forbidden"),
    example={"filename": "autumn", "listRecipient": [{"mobile": "0632545311"}]},
    is_idempotent=True,
    is_addition=True,
)
def create_virtual(call: Call, payload: VirtualPayload) -> dict[str, Any]:
    """Make a list of lists and single recipients (type VIRTUAL)."""
    members = [lists.get(call.user, list_id) for list_id in dict.fromkeys(payload.listsId or [])]
    rows = people_rows(payload.listRecipient or [], warnings=call.warnings)
    owner = owner_of(call, payload.userOwnerID)
    item = list_rows.create_virtual(call.user, name=payload.filename, members=members, rows=rows, user=owner)
    return lists.analysis_json(item)


class ListsPayload(Payload):
    limit: Whole = Field(50, ge=1, le=200)
    before: Whole | None = Field(None, description="`nextBefore` of the page before.")


class ListLine(BaseModel):
    id: int
    listName: str
    description: str
    type: str
    state: str
    size: int
    validNumberMOBILE: int
    invalidNumberMOBILE: int
    countDuplicateMobile: int
    creationDate: str


class ListPage(BaseModel):
    lists: list[ListLine]
    nextBefore: int | None


@endpoint(
    "GET",
    "lists",
    name="listLists",
    scope="lists",
    tag="Lists",
    payload=ListsPayload,
    answer=ListPage,
    is_addition=True,
)
def list_lists(call: Call, payload: ListsPayload) -> dict[str, Any]:
    """Lists one may use, newest first."""
    found = lists.visible(call.user).order_by("-pk")
    if payload.before is not None:
        found = found.filter(pk__lt=payload.before)
    page = list(found[: payload.limit + 1])
    shown = page[: payload.limit]
    return {"lists": [_line(item) for item in shown], "nextBefore": shown[-1].pk if len(page) > payload.limit else None}


def _line(item: List) -> dict[str, Any]:
    return {
        "id": item.pk,
        "listName": item.name,
        "description": item.description or item.name,
        "type": str(item.kind),
        "state": str(item.state),
        "size": item.size,
        "validNumberMOBILE": item.valid_count,
        "invalidNumberMOBILE": item.invalid_count,
        "countDuplicateMobile": item.duplicate_count,
        "creationDate": lists.analysis_json(item)["creationDate"],
    }


@endpoint(
    "GET",
    "lists/{list_id}",
    name="getList",
    scope="lists",
    tag="Lists",
    answer=Analysis,
    errors=("list_not_found",),
    is_addition=True,
)
def get_list(call: Call, _: NoParameters) -> dict[str, Any]:
    """The analysis of a list, as upload answered it."""
    item = lists.get(call.user, call.number("list_id"))
    if item.state != List.State.READY:
        raise ApiError("list_not_ready", f"The list is {item.state}: it has no analysis.")
    return lists.analysis_json(item)


class ListDeleted(BaseModel):
    deleted: int


@endpoint(
    "DELETE",
    "lists/{list_id}",
    name="deleteList",
    scope="lists",
    tag="Lists",
    answer=ListDeleted,
    errors=("list_not_found",),
    is_addition=True,
)
def delete_list(call: Call, _: NoParameters) -> dict[str, Any]:
    """Delete a list and its rows. Reports of campaigns that used it keep their columns."""
    item = lists.get(call.user, call.number("list_id"))
    lists.delete(item)
    return {"deleted": item.pk}
