from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import fiql
from carillon.domain.errors import InvalidInput
from carillon.domain.fiql import And, Match, Node, Or, Subject, Term, parse, terms


def field(name: str, value: str, match: Match = Match.EQUAL, parts: tuple[str, ...] = ()) -> Term:
    return Term(Subject.FIELD, match, value, name, parts)


def item(value: str) -> Term:
    return Term(Subject.ITEM, Match.EQUAL, value)


def msg(value: str) -> Term:
    return Term(Subject.MSG, Match.EQUAL, value)


@pytest.mark.parametrize(
    ("search", "tree"),
    [
        ("item ==0685812475", item("33685812475")),
        ("item=re=3368581*", Term(Subject.ITEM, Match.PATTERN, "3368581*", "", ("3368581", ""))),
        ("type==BCAST_MKG", Term(Subject.TYPE, Match.EQUAL, "BCAST_MKG")),
        ("msg=re=Hello*", Term(Subject.MSG, Match.WORD_PATTERN, "Hello*", "", ("Hello", ""))),
        ("fields.REF==DRAFT;fields.REF==value", And((field("REF", "DRAFT"), field("REF", "value")))),
    ],
    ids=["item", "item begins", "type", "msg", "and"],
)
def test_the_guides_samples(search: str, tree: Node) -> None:
    assert parse(search) == tree


@pytest.mark.parametrize(
    ("search", "tree"),
    [
        ("msg==a,msg==b;msg==c", Or((msg("a"), And((msg("b"), msg("c")))))),
        ("(msg==a,msg==b);msg==c", And((Or((msg("a"), msg("b"))), msg("c")))),
        ("((msg==a))", msg("a")),
        (" ( msg == a , msg==b ) ; msg == c d ", And((Or((msg("a"), msg("b"))), msg("c d")))),
        ("msg==a;msg==b;msg==c", And((msg("a"), msg("b"), msg("c")))),
    ],
)
def test_and_binds_stronger_than_or_and_groups_most(search: str, tree: Node) -> None:
    assert parse(search) == tree


@pytest.mark.parametrize(
    ("search", "tree"),
    [
        ("fields.Date de RDV == 12/05", field("Date de RDV", "12/05")),
        ("FIELDS . Prénom==Léa", field("Prénom", "Léa")),
        ("fields.a%2Cb==1", field("a,b", "1")),
        ("fields.X==", field("X", "")),
        ("fields.X==a%3Bb", field("X", "a;b")),
        ("fields.X=='a;b,c)'", field("X", "a;b,c)")),
        ('fields.X=="l\'été" ', field("X", "l'été")),
        ("fields.X!=a", field("X", "a", Match.NOT_EQUAL)),
        ("fields.X=RE=a*b*", field("X", "a*b*", Match.PATTERN, ("a", "b", ""))),
        ("fields.X==a=b", field("X", "a=b")),
        ("fields.X==a*", field("X", "a*")),
        ("Type==p2p", Term(Subject.TYPE, Match.EQUAL, "P2P")),
        ("type!=P2P", Term(Subject.TYPE, Match.NOT_EQUAL, "P2P")),
    ],
)
def test_names_and_values(search: str, tree: Node) -> None:
    assert parse(search) == tree


@pytest.mark.parametrize(
    "number", ["0685812475", "+33685812475", "+33 6 85 81 24 75", "0033685812475", "33685812475", "06.85.81.24.75"]
)
def test_numbers_are_normalised(number: str) -> None:
    assert parse(f"item=={number}") == item("33685812475")


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("06858*", ("336858", "")), ("+336858*", ("336858", "")), ("0033 6858*", ("336858", "")), ("336858*", ("336858", "")),
        ("*2475", ("", "2475")), ("0685812475", ("33685812475",)), ("abc", ("",)),
    ],
)  # fmt: skip
def test_beginnings_of_numbers_too(pattern: str, parts: tuple[str, ...]) -> None:
    found = parse(f"item=re={pattern}")
    assert isinstance(found, Term)
    assert (found.match, found.parts) == (Match.PATTERN, parts)


def test_a_blank_search_is_none() -> None:
    assert parse("") is None
    assert parse("  ") is None


@pytest.mark.parametrize(
    "search",
    ["item", "item=", "item=1", "item=lt=1", "==1", ";", "item==1;", ",item==1", "(item==1", "item==1)", "()", "item==1 (",
     "type=re=P*", "item==1;;item==2", '"x"', "fields.X=='a' b"],
)  # fmt: skip
def test_what_is_no_search_is_refused(search: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(search)
    assert (refused.value.code, refused.value.field) == ("fiql_syntax", "search")


@pytest.mark.parametrize("search", ["phone==1", "fields.==1", "fields==1", "status == 16", "a.b==1"])
def test_an_unknown_field_is_named_with_those_that_exist(search: str) -> None:
    with pytest.raises(InvalidInput, match=r"use fields\.<COLUMN>, item, type or msg") as refused:
        parse(search)
    assert refused.value.code == "fiql_field"


@pytest.mark.parametrize(
    "search",
    [
        ";".join(["item==1"] * 201),
        ",".join(["item==1"] * 1_400),
        "(" * 21 + "item==1" + ")" * 21,
        "(" * 5_000,
        "msg==" + "a" * 10_000,
        "msg=re=" + "*" * 6,
    ],
    ids=["terms", "very many terms", "depth", "brackets", "length", "stars"],
)
def test_the_cost_is_bounded(search: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(search)
    assert refused.value.code == "fiql_too_large"


def test_the_bounds_themselves_are_fine() -> None:
    found = parse(";".join(["item==1"] * 200))
    assert isinstance(found, And)
    assert len(terms(found)) == 200
    assert parse("msg=re=" + "*" * 5) is not None
    assert parse(",".join(["(msg==a)"] * 50)) == Or((msg("a"),) * 50)
    assert parse("(" * 20 + "msg==a" + ")" * 20) == msg("a")
    assert terms(msg("a")) == [msg("a")]


def test_the_place_of_an_error_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"Search, character 8: end expected before '\)'"):
        parse("item==1)")


words = st.text(alphabet="abcé12", min_size=1, max_size=5)
leaves = st.builds(field, words, words, st.sampled_from([Match.EQUAL, Match.NOT_EQUAL]))
trees = st.recursive(leaves, lambda inner: st.builds(lambda kind, both: kind(tuple(both)), st.sampled_from([And, Or]),
                     st.lists(inner, min_size=2, max_size=3)), max_leaves=12)  # fmt: skip


def written(tree: Node) -> str:
    if isinstance(tree, Term):
        return f"fields.{tree.name} {'==' if tree.match is Match.EQUAL else '!='} {tree.value}"
    mark = ";" if isinstance(tree, And) else ","
    return mark.join(f"({written(child)})" for child in tree.children)


@given(trees)
def test_a_tree_written_out_is_read_again(tree: Node) -> None:
    assert parse(written(tree)) == tree


@given(st.text(alphabet="item=re*;,()' \"fields.a!<>%é0", max_size=60))
def test_any_text_is_read_or_refused(search: str) -> None:
    try:
        found = parse(search)
    except InvalidInput:
        return
    assert found is None or 1 <= len(terms(found)) <= fiql.MAX_TERMS
