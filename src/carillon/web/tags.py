"""Our template tags and filters, available in every template without {% load %} (settings: builtins)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.forms import BoundField, CheckboxInput, PasswordInput
from django.template import Library
from django.templatetags.static import static
from django.utils import formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from carillon.domain import status
from carillon.domain.errors import CarillonError
from carillon.web.sentences import sentence_for, sentence_for_kept, sentence_for_pause

register = Library()


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """One icon of the sprite; decorative unless `label` is given. `size`: "", "small" or "big"."""
    href = static("carillon/icons.svg") + "#" + name
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}"></use></svg>', size, label, href
        )
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"></use></svg>', size, href)


@register.filter
def credits(hundredths: int | None) -> str:
    """Hundredths of a credit as a person writes them: 16050 → "160,5", 16000 → "160"."""
    if hundredths is None:
        return ""
    whole, rest = divmod(abs(hundredths), 100)
    digits = 0 if not rest else 1 if rest % 10 == 0 else 2
    text = formats.number_format(whole + rest / 100 if rest else whole, decimal_pos=digits, force_grouping=True)
    return f"-{text}" if hundredths < 0 else text


@register.filter
def count(number: int | None) -> str:
    """A whole number grouped by thousands as the language does."""
    return "" if number is None else formats.number_format(number, decimal_pos=0, force_grouping=True)


@register.filter
def moment(value: datetime | None) -> str:
    """Date and time, local: "01/12/2026 10:05"."""
    if value is None:
        return ""
    form = "d/m/Y H:i" if (translation.get_language() or "fr").startswith("fr") else "j M Y, H:i"
    return formats.date_format(timezone.localtime(value), form)


@register.filter
def phone(msisdn: int | str | None) -> str:
    """E.164 digits as people read them: 33612345678 → "+33 6 12 34 56 78"."""
    digits = str(msisdn or "").lstrip("+")
    if digits.startswith("33") and len(digits) == 11:
        return "+33 " + digits[2] + " " + " ".join(digits[i : i + 2] for i in range(3, 11, 2))
    return f"+{digits}" if digits else ""


@register.filter
def pause(reason: str) -> str:
    """Why a campaign is paused."""
    return sentence_for_pause(reason)


@register.filter
def failure(error: str) -> str:
    """What stopped a campaign."""
    return sentence_for_kept(error)


@register.inclusion_tag("components/status_pill.html")
def status_pill(code: int, medium: str = "sms") -> dict[str, Any]:
    """The colour and the label of a message's status."""
    language = "fr" if (translation.get_language() or "fr").startswith("fr") else "en"
    return {
        "label": status.label(code, language=language),
        "meaning": status.meaning(code, language=language),
        "colour": status.colour(code, medium=medium),
    }


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "", kind: str = "", placeholder: str = "") -> dict[str, Any]:
    """A form field with label, hint and errors. `kind` adds a class to the input ("code", "is-short")."""
    widget = bound.field.widget
    has_errors = bool(bound.errors)
    hint_text = hint or bound.help_text
    attrs: dict[str, Any] = {"class": f"input {kind}".strip()}
    described = [f"{bound.id_for_label}-hint"] if hint_text else []
    if has_errors:
        attrs["aria-invalid"] = "true"
        described.append(f"{bound.id_for_label}-error")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if placeholder:
        attrs["placeholder"] = placeholder
    is_check = isinstance(widget, CheckboxInput)
    if is_check:
        attrs["class"] = ""
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "hint": hint_text,
        "is_check": is_check,
        "is_password": isinstance(widget, PasswordInput),
        "is_group": getattr(widget, "use_fieldset", False),
        "is_optional": not (bound.field.required or is_check),
    }


