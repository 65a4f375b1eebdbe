"""From a template and a row to the text one person gets, with its encoding and segments, or the reason why not.

A `Composer` is prepared once per campaign and list, then called for each row. What it decides:

    field in no column             status 5 for the recipients concerned; `unknown_fields` names it
    empty value                    the campaign's default for that field, else nothing
    character outside GSM 7-bit    replaced when the option is on; else UCS-2 if allowed; else status 6. When it stands in the
                                   text itself (not in a value) the whole campaign is refused
    more segments than allowed     status 7
    marketing, personalised sender the STOP mention is put at the end when the text has none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from carillon.domain import emoji, optout, renderers, segments
from carillon.domain.errors import InvalidInput
from carillon.domain.fields import Columns, fold
from carillon.domain.renderers import LINK, Field, Flat, RenderError, TooLong, Tree
from carillon.domain.segments import MAX_SEGMENTS, Encoding, Measure, measure, measure_as_ucs2
from carillon.domain.status import Status

Link = str | Callable[[int], str]  # the text itself, or what makes it from the message's id (always of one length)
Render = Callable[[Sequence[str], int], str]


@dataclass(frozen=True, slots=True)
class Options:
    """Defaults of the composer's three switches, and the account's limit in segments."""

    allow_ucs2: bool = False
    replace_emoji: bool = False  # needs allow_ucs2
    replace_gsm7: bool = True
    max_segments: int = 1


@dataclass(frozen=True, slots=True)
class StopRule:
    """`number` is the short code of the route really used; `words` replace "STOP <number>" where replies are impossible."""

    is_marketing: bool
    is_sender_personalised: bool
    number: str = ""
    words: str = ""

    @property
    def mention(self) -> str:
        return self.words or optout.mention(self.number)

    @property
    def is_needed(self) -> bool:
        """Short code: answering STOP works without a word. Notifications need none."""
        return self.is_marketing and self.is_sender_personalised and bool(self.number or self.words)


class Composed(NamedTuple):
    """`status` is IN_PROGRESS when it may be sent, else 5, 6 or 7 with the `reason` (text is then what could be written)."""

    text: str
    encoding: Encoding
    segments: int
    status: Status = Status.IN_PROGRESS
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        return self.status is not Status.IN_PROGRESS


class Warned(NamedTuple):
    """Something the sender should know. `subject`: the field, number or characters concerned."""

    code: str
    message: str
    subject: str = ""


class WorstCase(NamedTuple):
    composed: Composed
    measure: Measure


class Composer:
    """`compose(row, message_id)` for rows in the order of `columns`. `links`: "track_1", "optout" … to their text.

    Raises InvalidInput when the campaign as a whole cannot be sent: unreadable template (template_syntax), a character that
    is not allowed in the text itself (ucs2_not_allowed), an empty text (message_empty).
    """

    def __init__(
        self,
        template: str,
        columns: Sequence[str] | Columns,
        *,
        renderer: str = "BASIC",
        defaults: Mapping[str, str] | None = None,
        options: Options | None = None,
        stop: StopRule | None = None,
        links: Mapping[str, Link] | None = None,
    ) -> None:
        self.options = options or Options()
        self.columns = columns if isinstance(columns, Columns) else Columns(columns)
        self.links = {name.lower(): link for name, link in (links or {}).items()}
        self.defaults = {fold(name): value for name, value in (defaults or {}).items()}
        self.stop = stop
        self._is_emoji = self.options.replace_emoji and self.options.allow_ucs2
        self.max_segments = min(max(self.options.max_segments, 1), MAX_SEGMENTS)
        if not template.strip():
            raise InvalidInput("The message is empty.", field="message", code="message_empty")
        template, self.is_stop_added = self._with_stop(template, renderer)
        self.template = template
        self._parsed = renderers.parse(renderer, template)
        self.fields = tuple(name for name in self._parsed.fields if name.lower() not in self.links)
        self._indexes = {name: self._index(name, renderer) for name in self.fields}
        self.unknown_fields = tuple(name for name, index in self._indexes.items() if index is None)
        self._refuse_text()
        self._render = self._flat(self._parsed) if isinstance(self._parsed, Flat) else self._tree(self._parsed)

    # --- preparing -----------------------------------------------------------------------------------------------------

    def _with_stop(self, template: str, renderer: str) -> tuple[str, bool]:
        """The mention goes where every recipient gets it: one inside a condition does not count."""
        if self.stop is None or not self.stop.is_needed:
            return template, False
        if optout.has_mention(renderers.parse(renderer, template).sure):
            return template, False
        return optout.with_mention(template, self.stop.mention), True

    def _index(self, name: str, renderer: str) -> int | None:
        index = self.columns.index(name)
        if index is None and renderer.strip().upper() == "SMSFACTOR" and name.lower().startswith("info"):
            return self.columns.positional(int(name[len("info") :]))
        return index

    def _refuse_text(self) -> None:
        if self.options.allow_ucs2:
            return
        text = "".join(self._parsed.literals)
        foreign = segments.foreign_characters(segments.to_gsm(text) if self.options.replace_gsm7 else text)
        if foreign:
            named = " ".join(dict.fromkeys(character for _, character in foreign[:20]))
            raise InvalidInput(
                f"The message has characters outside GSM 7-bit ({named}): allow UCS-2 or take them out.",
                field="message",
                code="ucs2_not_allowed",
            )

    def _flat(self, parsed: Flat) -> Render:
        """`"…%s…%s…" % values`: the quickest join there is."""
        holes = [piece.name for piece in parsed.pieces if isinstance(piece, Field)]
        if any(name in self.unknown_fields for name in holes):
            return self._refuse_unknown
        pattern = "".join("%s" if isinstance(piece, Field) else self._plain(piece) for piece in parsed.pieces)
        if not holes:
            plain = pattern % ()
            return lambda row, message_id: plain
        if any(name.lower() in self.links for name in holes):
            return self._flat_with_links(pattern, holes)
        found = [self._indexes[name] for name in holes]
        indexes = [index for index in found if index is not None]
        defaults = tuple(self.defaults.get(fold(name), "") for name in holes)
        if len(indexes) == 1:
            return _one_hole(pattern, indexes[0], defaults[0])
        return _many_holes(pattern, indexes, defaults)

    def _plain(self, piece: str) -> str:
        """A piece of text, its characters replaced here once rather than in each row."""
        return (segments.to_gsm(piece) if self.options.replace_gsm7 else piece).replace("%", "%%")

    def _flat_with_links(self, pattern: str, holes: Sequence[str]) -> Render:
        readers = [self._reader(name) for name in holes]

        def render(row: Sequence[str], message_id: int) -> str:
            return pattern % tuple([read(row, message_id) for read in readers])

        return render

    def _reader(self, name: str) -> Render:
        link = self.links.get(name.lower())
        if isinstance(link, str):
            return lambda row, message_id: link
        if link is not None:
            return lambda row, message_id: link(message_id)
        index, default = self._indexes[name], self.defaults.get(fold(name), "")
        return lambda row, message_id: _value(row, index, default)

    def _refuse_unknown(self, row: Sequence[str], message_id: int) -> str:
        raise RenderError(f"field {self.unknown_fields[0]!r} does not exist")

    def _tree(self, parsed: Tree) -> Render:
        names = [name for name in parsed.references if name.lower() in self.links or self._known(name) is not None]
        readers = [(name, self._reader(name) if name in self._indexes else self._any_reader(name)) for name in names]

        def render(row: Sequence[str], message_id: int) -> str:
            return parsed.render({name: read(row, message_id) for name, read in readers})

        return render

    def _known(self, name: str) -> int | None:
        return self._indexes.get(name, self.columns.index(name))

    def _any_reader(self, name: str) -> Render:
        """A link, or a field the template also sets as a variable."""
        if name.lower() in self.links:
            return self._reader(name)
        index, default = self.columns.index(name), self.defaults.get(fold(name), "")
        return lambda row, message_id: _value(row, index, default)

    # --- each row ------------------------------------------------------------------------------------------------------

    def compose(self, row: Sequence[str], message_id: int = 0) -> Composed:
        try:
            text = self._render(row, message_id)
        except RenderError as error:
            status = Status.TOO_LONG if isinstance(error, TooLong) else Status.PERSONALISATION
            return Composed("", Encoding.GSM7, 0, status, str(error))
        if self._is_emoji:
            text = emoji.replace_shortcuts(text)
        found = measure(text)
        if found[0] is _UCS2:
            text, found = self._foreign(text, found)
            if found[0] is _UCS2 and not self.options.allow_ucs2:
                return _refused_ucs2(text, found)
        if found[2] > self.max_segments:
            return _refused_long(text, found, self.max_segments)
        if not text:
            return Composed("", Encoding.GSM7, 0, Status.PERSONALISATION, "the message is empty")
        return _new(Composed, (text, found[0], found[2], _READY, ""))

    def _foreign(self, text: str, found: Measure) -> tuple[str, Measure]:
        if not self.options.replace_gsm7:
            return text, found
        text = segments.to_gsm(text)
        return text, measure(text)

    # --- before sending ------------------------------------------------------------------------------------------------

    def worst_case(self, longest: Sequence[str], foreign: Sequence[str] = ()) -> WorstCase:
        """Row 0: each field at its longest, in the worst encoding any row can force.

        `longest`: per column its longest value; `foreign`: per column every character outside GSM 7-bit it holds. A short
        value with an emoji can cost more than the longest one without: then the longest text counts as UCS-2. A field with
        a default counts at the longer of the two. A template with conditions is tried with each field empty too.
        """
        row = [self._longer(index, value) for index, value in enumerate(longest)]
        composed = max(map(self.compose, self._branches(row)), key=lambda composed: measure(composed.text).units)
        found = measure(composed.text)
        if not composed.text or not self.options.allow_ucs2:
            return WorstCase(composed, found)
        if found.encoding is Encoding.GSM7 and self._can_force_ucs2(foreign):
            found = measure_as_ucs2(composed.text)
            composed = Composed(composed.text, Encoding.UCS2, found.segments)
            if found.segments > self.max_segments:
                composed = _refused_long(composed.text, found, self.max_segments)
        return WorstCase(composed, found)

    def _branches(self, row: list[str]) -> list[list[str]]:
        if isinstance(self._parsed, Flat):
            return [row]
        used = sorted({index for index in self._indexes.values() if index is not None})
        emptied = [[*row[:index], "", *row[index + 1 :]] for index in used]
        return [row, *emptied, [""] * len(row)]

    def _longer(self, index: int, value: str) -> str:
        defaults = [
            self.defaults.get(fold(name), "") for name, at in self._indexes.items() if at == index and name is not None
        ]
        return max([value, *defaults], key=lambda text: measure(text).units)

    def _can_force_ucs2(self, foreign: Sequence[str]) -> bool:
        used = {index for index in self._indexes.values() if index is not None}
        characters = "".join(held for index, held in enumerate(foreign) if index in used)
        characters += "".join(self.defaults.get(fold(name), "") for name in self._indexes)
        return not segments.is_gsm(segments.to_gsm(characters) if self.options.replace_gsm7 else characters)

    def require_known_fields(self) -> None:
        """The extranet and the command line refuse before launch; the API warns, and status 5 comes at launch."""
        if self.unknown_fields:
            raise InvalidInput(
                f"No column is named {', '.join(map(repr, self.unknown_fields))}. Columns: {', '.join(self.columns.names)}.",
                field="message",
                code="unknown_field",
            )

    def warnings(self) -> list[Warned]:
        found = [
            Warned("unknown_field", f"No column is named {name!r}: these recipients will get status 5.", name)
            for name in self.unknown_fields
        ]
        found += [
            Warned("ambiguous_field", f"Several columns match {name!r}: the leftmost is used.", name)
            for name in self.fields
            if self.columns.is_ambiguous(name)
        ]
        if self.options.replace_emoji and not self.options.allow_ucs2:
            found.append(Warned("emoji_needs_ucs2", "Emoji need UCS-2, which is off: shortcuts stay as typed."))
        missing = [name for name in map(str.lower, LINK.findall(self.template)) if name not in self.links]
        found += [Warned("link_missing", f"No link is set for ${{{name}}}.", name) for name in dict.fromkeys(missing)]
        return found + self._stop_warnings()

    def _stop_warnings(self) -> list[Warned]:
        stop = self.stop
        if stop is None:
            return []
        if not stop.is_marketing:
            if stop.is_sender_personalised:
                return [
                    Warned("no_way_out", "With a personalised sender people cannot answer STOP to this notification.")
                ]
            return []
        if self.is_stop_added:
            return [Warned("stop_added", f"{stop.mention!r} was put at the end, and counted.", stop.mention)]
        others = [
            number for number in optout.mentioned_numbers(self._parsed.sure) if stop.number and number != stop.number
        ]
        if others:
            return [
                Warned(
                    "stop_number_differs",
                    f"The message says STOP {others[0]}, the route's is {stop.number}.",
                    others[0],
                )
            ]
        if not stop.is_sender_personalised and not optout.has_mention(self._parsed.sure):
            return [Warned("stop_by_reply", "The message does not mention STOP; answering STOP works all the same.")]
        return []


def prefilled(template: str, number: str) -> str:
    """What the extranet puts into the composer of a marketing message: the mention at the end, never twice."""
    return template if optout.has_mention(template) else optout.with_mention(template, optout.mention(number))


# A NamedTuple's own constructor and an enum's member look-up cost as much as the whole join.
_new: Callable[[type[Composed], tuple[str, Encoding, int, Status, str]], Composed] = tuple.__new__
_READY, _UCS2 = Status.IN_PROGRESS, Encoding.UCS2


def _value(row: Sequence[str], index: int | None, default: str) -> str:
    value = row[index] if index is not None and index < len(row) else ""
    return value if value and not value.isspace() else default


def _one_hole(pattern: str, index: int, default: str) -> Render:
    return lambda row, message_id: pattern % (_value(row, index, default),)


def _many_holes(pattern: str, indexes: Sequence[int], defaults: Sequence[str]) -> Render:
    take: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*indexes)
    both = tuple(zip(indexes, defaults, strict=True))
    strip = str.strip

    def render(row: Sequence[str], message_id: int) -> str:
        try:
            values = take(row)
        except IndexError:  # a ragged row
            values = ("",)
        if all(map(strip, values)):
            return pattern % values
        return pattern % tuple([_value(row, index, default) for index, default in both])

    return render


def _refused_ucs2(text: str, found: Measure) -> Composed:
    named = " ".join(dict.fromkeys(character for _, character in segments.foreign_characters(text)[:10]))
    return Composed(text, found.encoding, found.segments, Status.UCS2, f"characters outside GSM 7-bit: {named}")


def _refused_long(text: str, found: Measure, most: int) -> Composed:
    reason = f"{found.segments} segments, {most} allowed"
    return Composed(text, found.encoding, found.segments, Status.TOO_LONG, reason)
