"""Kernels at their edges: every cut and byte, sizes where tables grow, runs that wrap (see `test_kernel_twins.py`)."""

from dataclasses import dataclass, fields
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import (
    BAD_COUNT,
    BAD_VALUE,
    BAD_WITNESS,
    COINBASE,
    FINAL,
    LOCKED,
    MAX_MONEY,
    NONE64,
    REPLACEABLE,
    SEGWIT,
    TRUNCATED,
    VERSION_SHIFT,
    Decoded,
    DecodeFault,
)
from shieldwall.kernels.engine import pick
from shieldwall.model import script as model_script

PLAIN = pick(0, "plain")
COMPILED = pick(0, "compiled")
ENGINES = (PLAIN, COMPILED)

NO_OUTPUT = bytes(32) + b"\xff" * 4  # the outpoint of a coinbase


def array_of(raw):
    """Read-only bytes, as a batch of blocks gives them."""
    return np.frombuffer(raw, np.uint8)


def offsets(numbers):
    return np.array(list(numbers), np.int64)


def assert_equal_arrays(one, other, name=""):
    assert one.dtype == other.dtype, name
    assert one.shape == other.shape, name
    np.testing.assert_array_equal(one, other, err_msg=name)


# ---- decode and txids


def compact(number):
    for least, size, mark in ((0x100000000, 8, b"\xff"), (0x10000, 4, b"\xfe"), (0xFD, 2, b"\xfd")):
        if number >= least:
            return mark + number.to_bytes(size, "little")
    return bytes([number])


@dataclass(frozen=True)
class Transaction:
    inputs: tuple[Any, ...]  # (outpoint of 36 bytes, unlocking script, sequence)
    outputs: tuple[Any, ...]  # (satoshi, locking script)
    witness: tuple[Any, ...] | None  # for each input the pieces
    version: int = 2
    locktime: int = 0

    def body(self):
        parts = [compact(len(self.inputs))]
        parts += [point + compact(len(s)) + s + seq.to_bytes(4, "little") for point, s, seq in self.inputs]
        parts.append(compact(len(self.outputs)))
        parts += [value.to_bytes(8, "little") + compact(len(s)) + s for value, s in self.outputs]
        return b"".join(parts)

    def raw(self):
        head, tail = self.version.to_bytes(4, "little"), self.locktime.to_bytes(4, "little")
        if self.witness is None:
            return head + self.body() + tail
        pieces = (compact(len(own)) + b"".join(compact(len(p)) + p for p in own) for own in self.witness)
        return head + b"\0\1" + self.body() + b"".join(pieces) + tail

    def txid(self):
        head, tail = self.version.to_bytes(4, "little"), self.locktime.to_bytes(4, "little")
        return sha256(sha256(head + self.body() + tail).digest()).digest()

    def flags(self):
        bits = (0 if self.witness is None else SEGWIT) | (LOCKED if self.locktime else 0)
        bits |= self.version << VERSION_SHIFT if self.version in (1, 2, 3) else 0
        bits |= FINAL if all(sequence == 0xFFFFFFFF for _, _, sequence in self.inputs) else 0
        if [point for point, _, _ in self.inputs] == [NO_OUTPUT]:
            return bits | COINBASE
        return bits | (REPLACEABLE if any(sequence < 0xFFFFFFFE for _, _, sequence in self.inputs) else 0)


OUTPOINTS = st.one_of(
    st.sampled_from(
        [NO_OUTPUT, bytes(36), b"\xff" * 36, bytes(31) + b"\1" + b"\xff" * 4, bytes(32) + b"\xff\xff\xff\x7f"]
    ),
    st.binary(min_size=36, max_size=36),
)
SEQUENCES = st.sampled_from([0, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFEFFFF, 0xFFFFFEFF, 0xFEFFFFFF])
# sizes on both sides of each length of a count; the small ones most of the time
SIZES = st.sampled_from([0, 1, 2, 5, 22, 25, 0, 1, 2, 5, 22, 25, 252, 253, 254, 0xFFFF, 0x10000])
SCRIPTS = st.builds(lambda size, fill: bytes([fill]) * size, SIZES, st.integers(0, 255))
VALUES = st.one_of(st.sampled_from([0, 1, MAX_MONEY]), st.integers(0, MAX_MONEY))
INTEGERS32 = st.integers(0, 0xFFFFFFFF)
# those that flags tell apart, and those that look like them in one byte
VERSIONS = st.one_of(st.sampled_from([0, 1, 2, 3, 4, 0x101, 0x10002, 0x3000000, 0xFFFFFFFF]), INTEGERS32)
LOCKTIMES = st.one_of(st.sampled_from([0, 1, 0x100, 0x10000, 0x1000000, 499_999_999, 500_000_000]), INTEGERS32)


