"""Options as people give them: JSON from a form or the API, or KEY=VALUE on a command line, where everything is a text."""

from __future__ import annotations

import json
from typing import Any


def written(value: Any, kind: str) -> Any:
    """`value`, or what its text means in JSON when an option of another `kind` than "str" was given as a text."""
    if not isinstance(value, str) or kind == "str":
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
