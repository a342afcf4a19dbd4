"""The Colonial ransom of May 2021 from the recorded Esplora answers: the published hops and sums come out."""

from __future__ import annotations

import json

import pytest

from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import MAIN
from shieldwall.trace.follow import follow
from shieldwall.trace.summary import summary_of
from shieldwall.trace.targets import find_targets

pytestmark = pytest.mark.needs("shared")

MERGE = "daf38c7b38eb0a587cf843f47000d5c294affb4f56017370ad48c5147f5e69d9"
SEIZURE = "bc1qpx7vyv5tp7dm0g475ev527krg764t73dh77gls"
ANCHOR = "bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq"


@pytest.fixture(scope="module")
def facts(shared_data):
    return {
        entry["hop"]: entry for entry in json.loads((shared_data / "cases/colonial/FACTS.json").read_text())["facts"]
    }


@pytest.fixture(scope="module")
def store(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("colonial") / "chain"
    names = (
        "colonial_ransom_txs.json",
        "colonial_anchor_txs.json",
        "colonial_ransom_stats.json",
        "colonial_anchor_stats.json",
    )
    sources = [str(shared_data / "cases" / "colonial" / name) for name in names]
    build(folder, sources, network=MAIN)
    with ChainStore.open(folder) as store:
        yield store


def trace(store, *words, method="fifo"):
    return follow(store, find_targets(store, words), method).body


@pytest.mark.parametrize(("method", "amount"), [("poison", 6369996546), ("haircut", 5828829111), ("fifo", 6146816619)])
def test_what_reaches_the_seizure_from_input_13(store, method, amount):
    body = trace(store, f"{MERGE}:in:13", method=method)
    assert body["seed_amount"] == 6_370_000_000
    assert sum(end["amount"] for end in body["ends"] if end["address"] == SEIZURE) == amount
    if body["conserved"]:
        assert body["seed_amount"] == sum(
            body[f"{kind}_amount"] for kind in ("held", "service", "unknown", "fee", "limit", "gap")
        )


@pytest.mark.parametrize("method", ["haircut", "fifo"])
def test_what_comes_back_to_the_anchor_counts_once(store, method):
    body = trace(store, ANCHOR, method=method)
    assert body["returned_amount"] == 590_422_177
    holdings = sum(end["amount"] for end in body["ends"] if end["address"] == ANCHOR and end["kind"] == "held")
    assert holdings == 99_099


def test_the_facts_reproduce(store, facts):
    ransom = trace(store, "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")
    rows = {transfer["txid"]: transfer for transfer in ransom["transfers"]}
    forward = rows[facts[2]["txid"]]
    assert (forward["height"], forward["time"]) == (facts[2]["block"], facts[2]["date"])
    paid = {output["address"]: output["amount"] for output in forward["outputs"]}
    assert paid == {facts[2]["to"]: facts[2]["satoshi"], "bc1q7eqww9dmm9p48hx5yz5gcvmncu65w43wfytpsf": 1693}
    assert ransom["seed_amount"] == facts[0]["satoshi"] + facts[1]["satoshi"]
    assert ransom["held_amount"] == 0  # nobody knows what became of it here: never called held

    merge = trace(store, f"{MERGE}:in:13", method="poison")
    rows = {transfer["txid"]: transfer for transfer in merge["transfers"]}
    for hop in (6, 7, "7b"):
        fact = facts[hop]
        assert fact["txid"] in rows
        assert (rows[fact["txid"]]["height"], rows[fact["txid"]]["time"]) == (fact["block"], fact["date"])
        assert {"address": fact["to"], "amount": fact["satoshi"]} in [
            {"address": output["address"], "amount": output["amount"]} for output in rows[fact["txid"]]["outputs"]
        ]


@pytest.mark.parametrize("method", ["poison", "haircut", "fifo", "lifo", "tiho"])
def test_the_compiled_walk_gives_the_same_bytes(store, method):
    for words in ([f"{MERGE}:in:13"], [ANCHOR], ["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr", SEIZURE]):
        targets = find_targets(store, words)
        compiled, plain = (follow(store, targets, method, engine=engine) for engine in ("compiled", "plain"))
        assert compiled.summary == summary_of(plain.body)
        assert compiled.to_json() == plain.to_json()
