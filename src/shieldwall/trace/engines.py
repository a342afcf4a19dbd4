"""Choose how a walk forward is done: in plain Python, or by compiled kernels. The answer is the same."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from shieldwall.chain.graph import graph_of
from shieldwall.chain.mapping import places_of
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError, UsageError
from shieldwall.kernels import walks
from shieldwall.kernels.arrays import frozen
from shieldwall.kernels.engine import EngineName, kernel
from shieldwall.trace.holders import Holders
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods.interface import Method
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import Walked
from shieldwall.trace.seeds import value_of_seed
from shieldwall.trace.targets import Target
from shieldwall.trace.touched import Touched
from shieldwall.trace.unseen import Unseen
from shieldwall.trace.walk import TooLong, Walker

COMPILED_FROM = 100_000  # transactions of a store: a walk through all of fewer takes a few seconds in plain Python
PLAIN_FIRST = 2_000  # transactions to walk in plain Python, a tenth of a second, before kernels are loaded for the walk
ENGINES = ("auto", "plain", "compiled")
_KERNELS = "shieldwall.kernels.compiled.walking"

Whole = npt.NDArray[np.int64]


def walk_forward(
    store: ChainStore,
    targets: Sequence[Target],
    method: Method,
    limits: Limits,
    holders: Holders,
    published: PublishedHops,
    progress: Progress = silent,
    engine: EngineName = "auto",
) -> Walked:
    """Walk from the targets to every end.

    Auto begins in plain Python, so that a short trace waits for no compiler, and takes the compiled kernels where the walk
    proves long, or where they are loaded already. Networks with an extension block (Litecoin) are walked in plain Python,
    and so are large stores whose labels cannot list their services.

    Raises:
        PartialData: The value of an input to start from is not known.
        UsageError: No such engine.
        StoreError: Rows of the store are damaged.
    """
    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine!r}", hint=f"use one of: {', '.join(ENGINES)}")
    plain = Walker(store, method, limits, holders, published, progress)
    small = engine == "auto" and store.rows("tx") < COMPILED_FROM
    if engine == "plain" or small or store.network.mweb or not holders.listed:
        return plain.run(targets)
    if engine == "auto" and _KERNELS not in sys.modules:
        try:
            return plain.run(targets, PLAIN_FIRST)
        except TooLong:
            pass
    return walk_compiled(store, targets, method, limits, holders, published, progress)


def walk_compiled(
    store: ChainStore,
    targets: Sequence[Target],
    method: Method,
    limits: Limits,
    holders: Holders,
    published: PublishedHops,
    progress: Progress = silent,
) -> Touched:
    """The same by compiled kernels.

    Raises:
        PartialData: The value of an input to start from is not known.
        StoreError: Rows of the store are damaged.
    """
    kernels = kernel("walking", compiled=True)
    question = question_of(store, targets, method, limits, holders.service_set())
    walking = kernels.Walking(graph_of(store), question)
    status = walks.PAUSED
    while status == walks.PAUSED:
        status = walking.run()
        counts = walking.state.counts
        progress(f"tracing, {method.name}", int(counts[walks.STEPS]), 0)
    transaction, place = int(counts[walks.AT]), int(counts[walks.PLACE])
    if status == walks.UNKNOWN_SEED:
        value_of_seed(store, transaction, place, None)
    if status == walks.BROKEN:
        raise StoreError(
            f"{store.folder}: rows of transaction {transaction} point beyond the store",
            hint="shieldwall chain verify names what is damaged; restore the store from a copy, or build it again",
        )
    return Touched(store, question, walking.state, method.name, limits, holders, Unseen(store, published))


def question_of(
    store: ChainStore,
    targets: Sequence[Target],
    method: Method,
    limits: Limits,
    services: npt.NDArray[np.uint32] = walks.NOBODY,
) -> walks.Question:
    """What the kernel is asked.

    Args:
        store: The chain.
        targets: What to start from.
        method: How taint divides.
        limits: How far to go.
        services: A set of holders to stop at (`kernels.compiled.walking.set_of`).
    """
    outputs = _distinct(number for target in targets for number in target.outputs)
    inputs = _distinct(number for target in targets for number in target.inputs)
    makers = places_of(store.column("tx_first_output"), outputs, "right") - 1
    first_input = store.column("tx_first_input")
    spenders = places_of(first_input, inputs, "right") - 1
    transactions = np.union1d(makers, spenders)
    firsts = np.array([int(first_input[int(spender)]) for spender in spenders], np.int64)
    links = np.array([int(link) for link in store.column("input_output")[inputs]], np.uint64)
    here = links != np.uint64(walks.NO_OUTPUT)
    timed = limits.timed
    return walks.Question(
        method=walks.METHOD_CODES[method.name],
        hops=walks.NO_LIMIT if limits.hops is None else limits.hops,
        least=limits.least,
        transactions=limits.transactions,
        until_height=-1 if limits.until_height is None else limits.until_height,
        until_time=-1 if limits.until_time is None else limits.until_time,
        block_first=_block(store, "first_tx", timed=timed),
        block_height=_block(store, "height", timed=timed),
        block_time=_block(store, "time", timed=timed),
        services=services,
        seed_transaction=transactions,
        seed_output_first=np.searchsorted(makers, np.append(transactions, walks.NO_LIMIT)),
        seed_output=outputs,
        seed_input_first=np.searchsorted(spenders, np.append(transactions, walks.NO_LIMIT)),
        seed_input=inputs - firsts,
        seed_spent=np.sort(links[here].astype(np.int64)),
    )


def _distinct(numbers: Iterable[int]) -> Whole:
    return np.unique(np.fromiter(numbers, np.int64))


def _block(store: ChainStore, name: str, *, timed: bool) -> npt.NDArray[np.uint32]:
    column: npt.NDArray[np.uint32] = store.column(f"block_{name}") if timed else np.empty(0, np.uint32)
    return frozen(column)
