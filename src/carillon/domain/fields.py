"""Names of fields: one match everywhere, whatever the case and the accents.

Order: the exact spelling, then the leftmost column equal after folding, then the built-in names (title, lastName, firstName,
email, mobile), which also find the usual French column.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

# Folded built-in name -> folded column names it stands for.
BUILTINS: Mapping[str, tuple[str, ...]] = {
    "title": ("titre", "civilite"),
    "lastname": ("nom", "nom de famille", "last name"),
    "firstname": ("prenom", "first name"),
    "email": ("mail", "e-mail", "courriel", "adresse mail", "adresse e-mail"),
    "mobile": ("portable", "sms", "gsm", "phone", "telephone"),
}


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """Without case, accents and outer blanks: ` Prénom ` and `PRENOM` are the same field."""
    decomposed = unicodedata.normalize("NFKD", name.strip()).casefold()
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(plain.replace("œ", "oe").replace("æ", "ae").split())


class Columns:
    """The columns of a list, in order, found by name."""

    def __init__(self, names: Sequence[str], *, mobile_index: int | None = None) -> None:
        self.names = tuple(names)
        self._exact: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        self._twins: set[str] = set()
        for index, name in enumerate(self.names):
            self._exact.setdefault(name, index)
            folded = fold(name)
            if self._folded.setdefault(folded, index) != index:
                self._twins.add(folded)
        self._mobile_index = mobile_index

    def index(self, name: str) -> int | None:
        """Position of the field's column; None when there is none."""
        found = self._exact.get(name)
        if found is None:
            found = self._folded.get(fold(name))
        return self._builtin(fold(name)) if found is None else found

    def is_ambiguous(self, name: str) -> bool:
        """Two columns are equal after folding and the name spells neither exactly."""
        return name not in self._exact and fold(name) in self._twins

    def mobile(self) -> int | None:
        return self._builtin("mobile") if "mobile" not in self._folded else self._folded["mobile"]

    def positional(self, number: int) -> int | None:
        """The `number`-th column (from 1) that is not the mobile one: SMSFactor's #infoN#."""
        mobile = self.mobile()
        others = [index for index in range(len(self.names)) if index != mobile]
        return others[number - 1] if 1 <= number <= len(others) else None

    def _builtin(self, folded: str) -> int | None:
        if folded == "mobile" and self._mobile_index is not None:
            return self._mobile_index
        candidates = (self._folded.get(name) for name in BUILTINS.get(folded, ()))
        return next((index for index in candidates if index is not None), None)