@st.composite
def transactions(draw, scripts=SCRIPTS, counts=(1, 1, 1, 1, 2, 3, 252, 253)):
    inputs = draw(st.lists(st.tuples(OUTPOINTS, scripts, SEQUENCES), min_size=1, max_size=3))
    outputs = draw(st.lists(st.tuples(VALUES, scripts), min_size=1, max_size=3))
    small = [(value, locking[:3]) for value, locking in outputs]
    outputs += [small[0]] * (draw(st.sampled_from(counts)) - 1)
    witness = None
    if draw(st.booleans()):
        own = st.lists(scripts, max_size=2)
        witness = [draw(own) for _ in inputs]
        witness[-1] = witness[-1] if any(witness) else [b""]
    return Transaction(
        tuple(inputs),
        tuple(outputs),
        None if witness is None else tuple(map(tuple, witness)),
        draw(VERSIONS),
        draw(LOCKTIMES),
    )


def laid_out(blocks, gap=80):
    """(data, start, count, limit) of blocks, `gap` bytes of something else before each."""
    data, start, limit = b"", [], []
    for block in blocks:
        data += b"\xaa" * gap
        start.append(len(data))
        data += b"".join(transaction.raw() for transaction in block)
        limit.append(len(data))
    return array_of(data), offsets(start), offsets(map(len, blocks)), offsets(limit)


def outcome(engine, *arguments):
    try:
        return engine.decode(*arguments)
    except DecodeFault as fault:
        return fault.block, fault.transaction, fault.offset, fault.code


def same_outcome(*arguments):
    """What both engines say: columns, or a fault's block, transaction, offset and code."""
    plain, compiled = (outcome(engine, *arguments) for engine in ENGINES)
    if isinstance(plain, tuple) or isinstance(compiled, tuple):
        assert plain == compiled
    else:
        for entry in fields(Decoded):
            assert_equal_arrays(getattr(plain, entry.name), getattr(compiled, entry.name), entry.name)
    return plain


@given(st.lists(st.lists(transactions(), max_size=3), max_size=3), st.sampled_from([0, 1, 80]))
def test_decode_and_txids_of_valid_blocks(blocks, gap):
    data, start, count, limit = laid_out(blocks, gap)
    decoded = same_outcome(data, start, count, limit)
    assert isinstance(decoded, Decoded), decoded
    expected = [transaction for block in blocks for transaction in block]
    raw = data.tobytes()

    assert decoded.block_end.tolist() == limit.tolist()
    places = zip(decoded.start, decoded.end, strict=True)
    assert [raw[a:b] for a, b in places] == [transaction.raw() for transaction in expected]
    assert decoded.flags.tolist() == [transaction.flags() for transaction in expected]
    assert np.diff(decoded.first_input).tolist() == [len(transaction.inputs) for transaction in expected]
    assert np.diff(decoded.first_output).tolist() == [len(transaction.outputs) for transaction in expected]
    assert [raw[at : at + 36] for at in decoded.outpoint] == [point for t in expected for point, _, _ in t.inputs]
    assert decoded.value.tolist() == [value for t in expected for value, _ in t.outputs]
    places = zip(decoded.script_start, decoded.script_end, strict=True)
    assert [raw[a:b] for a, b in places] == [locking for t in expected for _, locking in t.outputs]
    assert [at > 0 for at in decoded.witness] == [t.witness is not None for t in expected]

    names = [engine.txids(data, decoded) for engine in ENGINES]
    assert_equal_arrays(*names)
    assert names[0].dtype == np.uint8
    assert names[0].shape == (len(expected), 32)
    assert names[0].tobytes() == b"".join(transaction.txid() for transaction in expected)


