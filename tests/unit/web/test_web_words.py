"""Languages of the pages: whole catalogues, plural forms, isolates, who gets which language, and texts that execute nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.words import ENGLISH, fill, message
from shieldwall.trace.sentence import sentence
from shieldwall.web.words import LANGUAGES, chosen, words_of

LRI, PDI = "\u2066", "\u2069"
TURNS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
FRENCH, ARABIC = words_of("fr"), words_of("ar")
HEADERS = st.lists(
    st.one_of(st.text(), st.sampled_from([*LANGUAGES, "fr-CH", "*", ";q=0.5", ";q=1.000", ";q=", ",", ";", " "]))
).map("".join)


@pytest.fixture(scope="module")
def tool(root):
    sys.path.insert(0, str(root / "tools"))
    try:
        import make_catalogues
    finally:
        sys.path.pop(0)
    return make_catalogues


def plain(text):
    """Without isolates."""
    return text.replace(LRI, "").replace(PDI, "")


# catalogues


def test_the_catalogues_are_whole(tool):
    for book in tool.BOOKS:
        assert tool.check(tool.said(tool.PACKAGE, book), book) == []


def test_every_language_has_a_direction_and_speaks():
    assert {language: words_of(language).language for language in LANGUAGES} == {name: name for name in LANGUAGES}
    assert [words_of(language).direction for language in LANGUAGES] == ["ltr", "ltr", "rtl"]
    assert words_of("fr") is FRENCH
    assert words_of("xx") is words_of("en") is ENGLISH


CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "one {name}"
msgstr "un {name}"

msgid "{number} job of {name}"
msgid_plural "{number} jobs of {name}"
msgstr[0] "un travail de {name}"
msgstr[1] "{number} travaux de {name}"
"""
SAID = {("one {name}",): {"a.py"}, ("{number} job of {name}", "{number} jobs of {name}"): {"a.py"}}


def found(tool, text, said=SAID):
    return " ".join(tool.problems(tool.read(text.encode(), "fr"), said))


def test_a_whole_catalogue_has_no_problems(tool):
    assert found(tool, CATALOGUE) == ""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('msgstr "un {name}"', 'msgstr ""', "'one {name}': is not translated"),
        ('msgstr "un {name}"', 'msgstr "un {nom}"', "'un {nom}' has other fields"),
        ('msgstr "un {name}"', 'msgstr "un"', "'un' has other fields"),
        ('msgid "one {name}"', '#, fuzzy\nmsgid "one {name}"', "'one {name}' is fuzzy"),
        ('msgid "one {name}"', 'msgid "two {name}"', "'one {name}' is not in the catalogue 'two {name}' is no longer"),
        ('msgid "one {name}"\n', '#~ msgid "gone"\n#~ msgstr "parti"\n\nmsgid "one {name}"\n', "'gone' is left over"),
        ('msgstr[0] "un travail de {name}"', 'msgstr[0] ""', "'{number} job of {name}': is not translated"),
        ('msgstr[0] "un travail de {name}"', 'msgstr[0] "un travail"', "'un travail' has other fields"),
        ('msgstr[1] "{number} travaux', 'msgstr[1] "{number} {autres} travaux', "has other fields"),
        ('msgstr[1] "{number} travaux', 'msgstr[1] "des travaux', ""),  # a form may leave the number out
    ],
)
def test_a_catalogue_that_is_not_whole_is_refused(tool, old, new, problem):
    assert CATALOGUE.count(old) == 1
    said = found(tool, CATALOGUE.replace(old, new))
    assert problem in said
    assert bool(said) == bool(problem)


