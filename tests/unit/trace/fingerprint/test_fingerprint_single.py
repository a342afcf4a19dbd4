"""Fingerprints held against what transactions' own bytes say, read in another way; real blocks, the BIP's examples."""

import json

import numpy as np
import pytest
from chain_support import build_store, parse_block
from fingerprint_support import SOMEWHERE, Loose, number, outside, p2pkh, payment, store_of
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import small_folder, truth

from shieldwall.chain.build import build
from shieldwall.chain.regtest import p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.model.network import MAIN, TESTNET3
from shieldwall.model.script import Script, ScriptKind, assemble, classify
from shieldwall.model.transaction import internal
from shieldwall.trace.fingerprint.single import fingerprint_of
from shieldwall.trace.fingerprint.table import UNKNOWN, fingerprint_table
from simulator.kinds import LOCKTIME, REPLACEABLE, VERSION_2

# inputs and outputs of the first example of BIP 69
FIRST_TXIDS = (
    "0e53ec5dfb2cb8a71fec32dc9a634a35b7e24799295ddd5278217822e0b31f57:0",
    "26aa6e6d8b9e49bb0630aac301db6757c02e3619feb4ee0eea81eb1672947024:1",
    "28e0fdd185542f2c6ea19030b0796051e7772b6026dd5ddccd7a2f93b73e6fc2:0",
    "f0a130a84912d03c1d284974f563c5949ac13f8342b8112edff52971599e6a45:0",
    "f320832a9d2e2452af63154bc687493484a0e7745ebd3aaf9ca19eb80834ad60:0",
)
# of the second: one txid, two indexes
SECOND_TXID = "35288d269cee1941eaebb2ea85e32b42cdb2b04284a56d8b14dcc3f5c65d6055"


def is_bip69(inputs, outputs):
    """As the BIP says it, with Python's own order of tuples; of (display txid, index) and (value, script bytes)."""
    if len(inputs) < 2 and len(outputs) < 2:
        return "nothing to order"
    return "yes" if inputs == sorted(inputs) and outputs == sorted(outputs) else "no"


def by_value(values):
    up, down = values == sorted(values), values == sorted(values, reverse=True)
    return {(True, True): "nothing to order", (True, False): "ascending", (False, True): "descending"}.get(
        (up, down), "neither"
    )


def assert_same(found, raw, fee=None, kinds=None):
    """A fingerprint says what a transaction that another parser took apart says."""
    coinbase = raw.inputs[0].txid == "00" * 32
    inputs = [] if coinbase else [(entry.txid, entry.index) for entry in raw.inputs]
    sequences = [entry.sequence for entry in raw.inputs]
    assert found.txid == raw.txid
    assert (found.coinbase, found.inputs, found.outputs) == (coinbase, len(inputs), len(raw.outputs))
    assert found.version == (str(raw.version) if raw.version in (1, 2, 3) else "other")
    assert (found.exact_version, found.exact_locktime) == (raw.version, raw.locktime)
    assert found.locktime == (raw.locktime != 0)
    assert found.final == all(sequence == 0xFFFFFFFF for sequence in sequences)
    assert found.replaceable == (not coinbase and any(sequence < 0xFFFFFFFE for sequence in sequences))
    assert found.bip69 == is_bip69(inputs, list(raw.outputs))
    assert found.output_order == by_value([value for value, _ in raw.outputs])
    assert found.output_kinds == tuple(
        kind.label for kind in ScriptKind if kind in {classify(script).kind for _, script in raw.outputs}
    )
    assert found.fee == fee
    if kinds is not None:
        assert found.input_kinds == tuple(kind.label for kind in ScriptKind if kind in kinds)


