from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText, ShieldwallError
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, ClaimKind, Layer, Subject
from shieldwall.model.marking import Marking

SUBJECT = Subject("address", "bip122:000000000019d6689c085ae165831e93", "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")


def claim(**changes):
    given_fields = {
        "subject": SUBJECT,
        "kind": "tag",
        "statement": {"label": "DarkSide", "amount": 7_500_000_000, "lists": ["a", "b"]},
        "layer": Layer.ATTRIBUTION,
        "source": "https://example.org/list",
        "made_by": "CERT",
    }
    return Claim(**{**given_fields, **changes})


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
OPTIONAL = st.one_of(st.just(""), WORDS)
PLAIN = st.one_of(st.integers(-(10**15), 10**15), st.booleans(), WORDS, st.lists(WORDS, max_size=3), st.just(""))


def claims(named=WORDS):
    return st.builds(
        Claim,
        subject=st.builds(Subject, WORDS, WORDS, WORDS),
        kind=WORDS,
        statement=st.dictionaries(WORDS, PLAIN, max_size=4),
        layer=st.sampled_from(Layer),
        source=named,
        made_by=named,
        at=OPTIONAL,
        confidence=st.one_of(st.none(), st.integers(0, 100)),
        marking=st.sampled_from(Marking),
        evidence=st.lists(WORDS, max_size=3).map(tuple),
        expires=OPTIONAL,
        retracted=OPTIONAL,
        signature=OPTIONAL,
    )


def assert_comes_back(said):
    back = Claim.from_dict(said.as_dict())
    assert back == said
    assert back.signature == said.signature  # the comparison leaves it out
    assert back.id == said.id
    assert canonical_json(back.as_dict()) == canonical_json(said.as_dict())


@given(claims())
def test_there_and_back(said):
    assert_comes_back(said)


@given(claims(named=OPTIONAL))
def test_there_and_back_where_source_or_maker_is_not_known(said):
    assert_comes_back(said)


@pytest.mark.parametrize("missing", ["source", "made_by"])
def test_a_claim_without_a_source_or_maker_survives(missing):
    assert_comes_back(claim(**{missing: ""}))


def test_confidence_of_nought_is_not_left_out():
    assert claim(confidence=0).as_dict()["confidence"] == 0
    assert "confidence" not in claim().as_dict()
    assert claim(confidence=0).id != claim().id


def test_a_claim_says_nothing_of_its_marking_and_is_of_the_strictest():
    assert claim().marking is Marking.RED
    plain = claim(marking=Marking.CLEAR).as_dict()
    assert plain.pop("marking") == "TLP:CLEAR"
    assert Claim.from_dict(plain).marking is Marking.RED


@given(claims(), st.randoms(use_true_random=False))
def test_the_id_does_not_depend_on_the_order_of_keys(said, random):
    plain = said.as_dict()
    keys = list(plain["statement"])
    random.shuffle(keys)
    plain["statement"] = {key: plain["statement"][key] for key in keys}
    keys = list(plain)
    random.shuffle(keys)
    assert Claim.from_dict({key: plain[key] for key in keys}).id == said.id


def test_the_id_does_not_depend_on_the_signature_and_on_everything_else():
    said = claim()
    assert replace(said, signature="signed").id == said.id
    assert replace(said, signature="signed") == said
    others = [
        replace(said, subject=replace(SUBJECT, name="1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")),
        replace(said, kind="finding"),
        replace(said, statement={"label": "Darkside"}),
        replace(said, layer=Layer.INFERENCE),
        replace(said, source="elsewhere"),
        replace(said, made_by="someone"),
        replace(said, at="2021-05-08"),
        replace(said, confidence=50),
        replace(said, marking=Marking.GREEN),
        replace(said, evidence=("00" * 32,)),
        replace(said, expires="2022-05-08"),
        replace(said, retracted="2021-06-08"),
    ]
    assert len({other.id for other in [said, *others]}) == 1 + len(others)
    assert len(said.id) == 64


def test_a_claim_is_frozen():
    statement = {"label": "DarkSide"}
    said = claim(statement=statement)
    before = said.id
    statement["label"] = "other"
    with pytest.raises(TypeError):
        said.statement["label"] = "other"
    with pytest.raises(FrozenInstanceError):
        said.kind = "other"
    said.as_dict()["statement"]["label"] = "other"
    assert said.id == before