def test_a_renewed_catalogue_keeps_what_is_translated(tool):
    old = tool.read(CATALOGUE.encode(), "fr")
    said = {("one {name}",): {"b.py", "a.py"}, ("{number} way", "{number} ways"): {"a.py"}}
    text = tool.written(tool.renewed(old, said), "fr", old.plural_forms).decode()
    assert '#: a.py b.py\nmsgid "one {name}"\nmsgstr "un {name}"\n' in text
    assert 'msgid_plural "{number} ways"\nmsgstr[0] ""\nmsgstr[1] ""\n' in text
    assert "job" not in text
    again = tool.read(text.encode(), "fr")
    assert tool.written(tool.renewed(again, said), "fr", again.plural_forms).decode() == text


def test_texts_are_found_where_they_are_said(tool):
    python = 'say("a"); words.count("{number} b", "{number} bs", n, x=1); T = (message("c"),); say(T[0]); count(rows)'
    assert set(tool.in_python(python, "a.py")) == {("a",), ("{number} b", "{number} bs"), ("c",)}
    template = (
        '<p title="{{ say("a", x=1) }}">{% if n %}{{ count("{number} b", "{number} bs", n) }}{% endif %}{{ say(t) }}'
    )
    assert list(tool.in_template(template, "a.html.j2")) == [("a",), ("{number} b", "{number} bs")]


@pytest.mark.parametrize("text", ['say(f"a {b}")', 'words.say("a" + b)', 'say("a %s" % b)', 'count(one, "many", n)'])
def test_a_text_put_together_on_the_spot_is_refused(tool, text):
    with pytest.raises(tool.UnclearError, match=r"a\.py:1"):
        list(tool.in_python(text, "a.py"))


def test_a_text_said_in_two_ways_is_refused(tool, tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.py").write_text('say("a"); count("a", "as", 2)')
    with pytest.raises(tool.UnclearError, match="'a' is said alone and for a number"):
        tool.said(tmp_path)


# plural forms


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "لا عناوين"),
        (1, "عنوان واحد"),
        (2, "عنوانان"),
        (3, "3 عناوين"),
        (11, "11 عنوانًا"),
        (100, "100 عنوان"),
        (103, "103 عناوين"),
    ],
)
def test_arabic_has_six_forms(number, text):
    assert plain(ARABIC.count("{number} address", "{number} addresses", number)) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 adresse"), (1, "1 adresse"), (2, "2 adresses")])
def test_french_has_its_own_rule(number, text):
    assert FRENCH.count("{number} address", "{number} addresses", number) == text


def test_english_has_two_forms():
    assert [ENGLISH.count("a job", "{number} jobs", number) for number in (0, 1, 2)] == ["0 jobs", "a job", "2 jobs"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_without_a_translation_is_said_in_english(language):
    words = words_of(language)
    assert plain(words.say("nobody translated {this}", this="it")) == "nobody translated it"
    assert plain(words.count("{number} untold", "{number} untolds", 3)) == "3 untolds"
    assert words.say("") == ""


# fields


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["{x.__class__}", "{x[0]}", "{0}", "{}", "{x!r}", "{x:>9}", "{{x}}x", "%(x)s", "{x", "{ x }"]
)
def test_a_text_executes_nothing(language, text):
    said = plain(words_of(language).say(text, x="v"))
    assert said == text.replace("{x}", "v")


@pytest.mark.parametrize("language", LANGUAGES)
@given(value=st.text(st.characters(exclude_characters=TURNS)))
def test_a_value_is_never_looked_at_again(language, value):
    assert plain(words_of(language).say("<{a}|{b}>", a=value, b="{a}")) == f"<{value}|{{a}}>"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_field_without_a_value_is_an_error(language):
    with pytest.raises(KeyError, match="name"):
        words_of(language).say("{name} can freeze it")


def test_a_text_may_have_fields_with_the_names_of_parameters():
    assert ENGLISH.say("{self} {text}", self=1, text=2) == "1 2"
    assert FRENCH.count("{one}", "{many}", 1, one=1, many=2, self=3) == "1"
    assert message("{x}") == fill("{x}", {"x": "{x}"})


# isolates


