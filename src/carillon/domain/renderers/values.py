"""Values inside a template and the few functions they know: text, numbers, booleans, nothing, lists. Nothing else exists.

There are no objects: `x.name` is looked up in `METHODS` by name, never on a Python object, so no template can reach one.
Every result is bounded (`MAX_TEXT`, `MAX_ITEMS`, `MAX_NUMBER`); too large is an error for that recipient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

MAX_TEXT = 4_000  # characters; the longest message has 918
MAX_ITEMS = 500
MAX_NUMBER = 10**15

Value = Any  # str | int | float | bool | None | list[Value] | Missing


class RenderError(Exception):
    """This recipient cannot be personalised; the sentence is shown in the report."""


class TooLong(RenderError):
    """Longer than any message may be."""


class Missing:
    """A name that is neither a field nor a variable. False in a condition, an error when it should be printed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


TRUE_FALSE_NULL: Final = {"true": True, "false": False, "null": None}


def text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Missing):
        raise RenderError(f"field {value.name!r} does not exist")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return bounded(",".join(text(item) for item in value))
    return f"{value:.12g}" if isinstance(value, float) and value != int(value) else str(int(value))


def is_true(value: Value) -> bool:
    """Empty text, zero, nothing, an empty list and a missing field are false; all other text is true, even "0"."""
    return not isinstance(value, Missing) and bool(value)