@pytest.mark.needs("shared")
def test_a_real_block_with_what_it_spends(shared_data, tmp_path):
    """Block 300025 of the main chain with its undo data: every fee and kind is known."""
    path = shared_data / "bitcoin" / "mainnet" / "block300025.raw"
    build_store(tmp_path / "c", path, network=MAIN)
    transactions = parse_block(path.read_bytes())
    with ChainStore.open(tmp_path / "c") as store:
        assert store.rows("tx") == len(transactions) > 100
        fees = 0
        for place, raw in enumerate(transactions):
            entries = list(store.inputs(place))
            kinds = {store.holder(entry.holder).kind for entry in entries}
            fee = sum(entry.value for entry in entries) - sum(value for value, _ in raw.outputs) if entries else None
            found = fingerprint_of(store, place)
            assert_same(found, raw, fee, kinds)
            assert (found.segwit, found.multisig is None) == (False, False)  # three years before SegWit
            fees += fee or 0
        subsidy = store.network.subsidy(300_025)
        assert fees == sum(store.values(0)) - subsidy


@pytest.mark.needs("shared")
@pytest.mark.parametrize(
    "name", ["mainnet/block_200000.bin", "mainnet/block_481824_complete.bin", "testnet3/block898352.raw"]
)
def test_real_blocks_without_what_they_spend(shared_data, tmp_path, name):
    path = shared_data / "bitcoin" / name
    build_store(tmp_path / "c", path, network=MAIN if name.startswith("mainnet") else TESTNET3)
    transactions = parse_block(path.read_bytes())
    with ChainStore.open(tmp_path / "c") as store:
        firsts = np.cumsum([0, *(len(raw.outputs) for raw in transactions)])
        unknown = 0
        for place, raw in enumerate(transactions):
            found = fingerprint_of(store, place)
            inputs = list(store.inputs(place))
            known = bool(inputs) and all(entry.value is not None for entry in inputs)
            fee = sum(entry.value for entry in inputs) - sum(value for value, _ in raw.outputs) if known else None
            assert_same(found, raw, fee)
            if inputs and any(entry.holder is None for entry in inputs):
                unknown += 1
                assert (found.input_kinds, found.address_types) == (None, None)
                assert found.segwit in (None, True)  # never "no" while an input is not known
        assert store.output_range(len(transactions) - 1).stop == firsts[-1]
        assert unknown > 0  # else this proves nothing; the testnet block has seven