TELLING = [0, 1, 2, 0x7F, 0x80, 0xFC, 0xFD, 0xFE, 0xFF]


LEGACY = Transaction(((bytes(36), b"\x51" * 253, 0),), ((1, b""), (2, b"\x51\x02\x4e\x73")), None)
SEGREGATED = Transaction(
    ((b"\1" * 36, b"", 0xFFFFFFFF), (b"\2" * 36, b"\0", 0)), ((5, b"\x6a"),), ((), (b"", b"\3" * 260)), version=1
)


def test_decode_of_every_cut():
    data, start, count, limit = laid_out([[LEGACY, SEGREGATED]], gap=0)
    differ = []
    for end in range(len(data)):
        limit[0] = end
        plain, compiled = (outcome(engine, data, start, count, limit) for engine in ENGINES)
        assert plain[3] in (TRUNCATED, BAD_COUNT)
        assert plain[0] == 0
        if plain != compiled:
            differ.append((end, plain, compiled))
    assert differ == []


def test_decode_of_every_changed_byte():
    data, start, count, limit = laid_out([[LEGACY, SEGREGATED]], gap=0)
    raw = bytearray(data.tobytes())
    differ = []
    for place, before in enumerate(raw):
        for byte in TELLING:
            raw[place] = byte
            try:
                same_outcome(array_of(bytes(raw)), start, count, limit)
            except AssertionError as error:
                differ.append((place, byte, str(error)))
        raw[place] = before
    assert differ == []


HEAD = b"\2\0\0\0"
ONE_INPUT = b"\1" + bytes(36) + b"\0" + bytes(4)
ONE_OUTPUT = b"\1" + bytes(8) + b"\0"


@pytest.mark.parametrize(
    ("raw", "offset", "code"),
    [
        (b"", 0, TRUNCATED),
        (HEAD, 4, TRUNCATED),
        (HEAD + b"\0", 0, BAD_COUNT),  # no input
        (HEAD + ONE_INPUT + b"\0" + bytes(4), 0, BAD_COUNT),  # no output
        (HEAD + b"\xfd\1\0" + bytes(300), 4, BAD_COUNT),  # not the shortest form
        (HEAD + b"\xfe\xff\xff\0\0" + bytes(70_000), 4, BAD_COUNT),
        (HEAD + b"\xff" + b"\xff" * 8, 4, BAD_COUNT),  # more than there is, and more than an int64 holds
        (HEAD + ONE_INPUT + b"\1" + (MAX_MONEY + 1).to_bytes(8, "little") + b"\0" + bytes(4), 47, BAD_VALUE),
        (HEAD + ONE_INPUT + b"\1" + b"\xff" * 8 + b"\0" + bytes(4), 47, BAD_VALUE),
        (HEAD + b"\0\1" + ONE_INPUT + ONE_OUTPUT + b"\0" + bytes(4), 58, BAD_WITNESS),
        (HEAD + ONE_INPUT + ONE_OUTPUT + bytes(3), 56, TRUNCATED),  # lock time
    ],
)
def test_decode_names_the_place_and_the_reason(raw, offset, code):
    good = LEGACY.raw()
    arguments = (array_of(good + raw), offsets([0, 0]), offsets([1, 2]), offsets([len(good), len(good + raw)]))
    assert same_outcome(*arguments) == (1, 1, len(good) + offset, code)


# ---- classify

