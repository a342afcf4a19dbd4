import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_support import FIRST, HASHED, HEADER, pack

from shieldwall.errors import BadText, UsageError
from shieldwall.intel import ReadOptions, tagpack
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import MAIN, REGTEST

OPTIONS = ReadOptions()


def read(raw, options=OPTIONS):
    return tagpack.parse(raw, "pack.yaml", options)


def test_tags_inherit_the_header_and_keep_their_own():
    raw = pack(
        f"- address: {FIRST}\n"
        f"- address: {HASHED}\n  label: Another\n  source: https://example.org/other\n  confidence: ownership\n"
        "  category: Mixer\n  abuse: scam\n  actor: other\n  concepts: [mention]\n  is_cluster_definer: true\n"
        "  lastmod: 2022-01-02\n  context: '{\"a\": 1}'\n"
    )
    first, second = read(raw).claims
    assert first.subject == Subject("address", MAIN.caip2, FIRST)
    assert dict(first.statement) == {"label": "Somebody"}
    assert (first.source, first.made_by, first.at) == ("https://example.org/list", "A desk", "2021-11-14")
    assert (first.confidence, first.layer, first.marking) == (50, Layer.ATTRIBUTION, Marking.RED)
    assert first.evidence == (hashlib.sha256(raw).hexdigest(),)
    assert dict(second.statement) == {
        "label": "Another",
        "category": "mixing_service",
        "abuse": "scam",
        "actor": "other",
        "concepts": ["mention"],
        "context": '{"a": 1}',
        "cluster_definer": True,
    }
    assert (second.source, second.confidence, second.at) == ("https://example.org/other", 100, "2022-01-02")


def test_the_title_and_date_of_the_pack_are_kept():
    read_pack = read(pack(f"- address: {FIRST}\n"))
    assert (read_pack.reader, read_pack.title, read_pack.lastmod) == ("tagpack", "A pack", "2021-11-14")


@pytest.mark.parametrize(
    ("header", "option", "wanted"),
    [
        ("", None, Marking.RED),
        ("is_public: true\n", None, Marking.CLEAR),
        ("is_public: yes\n", None, Marking.CLEAR),
        ("is_public: false\n", None, Marking.RED),
        ("is_public: true\n", Marking.AMBER, Marking.AMBER),
        ("", Marking.GREEN, Marking.GREEN),
    ],
)
def test_marking_is_the_options_else_the_packs_else_the_strictest(header, option, wanted):
    raw = pack(f"- address: {FIRST}\n", HEADER + header)
    assert read(raw, ReadOptions(marking=option)).claims[0].marking == wanted


def test_a_bad_checksum_is_rejected_with_its_place_and_the_rest_is_read():
    result = read(
        pack(f"- address: {FIRST[:-1]}x\n- address: {FIRST}\n- address: TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq\n")
    )
    assert len(result.claims) == 1
    assert [(entry.place, entry.nearest) for entry in result.rejected] == [("tag 1", (FIRST,)), ("tag 3", ())]


def test_a_transaction_can_be_tagged():
    claim = read(pack(f"- tx_hash: {'ab' * 32}\n")).claims[0]
    assert claim.subject == Subject("transaction", MAIN.caip2, "ab" * 32)


def test_a_network_comes_before_the_currency_which_is_kept():
    raw = pack("- {address: '0x098B716B8Aaf21512996dC57EB0615e2383E2f96', currency: USDT, network: ETH}\n")
    claim = read(raw).claims[0]
    assert claim.subject.chain == "eip155:1"
    assert claim.statement["currency"] == "USDT"


def test_an_exercise_has_its_own_network():
    address = "bcrt1qqqqsyqcyq5rqwzqfpg9scrgwpugpzysnty7p8c"
    raw = pack(f"- address: {address}\n")
    assert read(raw).claims == ()
    named = read(raw, ReadOptions(network=REGTEST))
    assert len(named.claims) + len(named.rejected) == 1


def test_unknown_fields_and_words_are_kept_and_counted():
    result = read(pack(f"- {{address: {FIRST}, severity: 3, confidence: gut_feeling}}\n", HEADER + "region: EU\n"))
    assert result.claims[0].statement["further"] == ["severity=3", "confidence=gut_feeling"]
    assert result.claims[0].confidence is None
    assert result.further == {"confidence": 1, "region": 1, "severity": 1}


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "no list of 'tags'"),
        (b"- a", "no list of 'tags'"),
        (b"creator: a\ntags: {a: b}", "no list of 'tags'"),
        (b"title: a\ntags: []", "no creator"),
        (pack(f"- {FIRST}\n"), "tag 1 is no mapping"),
        (pack("- label: x\n"), "tag 1: a tag needs an address"),
        (pack(f"- address: {FIRST}\n- address: {HASHED}\n  label: [x]\n"), "tag 2: 'label' must be text"),
        (pack(f"- address: {FIRST}\n", "creator: a\ncurrency: BTC\n"), "tag 1: a tag needs a label"),
        (pack(f"- address: {FIRST}\n", "creator: a\nlabel: x\n"), "tag 1: a tag needs a currency"),
        (pack(f"- address: {FIRST}\n  lastmod: soon\n"), "'lastmod' is 'soon'"),
        (pack(f"- address: {FIRST}\n  is_cluster_definer: 3\n"), "is_cluster_definer"),
        (pack(f"- address: {FIRST}\n  concepts: [[a]]\n"), "concepts"),
    ],
)
def test_what_breaks_the_schema_names_file_and_tag(raw, what):
    with pytest.raises(BadText, match=what) as caught:
        read(raw)
    assert str(caught.value).startswith("pack.yaml")


def test_options_fill_what_the_pack_leaves_open_and_no_more():
    raw = pack(f"- address: {FIRST}\n", "creator: a\n")
    options = ReadOptions(label="mine", currency="BTC", confidence="heuristic", category="exchange", at="2020-01-01")
    claim = read(raw, options).claims[0]
    assert dict(claim.statement) == {"label": "mine", "category": "exchange"}
    assert (claim.confidence, claim.at) == (10, "2020-01-01")
    assert read(pack(f"- address: {FIRST}\n"), options).claims[0].statement["label"] == "Somebody"


@pytest.mark.parametrize("wrong", [ReadOptions(confidence="sure"), ReadOptions(at="soon")])
def test_wrong_words_in_the_options_are_the_callers(wrong):
    with pytest.raises(UsageError):
        read(pack(f"- address: {FIRST}\n"), wrong)


@settings(max_examples=50)
@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12).filter(str.strip))
def test_any_label_survives(label):
    import json

    claim = read(pack(f"- address: {FIRST}\n  label: {json.dumps(label)}\n")).claims[0]
    assert claim.statement["label"] == label.strip()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4))
def test_any_value_in_any_field_is_a_claim_or_bad_text(value):
    import json

    for name in (
        "label",
        "address",
        "currency",
        "confidence",
        "concepts",
        "lastmod",
        "context",
        "is_cluster_definer",
        "x",
    ):
        entry = {"address": FIRST, name: value}
        try:
            result = read(pack(f"- {json.dumps(entry)}\n"))
        except BadText:
            continue
        assert len(result.claims) + len(result.rejected) == 1
