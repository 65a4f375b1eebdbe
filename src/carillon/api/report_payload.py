"""Parameters of the reports (guide §2.4 to §2.7). Separators `,` and `;` are accepted everywhere (X8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from carillon.api.errors import ApiError
from carillon.api.fields import Flag, Payload, Text, Words
from carillon.domain.status import Status, expand_aliases

LONGEST = timedelta(days=7)
MEDIA = {"SMS": "SMS", "VOCAL": "VMS", "VMS": "VMS", "VOICE": "VMS", "EMAIL": "EMAIL", "MAIL": "EMAIL"}
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?")
NO_SUCH_STATUS = frozenset({-1})


class CampaignReportPayload(Payload):
    campaignId: Text | None = Field(None, description="Ignored: the number stands in the address.")
    status: Words | None = Field(
        None, description="Status codes wanted, for example 16,14. Twins count as one: 16 and 21."
    )
    details: Words | None = Field(None, description="Columns of the original file wanted; default: all.")
    legacy: Flag = Field(False, description="Print the column REPLY twice, as the extranet's own guide does.")


class PeriodPayload(Payload):
    userID: Text | None = Field(
        None, description="User whose campaigns are wanted; an administrator's default is everybody."
    )
    keyField: Words | None = Field(None, description="Columns of the original files wanted.")
    details: Words | None = Field(None, description="The same as keyField.")
    status: Words | None = Field(None, description="Status codes wanted. Codes in no table give no rows.")
    types: Words | None = Field(None, description="SMS;EMAIL;VOCAL, default all.")
    from_: Text = Field(
        alias="from", description="YYYY-MM-DD or YYYY-MM-DD HH:MM, in the account's time.", examples=["2027-03-25"]
    )
    to: Text | None = Field(
        None, description="Last day or moment, included. Default: now. At most 7 days after `from`."
    )
    search: Text | None = Field(
        None, max_length=20_000, description="FIQL: , or; ; and; == equals; =re= with a trailing *."
    )


def statuses_of(words: list[str] | None) -> set[int] | None:
    """Codes with their twins; None keeps all. Codes in no table match nothing and are no error (guide's own sample)."""
    if not words:
        return None
    codes = set()
    for word in words[:200]:
        text = word.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 7):
            raise ApiError("invalid_input", f"status: {word[:20]!r} is not a code.", param="status")
        codes.add(int(text))
    known = {code for code in codes if code in set(Status)}
    return expand_aliases(known) if known else set(NO_SUCH_STATUS)


def media_of(words: list[str] | None) -> set[str] | None:
    if not words:
        return None
    unknown = [word for word in words if word.upper() not in MEDIA]
    if unknown:
        raise ApiError("invalid_input", f"types: {unknown[0][:20]!r} is not SMS, EMAIL or VOCAL.", param="types")
    return {MEDIA[word.upper()] for word in words}


@dataclass(frozen=True, slots=True)
class Period:
    """Aware UTC, `until` excluded."""

    since: datetime
    until: datetime


def period_of(payload: PeriodPayload, *, now: datetime, zone: ZoneInfo) -> Period:
    """A date alone is the whole day: from the 25th to the 28th is four days. Raises ApiError 400 naming the longest `to`."""
    since, _ = _read(payload.from_, "from", zone)
    if payload.to is None:
        until = now
    else:
        moment, is_day = _read(payload.to, "to", zone)
        until = _local(moment.astimezone(zone) + timedelta(days=1), zone) if is_day else moment + timedelta(minutes=1)
    if payload.to is not None and until <= since:
        raise ApiError("invalid_input", "to is before from.", param="to")
    longest = since + LONGEST
    if until > longest + timedelta(hours=1):  # seven local days can hold the hour that winter gives back
        local = (longest.astimezone(zone)).strftime("%Y-%m-%d %H:%M")
        raise ApiError(
            "period_too_long", f"A report covers at most 7 days: with this from, the longest to is {local}.", param="to"
        )
    return Period(since, max(until, since))


def _read(text: str, param: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    found = _DATE.fullmatch(text.strip().removesuffix("Z"))
    if found is None:
        raise ApiError("invalid_input", f"{param}: {text[:30]!r} is not YYYY-MM-DD or YYYY-MM-DD HH:MM.", param=param)
    year, month, day, hour, minute, second = (int(part) if part else 0 for part in found.groups())
    try:
        if not 2000 <= year <= 2200:
            raise ValueError("not a year of messages")
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return local.astimezone(UTC), found.group(4) is None
    except (ValueError, OverflowError):
        raise ApiError("invalid_input", f"{param}: {text[:30]!r} is not a possible date.", param=param) from None


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Midnight of that day, also across a change of hour."""
    return datetime(moment.year, moment.month, moment.day, tzinfo=zone).astimezone(UTC)
