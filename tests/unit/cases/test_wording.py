"""Likelihood and confidence never stand in one sentence, and a finding keeps its layer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.cases.event import event_statement, moment_of
from shieldwall.cases.finding import FINDING, Finding
from shieldwall.cases.relation import RELATIONS, TYPES, relation_statement
from shieldwall.cases.wording import (
    BANDS,
    LIKELIHOOD_WORDS,
    Confidence,
    Likelihood,
    mixed,
    must_not_mix,
    sentences,
)
from shieldwall.errors import BadInput
from shieldwall.model.claim import Layer


def test_the_bands_are_those_of_icd_203():
    assert list(BANDS.values()) == [(1, 5), (5, 20), (20, 45), (45, 55), (55, 80), (80, 95), (95, 99)]
    assert [each.percent[0] for each in Likelihood] == sorted(each.percent[0] for each in Likelihood)


@pytest.mark.parametrize("band", Likelihood)
def test_either_row_of_words_names_its_band(band):
    assert {Likelihood.of(f" {word.upper()} ") for word in LIKELIHOOD_WORDS[band]} == {band}


@pytest.mark.parametrize("word", ["possible", "high", "certain", "", "likelyy"])
def test_other_words_name_none(word):
    with pytest.raises(BadInput, match="no likelihood of ICD 203"):
        Likelihood.of(word)


def test_confidence_has_three_steps():
    assert [Confidence.of(f"{word} Confidence") for word in ("low", "moderate", "high")] == list(Confidence)
    with pytest.raises(BadInput, match="no confidence"):
        Confidence.of("medium")


@pytest.mark.parametrize(
    "text",
    [
        "We have high confidence that he probably paid.",
        "It is very likely theirs, with moderate confidence.",
        "Our confidence in this is low, yet an attack is unlikely.",
        "We are fairly confident that there is a roughly even chance.",
        "Confident that it is LIKELY",
        "It is almost   certain; confidence: high",
        "There is an 80% chance that it is theirs (confidence: high).",
        "Il est très probable, avec une confiance élevée, que ce soit lui.",
        "من المرجح أنه هو بثقة عالية.",
        "おそらく彼のもので、確信度は高い。",
    ],
)
def test_a_sentence_with_both_is_found(text):
    assert len(mixed(text)) == 1
    with pytest.raises(BadInput, match="likelihood"):
        must_not_mix(text, "here")


@pytest.mark.parametrize(
    "text",
    [
        "It is likely theirs. We have high confidence in that.",
        "It is likely theirs.\nHigh confidence.",
        "The likelihood was not stated. Confidence is low.",
        "A confidential source says so, e.g. the likely one.",
        "This is unlike him; we are confident.",
        "Il est très probable que ce soit lui. Confiance : élevée.",
        "おそらく彼のものである。確信度は高い。",
    ],
)
def test_two_sentences_or_one_kind_are_fine(text):
    must_not_mix(text, "here")


@given(st.lists(st.sampled_from(["It is likely.", "Confidence is high.", "Seen, e.g. on 3 May.", "Paid!"]), max_size=8))
def test_sentences_are_whole(parts):
    assert sentences(" ".join(parts)) == parts


@given(
    st.sampled_from([word for row in LIKELIHOOD_WORDS.values() for word in row]),
    st.sampled_from(["high confidence", "low level of confidence", "confidence is moderate"]),
    st.booleans(),
)
def test_every_pair_is_found_in_one_sentence_and_in_two_is_none(likely, sure, turned):
    first, second = (sure, likely) if turned else (likely, sure)
    assert len(mixed(f"It is {first} and with {second} that he paid.")) == 1
    assert mixed(f"It is {first} so. There is {second} here.") == ()


def finding(**given_):
    return Finding(**{"layer": Layer.INFERENCE, "text": "It is theirs.", "basis": "co-spend", **given_})


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"layer": Layer.OBSERVATION, "likelihood": Likelihood.LIKELY}, "not judged"),
        ({"layer": Layer.OBSERVATION, "confidence": Confidence.LOW}, "not judged"),
        ({"basis": " "}, "names the rule"),
        ({"layer": Layer.ATTRIBUTION, "basis": ""}, "whose word"),
        ({"text": " "}, "has a text"),
        ({"text": "x" * 5000}, "has a text"),
        ({"text": "We are confident that it is likely."}, "likelihood"),
        ({"basis": "high confidence, as is likely"}, "likelihood"),
        ({"alternatives": ("It is unlikely, with low confidence",)}, "likelihood"),
        ({"alternatives": ("x",) * 51}, "at most"),
    ],
)
def test_a_finding_that_mixes_layers_or_words_is_refused(given_, says):
    with pytest.raises(BadInput, match=says):
        finding(**given_)


@given(
    st.sampled_from(list(Layer)),
    st.none() | st.sampled_from(list(Likelihood)),
    st.none() | st.sampled_from(list(Confidence)),
    st.lists(st.text(st.characters(codec="ascii", categories=["Lu"]), min_size=1, max_size=9), max_size=3),
)
def test_a_finding_comes_back_from_its_statement(layer, likelihood, confidence, others):
    if layer is Layer.OBSERVATION:
        likelihood = confidence = None
    made = finding(layer=layer, likelihood=likelihood, confidence=confidence, alternatives=tuple(others))
    statement = made.statement()
    FINDING.check(statement, "finding")
    assert Finding.of(layer, statement) == made
    assert mixed(made.sentence) == ()
    assert ("Judged" in made.sentence, "Confidence" in made.sentence) == (bool(likelihood), bool(confidence))


def test_an_event_has_a_text_and_a_time_in_utc():
    assert event_statement(" a  b ", "2021-05-08T19:12:57+02:00", " here ") == {
        "text": "a b",
        "when": "2021-05-08T17:12:57Z",
        "where": "here",
    }
    assert moment_of("2021-05-08", "x") == "2021-05-08"  # a day stays a day: nobody knows the hour
    for when in ("", "yesterday", "2021-13-01", "99999999999999999999"):
        with pytest.raises(BadInput, match="no time"):
            event_statement("a", when)


def test_a_relation_is_one_of_those_there_are():
    assert relation_statement("uses", "malware", " Lock  Bit ", basis="note")["object"] == "Lock Bit"
    for bad in (
        ("owns", "malware", "x"),
        ("uses", "car", "x"),
        ("uses", "malware", " "),
        ("uses", "malware", "x" * 301),
    ):
        with pytest.raises(BadInput, match=r"no relation|nothing of a network|has a name"):
            relation_statement(*bad)
    assert set(TYPES) >= {"group", "person", "malware", "infrastructure", "address", "victim"}
    assert RELATIONS