@pytest.mark.needs("shared")
def test_colonial_s_forward_as_esplora_gave_it(shared_data, tmp_path):
    folder = shared_data / "cases" / "colonial"
    build_store(tmp_path / "c", *sorted(folder.glob("colonial_*")), network=MAIN)
    answers = json.loads((folder / "colonial_ransom_txs.json").read_text())
    with ChainStore.open(tmp_path / "c") as store:
        for answer in answers:
            found = fingerprint_of(store, store.find_transaction(internal(answer["txid"])))
            assert (found.exact_version, found.exact_locktime) == (answer["version"], answer["locktime"])
            assert found.fee == answer["fee"]
            # without a coinbase, Esplora gives every witness: size and weight come out as it says
            assert found.virtual_size == -(-answer["weight"] // 4)


def test_the_simulator_s_truth():
    """Version, locktime and replaceability are those of the wallet that the simulator says made each transaction."""
    with ChainStore.open(simulated()) as store:
        table = fingerprint_table(store, 0, store.rows("tx")).columns
        wallet = truth()[0]["tx_fingerprint"].astype(np.int64)
        mined = table["coinbase"] == 1
        wanted = {
            "version": np.where(wallet & VERSION_2, 2, 1),
            "locktime": ((wallet & LOCKTIME) != 0).astype(np.int64),
            "replaceable": ((wallet & REPLACEABLE) != 0).astype(np.int64),
        }
        for name, codes in wanted.items():
            # a locktime is the height of the block before, which is 0 in the first
            early = np.array([(store.height_of(place) or 0) <= 1 for place in range(store.rows("tx"))])
            differ = np.flatnonzero((table[name] != codes) & ~mined & ~early)
            assert differ.tolist() == [], name
            assert int(codes.sum()) > 0


def simulated():
    folder = small_folder()
    target = folder / "fingerprint-store"
    if not (target / "manifest.json").exists():
        build(target, [str(folder / "blocks")])
    return target


def test_the_table_is_the_same_in_any_pieces():
    with ChainStore.open(simulated()) as store:
        whole = fingerprint_table(store, 0, store.rows("tx")).columns
        for first, last in ((0, 1), (7, 8), (100, 733), (store.rows("tx") - 3, store.rows("tx"))):
            part = fingerprint_table(store, first, last).columns
            for name, codes in part.items():
                assert codes.tolist() == whole[name][first:last].tolist(), name
        for place in range(0, store.rows("tx"), 7):  # none lends anything to its neighbour
            alone = fingerprint_table(store, place, place + 1).row(place)
            assert alone == {name: int(codes[place]) for name, codes in whole.items()}, place
        with pytest.raises(IndexError):
            fingerprint_table(store, 5, 5)
        with pytest.raises(IndexError):
            fingerprint_table(store, 0, store.rows("tx") + 1)


TWO = ((p2wpkh("x"), 1), (p2wpkh("y"), 2))


def spending(*points, outputs=TWO):
    known = [(point.partition(":")[0], int(point.partition(":")[2])) for point in points]
    return Loose([(point, None) for point in known], list(outputs))


@pytest.mark.parametrize(
    ("transaction", "answer"),
    [
        (spending(*FIRST_TXIDS), "yes"),
        (spending(*reversed(FIRST_TXIDS)), "no"),
        # as the bytes lie in a transaction the order is another: only the displayed form makes this one right
        (spending(*sorted(FIRST_TXIDS, key=lambda point: bytes.fromhex(point[:64])[::-1])), "no"),
        (spending(f"{SECOND_TXID}:0", f"{SECOND_TXID}:1"), "yes"),
        (spending(f"{SECOND_TXID}:1", f"{SECOND_TXID}:0"), "no"),
        (spending(f"{SECOND_TXID}:2", f"{SECOND_TXID}:10"), "yes"),  # by number, not by text
        (spending(f"{SECOND_TXID}:0", outputs=[(p2wpkh("x"), 5), (p2wpkh("y"), 4)]), "no"),
        (spending(f"{SECOND_TXID}:0", outputs=[(p2wpkh("x"), 5)]), "nothing to order"),
        (spending(f"{SECOND_TXID}:0", outputs=[(p2wpkh("x"), 255), (p2wpkh("y"), 256)]), "yes"),
        # equal amounts: by the script's bytes, 00 14 before 76 a9, whatever the payloads
        (spending(f"{SECOND_TXID}:0", outputs=[(p2wpkh("x"), 5), (p2pkh("y"), 5)]), "yes"),
        (spending(f"{SECOND_TXID}:0", outputs=[(p2pkh("y"), 5), (p2wpkh("x"), 5)]), "no"),
        (spending(f"{SECOND_TXID}:0", outputs=[(p2wpkh("x"), 5), (p2wpkh("x"), 5)]), "yes"),
    ],
)
def test_bip69(tmp_path, transaction, answer):
    with store_of(tmp_path / "s", [transaction]) as store:
        assert fingerprint_of(store, 0).bip69 == answer


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.sampled_from([*FIRST_TXIDS, "ff" * 32 + ":0"]), st.integers(0, 2)), min_size=1, max_size=4
            ),
            st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_order_of_anything(tmp_path_factory, shapes):
    """Many transactions in one table: none lends its order to the next."""
    seen, made = set(), []
    for place, (points, outputs) in enumerate(shapes):
        inputs = [((point[:64], index + 10 * place), None) for point, index in points]
        inputs = list(dict(inputs).items())
        if seen & set(dict(inputs)):
            continue
        seen |= set(dict(inputs))
        made.append(Loose(inputs, [(p2wpkh(name), value) for value, name in outputs]))
    with store_of(tmp_path_factory.mktemp("order"), made) as store:
        for one in made:
            found = fingerprint_of(store, number(store, one))
            raw = [(value, assemble(script)) for script, value in one.outputs]
            assert found.bip69 == is_bip69([point for point, _ in one.inputs], raw)
            assert found.output_order == by_value([value for value, _ in raw])


