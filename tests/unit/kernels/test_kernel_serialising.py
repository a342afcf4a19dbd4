"""Transactions written from columns: what was taken apart comes together again, and both twins agree, also on faults."""

import numpy as np
import pytest
from chain_support import parse_block, random_chain
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.engine import pick
from shieldwall.kernels.plain.serialising import (
    BAD_INPUT_SCRIPT,
    BAD_LOCK_TIME,
    BAD_OUTPUT_SCRIPT,
    BAD_SEQUENCE,
    BAD_SPENT_HASH,
    BAD_SPENT_INDEX,
    BAD_VALUE,
    BAD_VERSION,
    NO_OUTPUTS,
    Fields,
    SerialiseFault,
    Text,
    to_satoshi,
)
from shieldwall.model.network import COIN, MAX_MONEY

PLAIN, COMPILED = pick(0, "plain"), pick(0, "compiled")


def text(pieces):
    raw = [piece if isinstance(piece, bytes) else piece.encode() for piece in pieces]
    return Text(np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)], dtype=np.int64))


def fields_of(transactions):
    """Columns of (version, lock time, inputs, outputs, coinbase script); an input is (hash, index, script, sequence)."""
    inputs = [entry for each in transactions for entry in each[2]]
    outputs = [entry for each in transactions for entry in each[3]]
    number = lambda values: np.array(values, np.int64)  # noqa: E731
    return Fields(
        version=number([each[0] for each in transactions]),
        lock_time=number([each[1] for each in transactions]),
        first_input=np.cumsum([0, *(len(each[2]) for each in transactions)], dtype=np.int64),
        first_output=np.cumsum([0, *(len(each[3]) for each in transactions)], dtype=np.int64),
        spent_hash=text([entry[0] for entry in inputs]),
        spent_index=number([entry[1] for entry in inputs]),
        input_script=text([entry[2] for entry in inputs]),
        sequence=number([entry[3] for entry in inputs]),
        value=np.array([entry[0] for entry in outputs], np.float64),
        output_script=text([entry[1] for entry in outputs]),
        coinbase_script=text([each[4] for each in transactions if not each[2]]),
    )


def columns_of(parsed):
    inputs = [] if parsed.coinbase else [(e.txid, e.index, e.script.hex(), e.sequence) for e in parsed.inputs]
    outputs = [(value / COIN, script.hex()) for value, script in parsed.outputs]
    return parsed.version, parsed.locktime, inputs, outputs, parsed.inputs[0].script


@pytest.mark.parametrize("engine", [PLAIN, COMPILED], ids=["plain", "compiled"])
def test_transactions_come_together_again(engine):
    transactions = [each for block in random_chain(77, blocks=14).blocks for each in parse_block(block)]
    data, edges = engine.serialise(fields_of([columns_of(each) for each in transactions]))
    decoded = engine.decode(data, edges[:1], np.array([len(transactions)]), edges[-1:])
    txids = engine.txids(data, decoded)
    assert [txid[::-1].tobytes().hex() for txid in txids] == [each.txid for each in transactions]
    assert decoded.start.tolist() == edges[:-1].tolist()


HEX = st.binary(max_size=300).map(bytes.hex) | st.binary(min_size=253, max_size=260).map(bytes.hex)
TEXTS = HEX | HEX.map(str.upper) | st.text(max_size=6) | st.just("0g") | st.just("abc")
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
NUMBERS = st.integers(0, 0xFFFFFFFF) | st.sampled_from([-1, 1 << 32, -(1 << 31), -(1 << 31) - 1])
VALUES = st.integers(0, MAX_MONEY).map(lambda v: v / COIN) | st.floats(width=64)
INPUTS = st.tuples(HASHES | TEXTS, NUMBERS, TEXTS, NUMBERS)
GOOD_INPUTS = st.tuples(HASHES, st.integers(0, 0xFFFFFFFF), HEX, st.integers(0, 0xFFFFFFFF))
GOOD_OUTPUTS = st.tuples(st.integers(0, MAX_MONEY).map(lambda v: v / COIN), HEX)


def chains(number, inputs, outputs):
    one = st.tuples(
        number, number, st.lists(inputs, max_size=3), st.lists(outputs, min_size=1, max_size=3), st.binary(max_size=100)
    )
    return st.lists(one, max_size=4)


def outcome(engine, fields):
    try:
        data, edges = engine.serialise(fields)
    except SerialiseFault as fault:
        return fault.transaction, fault.item, fault.code
    return data.tobytes(), edges.tolist()


@given(
    chains(st.integers(0, 0xFFFFFFFF), GOOD_INPUTS, GOOD_OUTPUTS) | chains(NUMBERS, INPUTS, st.tuples(VALUES, TEXTS))
)
def test_the_twins_agree(transactions):
    fields = fields_of(transactions)
    assert outcome(PLAIN, fields) == outcome(COMPILED, fields)


@given(st.integers(0, MAX_MONEY))
def test_every_amount_survives_as_a_double(satoshi):
    assert to_satoshi(satoshi / COIN) == satoshi


@given(st.integers(0, 10**12), st.floats(0.01, 0.99))
def test_what_lies_between_two_satoshi_is_no_amount(satoshi, part):
    assert to_satoshi((satoshi + part) / COIN) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 21_000_001.0, 0.000000005, -1e-300])
def test_doubles_that_are_no_amount(value):
    assert to_satoshi(value) is None


GOOD = (2, 0, [("ab" * 32, 1, "00", 5)], [(0.5, "51")], b"")


@pytest.mark.parametrize("engine", [PLAIN, COMPILED], ids=["plain", "compiled"])
@pytest.mark.parametrize(
    ("change", "code", "item"),
    [
        ({0: 1 << 32}, BAD_VERSION, -1),
        ({1: -1}, BAD_LOCK_TIME, -1),
        ({2: [("ab" * 31, 1, "00", 5)]}, BAD_SPENT_HASH, 1),
        ({2: [("zz" * 32, 1, "00", 5)]}, BAD_SPENT_HASH, 1),
        ({2: [("ab" * 32, 1 << 32, "00", 5)]}, BAD_SPENT_INDEX, 1),
        ({2: [("ab" * 32, 1, "000", 5)]}, BAD_INPUT_SCRIPT, 1),
        ({2: [("ab" * 32, 1, "00", -5)]}, BAD_SEQUENCE, 1),
        ({3: []}, NO_OUTPUTS, -1),
        ({3: [(0.5, "51"), (1e-9, "51")]}, BAD_VALUE, 2),
        ({3: [(0.5, "5 1 ")]}, BAD_OUTPUT_SCRIPT, 1),
    ],
)
def test_a_fault_names_its_place(engine, change, code, item):
    broken = tuple(change.get(place, part) for place, part in enumerate(GOOD))
    assert outcome(engine, fields_of([GOOD, broken])) == (1, item, code)
