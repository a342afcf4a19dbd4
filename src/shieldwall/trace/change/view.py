"""A transaction as change rules see it: inputs, outputs, and the transactions that spend them, read as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore, Input, SpendState
from shieldwall.kernels.arrays import LOCKED, REPLACEABLE, VERSION_MASK, VERSION_SHIFT
from shieldwall.model.script import ScriptKind, assemble
from shieldwall.model.transaction import internal

WITNESS_KINDS = frozenset((ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR, ScriptKind.WITNESS))


class Shape:
    """What a transaction looks like from outside: the traits that wallets differ in.

    Args:
        store: The chain.
        number: The transaction.
    """

    def __init__(self, store: ChainStore, number: int) -> None:
        self.store = store
        self.number = number

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """Its inputs."""
        return tuple(self.store.inputs(self.number))

    @cached_property
    def output_numbers(self) -> range:
        """Numbers of its outputs."""
        return self.store.output_range(self.number)

    @cached_property
    def flags(self) -> int:
        """Bits as in `kernels.arrays.Decoded.flags`."""
        return self.store.flags_of(self.number)

    @property
    def version(self) -> int:
        """1, 2 or 3; 0 for any other."""
        return (self.flags >> VERSION_SHIFT) & VERSION_MASK

    @property
    def locktime(self) -> bool:
        """Whether its locktime is not 0; the store does not keep whether it is a height or a time."""
        return bool(self.flags & LOCKED)

    @property
    def rbf(self) -> bool:
        """Whether it says that it may be replaced (BIP 125)."""
        return bool(self.flags & REPLACEABLE)

    @property
    def output_count(self) -> int:
        """1, 2, or 3 for more."""
        return min(len(self.output_numbers), 3)

    @property
    def in_out_count(self) -> tuple[int, int]:
        """Inputs and outputs, each 1, 2, or 3 for more."""
        return min(len(self.inputs), 3), self.output_count

    @cached_property
    def kinds(self) -> frozenset[ScriptKind] | None:
        """The script kinds that its inputs spend; None where one is not known."""
        found = {kind_of(self.store, entry.holder) for entry in self.inputs}
        return None if None in found else frozenset(kind for kind in found if kind is not None)

    @property
    def segwit(self) -> bool | None:
        """Whether an input spends a native SegWit output; None where a kind is not known."""
        return None if self.kinds is None else bool(self.kinds & WITNESS_KINDS)

    @property
    def multisig(self) -> bool | None:
        """Whether an input spends a bare multisig output; None where a kind is not known."""
        return None if self.kinds is None else ScriptKind.MULTISIG in self.kinds

    @cached_property
    def ordered(self) -> bool:
        """Whether inputs and outputs stand in the order of BIP 69."""
        spent = [(internal(entry.txid)[::-1], entry.index) for entry in self.inputs]
        holders = self.store.column("output_holder")
        made = [
            (value, assemble(self.store.holder(int(holders[output]))))
            for output, value in zip(self.output_numbers, self.store.values(self.number), strict=True)
        ]
        return spent == sorted(spent) and made == sorted(made)

    @cached_property
    def zero_conf(self) -> bool:
        """Whether an input spends an output of the same block."""
        block = self.store.block_of(self.number)
        first = self.store.output_range(int(self.store.column("block_first_tx")[block])).start
        return any(entry.output is not None and entry.output >= first for entry in self.inputs)

    @cached_property
    def fee(self) -> int | None:
        """Satoshi; None for a coinbase, and where the value of an input is not known."""
        values = [entry.value for entry in self.inputs]
        if not values or None in values:
            return None
        return sum(value or 0 for value in values) - sum(self.store.values(self.number))

    @property
    def one_in_two_out(self) -> bool:
        """One input and two outputs, as each transaction of a peel chain has."""
        return len(self.store.input_range(self.number)) == 1 and len(self.output_numbers) == 2


def kind_of(store: ChainStore, holder: int | None) -> ScriptKind | None:
    """Script kind of a holder; None for nobody known."""
    return None if holder is None else ScriptKind(int(store.column("holder_kind")[holder]))


@dataclass(frozen=True, slots=True)
class SeenOutput:
    """An output.

    Attributes:
        number: Its number in the store.
        index: Its place in the transaction, from 0.
        value: Satoshi.
        holder: Number of its holder.
        kind: Script kind.
        state: Where it stands.
        spender: The transaction of this store that spends it; None where there is none.
    """

    number: int
    index: int
    value: int
    holder: int
    kind: ScriptKind
    state: SpendState
    spender: Shape | None


class TransactionView(Shape):
    """A transaction, with what change rules ask of it beside its shape."""

    @cached_property
    def outputs(self) -> tuple[SeenOutput, ...]:
        """Its outputs in order."""
        holders, values = self.store.column("output_holder"), self.store.values(self.number)
        found = []
        for index, number in enumerate(self.output_numbers):
            spend, holder = self.store.spend(number), int(holders[number])
            kind = ScriptKind(int(self.store.column("holder_kind")[holder]))
            spender = None if spend.transaction is None else Shape(self.store, spend.transaction)
            found.append(SeenOutput(number, index, values[index], holder, kind, spend.state, spender))
        return tuple(found)

    @cached_property
    def spendable(self) -> tuple[SeenOutput, ...]:
        """The outputs that can ever be spent."""
        return tuple(output for output in self.outputs if output.state != SpendState.UNSPENDABLE)

    @property
    def why_none(self) -> str:
        """Why no output can be change, whatever the rule; "" where one may be."""
        if not self.inputs:
            return "a coinbase pays out what is newly mined, so that nothing is change"
        if len(self.spendable) < 2:
            return "change is what is left beside a payment, and fewer than two outputs can be spent"
        return ""

    @property
    def standard(self) -> bool:
        """Two outputs, and both can be spent: what Möser and Narayanan measured."""
        return len(self.outputs) == len(self.spendable) == 2

    @cached_property
    def payers(self) -> frozenset[int]:
        """The known holders of its inputs."""
        return frozenset(entry.holder for entry in self.inputs if entry.holder is not None)

    @property
    def unknown_payers(self) -> int:
        """Inputs whose holder nobody knows."""
        return sum(entry.holder is None for entry in self.inputs)

    @cached_property
    def smallest_input(self) -> int | None:
        """Satoshi; None where the value of an input is not known."""
        values = [entry.value for entry in self.inputs]
        return None if None in values else min(value or 0 for value in values)

    @cached_property
    def previous(self) -> Shape | None:
        """The transaction that its first input spends; None where it is not in the store."""
        output = self.inputs[0].output if self.inputs else None
        return None if output is None else Shape(self.store, self.store.transaction_of(output))

    @cached_property
    def fresh_holders(self) -> frozenset[int]:
        """Holders of its outputs that no earlier transaction of the store pays, and that no input up to its own spends from."""
        return frozenset(output.holder for output in self.spendable if self._is_fresh(output.holder))

    def _is_fresh(self, holder: int) -> bool:
        return self.store.outputs_of(holder)[0] >= self.output_numbers.start and holder not in self._came_from_outside

    @cached_property
    def _came_from_outside(self) -> frozenset[int]:
        """Known holders that pay inputs from outside, in this transaction and before it."""
        outside = self.store.column("outside_input")
        before = np.asarray(outside[: np.searchsorted(outside, self.store.input_range(self.number).stop)], np.int64)
        return frozenset(self.store.column("input_holder")[before].tolist()) - {NO_HOLDER}
