"""The account's blacklist: add, read, remove (guide §2.9, §2.10; removal is ours, and asks for the person's consent)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from django.db import connection
from django.http import StreamingHttpResponse
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, WithJsonSchema

from carillon.api.endpoints import Call, endpoint
from carillon.api.errors import ApiError
from carillon.api.fields import Payload, Text, Whole, iso_date
from carillon.api.inject import brand_of
from carillon.api.streams import stream
from carillon.models import Brand, OptOut
from carillon.services import optouts

BATCH = 2_000
JSON = "application/json; charset=utf-8"
PAGE = """
SELECT o.id, o.msisdn, o.medium, o.description, coalesce(b.name, ''), o.created_at FROM optout o
LEFT JOIN brand b ON b.id = o.brand_id
WHERE o.account_id = %s AND o.id > %s AND (%s::text IS NULL OR o.medium = %s) AND (%s::bigint IS NULL OR o.brand_id = %s)
ORDER BY o.id LIMIT %s
"""


def _as_medium(value: Any) -> Any:
    word = str(value).strip().upper()
    if word not in optouts.MEDIA:
        raise ValueError("must be MOBILE or VMS")
    return word


Medium = Annotated[str, BeforeValidator(_as_medium), WithJsonSchema({"type": "string", "enum": ["MOBILE", "VMS"]})]


class EntryPayload(Payload):
    item: Text = Field(max_length=40, description="Mobile number.", examples=["+33685812475"])
    typeItem: Medium = Field(
        validation_alias=AliasChoices("typeItem", "typeltem"),
        description="MOBILE: the SMS blacklist; VMS: the voice one. The guide also prints typeltem: both are read.",
    )
    createdDescription: Text | None = Field(None, max_length=500)
    brand: Text | None = Field(None, max_length=80, description="Multi-brand accounts only.")


class Entry(BaseModel):
    item: str
    typeItem: str
    createdDescription: str
    brand: str
    creationDate: str | None


@endpoint(
    "POST PUT",
    "blacklist",
    name="addToBlacklist",
    scope="blacklist",
    tag="Blacklist",
    payload=EntryPayload,
    answer=Entry,
    errors=("invalid_input", "forbidden"),
    example={"item": "+33685812475", "typeItem": "MOBILE", "createdDescription": "In-store complaint on June 22"},
    is_idempotent=True,
)
def add(call: Call, payload: EntryPayload) -> dict[str, Any]:
    """Add a number to the blacklist.

    Adding it again changes nothing and answers the entry that is there.
    """
    number = optouts.number_of(payload.item)
    brand = brand_of(call, payload.brand)
    optouts.add(
        call.account,
        number,
        medium=payload.typeItem,
        brand=brand,
        source="api",
        description=(payload.createdDescription or "").strip(),
        user=call.user,
    )
    stored = OptOut.objects.get(
        account_id=call.account.pk, msisdn=number, medium=payload.typeItem, brand_id=brand.pk if brand else 0
    )
    return _entry(number, stored.medium, stored.description, brand.name if brand else "", stored.created_at)


def _entry(msisdn: int, medium: str, description: str, brand: str, at: Any) -> dict[str, Any]:
    return {
        "item": f"+{msisdn}",
        "typeItem": medium,
        "createdDescription": description,
        "brand": brand,
        "creationDate": iso_date(at),
    }


class ReadPayload(Payload):
    typeItem: Medium | None = None
    brand: Text | None = Field(None, max_length=80)
    limit: Whole | None = Field(None, ge=1, le=1_000_000, description="Default: everything.")
    after: Whole = Field(0, ge=0, description="Value of the header X-Next-After of the page before.")


@endpoint(
    "GET",
    "blacklist",
    name="readBlacklist",
    scope="blacklist",
    tag="Blacklist",
    payload=ReadPayload,
    answer={
        "application/json": {
            "description": "An array of entries: item, typeItem, createdDescription, brand, creationDate.",
            "type": "array",
            "items": {"$ref": "#/components/schemas/Entry"},
        }
    },
    errors=("invalid_input", "not_found"),
)
def read(call: Call, payload: ReadPayload) -> StreamingHttpResponse:
    """The blacklist.

    All of it, streamed, whatever its size. With `limit`, a page; the header `X-Next-After` is then the `after` of the next one.
    """
    brand = _brand(call, payload.brand)
    where = (call.account.pk, payload.typeItem, brand.pk if brand else None)
    next_after = _next_after(where, payload.after, payload.limit) if payload.limit is not None else None
    response = stream(call, _pieces(where, payload.after, payload.limit), content_type=JSON)
    if next_after is not None:
        response["X-Next-After"] = str(next_after)
    return response


def _brand(call: Call, name: str | None) -> Brand | None:
    if not name:
        return None
    found = Brand.objects.filter(account_id=call.account.pk, name=name.strip()).first()
    if found is None:
        raise ApiError("not_found", f"The account has no brand {name[:80]}.", param="brand")
    return found


def _page(where: tuple[int, str | None, int | None], after: int, limit: int) -> list[Any]:
    account_id, medium, brand_id = where
    with connection.cursor() as cursor:
        cursor.execute(PAGE, [account_id, after, medium, medium, brand_id, brand_id, limit])
        return list(cursor.fetchall())


def _next_after(where: tuple[int, str | None, int | None], after: int, limit: int) -> int | None:
    account_id, medium, brand_id = where
    found = OptOut.objects.filter(account_id=account_id, id__gt=after).order_by("id")
    if medium is not None:
        found = found.filter(medium=medium)
    if brand_id is not None:
        found = found.filter(brand_id=brand_id)
    last = list(found.values_list("id", flat=True)[limit - 1 : limit + 1])
    return last[0] if len(last) == 2 else None


def _pieces(where: tuple[int, str | None, int | None], after: int, limit: int | None) -> Iterator[bytes]:
    left = limit
    separator = b"["
    while left is None or left > 0:
        rows = _page(where, after, BATCH if left is None else min(BATCH, left))
        if not rows:
            break
        after = rows[-1][0]
        left = None if left is None else left - len(rows)
        entries = [json.dumps(_entry(*row[1:]), ensure_ascii=False) for row in rows]
        yield separator + ",\n".join(entries).encode()
        separator = b",\n"
    yield b"]\n" if separator != b"[" else b"[]\n"


class RemovePayload(EntryPayload):
    typeItem: Medium = Field("MOBILE", validation_alias=AliasChoices("typeItem", "typeltem"))
    consent: Text = Field(
        min_length=10,
        max_length=500,
        description="When and how the person agreed to be written to again; kept in the log.",
    )


class Removed(BaseModel):
    removed: bool = Field(description="false: it was not there.")
    item: str


@endpoint(
    "DELETE",
    "blacklist",
    name="removeFromBlacklist",
    scope="blacklist",
    tag="Blacklist",
    payload=RemovePayload,
    answer=Removed,
    errors=("invalid_input", "forbidden"),
    is_addition=True,
)
def remove(call: Call, payload: RemovePayload) -> dict[str, Any]:
    """Remove a number from the blacklist.

    The law forbids it without the person's consent: `consent` says when and how it was given, and is kept. Administrators only.
    """
    if not call.user.is_admin:
        raise ApiError("forbidden", "Only an administrator takes a number off the blacklist.")
    number = optouts.number_of(payload.item)
    removed = optouts.remove(
        call.account,
        number,
        medium=payload.typeItem,
        brand=_brand(call, payload.brand),
        consent=payload.consent,
        source="api",
        user=call.user,
    )
    return {"removed": removed, "item": f"+{number}"}
