"""What an answer says beyond its txid is held to what it says elsewhere, and a block to the network that it is put into."""

from __future__ import annotations

import copy
import json

import pytest

from shieldwall.chain.build import build
from shieldwall.chain.regtest import GENESIS, frame
from shieldwall.errors import BadInput, WrongNetwork
from shieldwall.model.network import MAIN, TESTNET3


@pytest.fixture
def answers(shared_data):
    return json.loads((shared_data / "cases" / "colonial" / "colonial_anchor_txs.json").read_text())


def build_from(tmp_path, *documents):
    names = []
    for number, document in enumerate(documents):
        path = tmp_path / f"txs-{number}.json"
        path.write_text(json.dumps(document))
        names.append(str(path))
    return build(tmp_path / "chain", names)


def changed(answers, change):
    other = copy.deepcopy(answers)
    change(other[3])  # the merge of 24 inputs
    return other


def test_the_answers_as_they_are(tmp_path, answers):
    assert build_from(tmp_path, answers).transactions == 4


def test_a_previous_amount_that_does_not_fit_the_fee(tmp_path, answers):
    def more(entry):
        entry["vin"][13]["prevout"]["value"] += 100_000_000

    with pytest.raises(BadInput, match=r"txs-0\.json\[3\]\.fee"):
        build_from(tmp_path, changed(answers, more))


def test_inputs_that_bring_less_than_the_outputs_take(tmp_path, answers):
    def less(entry):
        entry["vin"][13]["prevout"]["value"] = 5
        del entry["fee"]

    with pytest.raises(BadInput, match="outputs take"):
        build_from(tmp_path, changed(answers, less))


def test_two_answers_that_differ(tmp_path, answers):
    def other(entry):
        entry["vin"][13]["prevout"]["value"] += 100_000_000
        del entry["fee"]

    for order in ((answers, changed(answers, other)), (changed(answers, other), answers)):
        with pytest.raises(BadInput, match="input 13"):
            build_from(tmp_path, *order)


def test_an_address_that_is_not_the_script_s(tmp_path, answers):
    def other(entry):
        entry["vout"][0]["scriptpubkey_address"] = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"

    with pytest.raises(BadInput, match="scriptpubkey_address"):
        build_from(tmp_path, changed(answers, other))


@pytest.mark.needs("shared")
@pytest.mark.parametrize("name", ["block898352", "block928828", "block1087400"])
def test_a_raw_block_of_another_network_is_told_by_its_work(tmp_path, shared_data, name):
    source = str(shared_data / "bitcoin" / "testnet3" / f"{name}.raw")
    with pytest.raises(WrongNetwork, match="less work"):
        build(tmp_path / "main", [source], network=MAIN)
    assert build(tmp_path / "testnet3", [source], network=TESTNET3).blocks == 1


def test_a_first_block_under_another_magic(tmp_path):
    (tmp_path / "blk00000.dat").write_bytes(frame(GENESIS, TESTNET3))
    with pytest.raises(WrongNetwork, match="not the first block of testnet3"):
        build(tmp_path / "chain", [str(tmp_path / "blk00000.dat")])
