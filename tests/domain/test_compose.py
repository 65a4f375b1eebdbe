from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain.compose import Composer, Options
from carillon.domain.errors import InvalidInput
from carillon.domain.segments import Encoding, foreign_characters, measure, to_gsm
from carillon.domain.status import Status

COLUMNS = ("PORTABLE", "Civilité", "Prénom", "Prix")
ROW = ("33612345678", "Mme", "Jacqueline", "17 €")
UCS2 = Options(allow_ucs2=True, replace_gsm7=False)


def text_of(template: str, row: Sequence[str] = ROW, **changes: Any) -> str:
    composed = Composer(template, COLUMNS, **changes).compose(row)
    assert composed.status is Status.IN_PROGRESS, composed.reason
    return composed.text


# --- fields ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    ["Bonjour ${Prénom}", "Bonjour ${PRENOM}", "Bonjour ${ prenom }", "Bonjour ${firstName}", "Bonjour ${FIRSTNAME}"],
)
def test_fields_are_found_in_any_case_and_accent(template: str) -> None:
    assert text_of(template) == "Bonjour Jacqueline"


def test_a_message_without_field_is_the_same_for_all() -> None:
    assert text_of("100 % remboursé, 5 %s") == "100 % remboursé, 5 %s"


def test_percent_signs_and_braces_around_fields_stay() -> None:
    assert text_of("-20% pour ${Civilité} {x} $5 ${} ${Prénom}%") == "-20% pour Mme {x} $5 ${} Jacqueline%"


def test_a_value_is_never_read_as_a_template() -> None:
    assert text_of("A ${Prénom} ${Prix}", ("", "", "${Prix}", "%s")) == "A ${Prix} %s"


@pytest.mark.parametrize("empty", ["", "   "])
@pytest.mark.parametrize("template", ["${Civilité}|${Prénom}|${Prix}", "${Civilité}"])
def test_empty_values_take_the_default(empty: str, template: str) -> None:
    row = ("33612345678", empty, "", "")
    shown = text_of(template, row, defaults={"CIVILITE": "Mme/M", "Prix": "offert"})
    assert shown == template.replace("${Civilité}", "Mme/M").replace("${Prénom}", "").replace("${Prix}", "offert")


def test_a_ragged_row_counts_as_empty() -> None:
    assert text_of("${Prénom}.${Prix}", ("33612345678", "Mme"), defaults={"Prix": "0"}) == ".0"
    assert text_of("${Prix}.", ("33612345678",)) == "."


def test_a_field_in_no_column_is_status_5_for_each_recipient_and_named() -> None:
    composer = Composer("Bonjour ${VILLE}", COLUMNS)
    assert composer.unknown_fields == ("VILLE",)
    assert [(warned.code, warned.subject) for warned in composer.warnings()] == [("unknown_field", "VILLE")]
    composed = composer.compose(ROW)
    assert (composed.status, composed.text, composed.segments) == (Status.PERSONALISATION, "", 0)
    assert "VILLE" in composed.reason
    with pytest.raises(InvalidInput, match=r"VILLE.*Columns: PORTABLE, Civilité") as refused:
        composer.require_known_fields()
    assert refused.value.code == "unknown_field"


def test_known_fields_are_fine() -> None:
    composer = Composer("Bonjour ${Prénom}", COLUMNS)
    composer.require_known_fields()
    assert composer.warnings() == []


def test_twin_columns_are_announced() -> None:
    composer = Composer("${nOm}", ["Nom", "NOM"])
    assert composer.compose(["a", "b"]).text == "a"
    assert [warned.code for warned in composer.warnings()] == ["ambiguous_field"]


def test_a_message_that_comes_out_empty_is_status_5() -> None:
    composed = Composer("${Prénom}", COLUMNS).compose(("", "", "", ""))
    assert composed.status is Status.PERSONALISATION
    with pytest.raises(InvalidInput) as refused:
        Composer("  \n", COLUMNS)
    assert refused.value.code == "message_empty"


# --- characters --------------------------------------------------------------------------------------------------------


def test_main_characters_are_replaced_by_default_in_text_and_values() -> None:
    composed = Composer("Ça y est, fête à ${Prénom}", COLUMNS).compose(("", "", "François", ""))
    assert (composed.text, composed.encoding) == ("Ça y est, fete à Francois", Encoding.GSM7)


def test_what_has_no_replacement_in_the_text_refuses_the_campaign() -> None:
    for options in (Options(), Options(replace_gsm7=False)):
        with pytest.raises(InvalidInput, match="😀") as refused:
            Composer("Bonjour 😀 ${Prénom}", COLUMNS, options=options)
        assert refused.value.code == "ucs2_not_allowed"


def test_without_replacement_a_letter_in_the_text_refuses_the_campaign() -> None:
    with pytest.raises(InvalidInput, match="ç"):
        Composer("Reçu", COLUMNS, options=Options(replace_gsm7=False))


