"""Real transactions, judged by a second reading of the rules on what the bytes say."""

from __future__ import annotations

import json

import pytest
from chain_support import build_store, parse_block

from shieldwall.chain.readers.undo import parse_plain_undo
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import MAIN, TESTNET3
from shieldwall.model.script import ScriptKind, classify
from shieldwall.model.transaction import internal
from shieldwall.trace.change.chainwide import change_outputs
from shieldwall.trace.change.decide import decide

BLOCKS = [("mainnet/block300025", MAIN), ("testnet3/block928828", TESTNET3), ("testnet3/block1087400", TESTNET3)]


def kind(script):
    return classify(script).kind


def second_reading(transactions, spent):
    """For each rule the output of each transaction that it names alone, -1 for none; `spent` (value, script) by input."""
    seen = set()
    answers = {rule: [] for rule in ("address_type", "address_reuse", "optimal", "power_of_ten(4)", "client_behaviour")}
    first = 0
    for place, transaction in enumerate(transactions):
        outputs = transaction.outputs
        inputs = [spent[place, number] for number in range(len(transaction.inputs))] if place else []
        payers = {script for _, script in inputs}
        can = [
            k for k, (_, script) in enumerate(outputs) if kind(script) != ScriptKind.OP_RETURN and len(script) <= 10_000
        ]
        one_kind = len({kind(script) for script in payers}) == 1
        left = {
            "address_type": [k for k in can if one_kind and kind(outputs[k][1]) == kind(min(payers))],
            "address_reuse": [k for k in can if outputs[k][1] in payers],
            "optimal": [k for k in can if inputs and outputs[k][0] < min(value for value, _ in inputs)],
            "power_of_ten(4)": [k for k in can if outputs[k][0] % 10_000],
            "client_behaviour": [k for k in can if outputs[k][1] not in seen | payers],
        }
        for rule, candidates in left.items():
            answers[rule].append(first + candidates[0] if place and len(can) > 1 and len(candidates) == 1 else -1)
        seen |= payers | {script for _, script in outputs}
        first += len(outputs)
    return answers


@pytest.mark.needs("shared")
@pytest.mark.parametrize(("name", "network"), BLOCKS)
def test_real_blocks(shared_data, tmp_path, name, network):
    path = shared_data / "bitcoin" / f"{name}.raw"
    build_store(tmp_path / "c", path, network=network)
    transactions = parse_block(path.read_bytes())
    undo = parse_plain_undo((shared_data / "bitcoin" / f"{name}-undo.raw").read_bytes(), name)
    places = [(place, number) for place, t in enumerate(transactions) if place for number in range(len(t.inputs))]
    spent = {at: (entry.value, entry.script) for at, entry in zip(places, undo, strict=True)}
    with ChainStore.open(tmp_path / "c") as store:
        assert store.rows("tx") == len(transactions)
        for rule, wanted in second_reading(transactions, spent).items():
            for engine in ("plain", "compiled"):
                assert change_outputs(store, rule, engine=engine).tolist() == wanted, rule
            named = [number for number, output in enumerate(wanted) if output >= 0]
            assert named
            for number in named[:20]:
                verdict = decide(store, number, rule)
                assert store.output_range(number).start + verdict.output == wanted[number]


@pytest.mark.needs("shared")
@pytest.mark.parametrize(
    ("name", "rule", "wanted"),
    [
        ("simple-legacy-p2pkh", "address_type", ()),  # both outputs are of the inputs' kind: no answer
        ("simple-legacy-p2pkh", "power_of_ten(4)", None),
        ("op-return-charley", "address_type", None),
        ("batch-withdrawal-143", "address_type", None),
        ("coinjoin_tx0", "address_type", None),
    ],
)
def test_recorded_answers(shared_data, tmp_path, name, rule, wanted):
    """Single transactions as Esplora answers them: the rule read on the answer itself."""
    path = shared_data / "cases" / "coinjoin" / f"{name}.json"
    told = json.loads(path.read_text())
    build_store(tmp_path / "c", path, network=MAIN)
    can = [k for k, out in enumerate(told["vout"]) if out["scriptpubkey_type"] != "op_return"]
    types = {entry["prevout"]["scriptpubkey_type"] for entry in told["vin"]}
    if rule == "address_type":
        left = [k for k in can if types == {told["vout"][k]["scriptpubkey_type"]}]
    else:
        left = [k for k in can if told["vout"][k]["value"] % 10_000]
    left = left if len(can) > 1 else []
    with ChainStore.open(tmp_path / "c") as store:
        verdict = decide(store, store.find_transaction(internal(told["txid"])), rule)
        assert list(verdict.candidates) == left
        assert verdict.output == (left[0] if len(left) == 1 else None)
        if wanted == ():
            assert len(left) != 1
