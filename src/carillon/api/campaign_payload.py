"""Parameters of campaigns/inject, as the guide's §2.1 lists them, and what they mean for a campaign's fields."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from carillon.api.errors import ApiError
from carillon.api.fields import Flag, Payload, Text, Whole, Wholes

MAX_RECIPIENTS = 50
MAX_CELL = 5_000  # characters of one field
MOBILE_NAMES = ("mobile", "sms", "portable", "gsm")
RECIPIENT_FIELDS = ("title", "lastName", "firstName", "email", "phone")
SILENT_FIELDS = frozenset({"groupID", "userOwnerID", "id"})  # in the guide, without a stated meaning
RENDERERS = ("BASIC", "MEDIASFLOW", "MEDIASFLOW_B", "HANDLEBARS", "EJS", "VELOCITY", "SMSFACTOR")

_RECIPIENT_SCHEMA = {
    "type": "object",
    "description": "One person. The number stands under mobile, sms, portable or gsm.",
    "properties": {
        **{name: {"type": ["string", "number", "null"]} for name in (*MOBILE_NAMES, *RECIPIENT_FIELDS)},
        "groupID": {"type": ["integer", "string", "null"]},
        "userOwnerID": {"type": ["string", "null"]},
        "extendedKeys": {
            "description": 'Further fields: [{"REF": "12"}] or [{"keyName": "REF", "keyValue": "12"}].',
            "type": ["array", "object", "null"],
            "items": {"type": "object"},
        },
    },
}


def _as_people(value: Any) -> Any:
    """A list of objects; one object, or numbers in a text or a list, are read as people with a number only."""
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, str):
        value = [word for word in value.replace(";", ",").split(",") if word.strip()]
    if not isinstance(value, list):
        raise ValueError("must be a list of objects")
    people = [{"mobile": str(item).strip()} if isinstance(item, (str, int)) else item for item in value]
    if any(not isinstance(item, dict) for item in people):
        raise ValueError("must be a list of objects")
    return people


def _as_defaults(value: Any) -> Any:
    if not isinstance(value, dict) or any(isinstance(item, (dict, list)) for item in value.values()):
        raise ValueError('must be an object such as {"Title": "Mr/Mrs"}')
    return {str(key): "" if item is None else str(item) for key, item in value.items()}


def _as_traffic(value: Any) -> Any:
    word = str(value).strip().upper()
    known = {"MKG": "MKG", "MARKETING": "MKG", "NOTIFICATION": "NOTIFICATION", "NOTIF": "NOTIFICATION"}
    if word not in known:
        raise ValueError("must be MKG or NOTIFICATION")
    return known[word]


def _as_renderer(value: Any) -> Any:
    word = str(value).strip().upper()
    if word not in RENDERERS:
        raise ValueError(f"must be one of {', '.join(RENDERERS)}")
    return word


def _as_entries(value: Any) -> Any:
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
        raise ValueError("must be a list of objects")
    return value


People = Annotated[
    list[dict[str, Any]],
    BeforeValidator(_as_people),
    WithJsonSchema({"type": ["array", "object", "string"], "maxItems": MAX_RECIPIENTS, "items": _RECIPIENT_SCHEMA}),
]
Defaults = Annotated[
    dict[str, str],
    BeforeValidator(_as_defaults),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Traffic = Annotated[
    str, BeforeValidator(_as_traffic), WithJsonSchema({"type": "string", "enum": ["MKG", "NOTIFICATION"]})
]
Renderer = Annotated[str, BeforeValidator(_as_renderer), WithJsonSchema({"type": "string", "enum": list(RENDERERS)})]
Entries = Annotated[
    list[dict[str, Any]],
    BeforeValidator(_as_entries),
    WithJsonSchema({"type": "array", "maxItems": 20, "items": {"type": "object"}}),
]


class CampaignPayload(Payload):
    """A message and its recipients. Booleans and numbers may also be written as texts; null and "" mean "not given"."""

    userOwnerID: Text | None = Field(
        None, description="User the campaign is for; only an administrator may name another."
    )
    brand: Text | None = Field(
        None, max_length=80, description="Brand the STOP answers attach to (multi-brand accounts)."
    )
    campaignName: Text | None = Field(None, max_length=200, description='Default: date, time and "campaign API".')
    listsId: Wholes | None = Field(None, description="Number, or numbers, of lists sent with lists/upload.")
    listRecipient: People | None = Field(None, description="At most 50 numbers; may be combined with listsId.")
    msg: Text | None = Field(None, max_length=20_000, description="The text, with fields in the renderer's syntax.")
    sender: Text | None = Field(None, max_length=40, description="3 to 11 letters and digits; missing: the short code.")
    typeSelect: Traffic = Field("MKG", description="MKG (default) or NOTIFICATION.")
    scheduleOn: Text | None = Field(
        None,
        max_length=60,
        description="At least 5 minutes ahead; Z is UTC, no zone is the account's.",
        examples=["2027-06-24T09:30:58Z"],
    )
    renderer: Renderer | None = Field(None, description="Syntax of the fields; default: the account's, else BASIC.")
    defaultForHeader: Defaults | None = Field(None, description="Value used where a field is empty.")
    startNow: Flag = Field(False, description="true: send now or at the date; false: prepare, check and answer.")
    allowUCS2: Flag = Field(False, description="Allow characters outside GSM 7-bit.")
    autoREPLACEEMOJI: Flag = Field(False, description="Turn :-) into an emoji; needs allowUCS2.")
    autoREPLACETOGSM7: Flag = Field(True, description="Replace ç â ê ë by c a e e, and the like.")
    checkDuplicate: Flag | None = Field(None, description="One message per number (default: the account's, else true).")
    billingCode: Text | None = Field(None, max_length=80, description="Printed on the invoice.")
    pacePerHour: Whole | None = Field(
        None, ge=0, le=10_000_000, description="At most so many messages an hour, for call centres. Not in the guide."
    )
    tinyList: Entries | None = Field(None, description="Links to shorten: index 0 is ${track_1}.")
    b64ImagePreview: Text | None = Field(None, description="Preview image, JPG or PNG in Base64.")
    b64ZipLocal: Text | None = Field(None, description="ZIP of an HTML page in Base64, for links of type LOCAL.")
    b64ZipLoccal: Text | None = Field(None, description="The same; the guide's other spelling.")

    IGNORED: ClassVar[frozenset[str]] = frozenset({"sendToSelect"})


class InjectPayload(CampaignPayload):
    campaignId: Whole | None = Field(
        None, description="A prepared campaign to launch; the text and recipients are then its own."
    )


def people_rows(people: list[dict[str, Any]], *, warnings: list[str]) -> list[dict[str, str]]:
    """Rows {column: text} for a campaign's own list, the mobile column under the name the client used.

    Raises ApiError for more than 50, for a person without a number, and for extendedKeys that cannot be read.
    """
    if len(people) > MAX_RECIPIENTS:
        raise ApiError(
            "too_many_recipients",
            f"listRecipient holds {len(people)} people, at most {MAX_RECIPIENTS} are allowed; use lists/upload.",
            param="listRecipient",
        )
    return [_row(person, index, warnings) for index, person in enumerate(people)]


def _row(person: dict[str, Any], index: int, warnings: list[str]) -> dict[str, str]:
    row: dict[str, str] = {}
    where = f"listRecipient[{index}]"
    for key, value in person.items():
        name = key.strip()
        if name.lower() in MOBILE_NAMES:
            if value not in (None, "") and "mobile" not in row:
                row["mobile"] = _cell(value, f"{where}.{name[:40]}")
        elif name in RECIPIENT_FIELDS:
            if value is not None:
                row[name] = _cell(value, f"{where}.{name}")
        elif name == "extendedKeys":
            row.update(_extended(value, where))
        elif name not in SILENT_FIELDS:
            warnings.append(
                f"{where}.{name[:40]} is not a field of a recipient and was not used: put it in extendedKeys."
            )
    if "mobile" not in row:
        raise ApiError(
            "invalid_input", f"{where} has no mobile number (mobile, sms, portable or gsm).", param=f"{where}.mobile"
        )
    return row


def _extended(value: Any, where: str) -> dict[str, str]:
    """Both printed forms: {"Adresse": "…", "CP": "…"} and {"keyName": "…", "keyValue": "…"} (X10)."""
    if value is None:
        return {}
    items = [value] if isinstance(value, dict) else value
    param = f"{where}.extendedKeys"
    if not isinstance(items, list) or any(not isinstance(item, dict) for item in items):
        raise ApiError("invalid_input", f"{param} must be a list of objects.", param=param)
    fields: dict[str, str] = {}
    for item in items:
        # A line break inside a key is how the guide's own sample was wrapped.
        pairs = {" ".join(key.split()): inner for key, inner in item.items()}
        if "keyName" in pairs:
            fields[_cell(pairs["keyName"], param).strip()[:200]] = _cell(pairs.get("keyValue"), param)
        else:
            fields.update({key[:200]: _cell(inner, param) for key, inner in pairs.items()})
    fields.pop("", None)
    if len(fields) > 200:
        raise ApiError("invalid_input", f"{param} has {len(fields)} fields, at most 200 are allowed.", param=param)
    return fields


def _cell(value: Any, param: str) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise ApiError("invalid_input", f"{param} must be a text.", param=param)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if len(text) > MAX_CELL:
        raise ApiError(
            "invalid_input", f"{param} has {len(text)} characters, at most {MAX_CELL} are allowed.", param=param
        )
    return text
