"""What the composer shows: the tables its script counts with, the verdict on the text, its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from carillon.domain import emoji, renderers, segments
from carillon.domain.compose import Warned, prefilled
from carillon.domain.errors import CarillonError, InvalidInput, NotFound
from carillon.domain.fields import BUILTINS, Columns, fold
from carillon.domain.segments import foreign_characters, to_gsm
from carillon.domain.status import Status
from carillon.models import Campaign, List
from carillon.services import composing, estimates, links
from carillon.services.composing import Preview
from carillon.services.estimates import Estimate
from carillon.web.sentences import sentence_for

TABLES = {
    "basic": "".join(sorted(segments.GSM_CHARACTERS - set(segments.EXTENSION.values()))),
    "extension": "".join(segments.EXTENSION.values()),
    # letters that only lose their accent are worked out by segments.js, as domain.segments does
    "replacements": {c: plain for c, plain in segments.REPLACEMENTS.items() if normalize("NFD", c)[0] != plain},
}
TOKENS = {  # how a field is written in each syntax
    "BASIC": "${%s}", "MEDIASFLOW": "$$[%s]", "MEDIASFLOW_B": "$$[record]%s$$", "HANDLEBARS": "{{%s}}", "EJS": "<%%=%s%%>",
    "VELOCITY": "${%s}",
}  # fmt: skip
WARNINGS: dict[str, Promise] = {
    "unknown_field": gettext_lazy("Le champ %(subject)s n'existe dans aucune de vos listes."),
    "ambiguous_field": gettext_lazy("Plusieurs colonnes s'appellent presque %(subject)s : la première est utilisée."),
    "emoji_needs_ucs2": gettext_lazy("Les emojis demandent l'option UCS2."),
    "link_missing": gettext_lazy("Aucune URL n'est suivie sous le nom %(subject)s."),
    "no_way_out": gettext_lazy(
        "Avec un émetteur personnalisé, vos destinataires ne pourront ni répondre ni se désabonner de cette notification."
    ),
    "stop_added": gettext_lazy("« %(subject)s » sera ajouté à la fin, et compté : la mention est obligatoire."),
    "stop_number_differs": gettext_lazy("Le message indique STOP %(subject)s, qui n'est pas votre numéro court."),
    "stop_by_reply": gettext_lazy(
        "La mention STOP a été retirée : répondre STOP à ce numéro court fonctionne quand même."
    ),
}


@dataclass(frozen=True, slots=True)
class Chip:
    name: str
    token: str
    is_pink: bool  # some rows are empty


@dataclass(frozen=True, slots=True)
class Letters:
    """Characters outside GSM 7-bit: those that will be replaced, those that force UCS-2 or are refused (with a way out)."""

    replaced: list[tuple[str, str]]
    forcing: list[tuple[str, str]]  # the replacement, "" when there is none
    is_refused: bool

    @property
    def replaceable(self) -> list[tuple[str, str]]:
        return [pair for pair in self.forcing if pair[1]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything the server says of a text. `problem` forbids sending, `notes` do not."""

    preview: Preview | None
    letters: Letters
    problem: str
    notes: list[str]
    cost: Estimate | None
    worst_segments: int
    available: int

    @property
    def is_ucs2(self) -> bool:
        return self.preview is not None and self.preview.encoding == "UCS2"

    @property
    def after(self) -> int:
        return self.available - (self.cost.price if self.cost else 0)

    @property
    def missing(self) -> int:
        return -self.after


def chips(campaign: Campaign) -> list[Chip]:
    empty = composing.extremes(campaign).empty
    token = TOKENS.get(campaign.renderer, "${%s}")
    return [Chip(name, token % name, name in empty) for name in composing.header_of(campaign)]


def wanting(campaign: Campaign) -> list[tuple[str, bool]]:
    """Fields with empty rows, and whether the text, or a preview's, names them: only those are asked for a default."""
    links = campaign.links.values_list("title", "description", "url")
    text = fold(" ".join([campaign.message, *(part for link in links for part in link)]))
    empty = composing.extremes(campaign).empty
    spellings = {name: [fold(name), *(b for b, others in BUILTINS.items() if fold(name) in others)] for name in empty}
    return [(name, any(s in text for s in spellings[name])) for name in composing.header_of(campaign) if name in empty]


def browser_data(campaign: Campaign) -> dict[str, Any]:
    """For compose.js. The longest values leave the server: they are the account's own, shown on its own page."""
    found = composing.extremes(campaign)
    columns = Columns(composing.header_of(campaign)).names
    stop = composing.stop_rule(campaign)
    return {
        "tables": TABLES,
        "shortcuts": emoji.SHORTCUTS,
        "builtins": {name: list(others) for name, others in BUILTINS.items()},
        "columns": list(columns),
        "mobile": None,
        "longest": [found.longest.get(name, "") for name in columns],
        "foreign": [found.foreign.get(name, "") for name in columns],
        "pink": sorted(found.empty),
        "links": {name: text if isinstance(text, str) else text(0) for name, text in links.texts_for(campaign).items()},
        "stop": {"isMarketing": stop.is_marketing, "number": stop.number, "mention": stop.mention},
        "maxSegments": campaign.account.max_segments,
        "renderer": campaign.renderer,
    }


