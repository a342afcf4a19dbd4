"""Every field of a result has the type, unit and form that docs/spec/trace-result.md gives it."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_support import Services, bounds, chains, starts, targets_of

from shieldwall.trace.follow import follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.methods.interface import amount_of

HEX = r"[0-9a-f]{64}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
SHARE = r"\d+\.\d{6}"
NUMBER, TEXT = "number", "text"

FORMS = {
    "amount": NUMBER, "value": NUMBER, "hop": NUMBER, "hops": NUMBER, "rank": NUMBER, "end": NUMBER, "place": NUMBER,
    "fee": NUMBER, "height": NUMBER, "tip_height": NUMBER, "transactions": NUMBER, "paths_omitted": NUMBER,
    "steps_omitted": NUMBER, "count": NUMBER, "least_amount": NUMBER, "max_transactions": NUMBER,
    "share": SHARE, "time": TIME, "first_received": TIME, "last_moved": TIME, "tip_time": TIME, "txid": HEX,
    "tip_hash": HEX, "chain_digest": HEX, "digest": HEX, "unit": "satoshi", "format": "shieldwall-trace/3",
    "state": "spent|spent_outside|unspent|unknown|unspendable", "as_of": NUMBER,
    "proof": "inclusion|txid|none", "gap_txid": HEX, "sentence": TEXT, "method_rule": TEXT, "network": "regtest",
    "direction": "forward|backward",
    "kind": "held|coinbase|service|unknown|fee|limit|gap|mweb|address|transaction|output|input",
}  # fmt: skip
MAY_BE_NULL = {
    "index",
    "value",
    "height",
    "gap_txid",
    "state",
    "as_of",
    "address",
    "service",
    "resumes",
    "max_hops",
    "until_time",
    "until_height",
    "fiat",
    "rate_date",
    "rate",
    "inherited",
    "clusters",
    "clustering",
}


def walk(value, name=""):
    """Every (name, value) that is neither a list nor an object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, name)
    else:
        yield name, value


@settings(max_examples=20)
@given(st.data())
def test_types_units_and_forms(data):
    chain = data.draw(chains())
    world = chain.world()
    start, wanted = data.draw(starts(world)), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    with chain.store() as store:
        direction = data.draw(st.sampled_from(["forward", "backward"]))
        labels = Services(wanted.services)
        result = follow(store, targets_of(store, start), "all", limits, labels=labels, direction=direction)
    plain = json.loads(result.to_json())
    assert plain == result.as_dict()
    for name, value in walk(plain):
        if value is None:
            assert name in MAY_BE_NULL, name
            continue
        form = NUMBER if name.endswith("_amount") else FORMS.get(name)
        if form == NUMBER:
            assert isinstance(value, int), name
            assert value >= 0
        elif form == TEXT:
            assert isinstance(value, str)
            assert value
        elif form is not None:
            assert re.fullmatch(form, value), (name, value)
    ends = plain["ends"]
    order = [(end["kind"] == "fee", -end["amount"]) for end in ends]
    assert order == sorted(order)
    for end in ends:
        assert end["hops"] == min(output["hops"] for output in end["outputs"])
        assert end["first_received"] == min(output["time"] for output in end["outputs"])
        assert end["last_moved"] == max(output["time"] for output in end["outputs"])


def test_the_digest_is_of_all_other_fields(tmp_path):
    from trace_support import Chain, identity

    from shieldwall.trace.targets import find_targets

    chain = Chain()
    chain.fund(10)
    with chain.store_in(tmp_path) as store:
        text = follow(store, find_targets(store, [identity("origin")])).to_json()
    body = json.loads(text)
    digest = body.pop("digest")
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == digest


def vectors(root):
    lines = (root / "docs/spec/trace-result.md").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("    {")]


def taints(runs, count):
    return [tuple((first, last) for place, first, last in runs if place == k) for k in range(count)]


def test_the_vectors_of_the_page(root):
    found = vectors(root)
    assert {entry["method"] for entry in found} == set(METHODS)
    for entry in found:
        method, values, outputs = method_named(entry["method"]), entry["values"], entry["outputs"]
        if "tainted" in entry:
            split = method.split(values, taints(entry["tainted"], len(values)), outputs)
            assert ([amount_of(taint) for taint in split.outputs], split.fee) == (entry["divided"], entry["fee"])
        else:
            sources = method.trace_back(values, taints(entry["asked"], len(outputs)), outputs)
            assert [amount_of(taint) for taint in sources.inputs] == entry["brought"]


@pytest.mark.parametrize("words", ["paths_omitted", "steps_omitted", "returned_amount", "unspendable_amount"])
def test_the_page_names_what_is_counted(root, words):
    assert f"`{words}`" in (root / "docs/spec/trace-result.md").read_text(encoding="utf-8")