KEY33, KEY65 = b"\x02" + b"\x11" * 32, b"\x04" + b"\x22" * 64
TEMPLATES = [
    b"\x76\xa9\x14" + bytes(20) + b"\x88\xac",
    b"\xa9\x14" + bytes(20) + b"\x87",
    b"\x00\x14" + bytes(20),
    b"\x00\x20" + bytes(32),
    b"\x00\x28" + bytes(40),
    b"\x51\x20" + bytes(32),
    b"\x51\x02\x4e\x73",
    b"\x52\x28" + bytes(40),
    b"\x60\x02\x00\x00",
    b"\x61\x02\x00\x00",
    b"\x50\x02\x00\x00",
    b"\x51\x29" + bytes(41),
    b"\x51\x01\x00",
    b"\x21" + KEY33 + b"\xac",
    b"\x41" + KEY65 + b"\xac",
    b"\x51\x21" + KEY33 + b"\x51\xae",
    b"\x52\x21" + KEY33 + b"\x41" + KEY65 + b"\x52\xae",
    b"\x5f" + (b"\x21" + KEY33) * 15 + b"\x5f\xae",
    b"\x60" + (b"\x21" + KEY33) * 16 + b"\x60\xae",
    b"\x51" + (b"\x21" + KEY33) * 17 + b"\x61\xae",
    b"\x6a",
    b"\x6a\x04data",
    b"",
]


def assert_same_kinds(scripts, gap):
    data = bytearray(b"\xae" * gap)
    start, end = [], []
    for script in scripts:
        start.append(len(data))
        data += script
        end.append(len(data))
        data += b"\xac" * gap
    data = bytes(data)
    given_start, given_end = offsets(start), offsets(end)
    results = [engine.classify(array_of(data), given_start, given_end) for engine in ENGINES]
    for one, other, name in zip(*results, ("kinds", "start", "end"), strict=True):
        assert_equal_arrays(one, other, name)
    assert (given_start.tolist(), given_end.tolist()) == (start, end)  # arguments stay as they were
    kinds, first, last = results[0]
    assert (kinds.dtype, first.dtype, last.dtype) == (np.uint8, np.int64, np.int64)
    found = [(int(kind), data[a:b]) for kind, a, b in zip(kinds, first, last, strict=True)]
    expected = [model_script.classify(script) for script in scripts]
    assert found == [(int(script.kind), script.payload) for script in expected]


def test_classify_every_changed_byte_of_the_templates():
    scripts = list(TEMPLATES)
    for template in TEMPLATES:
        ends = [*range(min(4, len(template))), *range(max(len(template) - 3, 0), len(template))]
        scripts += [template[:at] + bytes([byte]) + template[at + 1 :] for at in ends for byte in range(256)]
        scripts += [template[:size] for size in range(len(template))]
    assert_same_kinds(scripts, 0)


# ---- Interner

HOLDERS = st.lists(
    st.tuples(st.integers(0, 3), st.one_of(st.sampled_from([b"", b"\0", b"\0" * 8, b"\0" * 9]), st.binary(max_size=9))),
    max_size=60,
)


def as_arguments(holders):
    """(data, kinds, start, end) for `intern`, a byte between the payloads."""
    data, start, end = bytearray(b"-"), [], []
    for _, payload in holders:
        start.append(len(data))
        data += payload
        end.append(len(data))
        data += b"-"
    return array_of(bytes(data)), np.array([kind for kind, _ in holders], np.uint8), offsets(start), offsets(end)


def empty_interner(engine):
    return engine.Interner(np.zeros(0, np.uint8), np.zeros(0, np.uint64), np.zeros(0, np.uint8))


def numbers_of(holders):
    known = {}
    return [known.setdefault(holder, len(known)) for holder in holders], list(known)


def split(sequence, cuts):
    places = [0, *sorted(cut % (len(sequence) + 1) for cut in cuts), len(sequence)]
    return [sequence[a:b] for a, b in pairwise(places)]


class Columns:
    """The columns of a store, appended from `take_new`."""

    def __init__(self):
        self.kinds, self.sizes, self.payload = np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.uint8)

    def append(self, kinds, sizes, payload):
        assert (kinds.dtype, sizes.dtype, payload.dtype) == (np.uint8, np.int64, np.uint8)
        self.kinds = np.concatenate((self.kinds, kinds))
        self.sizes = np.concatenate((self.sizes, sizes))
        self.payload = np.concatenate((self.payload, payload))

    def holders(self):
        ends = np.cumsum(self.sizes)
        raw = self.payload.tobytes()
        return [(int(k), raw[b - s : b]) for k, s, b in zip(self.kinds, self.sizes, ends, strict=True)]

    def interner(self, engine):
        return engine.Interner(self.kinds, np.cumsum(self.sizes).astype(np.uint64), self.payload)


