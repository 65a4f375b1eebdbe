"""The account's blacklist as people look after it: searched, filled from files, exported. Single deeds: services.optouts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Account, Brand, OptOut, User
from carillon.services import consents, npai, optouts
from carillon.services.reports import harmless

BATCH = 5_000
FEW = 10_000  # entries put in order at once
LOGGED_TOGETHER = 1_000  # numbers of one import in one entry of the log
ADD_MANY = """
WITH given AS (
    SELECT n, row_number() OVER () - 1 AS i FROM unnest(%s::bigint[]) AS n
    WHERE NOT EXISTS (SELECT 1 FROM optout o WHERE o.account_id = %s AND o.medium = %s AND o.msisdn = n AND o.brand_id = %s)
), taken AS (SELECT take_ids('optout_ids', (SELECT greatest(count(*), 1) FROM given)) AS first)
INSERT INTO optout (account_id, id, msisdn, medium, level, brand_id, source, description)
SELECT %s, first + i, n, %s, %s, %s, %s, %s FROM given, taken
ON CONFLICT (account_id, medium, msisdn, brand_id) DO NOTHING RETURNING msisdn
"""
PAGE = """
SELECT o.id, o.msisdn, o.medium, o.level, coalesce(b.name, ''), o.source, o.description, o.created_at
FROM optout o LEFT JOIN brand b ON b.id = o.brand_id WHERE o.account_id = %s AND o.id > %s ORDER BY o.id LIMIT %s
"""


def visible(account: Account, *, text: str = "", medium: str = "", brand: Brand | None = None) -> QuerySet[OptOut]:
    """Newest first. `text`: the beginning of a number in any writing, or words of the description."""
    found = OptOut.objects.filter(account_id=account.pk, medium__in=[medium] if medium else optouts.MEDIA).order_by(
        "-id"
    )
    if brand is not None:
        found = found.filter(brand_id=brand.pk)
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    if digits and not any(c.isalpha() for c in text):
        return _few_first(found.filter(npai.begins_with(digits)))
    if not text.strip():
        return found
    return found.exclude(description="").filter(description__icontains=text.strip())  # optout_described serves it


def _few_first(found: QuerySet[OptOut]) -> QuerySet[OptOut]:
    """A few among millions are gathered and put in order; many are met soon on the way through all of them."""
    is_few = found.order_by()[: FEW + 1].count() <= FEW
    return found.order_by((F("id") + 0).desc()) if is_few else found  # + 0: the index on ids cannot give that order


def get(account: Account, optout_id: int) -> OptOut:
    found = OptOut.objects.filter(account_id=account.pk, id=optout_id).first()
    if found is None:
        raise NotFound("There is no such entry", code="optout_not_found")
    return found


def add_many(
    account: Account, numbers: Sequence[int], *, medium: str = "MOBILE", brand: Brand | None = None, source: str,
    description: str = "", user: User | None = None,
) -> int:  # fmt: skip
    """Never write to these numbers again; gives how many are new. The log holds every number."""
    if medium not in optouts.MEDIA:
        raise InvalidInput("The medium of an opt-out is MOBILE or VMS", field="medium")
    if brand is not None and brand.account_id != account.pk:
        raise NotFound("There is no such brand", code="brand_not_found")
    level = "account" if brand is None else "client" if brand.is_client else "brand"
    brand_id = brand.pk if brand else 0
    body = {"medium": medium, "level": level, "brand": brand_id, "source": source, "description": description[:500],
            "user": user.pk if user else None}  # fmt: skip
    done = 0
    with transaction.atomic():
        for start in range(0, len(numbers), BATCH):
            key: list[Any] = [account.pk, medium, brand_id]
            with connection.cursor() as cursor:
                cursor.execute(
                    ADD_MANY,
                    [
                        list(numbers[start : start + BATCH]),
                        *key,
                        account.pk,
                        medium,
                        level,
                        brand_id,
                        source,
                        description[:500],
                    ],
                )
                new = [row[0] for row in cursor.fetchall()]
            for first in range(0, len(new), LOGGED_TOGETHER):
                consents.append(account.pk, "optout", body | {"msisdns": new[first : first + LOGGED_TOGETHER]})
            done += len(new)
    return done


def csv_pieces(account: Account) -> Iterator[bytes]:
    """The whole list, oldest first, as the platform's other exports: UTF-8 with BOM, semicolons."""
    yield "\ufeffMOBILE;TYPE;NIVEAU;MARQUE;ORIGINE;DESCRIPTION;DATE\r\n".encode()
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [account.pk, after, BATCH])
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        for _, msisdn, medium, level, brand, source, description, at in rows:
            writer.writerow(
                [
                    msisdn,
                    medium,
                    level,
                    harmless(brand),
                    source,
                    harmless(description),
                    f"{timezone.localtime(at):%d/%m/%Y %H:%M:%S}",
                ]
            )
        yield out.getvalue().encode()