@register.inclusion_tag("components/switch.html")
def switch(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """A yes/no field as an OUI / NON switch."""
    hint_text = hint or bound.help_text
    attrs: dict[str, Any] = {"role": "switch"}
    if hint_text:
        attrs["aria-describedby"] = f"{bound.id_for_label}-hint"
    return {"bound": bound, "control": bound.as_widget(attrs=attrs), "hint": hint_text}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Any, page: Any) -> dict[str, Any]:
    """Links to the other pages of a Django `Page`, keeping the filters of the address."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {
        "page": page,
        "query": query.urlencode(),
        "is_cut": getattr(page.paginator.object_list, "is_cut", False),  # services.long_lists: there are more
        "numbers": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "ellipsis": page.paginator.ELLIPSIS,
    }


@register.filter
def sentence(error: CarillonError) -> str:
    """A service's error in the words of a person."""
    return sentence_for(error)


@register.filter
def entry(mapping: Mapping[str, Any], key: str) -> Any:
    """The value under a key that is only known while rendering; nothing when there is none."""
    return mapping.get(key, "")


@register.filter
def filled(values: Iterable[str]) -> list[str]:
    """Without the empty ones, which would leave separators side by side."""
    return [value for value in values if value.strip()]


@register.filter
def as_json(value: Any) -> str:
    """For a data- attribute that a script reads."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def pair_json(first: str, second: str) -> str:
    """One pair, as a list of pairs: what data-replace holds."""
    return json.dumps([[first, second]], ensure_ascii=False)


@register.filter
def iso_day(value: Any) -> str:
    """What <input type="date"> wants, from a date or from what was typed."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value or "")


@register.filter
def iso_clock(value: Any) -> str:
    """10:30, from a time or from what was typed."""
    return f"{value:%H:%M}" if hasattr(value, "hour") else str(value or "")


@register.filter
def status_colour(code: int) -> str:
    """The dot's colour for a status that is named beside it."""
    return status.colour(code)


@register.filter
def moment_exact(value: datetime | None) -> str:
    """Date and time with seconds, local."""
    return "" if value is None else f"{moment(value)}:{timezone.localtime(value):%S}"


MOVEMENTS = {
    "grant": gettext_lazy("Crédits reçus"),
    "transfer": gettext_lazy("Transfert"),
    "reserve": gettext_lazy("Réservation"),
    "settle": gettext_lazy("Envoi facturé"),
    "refund": gettext_lazy("Réservation rendue"),
    "correction": gettext_lazy("Correction"),
}


NOTES = {  # what services write on a movement that nobody noted
    "opening": gettext_lazy("Crédits d'ouverture"),
    "demo": gettext_lazy("Démonstration"),
    "schedule cancelled": gettext_lazy("Programmation annulée"),
    "account closed": gettext_lazy("Compte fermé"),
    "rest cancelled": gettext_lazy("Reste annulé"),
}
CONNECTOR_STATES = {  # label, colour of its pill
    "bound": (gettext_lazy("Relié"), "ok"),
    "connecting": (gettext_lazy("Connexion…"), "warn"),
    "throttled": (gettext_lazy("Ralenti"), "warn"),
    "down": (gettext_lazy("Coupé"), "bad"),
    "closed": (gettext_lazy("Fermé"), ""),
}
JOB_STATES = {
    "todo": gettext_lazy("À faire"),
    "doing": gettext_lazy("En cours"),
    "succeeded": gettext_lazy("Réussies"),
    "failed": gettext_lazy("Échouées"),
    "cancelled": gettext_lazy("Annulées"),
    "aborting": gettext_lazy("En cours d'arrêt"),
    "aborted": gettext_lazy("Arrêtées"),
}


@register.filter
def movement(kind: str) -> str:
    """The kind of a ledger row in words."""
    return str(MOVEMENTS.get(kind, kind))


@register.filter
def movement_note(note: str) -> str:
    """What a person noted on a movement, or the platform's own word for it."""
    return str(NOTES.get(note, note))


@register.filter
def connector_state(state: str) -> str:
    label, _kind = CONNECTOR_STATES.get(state, (state or "–", ""))
    return str(label)


@register.filter
def job_state(state: str) -> str:
    """A state of Procrastinate's jobs."""
    return str(JOB_STATES.get(state, state))


@register.filter
def signed_credits(hundredths: int) -> str:
    """A change: "+160" or "-9"."""
    text = credits(hundredths)
    return text if hundredths < 0 else f"+{text}"