def test_a_claim_is_frozen_in_depth():
    statement = {"lists": ["a"]}
    said = claim(statement=statement)
    before = said.id
    statement["lists"].append("b")
    assert said.id == before


def test_what_as_dict_gives_is_the_callers_own():
    said = claim(statement={"lists": ["a"]})
    before = said.id
    said.as_dict()["statement"]["lists"].append("b")
    assert said.id == before


def broken(**changes):
    plain = claim(marking=Marking.GREEN).as_dict()
    for name, value in changes.items():
        if value is None:
            del plain[name]
        else:
            plain[name] = value
    return plain


@pytest.mark.parametrize(
    "plain",
    [
        {},
        broken(subject=None),
        broken(subject="address"),
        broken(subject={"type": "address", "chain": "main"}),
        broken(subject={"type": "address", "chain": "main", "name": "x", "more": 1}),
        broken(kind=None),
        broken(statement=None),
        broken(statement="label"),
        broken(statement=7),
        broken(layer=None),
        broken(layer="guess"),
        broken(evidence=7),
        broken(more="field"),
    ],
)
def test_what_is_no_claim_is_refused_with_its_place(plain):
    with pytest.raises(BadText, match=r"^pack\.json: claim 3: not a claim"):
        Claim.from_dict(plain, "pack.json: claim 3")


def test_an_unknown_marking_is_refused_as_part_of_the_claim():
    with pytest.raises(BadText, match=r"pack\.json"):
        Claim.from_dict(broken(marking="TLP:BLUE"), "pack.json")


def test_a_marking_that_is_no_text_is_refused():
    with pytest.raises(ShieldwallError):
        Claim.from_dict(broken(marking=5), "pack.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"at": 5},
        {"confidence": "high"},
        {"evidence": "abc"},
        {"statement": []},
        {"kind": ["tag"]},
        {"source": {"a": 1}},
    ],
    ids=str,
)
def test_a_field_of_another_type_is_refused(changes):
    with pytest.raises(BadText):
        Claim.from_dict(broken(**changes), "pack.json")


TAG = ClaimKind("tag", required={"label": str, "amount": int}, optional={"lists": list, "sure": bool})


@pytest.mark.parametrize(
    "statement",
    [
        {"label": "x", "amount": 0},
        {"label": "", "amount": -1, "lists": []},
        {"label": "x", "amount": 1, "lists": ["a"], "sure": False},
    ],
)
def test_a_statement_that_fits_its_kind(statement):
    TAG.check(statement, "here")
    TAG.check(claim(statement=statement).statement, "here")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({}, "a tag needs 'label' as str"),
        ({"label": "x"}, "a tag needs 'amount' as int"),
        ({"label": None, "amount": 1}, "a tag needs 'label' as str"),
        ({"label": 5, "amount": 1}, "a tag needs 'label' as str"),
        ({"label": "x", "amount": "1"}, "a tag needs 'amount' as int"),
        ({"label": "x", "amount": 1.0}, "a tag needs 'amount' as int"),
        ({"label": "x", "amount": 1, "colour": "red"}, "a tag has no field 'colour'"),
        ({"label": "x", "amount": 1, "lists": "a"}, "'lists' of a tag must be list"),
        ({"label": "x", "amount": 1, "sure": 1}, "'sure' of a tag must be bool"),
        ({"label": "x", "amount": 1, "sure": None}, "'sure' of a tag must be bool"),
    ],
)
def test_a_statement_that_does_not_fit_its_kind(statement, words):
    with pytest.raises(BadText) as caught:
        TAG.check(statement, "pack.json: claim 3")
    assert str(caught.value) == f"pack.json: claim 3: {words}"


def test_true_is_no_number():
    with pytest.raises(BadText):
        TAG.check({"label": "x", "amount": True}, "here")


def test_subjects_sort_by_type_chain_and_name():
    subjects = [Subject("b", "a", "a"), Subject("a", "b", "a"), Subject("a", "a", "b"), Subject("a", "a", "a")]
    assert sorted(subjects) == subjects[::-1]
