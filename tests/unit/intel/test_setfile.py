import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, HASHED, subject, tag, tags

from shieldwall.errors import StoreError
from shieldwall.intel import setfile
from shieldwall.intel.setfile import CLAIMS, INDEX, SetFile, encode, subject_key, subject_keys, version_of, write
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Subject


def opened(folder, claims):
    encoded = encode(claims)
    folder.mkdir(exist_ok=True)
    write(folder, encoded)
    return SetFile(folder, len(encoded.claims), encoded.index_digest)


def keys(*subjects):
    return np.array([subject_key(each) for each in subjects], dtype=np.uint64)


@given(st.lists(tags(), min_size=1, max_size=12), st.randoms())
def test_the_same_claims_in_any_order_are_the_same_bytes_and_version(claims, random):
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert encode(claims) == encode(shuffled)
    assert version_of(claims) == version_of(shuffled) == encode(claims).version
    assert version_of(claims) != version_of([*claims, tag("one more", name="w")])


@given(st.lists(tags(), min_size=1, max_size=12))
def test_claims_come_back_as_they_were(tmp_path_factory, claims):
    file = opened(tmp_path_factory.mktemp("set"), claims)
    assert sorted(each.id for each in file.claims()) == sorted(each.id for each in claims)
    subjects = sorted({each.subject for each in claims} | {subject("absent")})
    found = file.lookup(subjects, keys(*subjects))
    assert set(found) == {each.subject for each in claims}
    for each, its in found.items():
        assert sorted(claim.id for claim in its) == sorted(claim.id for claim in claims if claim.subject == each)
    assert len(file) == len(found)


@given(st.lists(tags(), min_size=1, max_size=12))
def test_a_glance_says_what_the_claims_say(tmp_path_factory, claims):
    encoded = encode(claims)
    file = opened(tmp_path_factory.mktemp("set"), claims)
    seen = [
        (
            each.subject, each.kind, each.statement.get("category", ""), each.statement.get("abuse", ""),
            bool(each.retracted), each.statement["label"], each.confidence, each.source or each.made_by, "said",
        )
        for each in file.claims()
    ]  # fmt: skip
    assert sorted(seen, key=repr) == sorted(map(tuple, file.glances(encoded.digest, "said")), key=repr)
    with pytest.raises(StoreError, match="not the one in the manifest"):
        file.glances("00" * 32)


@given(st.lists(st.text(max_size=20), max_size=5), st.sampled_from(["", "bip122:0"]))
def test_keys_in_a_batch_are_those_of_one_by_one(names, chain):
    expected = [subject_key(Subject("address", chain, name)) for name in names]
    assert subject_keys("address", chain, names).tolist() == expected


def test_subjects_with_one_key_are_told_apart_by_their_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(setfile, "subject_key", lambda _: 7)
    file = opened(tmp_path, [tag("a"), tag("b", name=HASHED)])
    found = file.lookup([subject(HASHED), subject(FIRST)], np.array([7, 7], dtype=np.uint64))
    assert [found[subject(name)][0].statement["label"] for name in (FIRST, HASHED)] == ["a", "b"]


def test_a_small_look_up_reads_only_its_lines(tmp_path):
    claims = [tag(f"label {n}", name=f"name-{n}") for n in range(500)]
    file = opened(tmp_path, claims)
    content = bytearray((tmp_path / CLAIMS).read_bytes())
    place = content.index(b'"label 7"')
    content[place : place + 9] = b'"label X"'
    (tmp_path / CLAIMS).write_bytes(content)
    assert file.lookup([subject("name-8")], keys(subject("name-8")))
    with pytest.raises(StoreError, match=r"claims\.jsonl at byte \d+: not what the index says"):
        file.lookup([subject("name-7")], keys(subject("name-7")))
    with pytest.raises(StoreError):
        list(file.claims())


def test_nothing_asked_nothing_found(tmp_path):
    assert opened(tmp_path, [tag()]).lookup([], keys()) == {}


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / CLAIMS).unlink(),
        lambda folder: (folder / CLAIMS).write_bytes(b""),
        lambda folder: (folder / INDEX).unlink(),
        lambda folder: (folder / INDEX).write_bytes(b"x"),
        lambda folder: (folder / INDEX).write_bytes((folder / INDEX).read_bytes()[:-1] + b"\x01"),
    ],
)
def test_what_is_not_as_the_manifest_says_is_named_at_opening(tmp_path, harm):
    encoded = encode([tag()])
    write(tmp_path, encoded)
    harm(tmp_path)
    with pytest.raises(StoreError, match=str(tmp_path)) as caught:
        SetFile(tmp_path, len(encoded.claims), encoded.index_digest)
    assert caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"x",
        canonical_json(tag().as_dict() | {"statement": {"label": 1}}),
        canonical_json(tag().as_dict() | {"statement": {"label": "x", "colour": "red"}}),
        canonical_json(tag().as_dict() | {"marking": "TLP:PINK"}),
        canonical_json(tag().as_dict() | {"subject": "x"}),
    ],
)
def test_lines_that_are_no_claims_are_refused(tmp_path, monkeypatch, line):
    encoded = encode([tag()])
    monkeypatch.setattr(setfile, "canonical_json", lambda _: line)
    wrong = encode([tag()])
    write(tmp_path, wrong)
    file = SetFile(tmp_path, len(wrong.claims), wrong.index_digest)
    assert wrong.version != encoded.version
    with pytest.raises(StoreError, match="not a claim"):
        list(file.claims())


def test_a_claim_that_names_no_source_comes_back(tmp_path):
    claim = tag(source="")
    assert list(opened(tmp_path, [claim]).claims()) == [claim]
