"""The compiled kernels against their plain twins, and the scripts against the domain's own rule."""

import hashlib
import itertools

import numpy as np
import pytest
from chain_support import parse_block, random_chain, scripts
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shieldwall.kernels.arrays import NONE64, DecodeFault
from shieldwall.kernels.engine import pick
from shieldwall.kernels.plain.ordering import payload_key
from shieldwall.model.script import ScriptKind, assemble, classify

PLAIN, COMPILED = pick(0, "plain"), pick(0, "compiled")
FIELDS = ("start", "end", "witness", "flags", "first_input", "first_output", "outpoint", "value", "script_start",
          "script_end", "block_end")  # fmt: skip


@pytest.fixture(scope="module")
def chain():
    return random_chain(41, blocks=10)


def bodies(chain):
    """Transactions of each block as bytes, and how many."""
    return [(b"".join(t.raw for t in parse_block(block)), len(parse_block(block))) for block in chain.blocks]


def arrays(parts):
    data = np.frombuffer(b"".join(body for body, _ in parts), np.uint8)
    sizes = np.array([len(body) for body, _ in parts], np.int64)
    limit = np.cumsum(sizes)
    return data, limit - sizes, np.array([count for _, count in parts], np.int64), limit


def answer(engine, parts):
    try:
        decoded = engine.decode(*arrays(parts))
    except DecodeFault as fault:
        return fault.block, fault.transaction, fault.offset, fault.code
    return [(getattr(decoded, name).tolist(), getattr(decoded, name).dtype) for name in FIELDS]


def test_decode_finds_what_the_blocks_say(chain):
    parts = bodies(chain)
    parsed = [t for block in chain.blocks for t in parse_block(block)]
    for engine in (PLAIN, COMPILED):
        data, *rest = arrays(parts)
        decoded = engine.decode(data, *rest)
        raw = data.tobytes()
        assert [raw[a:b] for a, b in zip(decoded.start, decoded.end, strict=True)] == [t.raw for t in parsed]
        assert decoded.value.tolist() == [value for t in parsed for value, _ in t.outputs]
        spans = zip(decoded.script_start, decoded.script_end, strict=True)
        assert [raw[a:b] for a, b in spans] == [script for t in parsed for _, script in t.outputs]
        txids = engine.txids(data, decoded)
        assert [row.tobytes()[::-1].hex() for row in txids] == [t.txid for t in parsed]
    assert answer(PLAIN, parts) == answer(COMPILED, parts)


@settings(max_examples=300)
@given(
    st.integers(0, 1 << 20),
    st.sampled_from(["flip", "cut", "insert", "count"]),
    st.binary(min_size=1, max_size=9),
    st.integers(0, 8),
)
@example(4, "flip", b"\xff", 3)
@example(41, "insert", b"\xfd\x01\x00", 3)
@example(41, "insert", b"\xff" * 9, 3)
@example(41, "insert", b"\xfe\xff\xff\xff\xff", 3)
def test_decode_twins_agree_on_damaged_bytes(chain, place, kind, extra, block):
    parts = bodies(chain)
    body, count = parts[block]
    place %= len(body)
    if kind == "flip":
        body = body[:place] + bytes([body[place] ^ extra[0]]) + body[place + 1 :]
    elif kind == "cut":
        body = body[:place]
    elif kind == "insert":
        body = body[:place] + extra + body[place:]
    else:
        count += extra[0] % 3
    parts[block] = (body, count)
    assert answer(PLAIN, parts) == answer(COMPILED, parts)


@given(st.binary(max_size=200), st.integers(1, 3))
def test_decode_twins_agree_on_any_bytes(raw, count):
    parts = [(raw, count)]
    assert answer(PLAIN, parts) == answer(COMPILED, parts)


def nearly(text):
    """A template, whole or with a byte changed, cut or added."""
    return st.tuples(st.integers(0, len(text)), st.binary(max_size=2), st.integers(0, 2)).map(
        lambda how: text[: how[0]] + how[1] + text[how[0] + how[2] :]
    )


templates = [assemble(script) for script in scripts("t")] + [
    b"\x21\x04" + bytes(32) + b"\xac",
    b"\x41\x04" + bytes(64) + b"\xac",
    b"\x41\x06" + bytes(64) + b"\xac",
    b"\x00\x02\x01\x02",
    b"\x60\x28" + bytes(40),
    b"\x60\x29" + bytes(41),
    b"\x51\x02\x4e\x73",
    b"\x53" + b"\x21\x02" + bytes(32) + b"\x51\xae",
    b"\x51" + (b"\x21\x02" + bytes(32)) * 16 + b"\x60\xae",
    b"\x51" + (b"\x41\x04" + bytes(64)) * 3 + b"\x53\xae",
    b"",
    b"\x6a",
]
any_script = st.one_of(st.binary(max_size=80), *(nearly(text) for text in templates), st.sampled_from(templates))


