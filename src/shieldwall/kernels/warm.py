"""Compile every kernel before it is needed: each is called once on tiny arrays of the types that real work gives it.

numba compiles a function anew for each combination of types, and an array that may be written to is of another type than
one that may not. So this list says, kernel by kernel, what the rest of the program calls it with. A test holds the list
to the modules there are, and another runs the program in a fresh process and sees that nothing more is compiled.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.kernels import change_rules as rules
from shieldwall.kernels import walks
from shieldwall.kernels.arrays import COINBASE, COINJOIN_NAMES, NONE32, Bytes, Decoded, Graph, frozen
from shieldwall.kernels.change_rules import ChangeContext, FingerprintSource
from shieldwall.kernels.plain import decoding as plain_decoding
from shieldwall.kernels.plain.addresses import AddressForms
from shieldwall.kernels.plain.probing import HolderRows, HolderRun
from shieldwall.kernels.plain.reach import Budget, Surroundings, tagged_of
from shieldwall.kernels.plain.serialising import Fields, Text
from shieldwall.kernels.walks import Question

_PACKAGE = "shieldwall.kernels.compiled"
_HEADER = "01000000"
_COIN = 100_000_000  # satoshi
_WIDE = 1000  # outputs: so many that a walk runs out of room, and grows

# a coinbase of one output, and a payment that spends it to two
_COINBASE = (
    _HEADER + "01" + "00" * 32 + "ffffffff" + "0151" + "ffffffff" + "01" + "00e1f50500000000" + "0151" + "00000000"
)
_PAYMENT = (
    _HEADER + "01" + "11" * 32 + "00000000" + "00" + "fdffffff" + "02" + 2 * ("80f0fa0200000000" + "0151") + "00000000"
)


@dataclass(frozen=True, slots=True)
class Warmed:
    """A module whose kernels are ready.

    Attributes:
        module: Its name.
        kernels: Compiled functions in it that are kept in the cache.
        compiled: Combinations of function and types that the cache did not hold yet.
        seconds: Time that it took.
    """

    module: str
    kernels: int
    compiled: int
    seconds: float


class NoCacheFolder(Exception):
    """Compiled kernels cannot be kept where they should be; the folder that was named, "" for none."""


def cache_folder() -> Path:
    """Where compiled kernels are kept: beneath `NUMBA_CACHE_DIR`, else where numba finds a folder to write in.

    Without that variable numba takes the folder of the program itself, else the user's cache folder.

    Raises:
        NoCacheFolder: The folder that the variable names cannot be written, or there is none at all.
    """
    import numba  # noqa: PLC0415 - whoever asks wants to wait for it

    wanted = str(getattr(numba.config, "CACHE_DIR", "") or "")
    if wanted:
        _probe(Path(wanted))
    try:
        module = importlib.import_module(f"{_PACKAGE}.decoding")
    except RuntimeError as error:  # numba's, of a function that no place can keep
        raise NoCacheFolder(wanted) from error
    return Path(next(iter(_kept(module))).stats.cache_path)


def _probe(folder: Path) -> None:
    """numba would silently take another folder."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NoCacheFolder(str(folder)) from error


def warm_up(names: tuple[str, ...] = ()) -> Iterator[Warmed]:
    """Get the kernels of each module ready, one module after the other.

    Args:
        names: Of modules; all by default.
    """
    for name in names or tuple(MODULES):
        begin = perf_counter()
        module = importlib.import_module(f"{_PACKAGE}.{name}")
        kept = _kept(module)
        before = _misses(kept)
        MODULES[name](module)
        yield Warmed(name, len(kept), _misses(kept) - before, perf_counter() - begin)


def _kept(module: ModuleType) -> list[Any]:
    """The compiled functions that a module defines and that are kept on disk."""
    from numba.core.registry import CPUDispatcher  # noqa: PLC0415 - as above

    found = [value for value in vars(module).values() if isinstance(value, CPUDispatcher)]
    own = [kernel for kernel in found if kernel.py_func.__module__ == module.__name__]
    return [kernel for kernel in own if kernel.stats.cache_path]


