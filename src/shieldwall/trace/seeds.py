"""What targets stand for, by the transaction at which a walk meets it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from shieldwall.chain.spend import Input
from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData
from shieldwall.trace.targets import Target


class Seeds:
    """The outputs and inputs to start from, each once.

    Attributes:
        outputs: Numbers of the outputs.
        by_maker: Transaction -> outputs of it to start from, ascending.
        by_spender: Transaction -> positions of its inputs to start from.
        spent: Outputs of this store that those inputs spend.
    """

    def __init__(self, store: ChainStore, targets: Sequence[Target]) -> None:
        self.outputs = {output for target in targets for output in target.outputs}
        self.by_maker: dict[int, list[int]] = {}
        for output in sorted(self.outputs):
            self.by_maker.setdefault(store.transaction_of(output), []).append(output)
        self.by_spender: dict[int, set[int]] = {}
        self.spent: set[int] = set()
        for number in {number for target in targets for number in target.inputs}:
            spender = store.transaction_of_input(number)
            place = number - store.input_range(spender).start
            self.by_spender.setdefault(spender, set()).add(place)
            link = store.links(spender)[0][place]
            if link is not None:
                self.spent.add(link)


def input_at(store: ChainStore, transaction: int, place: int) -> Input:
    """An input of a transaction by its position."""
    return next(islice(store.inputs(transaction), place, None))


def value_of_seed(store: ChainStore, transaction: int, place: int, value: int | None) -> int:
    """What an input to start from brought.

    Raises:
        PartialData: Nobody gives it.
    """
    if value is None:
        missing = input_at(store, transaction, place)
        raise PartialData(
            f"what input {place} of {store.txid(transaction)} brought is not known: {missing.txid} is not in this store, "
            "and no source gives its output",
            hint="extend the store with that transaction: shieldwall chain build",
        )
    return value
