"""Real blocks and answers, held against the published facts beside the repository."""

import json

import pytest
from chain_support import build_store

from shieldwall.chain.info import summary
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.model import address
from shieldwall.model.network import MAIN, by_name

pytestmark = pytest.mark.needs("shared")


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_every_block_file_ingests_with_its_counts(shared_data, tmp_path, engine):
    facts = json.loads((shared_data / "bitcoin" / "FACTS.json").read_text())["blocks"]
    assert len(facts) >= 12
    for fact in facts:
        folder = tmp_path / fact["file"].replace("/", "-")
        network = by_name(fact["network"])
        report = build_store(folder, shared_data / "bitcoin" / fact["file"], engine=engine, network=network)
        with ChainStore.open(folder) as store:
            info = summary(store)
            outcome = verify(store, source=True)
            values = int(store.column("output_value").sum())
        assert outcome.passed, (fact["file"], outcome)
        assert (info["transactions"], info["inputs"], info["outputs"]) == (fact["txs"], fact["inputs"], fact["outputs"])
        assert info["blocks"] == fact.get("blocks", 1) == report.blocks
        assert info["tip_hash"] == fact.get("last", fact.get("hash"))
        height = fact.get("height", fact.get("heights", [0, 0])[1])
        assert info["last_height"] == (None if height == 170 else height)  # block 170 does not carry its height
        if "output_satoshi" in fact:
            assert values == fact["output_satoshi"]
            assert outcome.blocks[0].coinbase == fact["coinbase_satoshi"]
        if "fees_satoshi" in fact:
            assert info["unresolved_inputs"] == 0
            assert outcome.blocks[0].fees == fact["fees_satoshi"]
            assert outcome.blocks[0].unclaimed == 0
        elif info["unresolved_inputs"]:
            assert outcome.blocks[0].fees is None
        if "coinbase_minus_subsidy_satoshi" in fact and info["last_height"] is not None:
            claimed = outcome.blocks[0].coinbase - outcome.blocks[0].subsidy
            assert claimed == fact["coinbase_minus_subsidy_satoshi"]


def test_blocks_of_the_same_chain_make_one_store_with_named_holes(shared_data, tmp_path):
    folder = shared_data / "bitcoin" / "mainnet"
    report = build_store(tmp_path / "c", folder / "blk00000.dat", folder / "block_200000.bin", network=None)
    assert (report.blocks, report.partial, report.missing) == (301, True, [(300, 199_999)])
    again = build_store(tmp_path / "c", folder / "blk00000.dat", network=None)
    assert (again.blocks, again.already) == (0, 300)


def test_the_colonial_answers_state_what_is_held(shared_data, tmp_path):
    folder = shared_data / "cases" / "colonial"
    report = build_store(tmp_path / "c", *sorted(folder.glob("colonial_*")), network=MAIN)
    assert (report.transactions, report.duplicates, report.unresolved) == (7, 0, 0)
    with ChainStore.open(tmp_path / "c") as store:
        info = summary(store)
        assert (info["unspent_outputs"], info["unspent_value"]) == (1, 99_099)
        anchor = store.find_holder(address.decode("bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq", MAIN))
        assert anchor is not None
        states = [store.spend(output) for output in store.outputs_of(anchor)]
        assert [state.state.value for state in states] == ["spent", "spent", "unspent"]
        assert states[-1].as_of == int((folder / "colonial_tip.txt").read_text())
        assert store.proof_of(0) == "txid"
        assert verify(store, source=True).passed
