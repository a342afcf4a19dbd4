"""The test vectors of docs/spec are true: others may rely on them."""

from __future__ import annotations

import json
import re

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.columns import COLUMNS, INDEXES
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.regtest import GENESIS, frame
from shieldwall.chain.store import ChainStore
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim
from shieldwall.playbooks.demo import play


def vector(root, page):
    lines = (root / "docs" / "spec" / page).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.startswith("    {")]


def test_claim(root):
    (line,) = vector(root, "claim.md")
    claim = Claim.from_dict(json.loads(line))
    assert canonical_json(claim.as_dict()).decode() == line
    assert re.search(rf"Id: `{claim.id}`", (root / "docs" / "spec" / "claim.md").read_text())


def test_chain_facts(root, tmp_path):
    facts = tmp_path / "facts.jsonl"
    facts.write_text("\n".join(vector(root, "chain-facts.md")) + "\n")
    build(tmp_path / "chain", [str(facts)])
    with ChainStore.open(tmp_path / "chain") as store:
        assert store.txid(0) == "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
        assert store.values(0) == [1_000_000_000, 4_000_000_000]
        assert store.links(0) == ([None], [None])


def test_chain_store(root, tmp_path):
    (tmp_path / "blk00000.dat").write_bytes(frame(GENESIS))
    build(tmp_path / "chain", [str(tmp_path / "blk00000.dat")])
    with ChainStore.open(tmp_path / "chain") as store:
        assert store.column("tx_flags").tolist() == [1 | 1 << 4 | 64]  # genesis: coinbase, version 1, final
        assert f"`{store.digest}`" in (root / "docs" / "spec" / "chain-store.md").read_text(encoding="utf-8")


def test_parcel(root, tmp_path):
    (tmp_path / "blk00000.dat").write_bytes(frame(GENESIS))
    build(tmp_path / "chain", [str(tmp_path / "blk00000.dat")], config=BuildConfig(epoch_transactions=1))
    with ChainStore.open(tmp_path / "chain") as store:
        ((blocks, digest),) = store.manifest.epochs
        assert blocks == 1
        assert f"`{digest}`" in (root / "docs" / "spec" / "parcel.md").read_text(encoding="utf-8")
        (name,) = export_parcels(store, tmp_path / "parcels").written
    assert re.fullmatch(r"epoch-000000-[0-9a-f]{32}\.parcel", name)


def test_every_column_is_in_the_specification(root):
    page = (root / "docs" / "spec" / "chain-store.md").read_text(encoding="utf-8")
    assert [name for name in (*COLUMNS, *INDEXES) if not re.search(rf"\b{name}\b", page)] == []


def fields_of(value):
    if isinstance(value, dict):
        return set(value).union(*map(fields_of, value.values()))
    return set().union(*map(fields_of, value)) if isinstance(value, list) else set()


def test_every_field_of_a_result_is_in_the_specification(root, tmp_path):
    outcome = play(tmp_path, lambda _: None)
    page = (root / "docs" / "spec" / "trace-result.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))
    real = set().union(
        *(fields_of(result.as_dict()) for result in (outcome.colonial, outcome.seizure, outcome.exercise))
    )
    assert real - named == set()
    litecoin = {"mweb_amount"}  # of networks with an extension block, which the demonstration has none of
    clustered = {
        "omitted",
        "omitted_amount",
        "addresses",
        "size",
        "named_after",
        "amounts",
    }  # see test_trace_by_cluster.py
    assert named - real - litecoin - clustered - {"kind", "payload"} == set()