def test_in_a_value_it_refuses_that_recipient_only() -> None:
    composer = Composer("Bonjour ${Prénom}", COLUMNS, options=Options(replace_gsm7=False))
    refused = composer.compose(("", "", "François", ""))
    assert (refused.status, refused.is_refused) == (Status.UCS2, True)
    assert "ç" in refused.reason
    assert not composer.compose(ROW).is_refused
    assert Composer("Bonjour ${Prénom}", COLUMNS).compose(("", "", "Li 李", "")).status is Status.UCS2


def test_when_allowed_only_a_text_that_needs_it_is_ucs2() -> None:
    composer = Composer("Bonjour ${Prénom}", COLUMNS, options=UCS2)
    assert composer.compose(("", "", "François", "")).encoding is Encoding.UCS2
    assert composer.compose(ROW).encoding is Encoding.GSM7
    long_one = "x" * 100
    assert composer.compose(("", "", long_one, "")).status is Status.IN_PROGRESS  # 70 is no limit for GSM 7-bit
    assert composer.compose(("", "", long_one + "ç", "")).status is Status.TOO_LONG


def test_emoji_shortcuts_need_both_switches() -> None:
    both = Options(allow_ucs2=True, replace_emoji=True)
    assert text_of("Bonjour :-)", options=both) == "Bonjour 🙂"
    assert text_of("Bonjour :-)", options=Options(allow_ucs2=True)) == "Bonjour :-)"
    alone = Composer("Bonjour :-)", COLUMNS, options=Options(replace_emoji=True))
    assert alone.compose(ROW).text == "Bonjour :-)"
    assert [warned.code for warned in alone.warnings()] == ["emoji_needs_ucs2"]


# --- length ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "most", "status"), [(160, 1, 1), (161, 1, 7), (306, 2, 1), (307, 2, 7), (918, 6, 1)]
)
def test_more_segments_than_allowed_is_status_7(length: int, most: int, status: int) -> None:
    composed = Composer("${Prénom}", COLUMNS, options=Options(max_segments=most)).compose(("", "", "a" * length, ""))
    assert composed.status == status
    if status == 7:
        assert composed.reason == f"{most + 1} segments, {most} allowed"


def test_no_account_may_send_more_than_six_segments() -> None:
    composer = Composer("${Prénom}", COLUMNS, options=Options(max_segments=50))
    assert composer.compose(("", "", "a" * 919, "")).status is Status.TOO_LONG


# --- links -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("renderer", "template"),
    [
        ("BASIC", "${Prénom} ${track_1} ${TRACK_2}"),
        ("MEDIASFLOW", "$$[Prénom] ${track_1} ${track_2}"),
        ("MEDIASFLOW_B", "$$[record]Prénom$$ ${track_1} ${track_2}"),
        ("SMSFACTOR", "#info2# ${track_1} ${track_2}"),
        ("HANDLEBARS", "{{Prénom}} ${track_1} {{track_2}}"),
        ("EJS", "<%= Prénom %> ${track_1} <%= track_2 %>"),
        ("VELOCITY", "$Prénom ${track_1} $track_2"),
    ],
)
def test_links_differ_for_each_message_in_every_syntax(renderer: str, template: str) -> None:
    links = {"track_1": lambda message_id: f"u.fr/{message_id:05}", "track_2": "u.fr/00000"}
    composer = Composer(template, COLUMNS, renderer=renderer, links=links)
    assert composer.unknown_fields == ()
    assert composer.compose(ROW, 12).text == "Jacqueline u.fr/00012 u.fr/00000"
    assert composer.compose(ROW, 13).text == "Jacqueline u.fr/00013 u.fr/00000"


def test_a_link_that_is_not_set_is_named() -> None:
    composer = Composer("Voir ${track_1}", COLUMNS)
    assert {warned.code for warned in composer.warnings()} == {"unknown_field", "link_missing"}
    assert composer.compose(ROW).status is Status.PERSONALISATION


# --- other flat syntaxes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("renderer", "template"),
    [
        ("mediasflow", "$$[Civilité] $$[prenom] [x] $$"),
        ("MEDIASFLOW_B", "$$[record]Civilité$$ $$[record]PRENOM$$ [x] $$"),
        ("SMSFACTOR", "#info1# #INFO2# [x] $$"),
    ],
)
def test_flat_syntaxes_put_fields_into_the_text(renderer: str, template: str) -> None:
    assert text_of(template, renderer=renderer) == "Mme Jacqueline [x] $$"


def test_smsfactor_counts_columns_beside_the_number() -> None:
    composer = Composer("#info1#-#info3#", ["Nom", "PORTABLE", "Ville", "info1"], renderer="SMSFACTOR")
    assert composer.compose(["a", "33612345678", "b", "c"]).text == "c-c"
    assert Composer("#info4#", COLUMNS, renderer="SMSFACTOR").unknown_fields == ("info4",)


def test_an_unknown_renderer_and_a_huge_message_are_refused() -> None:
    with pytest.raises(InvalidInput, match="BASIC, MEDIASFLOW"):
        Composer("x", COLUMNS, renderer="JINJA")
    for renderer in ("BASIC", "EJS"):
        with pytest.raises(InvalidInput, match="longer than 10000"):
            Composer("x" * 10_001, COLUMNS, renderer=renderer)