@settings(max_examples=300)
@given(st.lists(any_script, max_size=12))
@example(templates)
def test_scripts_are_sorted_alike_by_all_three(texts):
    data = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    sizes = np.array([len(text) for text in texts], np.int64)
    end = np.cumsum(sizes)
    raw = data.tobytes()
    wanted = [classify(text) for text in texts]
    for engine in (PLAIN, COMPILED):
        kinds, first, last = engine.classify(data, end - sizes, end)
        assert kinds.dtype == np.uint8
        assert kinds.tolist() == [script.kind for script in wanted]
        assert [raw[a:b] for a, b in zip(first, last, strict=True)] == [script.payload for script in wanted]
    assert [assemble(script) for script in wanted] == texts
    assert all(script.unspendable or script.kind != ScriptKind.OP_RETURN for script in wanted)


payloads = st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=20)), max_size=40)


@given(payloads, st.lists(payloads, max_size=4))
def test_interners_number_in_order_of_first_appearance(known, batches):
    known = list(dict.fromkeys(known))
    numbers = {key: number for number, key in enumerate(known)}
    kinds = np.array([kind for kind, _ in known], np.uint8)
    ends = np.cumsum([len(text) for _, text in known]).astype(np.uint64)
    payload = np.frombuffer(b"".join(text for _, text in known), np.uint8)
    interners = [engine.Interner(kinds, ends, payload) for engine in (PLAIN, COMPILED)]
    for batch in batches:
        new = [key for key in dict.fromkeys(batch) if key not in numbers]
        numbers |= {key: len(numbers) + place for place, key in enumerate(new)}
        data = np.frombuffer(b"".join(text for _, text in batch), np.uint8)
        sizes = np.array([len(text) for _, text in batch], np.int64)
        end = np.cumsum(sizes)
        for interner in interners:
            found = interner.intern(data, np.array([kind for kind, _ in batch], np.uint8), end - sizes, end)
            assert found.dtype == np.uint32
            assert found.tolist() == [numbers[key] for key in batch]
            new_kinds, new_sizes, new_payload = interner.take_new()
            assert list(zip(new_kinds.tolist(), new_sizes.tolist(), strict=True)) == [(k, len(t)) for k, t in new]
            assert new_payload.tobytes() == b"".join(text for _, text in new)


def test_the_compiled_interner_grows(chain):
    draw = np.random.default_rng(1)
    data = draw.integers(0, 256, 400_000, np.uint8)
    start = draw.integers(0, 390_000, 30_000)
    end = start + draw.integers(0, 40, 30_000)
    kinds = draw.integers(0, 10, 30_000).astype(np.uint8)
    empty = np.empty(0, np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint8)
    plain, compiled = (engine.Interner(*empty) for engine in (PLAIN, COMPILED))
    for part in np.array_split(np.arange(30_000), 7):
        rows = kinds[part], start[part], end[part]
        assert np.array_equal(plain.intern(data, *rows), compiled.intern(data, *rows))
    assert all(np.array_equal(a, b) for a, b in zip(plain.take_new(), compiled.take_new(), strict=True))


@st.composite
def graphs(draw):
    """Transactions as lists of (maker, index) spent and of spendable flags; makers may be later, absent or repeated."""
    count = draw(st.integers(1, 12))
    names = [draw(st.integers(0, 9)) for _ in range(count)]
    spends = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 4)), min_size=0, max_size=4)
    outputs = st.lists(st.booleans(), min_size=1, max_size=4)
    return [(name, draw(spends), draw(outputs)) for name in names]


def name_of(number):
    return hashlib.sha256(bytes([number])).digest()


def holders_of(outputs):
    return np.array([0xFFFFFFFF if output == NONE64 else output % 97 for output in outputs], np.uint32)


