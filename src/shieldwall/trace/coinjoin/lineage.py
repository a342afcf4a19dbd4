"""Where the coins of a Whirlpool mix come from and where those of a tx0 go: a further reason, never a requirement.

graphsense-lib raises its confidence by the same look (`_verify_whirlpool_lineage`, `_verify_tx0_forward`), several steps deep.
Here one step is looked at; what is not in the store is counted.
"""

from __future__ import annotations

from shieldwall.kernels.arrays import WHIRLPOOL, WHIRLPOOL_TX0
from shieldwall.kernels.plain.coinjoins import holds, premix
from shieldwall.trace.coinjoin.reading import Shapes


def lineage(shapes: Shapes, transaction: int, kind: int) -> tuple[str, ...]:
    """What the neighbours of a mix or of a tx0 say for it, in words; nothing for other kinds."""
    if kind == WHIRLPOOL:
        return _of_mix(shapes, transaction)
    if kind == WHIRLPOOL_TX0:
        return _of_tx0(shapes, transaction)
    return ()


def _of_mix(shapes: Shapes, transaction: int) -> tuple[str, ...]:
    store = shapes.store
    pool = min(store.values(transaction), default=0)
    outputs, values = store.links(transaction)
    prepared = mixed = other = 0
    for output, value in zip(outputs, values, strict=True):
        if output is None:
            continue
        maker = shapes.of(store.transaction_of(output))
        if value is not None and value > pool and holds(maker, WHIRLPOOL_TX0):
            prepared += 1
        elif value == pool and holds(maker, WHIRLPOOL):
            mixed += 1
        else:
            other += 1
    told = f"{prepared} inputs come prepared from a tx0, {mixed} from another mix, {other} from elsewhere"
    missing = outputs.count(None)
    return (told + (f"; of {missing} the creating transaction is not in the store" if missing else ""),)


def _of_tx0(shapes: Shapes, transaction: int) -> tuple[str, ...]:
    store = shapes.store
    _, value, _, _ = premix(shapes.of(transaction))
    mixed = other = open_ = 0
    for output in store.output_range(transaction):
        if int(store.column("output_value")[output]) != value:
            continue
        spender = store.spend(output).transaction
        if spender is None:
            open_ += 1
        elif holds(shapes.of(spender), WHIRLPOOL):
            mixed += 1
        else:
            other += 1
    told = f"{mixed} prepared coins go into a mix, {other} elsewhere"
    return (told + (f"; {open_} are unspent or their spender is not in the store" if open_ else ""),)
