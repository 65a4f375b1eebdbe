"""Reading a request's parameters: JSON under any content type, forms, query strings; hostile input stopped early.

The guide declares `application/x-www-form-urlencoded` and shows JSON: real clients send JSON with that header, JSON with
the right one, JSON inside a form field, and plain forms. All are read into one dict.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from carillon.api.errors import ApiError

MAX_BYTES = 8 * 1024 * 1024  # a preview image and a zipped page in Base64 fit
MAX_DEPTH = 20
MAX_VALUES = 200_000
_JSON_FIELDS = ("data", "json", "body", "payload")  # forms that carry the whole JSON in one field


def read(request: HttpRequest) -> dict[str, Any]:
    """Parameters of the query string, overridden by those of the body. Raises ApiError 400 or 413."""
    query = {name: values[-1] for name, values in request.GET.lists() if values}
    parameters: dict[str, Any] = dict(query)
    parameters.update(_of_body(request))
    check_text(parameters)
    return parameters


def _of_body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "multipart/form-data":
        return _of_fields(list(read_form(request).items()))
    raw = read_raw(request)
    _check_sum(request, raw)
    text = _decode(raw).strip()
    if not text:
        return {}
    if text[0] in "{[" or request.content_type != "application/x-www-form-urlencoded":
        return _of_json(text)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000, errors="strict")
    except UnicodeDecodeError:
        raise ApiError("bad_encoding", "The form is not in UTF-8.") from None
    except ValueError:
        raise ApiError("too_large", "The form has more than 1000 fields.") from None
    return _of_fields(pairs)


def read_raw(request: HttpRequest) -> bytes:
    """The body, at most MAX_BYTES: the announced length is looked at before anything is read."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise ApiError("bad_json", "Content-Length is not a number.") from None
    if announced > MAX_BYTES:
        raise ApiError("too_large", f"The body has {announced} bytes; this call accepts {MAX_BYTES}.")
    try:
        raw = request.body
    except RequestDataTooBig:
        raise ApiError("too_large", f"The body is longer than {MAX_BYTES} bytes.") from None
    except UnreadablePostError:
        raise ApiError("bad_json", "The connection ended before the whole body was there.") from None
    if len(raw) > MAX_BYTES:
        raise ApiError("too_large", f"The body has {len(raw)} bytes; this call accepts {MAX_BYTES}.")
    return raw


def read_form(request: HttpRequest) -> dict[str, str]:
    """Text fields of a multipart form (files go to `request.FILES`, on disk)."""
    try:
        return {name: values[-1] for name, values in request.POST.lists() if values}
    except (MultiPartParserError, TooManyFilesSent):
        raise ApiError("bad_json", "The multipart body cannot be read: check its boundary and its end.") from None
    except (RequestDataTooBig, TooManyFieldsSent):
        raise ApiError("too_large", "The fields of the form are too many or too long.") from None
    except UnreadablePostError:
        raise ApiError("bad_json", "The connection ended before the whole body was there.") from None


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError("bad_encoding", f"The body is not UTF-8: byte {error.start} cannot be read.") from None


def _of_fields(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """A plain form, a form with one JSON field, or JSON that a client sent as the name of a field."""
    if len(pairs) == 1:
        name, value = pairs[0]
        if name.lstrip()[:1] == "{":
            return _of_json(f"{name}={value}" if value else name)
        if name.lower() in _JSON_FIELDS and value.lstrip()[:1] == "{":
            return _of_json(value)
    return {name: _of_value(value) for name, value in pairs}


def _of_value(value: str) -> Any:
    """A form field that holds a JSON list or object is read as one; anything else is text."""
    start = value.lstrip()[:1]
    if start and start in "{[":
        try:
            return json.loads(value, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return value
    return value


def _of_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ApiError("too_deep") from None
    except json.JSONDecodeError as error:
        raise ApiError(
            "bad_json", f"The JSON cannot be read at line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except ValueError as error:
        raise ApiError("bad_json", f"The JSON cannot be read: {error}.") from None
    if value == []:  # PHP's json_encode of an empty array
        return {}
    if not isinstance(value, dict):
        raise ApiError("bad_json", "The body must be one JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def check_text(value: dict[str, Any]) -> None:
    """Depth, number of values, NUL and unpaired surrogates (PostgreSQL stores neither). Iterative: depth is hostile."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    seen = 0
    while waiting:
        item, path, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise ApiError("too_deep", param=path[:80])
        if isinstance(item, str):
            _check_string(item, path)
        elif isinstance(item, dict):
            for name, inner in item.items():
                _check_string(name, path)
                waiting.append((inner, f"{path}.{name}" if path else name, depth + 1))
        elif isinstance(item, list):
            waiting.extend((inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(item))
        if seen + len(waiting) > MAX_VALUES:
            raise ApiError("too_large", f"The body holds more than {MAX_VALUES} values.")


def _check_string(text: str, path: str) -> None:
    if text.isascii() and "\0" not in text:
        return
    if "\0" in text:
        raise ApiError("bad_encoding", "A text holds a NUL character.", param=_printable(path))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ApiError("bad_encoding", "A text holds half of a surrogate pair.", param=_printable(path)) from None


def _printable(path: str) -> str:
    return path[:80].encode("utf-8", "replace").decode().replace("\0", "")


def _check_sum(request: HttpRequest, raw: bytes) -> None:
    given = request.headers.get("X-Content-SHA256")
    if given:
        compare_sum(given, hashlib.sha256(raw).digest())


def compare_sum(given: str, digest: bytes) -> None:
    """`given` in hexadecimal or Base64; raises ApiError when it is not `digest`."""
    text = given.strip()
    try:
        wanted = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        wanted = b""
    if not hmac.compare_digest(wanted, digest):
        raise ApiError(
            "checksum_mismatch", f"X-Content-SHA256 says {text[:64]}, the bytes received give {digest.hex()}."
        )