def verdict(campaign: Campaign, *, row: int = 0) -> Verdict:
    """`campaign` as typed, stored or not."""
    problem = ""
    preview = None
    notes: list[str] = []
    try:
        composing.check_sender(campaign)
        preview = composing.preview(campaign, row)
        problem = _refusal(preview, campaign)
        columns = Columns(composing.header_of(campaign))
        composer = composing.composer_for(campaign, columns=columns)
        if composer.unknown_fields:
            problem = WARNINGS["unknown_field"] % {"subject": ", ".join(composer.unknown_fields)}
        elif says_nothing(campaign):
            problem = _("Écrivez votre message.")
        elif lacking := composing.lacking(campaign):
            problem = _lacking(*lacking)
        notes = [_note(w) for w in composer.warnings() if w.code != "unknown_field"]
        notes += _cap(campaign)
    except NotFound:
        return verdict(campaign, row=0)
    except InvalidInput as error:
        problem = sentence(error)
        preview = preview or _preview_anyway(campaign, row)
    campaign.payer.refresh_from_db(fields=["balance", "held"])
    worst = preview if preview is None or row == 0 else _worst(campaign) or preview
    n = worst.segments if worst is not None else 0
    cost = estimates.estimate(campaign, segments=n) if n else None
    return Verdict(preview, letters(campaign), problem, notes, cost, n, campaign.payer.available)


def says_nothing(campaign: Campaign) -> bool:
    """The text is still the STOP mention that the page put there."""
    return campaign.is_marketing and campaign.message.strip() == prefilled("", campaign.short_code)


def _lacking(item: List, names: tuple[str, ...]) -> str:
    return _(
        "La liste « %(list)s » n'a pas de champ %(names)s : retirez-le du message, ou la liste des destinataires."
    ) % {
        "list": item.name,
        "names": ", ".join(names),
    }


def _cap(campaign: Campaign) -> list[str]:
    account = campaign.account
    if not campaign.is_marketing or not account.cap_messages:
        return []
    sentence = _(
        "Votre compte limite à %(n)d le nombre de messages marketing par personne en %(days)d jours : qui les a déjà reçus est "
        "laissé de côté."
    )
    return [sentence % {"n": account.cap_messages, "days": account.cap_days}]


def _worst(campaign: Campaign) -> Preview | None:
    try:
        return composing.preview(campaign, 0)
    except CarillonError:
        return None


def _preview_anyway(campaign: Campaign, row: int) -> Preview | None:
    """What the phone would show and the counter count, although the campaign cannot leave like that."""
    allowed, campaign.allow_ucs2 = campaign.allow_ucs2, True
    try:
        return composing.preview(campaign, row)
    except CarillonError:
        return None
    finally:
        campaign.allow_ucs2 = allowed


def _refusal(preview: Preview, campaign: Campaign) -> str:
    most = campaign.account.max_segments
    if preview.refusal == Status.TOO_LONG:
        return _("Message trop long : %(n)d SMS. Votre compte permet %(most)d SMS par message.") % {
            "n": preview.segments,
            "most": most,
        }
    if preview.refusal == Status.UCS2:
        return _(
            "Certaines valeurs de vos listes contiennent des caractères interdits : activez tous les caractères (UCS2)."
        )
    return ""


def sentence(error: InvalidInput) -> str:
    if error.code == "ucs2_not_allowed":
        return _(
            "Le message contient des caractères qui ne peuvent pas partir : remplacez-les ou activez l'option UCS2."
        )
    if error.code == "unknown_field":
        return _("Un champ du message manque dans l'une de vos listes.")
    if error.code == "message_empty":
        return _("Écrivez votre message.")
    if error.code == "sender_invalid":
        return _("Émetteur : de 3 à 11 lettres sans accent et chiffres, dont au moins une lettre.")
    return sentence_for(error)


def _note(warned: Warned) -> str:
    found = WARNINGS.get(warned.code)
    return found % {"subject": warned.subject} if found is not None else warned.message


def letters(campaign: Campaign) -> Letters:
    try:
        text = "".join(renderers.parse(campaign.renderer, campaign.message).literals)
    except InvalidInput:
        text = campaign.message
    replaced: dict[str, str] = {}
    forcing: dict[str, str] = {}
    for _position, character in foreign_characters(text):
        plain = to_gsm(character)
        can_replace = plain != character and not foreign_characters(plain)
        if can_replace and campaign.auto_replace_gsm7:
            replaced[character] = plain
        else:
            forcing[character] = plain if can_replace else ""
    return Letters(list(replaced.items()), list(forcing.items()), bool(forcing) and not campaign.allow_ucs2)


def preview_problem(campaign: Campaign) -> str:
    """The extranet wants a preview whole: title, description and image; the API sends without one and warns."""
    for link in campaign.links.filter(has_preview=True):
        if not (link.title and link.description and link.image_id):
            return _(
                "La prévisualisation d'URL demande un titre, une description et une image : complétez-la ou désactivez-la."
            )
    return ""
