"""What the three languages with conditions understand, and what they refuse. Rows are (field → value)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carillon.domain.compose import Composer, Options
from carillon.domain.errors import InvalidInput
from carillon.domain.renderers import NAMES, ejs, handlebars, velocity
from carillon.domain.renderers.scope import MAX_STEPS
from carillon.domain.renderers.values import MAX_TEXT, RenderError
from carillon.domain.status import Status

ROW = {
    "Prénom": "Léa", "Nom": "D'Arc", "Age": "15", "Prix": "1 250,50", "Vide": "", "Tags": "a;b;c", "Date de RDV": "12/05",
}  # fmt: skip

HANDLEBARS = {
    "field": ("Bonjour {{Prénom}}", "Bonjour Léa"),
    "no HTML": ("{{Nom}} {{{Nom}}} {{&Nom}}", "D'Arc D'Arc D'Arc"),
    "any name": ("{{[Date de RDV]}}", "12/05"),
    "this and parents": ("{{this.Age}}{{../Age}}{{@root.Age}}", "151515"),
    "if": ("{{#if Vide}}a{{else}}b{{/if}}{{#if Age}}c{{/if}}", "bc"),
    "else if": ("{{#if Vide}}a{{else if (gte Age 18)}}b{{else if (lt Age 18)}}c{{else}}d{{/if}}", "c"),
    "else unless": ("{{#if Vide}}a{{else unless Vide}}b{{/if}}", "b"),
    "else helper": ("{{#if Vide}}a{{else eq Age 15}}b{{/if}}", "b"),
    "unless": ("{{#unless Vide}}a{{else}}b{{/unless}}{{#unless Age}}c{{else}}d{{/unless}}", "ad"),
    "inverse": ("{{^Vide}}a{{/Vide}}{{^Age}}b{{/Age}}{{^if Vide}}c{{/if}}", "ac"),
    "section": ("{{#Age}}a{{^}}b{{/Age}}{{#Vide}}a{{^}}b{{/Vide}}", "ab"),
    "each": ("{{#each (split Tags ';')}}{{@index}}{{this}}{{.}}{{#unless @last}},{{/unless}}{{/each}}", "0aa,1bb,2cc"),
    "each first": ("{{#each (split Tags ';')}}{{#if @first}}[{{/if}}{{@key}}{{/each}}", "[012"),
    "each names": ("{{#each (split Tags ';') as |tag i|}}{{i}}{{tag}}{{/each}}", "0a1b2c"),
    "each nothing": ("{{#each Vide}}a{{else}}b{{/each}}", "b"),
    "nested each": (
        "{{#each (split Tags ';')}}{{#each (split 'xy' '')}}{{this}}{{/each}}{{this}}{{/each}}",
        "xyaxybxyc",
    ),
    "with": ("{{#with Nom}}<{{this}}>{{/with}}{{#with Vide}}a{{else}}b{{/with}}", "<D'Arc>b"),
    "with list": (
        "{{#with (split Tags ';')}}{{this}}{{/with}} {{#with (split 'a' ';') as |x|}}{{x}}{{/with}}",
        "a,b,c a",
    ),
    "eq block": ("{{#eq Age 15}}oui{{else}}non{{/eq}}{{#eq Prénom 'Léa'}}!{{/eq}}", "oui!"),
    "logic": ("{{yesno (and Age Prénom)}} {{yesno (or Vide '') 'o' 'n'}} {{yesno (not Vide) 'o'}}", "yes n o"),
    "comparisons": (
        "{{#gt Age 9}}a{{/gt}}{{#lte Age '15'}}b{{/lte}}{{#neq Age 15}}c{{/neq}}{{#lt 'a' 'b'}}d{{/lt}}",
        "abd",
    ),
    "texts": (
        "{{upper Prénom}} {{lower Prénom}} {{capitalize 'jean-paul'}} {{capitalizeFirst 'éa'}}",
        "LÉA léa Jean-Paul Éa",
    ),
    "more texts": (
        "{{abbreviate 'abcdefghij' 6}} {{abbreviate 'ab' 6}} {{cut '1 2'}} {{substring 'abcd' 1 3}}",
        "abc... ab 12 bc",
    ),
    "lists": (
        "{{join (split Tags ';') '-'}} {{lookup (split Tags ';') 1}} {{size Tags}} {{Tags.length}}",
        "a-b-c b 5 5",
    ),
    "default": ("{{defaultIfEmpty Vide 'x y'}} {{default Vide '' 3}} {{default Absent 'z'}}", "x y 3 z"),
    "numbers": (
        "{{add Prix 1}} {{subtract 1 -2}} {{multiply 2 3}} {{divide 1 4}} {{numberFormat Prix 1}}",
        "1251.5 3 6 0.25 1250.5",
    ),
    "padding": ("{{ljust 'a' 3}}|{{rjust 'a' 3 '.'}}|{{replace 'aba' 'a' 'x'}}|{{trim ' a '}}", "a  |..a|xbx|a"),
    "literals": (
        "{{yesno true}}{{yesno false}}{{yesno null}} {{contains Nom 'Arc'}} {{contains (split Tags ';') 'b'}}",
        "yesnono true true",
    ),
    "comments": ("a{{! b }}{{!-- }} --}}c", "ac"),
    "trimmed": ("a {{~Age~}} b {{~!-- x --~}} c", "a15bc"),
    "escaped": ("\\{{Age}} {{Age}}", "{{Age}} 15"),
    "lines with only a tag": ("a\n{{#if Age}}\n b\n  {{else}}\nc\n{{/if}}\nd", "a\n b\nd"),
    "link": ("${track_1}", "u.fr/1"),
}
EJS = {
    "field": ("Bonjour <%= Prénom %> <%- Nom -%>\n!", "Bonjour Léa D'Arc!"),
    "any name": ("<%= locals['Date de RDV'] %> <%= locals.Age %>", "12/05 15"),
    "if": ("<% if (Age >= 18) { %>a<% } else if (Age > 12 && !Vide) { %>b<% } else { %>c<% } %>", "b"),
    "if in pieces": ("<% if (Vide) { %>a<% } %>\n<% else { %>b<% } %>", "b"),
    "ternary": ("<%= Vide ? 'a' : Age == 15 ? 'b' : 'c' %>", "b"),
    "or": ("<%= Vide || 'x' %> <%= Vide ?? 'y' %> <%= Age && 'z' %>", "x y z"),
    "for": ("<% for (const tag of Tags.split(';')) { %>[<%= tag %>]<% } %>", "[a][b][c]"),
    "for without const": ("<% for (t of [1, 'b']) { %><%= t %><% } %>", "1b"),
    "forEach": ("<% Tags.split(';').forEach((tag, i) => { %><%= i + 1 %><%= tag %> <% }) %>", "1a 2b 3c "),
    "forEach one name": ("<% ['x'].forEach(t => { %><%= t %><% }); %>", "x"),
    "break": ("<% for (const t of [1,2,3]) { if (t === 2) { break; } %><%= t %><% } %>", "1"),
    "variables": ("<% const n = Nom.length; let m = n * 2; m = m + 1; %><%= m %>", "11"),
    "hidden variable comes back": ("<% const t = 'o' %><% for (const t of [1]) { %><%= t %><% } %><%= t %>", "1o"),
    "methods": (
        "<%= Nom.toUpperCase().replace(\"'\", '-') %> <%= Nom.slice(-3) %> <%= Nom.charAt(0) %>",
        "D-ARC Arc D",
    ),
    "more methods": (
        "<%= Tags.split(';').join('+') %> <%= Tags.includes('b') %> <%= 'ab'.repeat(2).padStart(6, '.') %>",
        "a+b+c true ..abab",
    ),
    "still more": (
        "<%= ' a '.trim().concat('b') %> <%= Nom.indexOf('A') %> <%= Nom.startsWith('D') %> <%= Nom[0] %>",
        "ab 2 true D",
    ),
    "numbers": (
        "<%= 1 + 2 * 3 - 4 / 2 % 3 %> <%= Number(Age) + 1 %> <%= Age + 1 %> <%= -Age %> <%= (1 + 2) * 3 %>",
        "5 16 151 -15 9",
    ),
    "math": (
        "<%= Math.round(2.5) %> <%= Math.floor(Prix) %> <%= Math.max(1, 3, 2) %> <%= parseInt('7') %> <%= Math.ceil(1.2) %>",
        "3 1250 3 7 2",
    ),
    "fixed": (
        "<%= parseFloat(Prix).toFixed(2) %> <%= Math.min(2, 1) + Math.abs(-3) %> <%= String(5) + 1 %>",
        "1250.50 4 51",
    ),
    "comparisons": (
        "<%= 1 == '1' %> <%= 'a' != 'b' %> <%= 2 < 10 %> <%= '2' <= '10' %> <%= 'b' > 'a' %> <%= null == '' %>",
        "true true true true true false",
    ),
    "truth": ("<%= true == 'x' %> <%= !'0' %> <%= [] ? 1 : 2 %> <%= 0 ? 1 : 2 %> <%= null %>", "true false 2 2 "),
    "comments and tags": ("<%# x %>a<%_ if (Age) { _%> \nb<% } %> <%% %%>", "ab <% %>"),
    "tag beside a tag": ("<%%<%= Age %><%%", "<%15<%"),
    "nothing to replace": ("<%= Tags.replaceAll('', 'x') %> <%= Age.toString() %>", "a;b;c 15"),
    "escapes": ("<%= 'l\\'été\\n' + '\"' %>", "l'été\n\""),
    "link": ("${track_1} <%= track_1 %>", "u.fr/1 u.fr/1"),
}
VELOCITY = {
    "field": ("Bonjour $Prénom, ${Nom}s $!Vide.", "Bonjour Léa, D'Arcs ."),
    "quiet": ("[$!Absent][$!{Absent}]", "[][]"),
    "alternate": ("${Vide|'Mme/M'} ${Age|'x'} ${Vide|$Age}", "Mme/M 15 15"),
    "not a field": ("100$ $5 #1 a#b $ # \\$x \\#if", "100$ $5 #1 a#b $ # $x #if"),
    "full stops": ("$Prénom. $Prénom.Merci ${Prénom}.length $Age.charAt", "Léa. Léa.Merci Léa.length 15.charAt"),
    "methods": (
        "$Nom.toUpperCase() ${Nom.substring(2)} $Nom.length() $Nom.length $Tags.split(';').size()",
        "D'ARC Arc 5 5 3",
    ),
    "chained": ('$Nom.replace("\'", "-").toLowerCase().contains(\'arc\')', "true"),
    "if": ("#if($Age >= 18)a#elseif($Age gt 12 and !$Vide)b#{else}c#end", "b"),
    "else": ("#if($Vide || false)a#else b#end#if(not $Vide)c#end", " bc"),
    "words": (
        "#if($Age eq 15 and $Age ne 16 or false)a#end#if($Age le 15)b#end#if($Age ge 16)c#end#if($Age lt 16)d#end",
        "abd",
    ),
    "set": ('#set($n = $Nom.length() + 1)#set( ${m} = "$n $Prénom! ${Age} #1 #end")$m', "6 Léa! 15 #1 #end"),
    "single quotes": ("#set($m = '$n')$m", "$n"),
    "foreach": ("#foreach($t in $Tags.split(';'))$foreach.count$t#if($foreach.hasNext), #end#end", "1a, 2b, 3c"),
    "foreach place": (
        "#foreach($t in ['a','b'])$foreach.index${foreach.first}$foreach.last $velocityCount #end",
        "0truefalse 1 1falsetrue 2 ",
    ),
    "foreach else": ("#foreach($t in $Vide)a#{else}b#end", "b"),
    "range": ("#foreach($i in [1..3])$i#end #foreach($i in [3..1])$i#end", "123 321"),
    "break and stop": ("#foreach($i in [1..9])#if($i == 3)#break#end$i#end.#stop never", "12."),
    "arithmetic": ("#set($a = 2 + 3 * 4)$a #set($b = (2 + 3) * 4 / 8)$b #set($c = 7 % 4)$c", "14 2.5 3"),
    "comments": ("a## x\nb#* y\n *#c", "a\nbc"),
    "comment lines": ("a\n  ## x\nb", "a\nb"),
    "as is": ("#[[$a #if]]# b", "$a #if b"),
    "lines with only a directive": ("a\n  #if($Age)\nb\n#end\nc", "a\nb\nc"),
    "link": ("${track_1} $track_1", "u.fr/1 u.fr/1"),
    "get": ("$Tags.split(';').get(1) $Nom.isEmpty() $!Vide.isEmpty()", "b false true"),
}
PARSERS = {"HANDLEBARS": handlebars.parse, "EJS": ejs.parse, "VELOCITY": velocity.parse}


def cases(name: str, table: Mapping[str, tuple[str, str]]) -> list[object]:
    return [pytest.param(name, *case, id=f"{name} {label}") for label, case in table.items()]


def render(renderer: str, template: str, fields: Mapping[str, str] = ROW) -> str:
    return PARSERS[renderer](template).render({**fields, "track_1": "u.fr/1"})


@pytest.mark.parametrize(
    ("renderer", "template", "text"),
    [*cases("HANDLEBARS", HANDLEBARS), *cases("EJS", EJS), *cases("VELOCITY", VELOCITY)],
)
def test_the_language(renderer: str, template: str, text: str) -> None:
    assert render(renderer, template) == text


BROKEN = {
    "HANDLEBARS": [
        "{{add 1 9999999999999999}}",
        "{{", "{{}}", "{{#if Age}}x", "{{/if}}", "{{else}}", "{{#if Age}}x{{/each}}", "{{#if}}x{{/if}}", "{{> part}}",
        "{{helper Age}}", "{{eq Age}}", "{{eq (eq 1 2}}", "{{Nom.constructor}}", "{{Nom.__class__}}", "{{upper}} {{",
        "{{Age ~}} {{%}}", "{{upper Age Age}}", "{{#each Tags}}", "{{Age)}}", "{{#if Age x}}a{{/if}}",  "{{-}}",
    ],
    "EJS": [
        "<%= 9999999999999999 %>",
        "<%= Age", "<%= %>", "<% if (Age) { %>", "<% } %>", "<%= Nom.constructor %>", "<%= Nom.__class__ %>", "<%= Age Age %>",
        "<%= require('fs') %>", "<% while (true) {} %>", "<% process.exit() %>",  "<%= locals %>",
        "<%= (1 %>", "<%= [1, 2 %>", "<%= Nom.slice(1,2,3) %>", "<%= Nom.charAt %>", "<% const 1 = 2 %>", "<%= 1 ? 2 %>",
        "<% for (i = 0; i < 9; i++) { %><% } %>", "<%= `x` %>", "<%= Age @ 2 %>", "<% if Age { %><% } %>", "<% x.forEach(1) %>",
        "<%= [" + "1," * 101 + "1] %>", "<% Age.split().map(x => { }) %>", "<% a b.forEach(x => {}) %>", "<% = 1 %>",
        "<%= Math.random() %>",
    ],
    "VELOCITY": [
        "#if($Age)x", "#end", "#else", "#if x #end", "#if(Age)x#end", "#if($Age", "#elseif($Age)", "#if($Age)#elseif x#end",
        "#set($x)", "#set(x = 1)", "#foreach($x of $Tags)#end", "#foreach($x in)#end", "${Age", "${Age.x}", "$Nom.getClass()",
        "$Nom.__class__()", "#macro(x)#end", "#define($x)#end", "#parse('x')", "#include('/etc/passwd')", "#evaluate('x')",
        "$Nom.substring()", "#if($Age) x #foreach($i in [1])#end", "#set($x = 1 2)", "${Age|}", "#foreach($a in [1]) #if(",
        "#break#end",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("renderer", "template"), [(renderer, template) for renderer, found in BROKEN.items() for template in found]
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(renderer: str, template: str) -> None:
    with pytest.raises(InvalidInput, match="line 1, column") as refused:
        PARSERS[renderer](template)
    assert (refused.value.code, refused.value.field) == ("template_syntax", "message")


def test_the_place_of_an_error_is_told() -> None:
    with pytest.raises(InvalidInput, match="line 2, column 5"):
        ejs.parse("a\nb<% while %>")


FAILING = {
    "missing field": [
        ("HANDLEBARS", "{{Absent}}"), ("EJS", "<%= Absent %>"), ("VELOCITY", "$Absent"), ("EJS", "<%= Absent + 1 %>"),
    ],
    "no number": [
        ("HANDLEBARS", "{{add Nom 1}}"), ("EJS", "<%= Nom * 2 %>"), ("VELOCITY", "#set($x = $Nom - 1)"), ("EJS", "<%= -Vide %>"),
    ],
    "by zero": [("EJS", "<%= 1 / 0 %>"), ("EJS", "<%= 1 % 0 %>"), ("HANDLEBARS", "{{divide 1 0}}")],
    "too many steps": [
        ("VELOCITY", "#foreach($i in [1..400])#foreach($j in [1..400])#set($x = '')#end#end"),
        ("HANDLEBARS", "{{#each (split A ' ')}}{{#each (split A ' ')}}{{#if B}}{{/if}}{{/each}}{{/each}}"),
    ],
    "too long": [
        ("EJS", "<%= 'x'.repeat(4001) %>"),
        ("EJS", "<% let x = 'ab'; for (const i of A.split(' ')) { x = x + x } %>"),
        ("EJS", "<%= A.replaceAll(' ', 'x'.repeat(3000)) %>"),
        ("VELOCITY", "#set($x = 'ab')#foreach($i in [1..100])#set($x = \"$x$x\")#end$x"),
        ("HANDLEBARS", "{{join (split A ' ') (rjust 'x' 100)}}"),
    ],
    "too many items": [("VELOCITY", "#foreach($i in [1..501])#end"), ("EJS", "<%= 'x '.repeat(600).split(' ').length %>")],
    "too large": [
        ("EJS", "<% let x = 9; for (const i of A.split(' ')) { x = x * x } %>"),
        ("EJS", "<%= 999999999999999 * 2 %>"),
    ],
    "list in a list": [("EJS", "<% const a = [1, 2]; const b = [a, a]; %>")],
    "break outside": [("VELOCITY", "a#break"), ("EJS", "<% break; %>")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("renderer", "template"),
    [
        pytest.param(*case, id=f"{label} {case[0]} {i}")
        for label, found in FAILING.items()
        for i, case in enumerate(found)
    ],
)
def test_what_fails_for_a_row_is_status_5_with_the_reason(renderer: str, template: str) -> None:
    columns = [*ROW, "A", "B"]
    composer = Composer("x" + template, columns, renderer=renderer, options=Options(max_segments=6))
    composed = composer.compose([*ROW.values(), "y " * 150, ""])
    assert composed.status is Status.PERSONALISATION
    assert composed.reason


def test_what_no_message_can_hold_is_status_7() -> None:
    composer = Composer("{{#each (split A ' ')}}{{../Nom}}{{../Nom}}{{/each}}", ["A", "Nom"], renderer="HANDLEBARS")
    assert composer.compose(["y " * 100, "x" * 30]).status is Status.TOO_LONG


def test_a_missing_field_is_false_in_a_condition_and_named() -> None:
    for renderer, template in (
        ("HANDLEBARS", "{{#if Ville}}a{{else}}b{{/if}}{{#eq Ville 'x'}}c{{/eq}}"),
        ("EJS", "<%= Ville ? 'a' : 'b' %><% if (Ville == 'x') { %>c<% } %>"),
        ("VELOCITY", "#if($Ville)a#{else}b#end#if($Ville == 'x')c#end"),
    ):
        composer = Composer(template, list(ROW), renderer=renderer)
        assert composer.compose(list(ROW.values())).text == "b"
        assert composer.unknown_fields == ("Ville",)


def test_own_variables_are_no_fields() -> None:
    assert ejs.parse("<% const a = Nom; for (const b of [a]) { %><%= b %><% } %>").fields == ("Nom",)
    assert velocity.parse("#set($a = $Nom)#foreach($b in [$a])$b$foreach.count#end").fields == ("Nom",)
    assert handlebars.parse("{{#each (split Nom ' ') as |b|}}{{b}}{{this}}{{@index}}{{/each}}").fields == ("Nom",)


def test_a_field_may_be_set_anew() -> None:
    composer = Composer("#if($Vide)#set($Nom = 'x')#end$Nom", list(ROW), renderer="VELOCITY")
    assert composer.compose(list(ROW.values())).text == "D'Arc"


def test_fields_are_found_in_any_case_and_take_defaults() -> None:
    composer = Composer("{{PRENOM}} {{vide}}", list(ROW), renderer="HANDLEBARS", defaults={"Vide": "plein"})
    assert composer.compose(list(ROW.values())).text == "Léa plein"


def test_row_zero_tries_the_other_branches() -> None:
    composer = Composer("{{#if Prénom}}court{{else}}bien plus long{{/if}}", list(ROW), renderer="HANDLEBARS")
    assert composer.worst_case(list(ROW.values())).composed.text == "bien plus long"


def test_nesting_has_a_limit() -> None:
    for renderer, opened, closed in (
        ("EJS", "<%= " + "(" * 50 + "1", ")" * 50 + " %>"),
        ("EJS", "<%= " + "!" * 5000 + "1", " %>"),
        ("EJS", "<% if (1) { %>" * 50, "<% } %>" * 50),
        ("HANDLEBARS", "{{#if Age}}" * 50, "{{/if}}" * 50),
        ("HANDLEBARS", "{{eq " + "(eq 1 " * 50, "1)" * 50 + " 1}}"),
        ("HANDLEBARS", "{{#if Age}}" + "{{else if Age}}" * 50, "{{/if}}"),
        ("VELOCITY", "#if($Age)" * 50, "#end" * 50),
        ("VELOCITY", "#set($x = " + '"$' * 3, ")"),
    ):
        with pytest.raises(InvalidInput):
            PARSERS[renderer](opened + closed)


FRAGMENTS = [
    "{{", "}}", "{{#if Age}}", "{{else}}", "{{/if}}", "{{#each (split Tags ';')}}", "{{/each}}", "{{Nom}}", "~", "<%", "%>",
    "<%=",
    "-%>", "<% if (Age) { %>", "<% } %>", "<% for (const x of [1,2]) { %>", "Nom", ".length", "(", ")", "'", '"', "[", "]",
    "$Nom",
    "${", "}", "#if($Age)", "#end", "#set($x = ", "#foreach($i in [1..9])", "$!", "#*", "*#", "#[[", "\\", "|", "\n", " ", "+",
    "-",
    "*", "/", "==", "&&", "1", "999999999", "é", "__class__", ".replace('a','b')", "${track_1}", "#info1#", "$$[", "]$$",
]  # fmt: skip
fragments = st.sampled_from(FRAGMENTS)


@given(st.sampled_from(NAMES), st.lists(fragments, max_size=25).map("".join))
@example("SMSFACTOR", "${track_1}")
@example("EJS", "<%= 'x'.padStart(999999999) %>")
@example("EJS", "<%= 'x'.substring(999999999, 2).repeat(999999999) %>")
def test_any_template_is_refused_or_renders_within_bounds(renderer: str, template: str) -> None:
    try:
        composer = Composer(template, list(ROW), renderer=renderer, options=Options(max_segments=6))
    except InvalidInput:
        return
    composed = composer.compose(list(ROW.values()))
    assert len(composed.text) <= MAX_TEXT
    assert "<class" not in composed.text and "object at" not in composed.text


def test_steps_are_counted_down_to_the_limit() -> None:
    turns = MAX_STEPS // 2 - 1
    template = "<% for (const a of X.split(' ')) { for (const b of X.split(' ')) { } } %>"
    tree = ejs.parse(template)
    few = " ".join("x" * 30)
    assert tree.render({"X": few}) == ""
    with pytest.raises(RenderError, match=str(MAX_STEPS)):
        tree.render({"X": " ".join("x" * (turns // 10))})