def test_values_in_arabic_are_isolated_runs_from_the_left():
    assert ARABIC.say("{name} can freeze it", name="Binance") == f"بإمكان {LRI}Binance{PDI} تجميده"
    assert ARABIC.count("{number} address", "{number} addresses", 3) == f"{LRI}3{PDI} عناوين"
    assert LRI not in FRENCH.say("{name} can freeze it", name="Binance")


def test_what_was_said_is_no_foreign_run():
    inner = ARABIC.say("height {height} ({time})", height=7, time="2021-10-01T00:00:00Z")
    outer = ARABIC.say("{first}; {then}", first=inner, then="x")
    assert outer == f"{inner}؛ {LRI}x{PDI}"


@pytest.mark.parametrize("turn", TURNS)
def test_a_value_cannot_leave_its_isolate(turn):
    assert ARABIC.say("{name} can freeze it", name=f"a{turn}b") == f"بإمكان {LRI}a\ufffdb{PDI} تجميده"


# the sentence of a trace


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "Of 1 BTC, 100.0 % (1 BTC) sits at Binance, address bc1qend, 1 hop on, last moved T; Binance can freeze it.",
        ),
        (
            "fr",
            "Sur 1 BTC, 100.0 % (1 BTC) : dépôt chez Binance, adresse bc1qend, à 1 saut en aval, dernier mouvement T ;",
        ),
        (
            "ar",
            "من أصل 1 BTC، 100.0 % (1 BTC): مبلغ مودَع لدى Binance، العنوان bc1qend، على بُعد قفزة واحدة، آخر حركة T؛",
        ),
    ],
)
def test_the_sentence_in_each_language(language, text):
    end = {
        "kind": "service",
        "amount": 10**8,
        "address": "bc1qend",
        "hops": 1,
        "last_moved": "T",
        "service": "Binance",
        "inherited": None,
        "freezable_by": [{"name": "Binance"}],
        "tags": [],
        "outputs": [{"state": "unspent", "as_of": None, "hops": 1}],
    }
    body = {
        "seed_amount": 10**8,
        "fee_amount": 0,
        "unspendable_amount": 0,
        "ends": [end],
        "gaps": [],
        "direction": "forward",
        "network": "main",
        "fiat": None,
        "conserved": True,
        "method": "fifo",
        "tip_height": 700_000,
        "tip_time": "2021-10-01T00:00:00Z",
    }
    said = sentence(body, words=words_of(language))
    assert plain(said).replace("\u00a0", " ").startswith(text)
    assert said.count(LRI) == said.count(PDI) == (0 if language != "ar" else 9)


# who gets which


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        ("", "", "en"),
        ("ar", "fr", "ar"),
        ("de", "fr", "fr"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr"),
        ("", "de, ar;q=0.3, en;q=0.2", "ar"),
        ("", "ar, fr", "ar"),
        ("", "fr, ar", "fr"),
        ("", "en;q=0.1, FR ; Q=0.2", "fr"),
        ("", "fr;q=0", "en"),
        ("", "en;q=0, fr;q=0.001", "fr"),
        ("", "*", "en"),
        ("", "en;q=0, *", "fr"),
        ("", "de;q=1, ja", "en"),
        ("", "fr;q=2, ar;q=0.1", "ar"),
        ("", "fr;level=1, ar;q=0.1", "ar"),
        ("", ",, ,fr", "fr"),
        ("", "french", "en"),
    ],
)
def test_the_cookie_then_the_browser_then_english(cookie, header, language):
    assert chosen(cookie, header) == language


@given(cookie=st.text(), header=HEADERS)
def test_any_header_gets_a_language(cookie, header):
    assert chosen(cookie, header) in LANGUAGES


def test_english_reads_no_catalogue():
    program = (
        "import sys; from shieldwall.web.words import chosen, words_of; words_of(chosen('', 'de')).say('x');"
        "sys.exit('babel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
