"""Parameters with their types, read as real clients write them: "TRUE", "12", 12.0, null and "" for "not given".

`Payload.read` gives the values, and warnings for names it does not know (reported, never refused).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from carillon.api.errors import ApiError

BIGINT = 2**63 - 1
_SHOULD = re.compile(r"^\w+ should\b")  # Pydantic's "Input should be", "String should have"
_WHOLE = re.compile(r"[+-]?\d{1,19}")


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        lowered = value.strip().lower()
        if lowered in {"true", "1", "yes", "on", "oui"}:
            return True
        if lowered in {"false", "0", "no", "off", "non"}:
            return False
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    raise ValueError("must be true or false")


def _whole(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    if isinstance(value, str):
        text = value.strip().strip('"')
        if not _WHOLE.fullmatch(text):
            raise ValueError("must be a whole number")
        value = int(text)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        raise ValueError("must be a whole number")
    if abs(value) > BIGINT:
        raise ValueError("is too large a number")
    return value


def _index(value: Any) -> Any:
    """`index` is printed as 0, "0" and { "0" } in the guide (X9); a JSON object or list of one value is read as that value."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        value = value.strip().strip("{}").strip().strip('"')
    return _whole(value)


def _text(value: Any) -> Any:
    if isinstance(value, (bool, dict, list)):
        raise ValueError("must be a text")
    if isinstance(value, (int, float)):
        return str(value)
    return value


def _words(value: Any) -> Any:
    """A list of texts, or one text of values separated by `,` or `;`."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        value = str(value).replace(";", ",").split(",")
    if not isinstance(value, list):
        raise ValueError("must be a text of values separated by , or ;")
    return [str(_text(word)).strip() for word in value if str(_text(word)).strip()]


def _wholes(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip().strip("[]").replace(";", ",").split(",")
    if not isinstance(value, list):
        value = [value]
    return [_whole(item) for item in value if item not in ("", None)]


Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": ["boolean", "string"], "examples": [True]})]
Whole = Annotated[
    int, BeforeValidator(_whole), WithJsonSchema({"type": ["integer", "string"], "format": "int64", "examples": [943]})
]
Index = Annotated[
    int, BeforeValidator(_index), WithJsonSchema({"type": ["integer", "string", "object"], "examples": [0]})
]
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"]})]
Words = Annotated[
    list[str],
    BeforeValidator(_words),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": ["string", "number"]}}),
]
Wholes = Annotated[
    list[int],
    BeforeValidator(_wholes),
    WithJsonSchema(
        {"type": ["integer", "string", "array"], "items": {"type": ["integer", "string"]}, "examples": [[392]]}
    ),
]


class Payload(BaseModel):
    """Base of all parameter models. `unknown` names what was given and is not known."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, str_strip_whitespace=False)
    IGNORED: ClassVar[frozenset[str]] = frozenset()  # known to real clients, without effect here

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> Self:
        """Raises ApiError 422 naming every field at fault."""
        given = {name: value for name, value in parameters.items() if value is not None and value != ""}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise refusal(error) from None
        except RecursionError:
            raise ApiError("too_deep") from None

    def unknown(self, *, prefix: str = "") -> list[str]:
        """Warnings: one sentence for each name that is not a parameter of this call."""
        return unknown_names(type(self), self.model_extra or {}, prefix=prefix)


def unknown_names(model: type[Payload], extra: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    known = [field.alias or name for name, field in model.model_fields.items()]
    warnings = []
    for name in list(extra)[:20]:
        if name in model.IGNORED:
            continue
        near = difflib.get_close_matches(name[:60], known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        warnings.append(f"{prefix}{name[:60]} is not a parameter of this call and was not used.{hint}")
    return warnings


def refusal(error: ValidationError) -> ApiError:
    """Pydantic's findings in our words; the first one is the message, the others follow in `details`."""
    details = []
    for finding in error.errors(include_url=False)[:20]:
        param = path_of(finding["loc"])
        details.append({"param": param, "message": _sentence(finding, param)})
    first = details[0]
    return ApiError("invalid_input", str(first["message"]), param=first["param"], details=details[1:] or None)


def path_of(location: tuple[int | str, ...]) -> str:
    """("tinyList", 0, "index") → tinyList[0].index"""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else str(part)
    return path[:200]


def _sentence(finding: Any, param: str) -> str:
    kind = finding["type"]
    if kind == "missing":
        return f"{param} is required."
    if kind == "value_error":
        return f"{param} {str(finding['msg']).removeprefix('Value error, ').rstrip('.')}."
    if kind.endswith(("_type", "_parsing")):
        wanted = {"string": "a text", "dict": "an object", "list": "a list", "model": "an object"}
        return f"{param} must be {wanted.get(kind.split('_')[0], 'of another type')}."
    if kind == "too_long" and isinstance(
        finding["input"], str
    ):  # Pydantic counts the "items" of a text read by a validator
        return f"{param} must have at most {finding['ctx']['max_length']} characters, not {len(finding['input'])}."
    return f"{param} {_SHOULD.sub('must', str(finding['msg']))}."


def read_moment(value: str, *, param: str, zone: ZoneInfo) -> datetime:
    """ISO 8601, `Z` or an offset; without one, the account's own time (scheduleOn: guide §2.1). Aware UTC."""
    text = value.strip().replace("'", "")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ApiError(
            "invalid_input", f'{param}: {text[:40]!r} is not a date such as "2027-06-24T09:30:58Z".', param=param
        ) from None


def us_date(moment: datetime, zone: ZoneInfo) -> str:
    """ "Jun 16, 2021 6:29:07 PM": creationDate and updateDate of a campaign (X30), in the account's time."""
    local = moment.astimezone(zone)
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[local.month - 1]
    half = "AM" if local.hour < 12 else "PM"
    return f"{month} {local.day}, {local.year} {local.hour % 12 or 12}:{local:%M:%S} {half}"


def utc_date(moment: datetime) -> str:
    """ "2021-06-25T08:46:45.937Z[UTC]": creationDate of a list."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z[UTC]"


def iso_date(moment: datetime | None) -> str | None:
    """Native endpoints: ISO 8601 in UTC with Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