@given(HOLDERS, st.lists(st.integers(0), max_size=4), st.integers(0, 31), st.integers(0, 31))
def test_interner_over_any_split_and_restart(holders, cuts, takes, restarts):
    """`takes` and `restarts`: after which batches the new holders are taken, and after which it starts again from them."""
    expected, order = numbers_of(holders)
    for engine in ENGINES:
        interner, columns, found = empty_interner(engine), Columns(), []
        for turn, batch in enumerate(split(holders, cuts)):
            numbers = interner.intern(*as_arguments(batch))
            assert numbers.dtype == np.uint32
            found += numbers.tolist()
            if (takes | restarts) >> turn & 1:
                columns.append(*interner.take_new())
            if restarts >> turn & 1:
                interner = columns.interner(engine)
        columns.append(*interner.take_new())
        assert found == expected, engine.name
        assert columns.holders() == order, engine.name
        assert [len(part) for part in interner.take_new()] == [0, 0, 0]


@pytest.mark.parametrize("known", [2047, 2048, 2049, 4095, 4096, 4097, 9000])
def test_interner_with_thousands_of_holders(known):
    """Sizes on both sides of where the compiled table grows."""
    old = [(number % 3, number.to_bytes(1 + number % 20, "little", signed=False)[:20]) for number in range(256)]
    old += [(number % 3, number.to_bytes(8, "big") * (1 + number % 3)) for number in range(256, 3 * known)]
    old = list(dict.fromkeys(old))[:known]
    assert len(old) == known
    rng = np.random.default_rng(known)
    later = [
        old[n] if n < known else (n % 10, b"new" + int(n).to_bytes(3, "big")) for n in rng.integers(0, 2 * known, 3000)
    ]
    columns = {}
    for engine in ENGINES:
        interner, columns[engine.name] = empty_interner(engine), Columns()
        assert interner.intern(*as_arguments(old)).tolist() == list(range(known))
        columns[engine.name].append(*interner.take_new())
        again = columns[engine.name].interner(engine)
        expected, order = numbers_of(old + later)
        assert again.intern(*as_arguments([])).tolist() == []
        assert again.intern(*as_arguments(old[-1:])).tolist() == [known - 1]
        for each in (interner, again):
            assert each.intern(*as_arguments(later)).tolist() == expected[known:]
        columns[engine.name].append(*again.take_new())
        assert columns[engine.name].holders() == order
    assert_equal_arrays(columns["plain"].payload, columns["compiled"].payload)


# ---- LiveOutputs

SLOTS = 4096  # of the smallest compiled table
NOWHERE = 0xFFFFFFFF


