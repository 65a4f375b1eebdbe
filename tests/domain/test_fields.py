from __future__ import annotations

import pytest

from carillon.domain.fields import Columns, fold

LIST = Columns(["PORTABLE", "Civilité", "Prénom", "NOM", "Adresse mail"])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Prénom", "PRENOM"), (" prenom ", "Pre\u0301nom"), ("Œuvre", "OEUVRE"), ("a  b", "A B"), ("ß", "SS")],
)
def test_case_accents_and_blanks_do_not_count(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("Prénom", 2), ("PRENOM", 2), ("nom", 3),
        ("firstName", 2), ("FIRSTNAME", 2), ("lastname", 3), ("title", 1), ("email", 4), ("mobile", 0),
        ("Ville", None), ("", None),
    ],
)  # fmt: skip
def test_columns_are_found(name: str, index: int | None) -> None:
    assert LIST.index(name) == index


def test_a_column_of_the_name_wins_over_a_built_in() -> None:
    assert Columns(["Prénom", "firstname"]).index("FirstName") == 1


def test_french_names_do_not_find_built_in_columns() -> None:
    assert Columns(["mobile", "firstName"]).index("PRENOM") is None


def test_of_twins_the_exact_spelling_wins_then_the_leftmost() -> None:
    columns = Columns(["Nom", "NOM", "nom"])
    assert [columns.index(name) for name in ("nom", "NOM", "nOm")] == [2, 1, 0]
    assert columns.is_ambiguous("nOm")
    assert not columns.is_ambiguous("NOM")
    assert not columns.is_ambiguous("Ville")
    assert not Columns(["Nom", "Ville"]).is_ambiguous("nom")


def test_the_mobile_column_may_be_told() -> None:
    columns = Columns(["id", "Contact", "Nom", "Ville"], mobile_index=1)
    assert columns.index("mobile") == columns.mobile() == 1
    assert [columns.positional(number) for number in (0, 1, 2, 3, 4)] == [None, 0, 2, 3, None]


def test_without_mobile_column_every_column_counts() -> None:
    columns = Columns(["a", "b"])
    assert columns.mobile() is None
    assert columns.positional(2) == 1
    assert Columns(["x", "mobile"]).mobile() == 1
