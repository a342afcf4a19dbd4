from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, HASHED, sourced, subject, tag, tags

from shieldwall.intel import know
from shieldwall.intel.known import plain_name
from shieldwall.model.canonical import canonical_json

HERE = subject()


def test_the_same_said_by_two_sources_is_one_tag_with_a_count():
    known = know(
        HERE,
        sourced(tag("Netwalker", source="a", abuse="ransomware"), name="one")
        + sourced(tag("NetWalker", source="b", abuse="ransomware", confidence=60), name="two"),
    )
    (only,) = known.tags
    assert (only.label, only.count, only.confidence) == ("NetWalker", 2, 60)
    assert [(source.set, source.source, source.label) for source in only.sources] == [
        ("one", "a", "Netwalker"),
        ("two", "b", "NetWalker"),
    ]
    assert known.contradictions == ()


def test_an_actor_merges_labels_that_differ():
    known = know(
        HERE,
        sourced(
            tag("Binance.com", category="exchange", actor="binance"),
            tag("binance reserve wallets BTC", category="exchange", actor="binance"),
            tag("Binance", category="exchange"),
        ),
    )
    (only,) = known.tags
    assert (only.actor, only.count) == ("binance", 3)


def test_category_and_abuse_keep_tags_apart():
    known = know(HERE, sourced(tag("X", category="exchange"), tag("X", abuse="service_hack")))
    assert {(each.category, each.abuse) for each in known.tags} == {("exchange", ""), ("", "service_hack")}


def test_contradictions_are_shown():
    known = know(
        HERE,
        sourced(
            tag("Kraken", actor="kraken", category="exchange"),
            tag("Wasabi", actor="wasabi", category="mixing_service"),
            tag("Conti", abuse="ransomware"),
            tag("Ryuk", abuse="ransomware"),
            tag("Ryuk (Hermes)", abuse="ransomware"),
        ),
    )
    assert [(each.about, each.values) for each in known.contradictions] == [
        ("actor", ("kraken", "wasabi")),
        ("category", ("exchange", "mixing_service")),
        ("name", ("Conti", "Ryuk", "Ryuk (Hermes)")),
    ]
    assert known.contradictions[0].text == "sources name different actors: kraken, wasabi"


def test_a_longer_form_of_a_name_is_no_contradiction():
    known = know(HERE, sourced(tag("Dmalocker", abuse="ransomware"), tag("DMALockerv3", abuse="ransomware")))
    assert len(known.tags) == 2
    assert known.contradictions == ()


def test_a_user_on_a_sanctions_list_may_be_a_mixer():
    known = know(HERE, sourced(tag("Blender.io", category="mixing_service"), tag("Listed", category="user")))
    assert known.contradictions == ()
    assert [each.label for each in known.services()] == ["Blender.io"]
    assert known.services(frozenset(("user",)))[0].label == "Listed"


def test_retracted_tags_count_as_retracted_only():
    known = know(HERE, sourced(tag("X"), replace(tag("Y"), retracted="2026-01-01")))
    assert [each.label for each in known.tags] == ["X"]
    assert known.retracted == 1


def test_unknown_is_empty_and_other_subjects_and_kinds_are_let_be():
    known = know(HERE, sourced(tag("X", name=HASHED), replace(tag("Y"), kind="actor")))
    assert (known.tags, known.contradictions, known.retracted, known.services()) == ((), (), 0, ())


def test_the_dictionary_is_canonical_json():
    plain = know(HERE, sourced(tag("X", category="exchange", confidence=None))).as_dict()
    assert plain["subject"]["name"] == FIRST
    assert plain["tags"][0]["confidence"] is None
    assert list(plain["tags"][0])[:6] == ["label", "category", "abuse", "actor", "confidence", "count"]
    assert canonical_json(plain)


@given(st.lists(tags(st.just(FIRST)), max_size=8), st.randoms())
def test_merging_does_not_depend_on_order_and_loses_nothing(claims, random):
    known = know(HERE, sourced(*claims))
    shuffled = [*claims, *claims[:2]]
    random.shuffle(shuffled)
    assert know(HERE, sourced(*shuffled)) == known
    assert sum(each.count for each in known.tags) == len({claim.id for claim in claims})
    for each in known.tags:
        assert each.count == len(each.sources)
        confidences = [source.confidence for source in each.sources if source.confidence is not None]
        assert each.confidence == max(confidences, default=None)
        assert each.label in {source.label for source in each.sources}


@pytest.mark.parametrize("text", ["", "!!", "Ünïcode", "A-b C"])
def test_plain_names_are_stable(text):
    assert plain_name(plain_name(text)) == plain_name(text)
