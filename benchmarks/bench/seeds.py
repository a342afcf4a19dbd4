"""What is traced: outputs and addresses of a simulated chain, the same in every run, and the arrays that taint moves over."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import Graph
from shieldwall.model import address
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.targets import Target

SEEDS = 10
_SEED = 7
_PERSON = 5  # of the simulator's kinds of entity
_EARLY = 10  # seeds lie behind the first tenth of the chain


def graph_in_memory(store: ChainStore) -> Graph:
    """A store's columns copied, read-only like the maps that they are of: kernels are compiled for that."""
    graph = Graph(*map(np.array, graph_of(store)))
    for array in graph:
        array.flags.writeable = False
    return graph


class TaintArrays:
    """A chain in memory as peers of the taint kernels read it.

    Args:
        store: A chain of less than 2^32 rows in each table, complete.
        seeds: int64[k], output numbers.

    Attributes:
        first_input: int64[n + 1], number of each transaction's first input.
        first_output: int64[n + 1].
        link: int64[i], the output that each input spends; -1 for none.
        value: int64[o], satoshi.
        spender: uint32[o], n and above for none.
        seeds: As above.

    Raises:
        BenchError: The store is larger.
    """

    def __init__(self, store: ChainStore, seeds: npt.NDArray[np.int64]) -> None:
        graph = graph_of(store)
        if len(graph.first_input_carries) or len(graph.first_output_carries):
            raise BenchError(f"{store.folder}: too long for the peers", hint="measure a shorter chain")
        self.first_input = np.append(graph.first_input, len(graph.payer)).astype(np.int64)
        self.first_output = np.append(graph.first_output, len(graph.value)).astype(np.int64)
        self.link = np.asarray(store.column("input_output")).astype(np.int64)
        self.value = graph.value.astype(np.int64)
        self.spender = np.array(graph.spender)
        self.seeds = seeds

    @property
    def transactions(self) -> int:
        """Of the chain."""
        return len(self.first_output) - 1

    @cached_property
    def maker(self) -> npt.NDArray[np.int64]:
        """int64[o], the transaction that made each output."""
        return np.repeat(np.arange(self.transactions), np.diff(self.first_output))

    @cached_property
    def coming(self) -> npt.NDArray[np.int64]:
        """int64[n], satoshi of a transaction's inputs together."""
        sums = np.concatenate([[0], np.cumsum(np.where(self.link >= 0, self.value[self.link], 0))])
        return np.diff(sums[self.first_input])


def early_outputs(store: ChainStore) -> npt.NDArray[np.int64]:
    """int64[k], ascending: outputs of one block behind the first tenth of the chain, spent in later blocks.

    The first such output of each transaction. None of them is reached by the money of another, so all ways to add up agree. A
    later block where that one has too few.

    Raises:
        BenchError: No block has enough.
    """
    firsts = store.column("block_first_tx").astype(np.int64)
    spenders, values = store.column("output_spender"), store.column("output_value")
    for block in range(store.block_of(store.rows("tx") // _EARLY), len(firsts) - 1):
        after = int(firsts[block + 1])
        found: list[int] = []
        for transaction in range(int(firsts[block]) + 1, after):
            outputs = store.output_range(transaction)
            spent_later = [
                output for output in outputs if after <= int(spenders[output]) < store.rows("tx") and values[output]
            ]
            found += spent_later[:1]
        if len(found) >= SEEDS:
            return np.array(found[:SEEDS])
    raise BenchError(f"{store.folder}: no block with {SEEDS} outputs to start from", hint="take a longer chain")


def ransoms(truth: Path) -> npt.NDArray[np.int64]:
    """int64[k]: outputs of the first ransoms that were paid, where the simulator says so."""
    found: npt.NDArray[np.int64] = np.load(truth / "ransom.npy")[:, 1]
    return np.unique(found)[:SEEDS]


def targets_of(store: ChainStore, outputs: npt.NDArray[np.int64]) -> list[Target]:
    """Outputs as targets of a trace."""
    found = []
    for output in outputs.tolist():
        name = "{}:{}".format(*store.outpoint(output))
        found.append(Target(name, "output", name, outputs=(output,)))
    return found


def user_holders(store: ChainStore, truth: Path, count: int) -> npt.NDArray[np.uint32]:
    """uint32[count]: random addresses that belong to people, as numbers of holders."""
    owners = np.load(truth / "entity_kind.npy")[np.load(truth / "output_owner.npy")]
    holders = np.unique(store.column("output_holder")[np.flatnonzero(owners == _PERSON)])
    mixed = np.random.default_rng(_SEED).permutation(holders)[: 2 * count]
    named = [":" not in name for name in store.identities(mixed)]  # a script without an address has one
    return mixed[named][:count]


def random_addresses(store: ChainStore, count: int, *, elsewhere: int) -> list[str]:
    """Random addresses of a store, again and again where it has fewer; one of `elsewhere` is of a key that nobody has used."""
    random = np.random.default_rng(_SEED)
    holders = random.integers(store.rows("holder"), size=2 * count)
    known = [name for name in store.identities(holders) if ":" not in name][
        :count
    ]  # a script without an address has one
    made = random.bytes(20 * (count // elsewhere))
    for place in range(count // elsewhere):
        script = Script(ScriptKind.P2WPKH, made[20 * place : 20 * place + 20])
        known[elsewhere * place] = address.identity(script, store.network)
    return known
