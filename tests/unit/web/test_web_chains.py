"""A node of two chains: every question finds the store that it is about, and says clearly where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_support import COIN, FURTHER, Caller, Site, address_of, site_in

from shieldwall.model.access import Role
from shieldwall.model.network import LITECOIN_REGTEST

BITCOIN, LITECOIN = "regtest", LITECOIN_REGTEST.name
THERE = address_of(FURTHER[1], LITECOIN_REGTEST)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def mara(site) -> Caller:
    return site.session(site.person("Mara", *Role))


def output_of(mara, address):
    return mara.get(f"/addresses/{address}").json["outputs"][0]["output"]


def test_the_status_lists_both_chains(mara):
    body = mara.get("/status").json
    assert [chain["network"] for chain in body["chains"]] == [BITCOIN, LITECOIN]
    assert body["chain"] == body["chains"][0]
    for chain in body["chains"]:
        assert mara.get(f"/chain?network={chain['network']}").json == chain
    assert mara.get("/chain").json == body["chain"]


def test_what_is_looked_up_is_found_in_its_own_chain(mara):
    for address, network in ((address_of("watched"), BITCOIN), (THERE, LITECOIN)):
        for query in ("", f"?network={network}"):
            body = mara.get(f"/addresses/{address}{query}").json
            assert (body["address"], body["received"]) == (address, COIN)
        output = body["outputs"][0]["output"]
        txid = output.partition(":")[0]
        found = mara.get(f"/transactions/{txid}").json
        assert found["record"]["txid"] == txid
        assert mara.get(f"/transactions/{txid}?network={network}").json == found
        assert mara.get(f"/chain?network={network}").json["tip_height"] == found["record"]["height"]
    claims = mara.get(f"/addresses/{THERE}").json["known"]["subject"]
    assert claims["chain"] == LITECOIN_REGTEST.caip2
    first, second = (mara.get(f"/blocks/1{query}").json["record"] for query in ("", f"?network={LITECOIN}"))
    assert first["hash"] != second["hash"]


def test_a_chain_that_is_meant_is_not_left_for_another(mara):
    txid = output_of(mara, THERE).partition(":")[0]
    assert mara.get(f"/transactions/{txid}?network={BITCOIN}").json["type"].endswith("not-in-this-data")
    assert mara.get(f"/addresses/{THERE}?network={BITCOIN}").status == 422


@pytest.mark.parametrize("path", ["/chain", "/addresses/x", "/transactions/" + "0" * 64, "/blocks/1"])
def test_a_network_of_which_there_is_no_chain_is_a_clear_error(mara, path):
    answer = mara.get(f"{path}?network=main")
    assert (answer.status, answer.json["detail"]) == (400, "this node has no chain store of that network")
    assert answer.json["hint"] == f"it has: {BITCOIN}, {LITECOIN}"
    assert mara.get(f"{path}?network=../x").status == 422


def test_the_search_looks_into_both(mara):
    txid = output_of(mara, THERE).partition(":")[0]
    hits = mara.get(f"/search?q={address_of('watched')}%20{THERE}%20{txid}").json["hits"]
    assert [(hit["kind"], hit["id"], hit["title"]) for hit in hits] == [
        ("address", address_of("watched"), f"in the {BITCOIN} chain store; 0 claims"),
        ("address", THERE, f"in the {LITECOIN} chain store; 0 claims"),
        ("transaction", txid, f"in the {LITECOIN} chain store"),
    ]


def test_a_trace_is_of_the_chain_that_holds_its_target(site, mara):
    for more in ({}, {"network": LITECOIN}):
        job = mara.post("/traces", {"targets": [THERE], "tags": [], **more})
        assert job.status == 202
        assert site.node.runner.run_one()
        outcome = mara.get(f"/jobs/{job.json['id']}").json["outcome"]
        trace = mara.get(f"/traces/{outcome['file']}").json
        assert trace["result"]["network"] == LITECOIN
    watch = mara.post("/watches", {"kind": "end", "target": trace["file"]["id"]})
    assert (watch.status, watch.json["target"]["network"]) == (201, LITECOIN)
    for name in ("main", "dogecoin"):
        unknown = mara.post("/traces", {"targets": [THERE], "network": name})
        assert (unknown.status, unknown.json["hint"]) == (400, f"it has: {BITCOIN}, {LITECOIN}")


def test_a_watch_is_on_the_chain_of_its_address(mara):
    for address, network in ((address_of("watched"), BITCOIN), (THERE, LITECOIN)):
        for more in ({}, {"network": network}):
            watch = mara.post("/watches", {"kind": "address", "target": address, **more})
            assert (watch.status, watch.json["target"]["network"]) == (201, network)
    assert mara.post("/watches", {"kind": "address", "target": THERE, "network": BITCOIN}).status == 422
    assert mara.post("/watches", {"kind": "address", "target": THERE, "network": "main"}).status == 400
