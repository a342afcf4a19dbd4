"""Files of published hops: what they must say, and every way to be none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadInput, BadText
from shieldwall.trace.published import PublishedHops, read_published

TXID, SPENDER = "ab" * 32, "cd" * 32
CLAIM = {
    "subject": {"type": "outpoint", "chain": "bip122:0f9188f13cb7b2c71f2a335e3a4fc328", "name": f"{TXID}:1"},
    "kind": "hop",
    "statement": {"spender": SPENDER, "then": [TXID], "resumes": f"{TXID}:in:13", "note": "said so"},
    "layer": "observation",
    "source": "a blog",
    "made_by": "desk",
    "at": "2021-06-09",
    "marking": "TLP:CLEAR",
}


def write(path, *claims):
    path.write_text("".join(json.dumps(claim) + "\n" for claim in claims), encoding="utf-8")
    return path


def changed(**parts):
    return CLAIM | parts


def stated(**parts):
    return changed(statement=CLAIM["statement"] | parts)


def test_reads_hops_and_lets_other_kinds_be(tmp_path):
    other = changed(kind="tag", statement={"label": "x"})
    retracted = changed(retracted="2022-01-01", source="taken back")
    path = write(tmp_path / "a.jsonl", CLAIM, other, retracted)
    path.write_text(path.read_text() + "\n  \n", encoding="utf-8-sig")
    hops = read_published([path])
    (claim,) = hops.by_outpoint[f"{TXID}:1"]
    assert hops.ids == [claim.id]
    assert claim.statement["resumes"] == f"{TXID}:in:13"
    assert read_published([]).ids == []


def test_several_claims_on_one_output_are_kept_by_id(tmp_path):
    rivals = [changed(source=f"blog {number}") for number in range(5)]
    forward = read_published([write(tmp_path / "a", *rivals)])
    backward = read_published([write(tmp_path / "b", *rivals[::-1]), tmp_path / "a"])
    assert forward.ids == backward.ids
    assert forward.by_outpoint == backward.by_outpoint
    assert [claim.id for claim in forward.by_outpoint[f"{TXID}:1"]] == forward.ids


@pytest.mark.parametrize(
    "claim",
    [
        changed(subject={"type": "outpoint", "chain": "c", "name": TXID}),
        changed(subject={"type": "outpoint", "chain": "c", "name": f"{TXID.upper()}:1"}),
        changed(subject={"type": "outpoint", "chain": "c", "name": [1]}),
        changed(subject={"type": "outpoint", "chain": "c", "name": f"{TXID}:²"}),
        changed(subject={"type": "outpoint", "chain": 1, "name": f"{TXID}:1"}),
        changed(subject="x"),
        changed(layer="guess"),
        changed(kind=["hop"]),
        changed(source=None),
        changed(source="\ud800"),
        changed(marking="TLP:PURPLE"),
        changed(marking=5),
        changed(evidence=5),
        changed(confidence=0.5),
        changed(statement=[1]),
        changed(further=1),
        stated(spender="soon"),
        stated(spender=None),
        stated(then=["soon"]),
        stated(then=[[1]]),
        stated(then="x"),
        stated(resumes=f"{TXID}:13"),
        stated(further=1),
        5,
        [],
    ],
)
def test_what_is_no_hop_is_named_by_file_and_line(tmp_path, claim):
    path = write(tmp_path / "a.jsonl", CLAIM, claim)
    with pytest.raises(BadText) as caught:
        read_published([path])
    assert caught.value.message.startswith(f"{path}, line 2: ")


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none", tmp_path, tmp_path / "\0"):
        with pytest.raises(BadInput, match="cannot be read"):
            read_published([path])
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(BadText, match="line 1: not JSON"):
        read_published([path])
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(BadText, match="line 1: not JSON"):
        read_published([path])


def test_a_bad_claim_from_python_is_refused_too(tmp_path):
    hops = read_published([write(tmp_path / "a", CLAIM)])
    (claim,) = hops.by_outpoint[f"{TXID}:1"]
    from dataclasses import replace

    with pytest.raises(BadText, match="a published hop of a blog: a hop names transactions by their ids"):
        PublishedHops([replace(claim, statement={"spender": "x"})])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from([*CLAIM, "confidence", "evidence", "expires", "retracted", "signature"])


def refusal(path):
    """What `read_published` says against a file; its own name where it says nothing."""
    try:
        read_published([path])
    except BadText as error:
        return error.message
    return str(path)


@given(st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_json_is_read_or_refused_in_words(tmp_path_factory, parts):
    path = write(tmp_path_factory.getbasetemp() / "fuzzed-hops", CLAIM | parts)
    assert refusal(path).startswith(str(path))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed-bytes"
    path.write_bytes(content)
    assert refusal(path).startswith(str(path))
