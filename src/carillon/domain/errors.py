"""What can go wrong, in one tree.

CarillonError                 a sentence for a person: what, where, what to do
├── InvalidInput              a value is wrong: names the field (and the line) and the rule
├── NotFound                  no such thing for this account (never says whether it exists elsewhere)
├── Forbidden                 it exists, this user may not
├── Conflict                  right request, wrong state (already sent, edited elsewhere)
├── InsufficientCredit        needs `needed`, has `available` (hundredths of a credit)
├── Refused                   one recipient is refused, with the status its report will show
└── CarrierError              the network side; `is_retryable` says whether trying again can help
"""

from __future__ import annotations


class CarillonError(Exception):
    """Base of every error a person may read; `code` is stable, for machines."""

    code = "error"
    is_retryable = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def kept(self) -> str:
        """As a campaign keeps what stopped it, in at most 500 characters: the code, for sentences of each language, and ours."""
        return f"{self.code}: {self.message}"[:500]


class InvalidInput(CarillonError):
    """`field` is the parameter or column at fault, `line` the 1-based line of a file without its header, `subject` what inside
    the value is meant, such as a file of a ZIP."""

    code = "invalid_input"

    def __init__(
        self, message: str, *, field: str | None = None, line: int | None = None, code: str | None = None,
        subject: str = "",
    ) -> None:  # fmt: skip
        super().__init__(message, code=code)
        self.field = field
        self.line = line
        self.subject = subject


class NotFound(CarillonError):
    code = "not_found"


class Forbidden(CarillonError):
    code = "forbidden"


class Conflict(CarillonError):
    code = "conflict"


class InsufficientCredit(CarillonError):
    """Amounts in hundredths of a credit."""

    code = "insufficient_credit"

    def __init__(self, message: str, *, needed: int, available: int) -> None:
        super().__init__(message)
        self.needed = needed
        self.available = available


class Refused(CarillonError):
    """One recipient cannot be sent to; the others go on. `status` is the code of domain.status."""

    code = "refused"

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


class CarrierError(CarillonError):
    code = "carrier"

    def __init__(self, message: str, *, is_retryable: bool) -> None:
        super().__init__(message)
        self.is_retryable = is_retryable