# --- worst case --------------------------------------------------------------------------------------------------------


def test_row_zero_takes_the_longest_values() -> None:
    composer = Composer("${Prénom} ${Prix} STOP 36184", COLUMNS)
    worst = composer.worst_case(["", "", "Jacqueline", "17 €"])
    assert worst.composed.text == "Jacqueline 17 € STOP 36184"
    assert (worst.measure.units, worst.measure.remaining) == (27, 133)


def test_row_zero_takes_the_default_when_it_is_longer() -> None:
    composer = Composer("${Civilité}", COLUMNS, defaults={"Civilité": "Madame, Monsieur"})
    assert composer.worst_case(["", "Mme", "", ""]).composed.text == "Madame, Monsieur"


@pytest.mark.parametrize(
    ("options", "foreign", "encoding", "segments"),
    [
        (Options(allow_ucs2=True, replace_gsm7=False, max_segments=3), "ç", Encoding.UCS2, 2),
        (Options(allow_ucs2=True, max_segments=3), "ç", Encoding.GSM7, 1),  # would be replaced
        (Options(allow_ucs2=True, max_segments=3), "ç😀", Encoding.UCS2, 2),
        (Options(max_segments=3), "😀", Encoding.GSM7, 1),  # that recipient gets status 6
    ],
    ids=["forced", "replaced", "emoji", "not allowed"],
)
def test_row_zero_takes_the_worst_encoding(options: Options, foreign: str, encoding: Encoding, segments: int) -> None:
    composer = Composer("Bonjour ${Prénom}", COLUMNS, options=options)
    worst = composer.worst_case(["", "", "x" * 80, ""], ["", "", foreign, ""])
    assert (worst.composed.encoding, worst.composed.segments) == (encoding, segments)
    assert (worst.measure.encoding, worst.measure.segments) == (encoding, segments)
    unused = composer.worst_case(["", "", "x" * 80, ""], ["", "", "", "😀"])
    assert unused.composed.encoding is Encoding.GSM7


def test_row_zero_may_be_too_long_only_in_ucs2() -> None:
    composer = Composer("${Prénom}", COLUMNS, options=Options(allow_ucs2=True))
    assert composer.worst_case(["", "", "x" * 80, ""], ["", "", "😀", ""]).composed.status is Status.TOO_LONG


def test_row_zero_of_an_unknown_field_says_so() -> None:
    worst = Composer("${Ville}", COLUMNS).worst_case(["", "", "", ""])
    assert worst.composed.status is Status.PERSONALISATION


values = st.text(alphabet="aé€ç😀œ 1", max_size=80)
rows = st.lists(st.tuples(values, values, values), min_size=1, max_size=6)


@given(rows, st.booleans(), st.booleans())
def test_no_row_costs_more_than_row_zero(rows: list[tuple[str, ...]], allow: bool, replace: bool) -> None:
    options = Options(allow_ucs2=allow, replace_gsm7=replace, max_segments=6)
    composer = Composer("Bonjour ${a}, ${b}: ${c} [fin]", "abc", options=options)

    def cost(text: str) -> int:
        """Both encodings' worst: what an import keeps per column."""
        return max(measure(text).units, measure(to_gsm(text)).units, len(text.encode("utf-16-be")) // 2)

    columns = list(zip(*rows, strict=True))
    longest = [max(column, key=cost) for column in columns]
    foreign = [
        "".join(character for value in column for _, character in foreign_characters(value)) for column in columns
    ]
    worst = composer.worst_case(longest, foreign)
    for row in rows:
        composed = composer.compose(row)
        if composed.status is Status.IN_PROGRESS and not worst.composed.is_refused:
            # a pair on a border may still cost one more than the longest values say
            assert composed.segments <= worst.composed.segments + 1


@given(st.lists(values, min_size=3, max_size=3), st.booleans(), st.booleans())
def test_the_quick_way_is_the_plain_way(row: list[str], allow: bool, replace: bool) -> None:
    """The composer against the rules written out: join, replace, measure."""
    template = "Reçu ${a} œuvre ${b}% ${c}"
    options = Options(allow_ucs2=allow, replace_gsm7=replace, max_segments=6)
    try:
        composed = Composer(template, "abc", options=options, defaults={"b": "zéro"}).compose(row)
    except InvalidInput:
        assert not allow and not replace
        return
    a, b, c = (value if value.strip() else default for value, default in zip(row, ("", "zéro", ""), strict=True))
    plain = f"Reçu {a} œuvre {b}% {c}"
    text = to_gsm(plain) if replace else plain
    found = measure(text)
    assert composed.text == text
    assert (composed.encoding, composed.segments) == (found.encoding, found.segments)
    refused = found.encoding is Encoding.UCS2 and not allow
    assert composed.status is (Status.UCS2 if refused else Status.IN_PROGRESS)
