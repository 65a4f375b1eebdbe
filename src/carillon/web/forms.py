"""What the pages' forms share: amounts in credits, and putting a service's refusal beside the field it is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from carillon.domain.errors import CarillonError
from carillon.web.sentences import sentence_for


class CreditsField(forms.DecimalField):
    """Credits as people write them ("160,5"), hundredths of a credit as services want them."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 12)
        options.setdefault("decimal_places", 2)
        options.setdefault("localize", True)
        super().__init__(**options)

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value) / 100 if isinstance(value, int) else value


def adopt(form: forms.BaseForm, error: CarillonError) -> None:
    """Shows the error beside its field, or above the form when the field is not one of its own."""
    name = getattr(error, "field", None)
    form.add_error(name if name in form.fields else None, sentence_for(error))