@pytest.mark.parametrize(("order", "answer"), [((0, 1, 2), "yes"), ((0, 2, 1), "no"), ((2, 1, 0), "no")])
def test_bip69_of_what_the_store_itself_holds(tmp_path, order, answer):
    """The same txid thrice, a transaction of the store: the index decides."""
    made = Loose([outside("a", 1)], [(p2wpkh(name), 1000) for name in "xyz"])
    points = [((made.txid, index), (1000, p2wpkh("xyz"[index]))) for index in order]
    late = Loose(points, [(p2wpkh("q"), 9)], height=2)
    with store_of(tmp_path / "s", [made, late]) as store:
        assert all(entry.output is not None for entry in store.inputs(number(store, late)))
        assert fingerprint_of(store, number(store, late)).bip69 == answer


def test_what_is_not_known_is_not_said(tmp_path):
    """One input's holder is known and is SegWit; of the other nothing is."""
    half = Loose([outside("a", 1), ((SOMEWHERE, 0), None)], [(p2wpkh("b"), 5)])
    old = Loose([outside("a", 2, kind=p2pkh), ((SOMEWHERE, 1), None)], [(p2wpkh("b"), 5)])
    odd = payment("a", 3, version=-7, locktime=500_000_001, sequence=0xFFFFFFFE)
    with store_of(tmp_path / "s", [half, old, odd]) as store:
        found = fingerprint_of(store, number(store, half))
        assert found.segwit is True
        assert (found.input_kinds, found.multisig, found.fee, found.fee_rate) == (None,) * 4
        assert fingerprint_of(store, number(store, old)).segwit is None
        found = fingerprint_of(store, number(store, odd))
        assert (found.version, found.exact_version, found.exact_locktime) == ("other", -7, 500_000_001)
        assert (found.final, found.replaceable) == (False, False)
        assert found.as_dict()["input_kinds"] == ["p2wpkh"]
        # an old form that spends SegWit lacks its witness, so its size is not known, and neither is the rate
        assert (found.fee, found.fee_rate, found.virtual_size) == (1000, None, None)
        table = fingerprint_table(store, 0, 3).columns
        assert (table["fee"] == UNKNOWN).sum() == 2


def test_bare_multisig(tmp_path):
    bare = Script(ScriptKind.MULTISIG, b"\x51\x21" + b"\x02" * 33 + b"\x51\xae")
    paying = Loose([outside("a", 1)], [(bare, 5)])
    spent = Loose([((SOMEWHERE, 3), (9, bare))], [(p2wpkh("b"), 5)])
    plain = payment("c", 1)
    with store_of(tmp_path / "s", [paying, spent, plain]) as store:
        assert [fingerprint_of(store, number(store, one)).multisig for one in (paying, spent)] == [True, True]
        assert fingerprint_of(store, number(store, plain)).multisig is False


def test_a_store_without_raw_bytes_tells_the_rest(tmp_path, monkeypatch):
    def gone(self, transaction):
        raise StoreError("gone")

    with store_of(tmp_path / "s", [payment("a", 1, locktime=9)]) as store:
        full = fingerprint_of(store, 0)
        monkeypatch.setattr(ChainStore, "raw", gone)
        bare = fingerprint_of(store, 0)
    assert (bare.exact_version, bare.exact_locktime, bare.virtual_size, bare.fee_rate) == (None,) * 4
    assert (bare.version, bare.locktime, bare.fee) == (full.version, full.locktime, full.fee) == ("2", True, 1000)