def txid_at(slot, index, tail):
    """A txid whose output `index` has its home at `slot` of the smallest compiled table."""
    spread = (index + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    rest = int.from_bytes(sha256(bytes([tail])).digest()[:8], "little") % ((1 << 64) // SLOTS)
    word = (slot * ((1 << 64) // SLOTS) + rest) ^ spread
    return word.to_bytes(8, "little") + sha256(b"tail" + bytes([tail])).digest()[:24]


# Few homes around the end of the table, so that runs are long and wrap.
CROWD = [txid_at((SLOTS - 4 + n % 7) % SLOTS, n % 2, n) for n in range(21)]

SPENDS = st.lists(st.tuples(st.integers(0, len(CROWD) - 1), st.sampled_from([0, 0, 1, 1, 2, NOWHERE])), max_size=3)
MADE = st.tuples(st.integers(0, len(CROWD) - 1), SPENDS, st.lists(st.booleans(), min_size=1, max_size=3))
CROWDED: st.SearchStrategy[Any] = st.lists(
    st.integers(0, len(CROWD) - 1).map(lambda n: (n, [], [True, True])), max_size=30
)


def both_resolve(engines, live, steps, base):
    """One call of `resolve` for (txid, [(txid, index)], [spendable]) steps: both engines against a dict; the next base."""
    spends = [point for _, points, _ in steps for point in points]
    data = b"\xee" + b"".join(txid + index.to_bytes(4, "little") for txid, index in spends)
    arguments = (
        array_of(data),
        offsets(1 + 36 * n for n in range(len(spends))),
        offsets(np.cumsum([0, *(len(points) for _, points, _ in steps)])),
        offsets(np.cumsum([0, *(len(flags) for _, _, flags in steps)])),
        array_of(b"".join(txid for txid, _, _ in steps)).reshape(-1, 32),
        np.array([flag for _, _, flags in steps for flag in flags], np.uint8),
        np.array([holder_of(base + n) for n in range(sum(len(flags) for *_, flags in steps))], np.uint32),
        base,
    )
    spent, overwritten = [], []
    for txid, points, flags in steps:
        spent += [live.pop(point, NONE64) for point in points]
        for index, flag in enumerate(flags):
            if flag:
                if (txid, index) in live:
                    overwritten.append(live[txid, index])
                live[txid, index] = base
            base += 1
    for engine in engines:
        found = engine.resolve(*arguments)
        whom = [NOWHERE if output == NONE64 else holder_of(output) for output in spent]
        for part, expected, dtype in zip(
            found, (spent, whom, overwritten), (np.uint64, np.uint32, np.uint64), strict=True
        ):
            assert_equal_arrays(part, np.array(expected, dtype), type(engine).__module__)
    return base


def holder_of(output):
    return output * 7 % 1009


@given(CROWDED, st.lists(MADE, max_size=60), st.lists(st.integers(0), max_size=3))
def test_live_outputs_in_a_crowd_that_wraps(crowded, made, cuts):
    steps = [(CROWD[n], [(CROWD[m], at) for m, at in points], flags) for n, points, flags in crowded + made]
    engines, live, base = [engine.LiveOutputs() for engine in ENGINES], {}, 7
    for batch in split(steps, cuts):
        base = both_resolve(engines, live, batch, base)
    rest = list(live)  # what is left is found, once
    both_resolve(engines, live, [(bytes(32), rest + rest, [False])], base)


@given(st.permutations(range(len(CROWD))), st.permutations(range(len(CROWD))))
def test_live_outputs_deleted_in_any_order(makers, spenders):
    engines, live = [engine.LiveOutputs() for engine in ENGINES], {}
    base = both_resolve(engines, live, [(CROWD[n], [], [True, True]) for n in makers], 0)
    for n in spenders:  # after each deletion, everything else is still where it can be found
        base = both_resolve(engines, live, [(b"\xcc" * 32, [(CROWD[n], n % 2)], [False])], base)
    assert len(live) == len(CROWD)
    both_resolve(engines, live, [(b"\xcc" * 32, [*live], [False])], base)


def test_live_outputs_by_the_thousands():
    """The compiled table grows several times, and shrinks in use to nearly nothing."""
    rng = np.random.default_rng(15)
    engines, live, base, old = [engine.LiveOutputs() for engine in ENGINES], {}, 0, [(bytes(32), NOWHERE)]
    for turn in range(8):
        spending = 1 if turn < 5 else 4
        steps = []
        for _ in range(3000):
            points = [old[n] for n in rng.integers(0, len(old), rng.integers(0, spending + 1))]
            again = turn > 0 and rng.random() < 0.01  # the same txid a second time (BIP 30)
            txid = old[rng.integers(1, len(old))][0] if again else rng.bytes(32)
            flags = (rng.random(rng.integers(1, 4)) < 0.9).tolist()
            steps.append((txid, points, flags))
        old += [(txid, index) for txid, _, flags in steps for index in range(len(flags))]
        base = both_resolve(engines, live, steps, base)
    assert len(live) > 10_000
    both_resolve(engines, live, [(bytes(32), [*live], [False])], base)
    assert live == {}