@given(graphs(), st.lists(st.tuples(st.integers(0, 10), st.integers(0, 4)), unique=True, max_size=8), st.integers(1, 5))
def test_live_outputs_resolve_alike_and_as_defined(graph, before, cut):
    live = {key: 1000 + number for number, key in enumerate(before)}
    resolvers = [engine.LiveOutputs() for engine in (PLAIN, COMPILED)]
    names = np.frombuffer(b"".join(name_of(maker) for maker, _ in before), np.uint8).reshape(-1, 32)
    indexes = np.array([index for _, index in before], np.uint64)
    for resolver in resolvers:
        resolver.add(names, indexes, np.array(list(live.values()), np.uint64), holders_of(live.values()))
    base = 5000
    for part in (graph[:cut], graph[cut:]):
        wanted_spent, wanted_lost = [], []
        number = base
        for name, spends, outputs in part:
            wanted_spent += [live.pop(key, NONE64) for key in spends]
            for index, spendable in enumerate(outputs):
                if spendable:
                    if (name, index) in live:
                        wanted_lost.append(live[name, index])
                    live[name, index] = number
                number += 1
        spends_all = [key for _, spends, _ in part for key in spends]
        data = b"".join(name_of(maker) + index.to_bytes(4, "little") for maker, index in spends_all)
        arguments = (
            np.frombuffer(data or b"\0", np.uint8),
            np.arange(len(spends_all), dtype=np.int64) * 36,
            np.cumsum([0, *(len(spends) for _, spends, _ in part)]),
            np.cumsum([0, *(len(outputs) for *_, outputs in part)]),
            np.frombuffer(b"".join(name_of(name) for name, *_ in part), np.uint8).reshape(-1, 32),
            np.array([flag for *_, outputs in part for flag in outputs], np.uint8),
            holders_of(range(base, number)),
            base,
        )
        for resolver in resolvers:
            spent, holders, lost = resolver.resolve(*arguments)
            assert (spent.tolist(), lost.tolist()) == (wanted_spent, wanted_lost)
            assert holders.tolist() == holders_of(wanted_spent).tolist()
        base = number


@given(st.lists(st.integers(1, 40), max_size=6))
def test_merkle_roots_are_those_of_the_definition(sizes):
    def root(level):
        while len(level) > 1:
            level += level[-1:] * (len(level) % 2)
            pairs = zip(level[::2], level[1::2], strict=True)
            level = [hashlib.sha256(hashlib.sha256(a + b).digest()).digest() for a, b in pairs]
        return level[0]

    names = [hashlib.sha256(number.to_bytes(2, "big")).digest() for number in range(sum(sizes))]
    first = np.cumsum([0, *sizes])
    txids = np.frombuffer(b"".join(names), np.uint8).reshape(-1, 32)
    wanted = [root(names[a:b]) for a, b in itertools.pairwise(first)]
    for engine in (PLAIN, COMPILED):
        assert [row.tobytes() for row in engine.merkle_roots(txids, first)] == wanted


def test_small_inputs_wait_for_no_compiler():
    assert pick(1 << 20).name == "plain"
    assert pick(1 << 30).name == "compiled"


@given(st.lists(st.integers(0, (1 << 64) - 1) | st.integers(0, 9), max_size=60), st.integers(0, 6))
def test_buckets_hold_every_row_once_in_order(keys, bits):
    keys = np.array(keys, np.uint64)
    buckets = 1 << bits
    for engine in (PLAIN, COMPILED):
        first, order = engine.bucket_order(keys, buckets)
        assert (first.dtype, order.dtype) == (np.uint32, np.uint32)
        wanted = [
            [row for row, key in enumerate(keys.tolist()) if key % buckets == bucket] for bucket in range(buckets)
        ]
        assert [order[first[k] : first[k + 1]].tolist() for k in range(buckets)] == wanted
        pairs = [[a, b] for a in range(len(keys)) for b in range(a + 1, len(keys)) if keys[a] == keys[b]]
        assert engine.equal_keys(keys, first, order).tolist() == pairs


@given(st.lists(st.integers(0, 7), max_size=60))
def test_groups_hold_every_row_once_in_order(groups):
    groups = np.array(groups, np.uint32)
    for engine in (PLAIN, COMPILED):
        first, order = engine.group_order(groups, 8)
        assert (first.dtype, order.dtype) == (np.uint64, np.uint64)
        wanted = [np.flatnonzero(groups == group).tolist() for group in range(8)]
        assert [order[int(first[k]) : int(first[k + 1])].tolist() for k in range(8)] == wanted


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_keys_of_payloads_are_those_of_the_specification(payloads):
    ends = np.cumsum([0, *(len(payload) for payload in payloads)])
    data = np.frombuffer(b"".join(payloads), np.uint8)

    def key(payload):
        a, z = (int.from_bytes(part, "little") for part in (payload[:8], payload[-8:]))
        mixed = ((a * 0xBF58476D1CE4E5B9) ^ (z * 0x94D049BB133111EB)) & ((1 << 64) - 1)
        mixed = (mixed + len(payload) * 0x9E3779B97F4A7C15) & ((1 << 64) - 1)
        return mixed ^ (mixed >> 29)

    for engine in (PLAIN, COMPILED):
        assert engine.payload_keys(data, ends[:-1], ends[1:]).tolist() == [key(payload) for payload in payloads]
    assert [payload_key(payload) for payload in payloads] == [key(payload) for payload in payloads]