def _misses(kernels: list[Any]) -> int:
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels)


# what kernels are called with


def _as_it_is(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array


_BOTH = (_as_it_is, frozen)


def column(numbers: list[int], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A read-only array of a dtype."""
    return frozen(np.array(numbers, dtype))


def tiny_graph(paid: int = 2) -> Graph:
    """A coinbase (transaction 0, output 0) and a payment that spends it to `paid` outputs, as a store maps them."""
    return Graph(
        first_input=column([0, 0], np.uint32),
        first_input_carries=column([], np.int64),
        first_output=column([0, 1], np.uint32),
        first_output_carries=column([], np.int64),
        flags=column([COINBASE, 0], np.uint8),
        value=column([_COIN, *[_COIN // paid] * paid], np.uint64),
        holder=column([*range(1 + paid)], np.uint32),
        spender=column([1, *[NONE32] * paid], np.uint32),
        link=column([0], np.uint32),
        link_high=column([0], np.uint8),
        payer=column([0], np.uint32),
        outside=column([], np.uint64),
        outside_value=column([], np.uint64),
    )


def _blocks() -> Iterator[tuple[Bytes, Decoded]]:
    """The transactions as bytes that may be written to (read anew) and as bytes that may not (mapped), taken apart."""
    for text in (_COINBASE + _PAYMENT,):
        data = np.frombuffer(bytearray.fromhex(text), np.uint8)
        for bytes_ in (data, frozen(data)):
            size = np.array([len(data)])
            yield bytes_, plain_decoding.decode(bytes_, np.array([0]), np.array([2]), size)


def _decoding(kernels: ModuleType) -> None:
    for data, decoded in _blocks():
        kernels.decode(data, np.array([0]), np.array([len(decoded.start)]), np.array([len(data)]))


def _hashing(kernels: ModuleType) -> None:
    for data, decoded in _blocks():
        txids = kernels.txids(data, decoded)
        for rows in (txids, frozen(txids)):
            kernels.merkle_roots(rows, np.array([0, len(txids)]))


def _scripts(kernels: ModuleType) -> None:
    for data, decoded in _blocks():
        kernels.classify(data, decoded.script_start, decoded.script_end)


def _interning(kernels: ModuleType) -> None:
    for data, decoded in _blocks():
        interner = kernels.Interner(np.empty(0, np.uint8), np.empty(0, np.uint64), np.empty(0, np.uint8))
        rows = len(decoded.script_start)
        for repeat in (1, 2000):  # so many that the table grows
            places = [np.repeat(place, repeat) for place in (decoded.script_start, decoded.script_end)]
            interner.intern(data, np.zeros(rows * repeat, np.uint8), *places)


def _outpoints(kernels: ModuleType) -> None:
    for data, decoded in _blocks():
        live = kernels.LiveOutputs()
        for count in (1, 5000):  # so many that the table grows
            txid = np.random.default_rng(count).integers(0, 256, (count, 32), np.uint8)
            numbers = np.arange(count, dtype=np.uint64)
            live.add(txid, np.zeros(count, np.uint64), numbers, np.zeros(count, np.uint32))
        outputs = len(decoded.value)
        live.resolve(
            data, decoded.outpoint, decoded.first_input, decoded.first_output,
            np.zeros((len(decoded.start), 32), np.uint8), np.ones(outputs, np.uint8), np.zeros(outputs, np.uint32), 0,
        )  # fmt: skip


def _ordering(kernels: ModuleType) -> None:
    for hold in _BOTH:
        keys = hold(np.array([3, 1, 3], np.uint64))
        first, order = kernels.bucket_order(keys, 2)
        kernels.equal_keys(keys, first, order)
        kernels.group_order(hold(np.array([1, 0], np.uint32)), 2)
        kernels.payload_keys(hold(np.zeros(32, np.uint8)), np.array([0]), np.array([32]))


def _profiles(kernels: ModuleType) -> None:
    kinds = column([2, 2, 2], np.uint8)
    kernels.profile_bits(tiny_graph(), kinds, 0, 2)
    kernels.profiles_of(tiny_graph(), kinds, np.array([1]))


def _serialising(kernels: ModuleType) -> None:
    one = np.array([0, 1])
    for hold, hold_text in product(_BOTH, repeat=2):
        text = {size: Text(hold_text(np.full(size, ord("1"), np.uint8)), np.array([0, size])) for size in (2, 64)}
        number = hold(np.array([1]))
        kernels.serialise(
            Fields(
                version=number, lock_time=number, first_input=one, first_output=one, spent_hash=text[64], spent_index=number,
                input_script=text[2], sequence=number, value=hold(np.array([1.0])), output_script=text[2],
                coinbase_script=Text(frozen(np.empty(0, np.uint8)), np.array([0])),
            )
        )  # fmt: skip


def _addresses(kernels: ModuleType) -> None:
    forms = AddressForms(111, 196, -1, np.frombuffer(b"bcrt", np.uint8), mweb=False)
    text = b"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq4g5lhk"
    kernels.decode_addresses(np.frombuffer(text, np.uint8), np.array([len(text)]), forms)
    for hold in _BOTH:
        kernels.encode_addresses(
            hold(np.zeros(1, np.uint8)), frozen(np.zeros(40, np.uint8)), np.array([0]), np.array([20]), forms
        )


def _probing(kernels: ModuleType) -> None:
    run = HolderRun(column([0, 1], np.uint32), column([0], np.uint32))
    rows = HolderRows(column([5], np.uint8), column([20], np.uint32), column([], np.int64), column([0] * 20, np.uint8))
    for hold in _BOTH:
        one = np.array([0]), np.array([20])
        found = np.full(1, NONE32, np.uint32)
        kernels.probe(
            run, rows, np.zeros(1, np.uint64), hold(np.zeros(1, np.uint8)), hold(np.zeros(20, np.uint8)), *one, found
        )


def _clustering(kernels: ModuleType) -> None:
    graph = tiny_graph()
    for threads in (1, 2):
        parent = np.arange(3, dtype=np.uint32)
        kernels.co_spend(graph, np.zeros(2, np.uint8), parent, 0, 2, threads)
    kernels.flatten(parent)
    label, size, refused = np.zeros(3, np.uint32), np.ones(3, np.uint32), np.empty((1, 4), np.int64)
    only = np.zeros(0, np.uint8)
    left_out = np.zeros(2, np.uint8)
    kernels.in_order(graph, left_out, only, parent, label, refused, 0, 2)
    kernels.join_change(graph, left_out, np.full(2, -1, np.int64), parent, label, size, 0, refused, 0, 2)


def _coinjoins(kernels: ModuleType) -> None:
    kinds, starts = column([5, 5, 5], np.uint8), np.zeros(len(COINJOIN_NAMES), np.int64)
    for begin in (starts, frozen(starts)):
        kernels.coinjoin_kinds(tiny_graph(), kinds, 0, 2, column([], np.uint32), begin)


def _change(kernels: ModuleType) -> None:
    nothing32, nothing64 = column([], np.uint32), column([], np.int64)
    codes = [(code, 1) for code in range(rules.CONSISTENT_FEE + 1)]
    together = [(rules.OR, 0)] * (len(codes) - 1)
    for program in ([*codes, *together], [*codes, *together, (rules.UNIQUE, 0)]):
        context = ChangeContext(
            kind=column([5, 5, 5], np.uint8), seen=-1, outside_payer=nothing32, outside_since=nothing64,
            places=column([0], np.uint32), fingerprint=column([0, 0], np.uint32), fee=column([0, 0], np.int64), base=0,
        )  # fmt: skip
        kernels.change_outputs(tiny_graph(), context, np.array(program, np.int64), 0, 2)


def _change_features(kernels: ModuleType) -> None:
    graph = tiny_graph()
    kernels.fees(graph, 0, 2)
    source = FingerprintSource(
        kind=column([5, 5, 5], np.uint8), block_first_tx=column([0], np.uint32), txid=frozen(np.zeros((2, 32), np.uint8)),
        outside_txid=frozen(np.zeros((0, 32), np.uint8)), outside_index=column([], np.uint32),
        payload_end=column([20, 40, 60], np.uint32), payload_carries=column([], np.int64),
        payload=column([0] * 60, np.uint8), places=frozen(kernels.output_places(graph)),
    )  # fmt: skip
    kernels.fingerprints(graph, source, rules.ORDERED_BIT, 0, 2)


def _cutting(kernels: ModuleType) -> None:
    weight, ends = np.array([1, 1, 1]), np.eye(3, dtype=np.uint8)
    kernels.vertex_cut(np.array([0, 1, 2, 2]), np.array([1, 2]), weight, ends[0].copy(), ends[2].copy())


def _taint(kernels: ModuleType) -> None:
    kernels.haircut(tiny_graph(), np.array([0]), 0)
    kernels.haircut_float(tiny_graph(), np.array([0]), 0)
    kernels.shares(5, np.array([1, 2]))


def _walking(kernels: ModuleType) -> None:
    some, none = np.array([0]), np.zeros(0, np.int64)
    for blocks in (0, 1):  # without and with a limit of time
        block = column([0] * blocks, np.uint32)
        for services in (walks.NOBODY, kernels.set_of(column([2], np.uint32))):
            question = Question(
                walks.FIFO, walks.NO_LIMIT, 0, walks.NO_LIMIT, -1, blocks - 1, block, block, block, services,
                some, np.array([0, 1]), some, np.array([0, 0]), none, none,
            )  # fmt: skip
            for paid in (2, _WIDE):
                kernels.Walking(tiny_graph(paid), question, 2).run()
    kernels.reached_by(tiny_graph(), some, 1, 1)


def _with_walking(kernels: ModuleType) -> None:
    del kernels  # the walk calls them
    _walking(importlib.import_module(f"{_PACKAGE}.walking"))


def _reach(kernels: ModuleType) -> None:
    around = Surroundings(
        column([5, 5, 5], np.uint8), column([], np.uint32), column([0] * 8, np.int64), column([], np.uint64),
        column([], np.uint8), 0,
    )  # fmt: skip
    tagged = tagged_of(np.array([2], np.uint32), np.array([1], np.uint8), np.array([0, 1], np.uint8), 3)
    for way in (kernels.sent, kernels.received):
        own, first, outputs = np.array([[0, 0]], np.uint32), np.array([0, 1]), np.array([0], np.uint64)
        way(tiny_graph(), tagged, around, Budget(3, 16, 64), own, first, outputs)


MODULES: Mapping[str, Callable[[ModuleType], None]] = {
    "addresses": _addresses,
    "change": _change,
    "change_features": _change_features,
    "clustering": _clustering,
    "coinjoins": _coinjoins,
    "cutting": _cutting,
    "decoding": _decoding,
    "hashing": _hashing,
    "interning": _interning,
    "ordering": _ordering,
    "outpoints": _outpoints,
    "probing": _probing,
    "profiles": _profiles,
    "reach": _reach,
    "scripts": _scripts,
    "serialising": _serialising,
    "taint": _taint,
    "walk_division": _with_walking,
    "walk_tables": _with_walking,
    "walking": _walking,
}
"""Every module of `compiled/` that holds kernels of its own, with what calls them."""

INLINED = ("atomic", "bare", "columns")
"""Modules whose functions become part of the kernels that call them, and are never compiled alone."""