def as_number(value: Value) -> int | float | None:
    """The number a value stands for, also written the French way ("1 250,50"); None when it is none."""
    if isinstance(value, (int, float)):
        return value
    if not isinstance(value, str) or not 0 < len(value) <= 32:
        return None
    plain = value.replace(" ", "").replace("\xa0", "").replace("\u202f", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    digits = plain.removeprefix("-")
    if not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        return None
    return checked(float(plain) if "." in plain else int(plain))


def number(value: Value) -> int | float:
    found = as_number(value)
    if found is None:
        raise RenderError(f"{text(value)[:40]!r} is not a number")
    return found


def whole(value: Value) -> int:
    return int(number(value))


def checked(result: int | float) -> int | float:
    if abs(result) > MAX_NUMBER:
        raise RenderError("a number is too large")
    return result


def bounded(result: str) -> str:
    if len(result) > MAX_TEXT:
        raise RenderError(f"a value is longer than {MAX_TEXT} characters")
    return result


def items(value: Value) -> list[Value]:
    """What a loop goes through: a list, or a single non-empty value once."""
    found = value if isinstance(value, list) else [value] if is_true(value) else []
    if len(found) > MAX_ITEMS:
        raise RenderError(f"a list has more than {MAX_ITEMS} items")
    return found


def make_list(*found: Value) -> list[Value]:
    """Lists hold no lists: nested ones could grow without bound from a short template."""
    if any(isinstance(item, list) for item in found):
        raise RenderError("a list inside a list")
    return list(found)


def is_equal(left: Value, right: Value) -> bool:
    """Numbers by value ("12" equals 12, "12,0" equals 12 when one side is a number); otherwise as text."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        return False
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return is_true(left) == is_true(right) if isinstance(left, bool) or isinstance(right, bool) else left is right
    if isinstance(left, (int, float)) or isinstance(right, (int, float)):
        return as_number(left) is not None and as_number(left) == as_number(right)
    return bool(left == right)


def compare(left: Value, right: Value) -> int:
    """-1, 0 or 1: by value when both are numbers, otherwise as text."""
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return (first > second) - (first < second)
    return (text(left) > text(right)) - (text(left) < text(right))


def add(left: Value, right: Value) -> Value:
    """A sum when both are numbers already, otherwise the texts one after the other."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return checked(left + right)
    return bounded(text(left) + text(right))


def subtract(left: Value, right: Value) -> Value:
    return checked(number(left) - number(right))


def multiply(left: Value, right: Value) -> Value:
    return checked(number(left) * number(right))


def divide(left: Value, right: Value) -> Value:
    divisor = number(right)
    if divisor == 0:
        raise RenderError("division by zero")
    result = number(left) / divisor
    return checked(int(result) if result == int(result) else result)


def remainder(left: Value, right: Value) -> Value:
    divisor = number(right)
    if divisor == 0:
        raise RenderError("division by zero")
    return number(left) % divisor


def length(value: Value) -> int:
    return len(value) if isinstance(value, list) else len(text(value))


def split(value: Value, separator: Value = ",") -> list[Value]:
    mark = text(separator)
    parts = text(value).split(mark, MAX_ITEMS) if mark else list(text(value)[: MAX_ITEMS + 1])
    return items([part.strip() if mark.strip() else part for part in parts])


def join(value: Value, separator: Value = ",") -> str:
    return bounded(text(separator).join(text(item) for item in items(value)))


def substring(value: Value, start: Value = 0, end: Value = None) -> str:
    whole_text = text(value)
    first = min(max(whole(start), 0), len(whole_text))
    last = len(whole_text) if end is None else min(max(whole(end), 0), len(whole_text))
    return whole_text[min(first, last) : max(first, last)]


def cut_out(value: Value, start: Value = 0, end: Value = None) -> str:
    """JavaScript's slice: negative positions count from the end."""
    return text(value)[whole(start) : None if end is None else whole(end)]


def repeat(value: Value, times: Value) -> str:
    count = max(whole(times), 0)
    if count * length(value) > MAX_TEXT:
        raise RenderError(f"a value is longer than {MAX_TEXT} characters")
    return text(value) * count


def pad_start(value: Value, width: Value, fill: Value = " ") -> str:
    return _padding(value, width, fill) + text(value)


def pad_end(value: Value, width: Value, fill: Value = " ") -> str:
    return text(value) + _padding(value, width, fill)


def _padding(value: Value, width: Value, fill: Value) -> str:
    missing = min(whole(width), MAX_TEXT) - len(text(value))
    return (text(fill) * max(missing, 0))[: max(missing, 0)]


def item_at(value: Value, index: Value) -> Value:
    """The n-th item or character, from 0; nothing when there is none."""
    found = value if isinstance(value, list) else text(value)
    position = whole(index)
    return found[position] if 0 <= position < len(found) else None


def capitalise(value: Value) -> str:
    whole_text = text(value)
    return whole_text[:1].upper() + whole_text[1:]


def capitalise_words(value: Value) -> str:
    """Each word, also behind a hyphen or an apostrophe: "jean-paul d'arc" becomes "Jean-Paul D'Arc"."""
    return text(value).title()


def contains(value: Value, wanted: Value) -> bool:
    if isinstance(value, list):
        return any(is_equal(item, wanted) for item in value)
    return text(wanted) in text(value)


def fixed(value: Value, digits: Value = 0) -> str:
    return f"{number(value):.{min(max(whole(digits), 0), 10)}f}"


def is_empty(value: Value) -> bool:
    return not is_true(value)


def replace_all(value: Value, old: Value, new: Value) -> str:
    """Plain text, no patterns."""
    mark, by = text(old), text(new)
    if not mark:
        return text(value)
    if text(value).count(mark) * len(by) + len(text(value)) > 2 * MAX_TEXT:
        raise RenderError(f"a value is longer than {MAX_TEXT} characters")
    return bounded(text(value).replace(mark, by))


def replace_first(value: Value, old: Value, new: Value) -> str:
    return bounded(text(value).replace(text(old), text(new), 1))


Function = Callable[..., Value]

# name -> (function, least and most arguments besides the value itself)
METHODS: dict[str, tuple[Function, int, int]] = {
    "toUpperCase": (lambda value: bounded(text(value).upper()), 0, 0),
    "toLowerCase": (lambda value: bounded(text(value).lower()), 0, 0),
    "toLocaleUpperCase": (lambda value: bounded(text(value).upper()), 0, 0),
    "toLocaleLowerCase": (lambda value: bounded(text(value).lower()), 0, 0),
    "trim": (lambda value: text(value).strip(), 0, 0),
    "toString": (text, 0, 0),
    "length": (length, 0, 0),
    "size": (length, 0, 0),
    "isEmpty": (is_empty, 0, 0),
    "charAt": (item_at, 1, 1),
    "get": (item_at, 1, 1),
    "at": (item_at, 1, 1),
    "substring": (substring, 1, 2),
    "slice": (cut_out, 0, 2),
    "indexOf": (lambda value, wanted: text(value).find(text(wanted)), 1, 1),
    "includes": (contains, 1, 1),
    "contains": (contains, 1, 1),
    "startsWith": (lambda value, start: text(value).startswith(text(start)), 1, 1),
    "endsWith": (lambda value, end: text(value).endswith(text(end)), 1, 1),
    "equals": (lambda value, other: text(value) == text(other), 1, 1),
    "equalsIgnoreCase": (lambda value, other: text(value).casefold() == text(other).casefold(), 1, 1),
    "replaceAll": (replace_all, 2, 2),
    "split": (split, 0, 1),
    "join": (join, 0, 1),
    "concat": (add, 1, 1),
    "repeat": (repeat, 1, 1),
    "padStart": (pad_start, 1, 2),
    "padEnd": (pad_end, 1, 2),
    "toFixed": (fixed, 0, 1),
}
