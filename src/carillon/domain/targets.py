"""Where a tracked link leads: which addresses are allowed, and the address of one person.

An address is `http(s)://host…` whose host is written out; behind it, fields (`${ID}`) stand in the syntax of the campaign.
Refused: other schemes (`javascript:`, `data:` …), a field inside the host (its value would choose where people land), a name and
password before the host, and hosts that imitate another in a different alphabet (homographs).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from carillon.domain import renderers
from carillon.domain.errors import InvalidInput
from carillon.domain.fields import Columns, fold
from carillon.domain.renderers import Flat, RenderError

LONGEST = 2000  # characters of an address
_SHAPE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://(?P<host>[^/?#]*))?(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r":\d{1,5}$")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_PARAMETER = re.compile(r"[?&]([^=&#?]+)=")
_KEPT = "%/:?#[]@!$&'()*+,;=~"  # of an address that is complete: what must not be quoted again
# Letters of other alphabets that look like Latin ones: a label made of nothing else is meant to be misread.
_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝхуАВЕНІЈКМОРЅТХУαικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօհսոց")


def check(url: str) -> None:
    """Raises InvalidInput (field "url") for an address nobody should be sent to."""
    if len(url) > LONGEST:
        raise _refused(f"An address has at most {LONGEST} characters", "url_too_long")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in url) or "\\" in url:
        raise _refused("The address holds characters that cannot be in one", "url_invalid")
    found = _SHAPE.fullmatch(url.strip())
    if found is None or found["scheme"].lower() not in {"http", "https"}:
        raise _refused(f"{url[:60]!r} is not an http or https address", "url_scheme")
    host = found["host"] or ""
    if re.search(r"[${}<>%]", host):
        raise _refused("The host of an address cannot be a field: write it out", "url_host_is_field")
    if "@" in host:
        raise _refused("An address must not hold a user name or a password", "url_credentials")
    _check_host(_PORT.sub("", host))


def _check_host(host: str) -> None:
    if re.fullmatch(r"\[[0-9a-f:.]+\]", host, re.IGNORECASE):
        return
    shown = shown_host(host)
    labels = shown.rstrip(".").split(".")
    if is_homograph(shown):
        raise _refused(f"{shown[:60]!r} mixes alphabets so as to look like another address", "url_homograph")
    try:
        plain = shown.encode("idna").decode("ascii") if not shown.isascii() else shown
    except UnicodeError:
        plain = ""
    if not plain or len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in plain.rstrip(".").split(".")):
        raise _refused(f"{host[:60]!r} is not the name of a host", "url_invalid")
    if len(labels) == 1 and labels[0].lower() != "localhost" and not labels[0].isdigit():
        raise _refused(f"{host[:60]!r} is not the whole name of a host", "url_invalid")


def _refused(sentence: str, code: str) -> InvalidInput:
    return InvalidInput(sentence, field="url", code=code)


def host_of(url: str) -> str:
    """The host without its port, in lower case; "" when there is none."""
    found = _SHAPE.fullmatch(url.strip())
    return _PORT.sub("", found["host"] or "").lower() if found else ""


def shown_host(host: str) -> str:
    """`xn--…` labels as people see them."""
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host.lower() else host
    except UnicodeError:
        return host


def foreign_host(url: str) -> str:
    """The host as machines write it (`xn--…`) when it holds other letters than a to z: worth a look. Else ""."""
    shown = shown_host(host_of(url))
    if shown.isascii():
        return ""
    try:
        return shown.encode("idna").decode("ascii")
    except UnicodeError:
        return shown


def is_homograph(host: str) -> bool:
    """A label that mixes Latin with another alphabet, or is made only of letters that look Latin."""
    for label in host.split("."):
        alphabets = {_alphabet(c) for c in label if c.isalpha()}
        if len(alphabets & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}) > 1:
            return True
        letters = [c for c in label if c.isalpha()]
        if letters and alphabets != {"LATIN"} and all(c in _LOOKALIKES for c in letters):
            return True
    return False


def _alphabet(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def with_parameters(url: str, parameters: Sequence[str]) -> str:
    """`name=value` behind the address, unless a parameter of this name stands there already (features F5)."""
    base, mark, fragment = url.partition("#")
    present = {fold(name) for name in _PARAMETER.findall(base)}
    for parameter in parameters:
        name = parameter.partition("=")[0].strip()
        if name and fold(name) not in present:
            base += ("&" if "?" in base else "?") + parameter.strip()
            present.add(fold(name))
    return base + mark + fragment


class Target:
    """One link's address, for anyone (`address` of an empty row) or for each row of `columns`.

    Values are put in as text, percent-encoded, so that none can add a parameter or leave the host. A value that is empty becomes
    its default; a field that no column has becomes nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        parameters: Sequence[str] = (),
        renderer: str = "BASIC",
        columns: Columns | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> None:
        whole = with_parameters(url.strip(), parameters) if renderer != "SMSFACTOR" else url.strip()
        self._parsed = renderers.parse(renderer or "BASIC", whole)
        self._columns = columns or Columns([])
        self._defaults = {fold(name): value for name, value in (defaults or {}).items()}
        self.fields = tuple(self._parsed.fields)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        return tuple(name for name in self.fields if self._columns.index(name) is None)

    def address(self, row: Sequence[str] = ()) -> str:
        """ASCII, ready for a Location header. Raises RenderError when the template fails for this row."""
        if isinstance(self._parsed, Flat):
            pieces = (p if isinstance(p, str) else self._value(p.name, row) for p in self._parsed.pieces)
            whole = "".join(pieces)
        else:
            whole = self._parsed.render({name: self._value(name, row) for name in self.fields})
        return as_ascii(whole)

    def _value(self, name: str, row: Sequence[str]) -> str:
        index = self._columns.index(name)
        value = row[index] if index is not None and index < len(row) else ""
        return quote(value.strip() or self._defaults.get(fold(name), ""), safe="")


def as_ascii(url: str) -> str:
    """An address with its host in IDNA and everything else percent-encoded; what is encoded already stays."""
    found = _SHAPE.fullmatch(url)
    if found is None:
        raise RenderError("the address is not one")
    host = found["host"] or ""
    if not host.isascii():
        port = _PORT.search(host)
        host = _PORT.sub("", host).encode("idna").decode("ascii") + (port.group() if port else "")
    return f"{found['scheme'].lower()}://{host}{quote(found['rest'], safe=_KEPT)}"


def rendered(text: str, *, renderer: str, columns: Columns, row: Sequence[str], defaults: Mapping[str, str]) -> str:
    """A title or a description for one person; the text as it is when it cannot be personalised."""
    try:
        parsed = renderers.parse(renderer or "BASIC", text)
        known = {fold(name): value for name, value in defaults.items()}

        def value(name: str) -> str:
            index = columns.index(name)
            found = row[index] if index is not None and index < len(row) else ""
            return found.strip() or known.get(fold(name), "")

        if isinstance(parsed, Flat):
            return "".join(piece if isinstance(piece, str) else value(piece.name) for piece in parsed.pieces)
        return parsed.render({name: value(name) for name in parsed.references})
    except (InvalidInput, RenderError):
        return text
