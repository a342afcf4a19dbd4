"""The change output of every transaction of a range, for clusterings and for whoever measures a rule."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels import change_rules as codes
from shieldwall.kernels.arrays import Counts32, Graph, Offsets, frozen
from shieldwall.kernels.change_rules import ChangeContext, FingerprintSource
from shieldwall.kernels.engine import EngineName, is_compiled, kernel
from shieldwall.trace.change.decide import decide
from shieldwall.trace.change.expression import parse
from shieldwall.trace.change.overrule import Overrule, apply, overruled_outputs
from shieldwall.trace.change.predicate import Rule

_COMPILED_FROM = 20_000  # transactions
_EMPTY32, _EMPTY64 = np.empty(0, np.uint32), np.empty(0, np.int64)


class ChainChanges:
    """A rule made ready for a store.

    What spenders look like is worked out once for the whole chain, 4 bytes a transaction (12 with fees), and only where the
    rule asks for it.

    Args:
        store: The chain.
        rule: A rule, or its text.
        overrules: What persons say of single transactions (`Overrules.standing(network).values()`).
        engine: Which kernels.

    Attributes:
        rule: The rule.
        looks_ahead: True where the answer depends on transactions that come later.
        overrules: Ids of the claims that overrule it, sorted; for the stamp of a result.

    Raises:
        UsageError: The text says no rule, or an overrule names an output that there is not.
    """

    def __init__(
        self, store: ChainStore, rule: Rule | str, overrules: Iterable[Overrule] = (), *, engine: EngineName = "auto"
    ) -> None:
        said = list(overrules)
        self.rule = parse(rule) if isinstance(rule, str) else rule
        self.looks_ahead = self.rule.looks_ahead
        self.overrules: tuple[str, ...] = tuple(sorted(overrule.claim.id for overrule in said))
        self._store = store
        self._overruled = overruled_outputs(store, said)
        self._program = np.array(self.rule.program(), np.int64)
        compiled = is_compiled(engine, large=store.rows("tx") >= _COMPILED_FROM)
        self._change: Any = kernel("change", compiled=compiled)
        self._features: Any = kernel("change_features", compiled=compiled)
        self._seen = 0, -1  # up to which transaction, and the highest holder that outputs before it pay

    def outputs(self, first: int, last: int) -> npt.NDArray[np.int64]:
        """int64[last - first]: the number of the output that is each transaction's change; -1 for none or no answer.

        Ranges that follow one another are cheapest: what holders came before is carried on.
        """
        found: npt.NDArray[np.int64] = self._change.change_outputs(
            self._graph, self._context(first), self._program, first, last
        )
        if self._tells_fresh and last > first:
            self._seen = last, max(self._highest(first), self._highest_between(first, last))
        apply(found, first, self._overruled)
        return found

    def output(self, transaction: int) -> int:
        """The number of the output that is one transaction's change, -1 for none or no answer; in any order, and cheap."""
        if transaction in self._overruled:
            return self._overruled[transaction]
        answer = decide(self._store, transaction, self.rule).output
        return -1 if answer is None else self._store.output_range(transaction).start + answer

    @cached_property
    def _graph(self) -> Graph:
        return graph_of(self._store)

    @property
    def _tells_fresh(self) -> bool:
        return codes.uses(self._program, codes.CLIENT_BEHAVIOUR, codes.FRESH_ADDRESS)

    def _context(self, first: int) -> ChangeContext:
        payers, since = self._outside if self._tells_fresh else (_EMPTY32, _EMPTY64)
        fees = codes.uses(self._program, codes.CONSISTENT_FEE)
        return ChangeContext(
            kind=frozen(self._store.column("holder_kind")),
            seen=self._highest(first) if self._tells_fresh else -1,
            outside_payer=frozen(payers),
            outside_since=frozen(since),
            places=self._places if codes.uses(self._program, codes.PEELING) else frozen(_EMPTY32),
            fingerprint=self._fingerprints
            if codes.uses(self._program, codes.CONSISTENT, codes.PEELING)
            else frozen(_EMPTY32),
            fee=self._fees if fees else frozen(_EMPTY64),
            base=0,
        )

    def _highest(self, first: int) -> int:
        """The highest holder that outputs of transactions before `first` pay; -1 for none."""
        done, highest = self._seen
        if done > first:
            done, highest = 0, -1
        self._seen = first, max(highest, self._highest_between(done, first))
        return self._seen[1]

    def _highest_between(self, first: int, last: int) -> int:
        if first >= last:
            return -1
        begin, end = self._store.output_range(first).start, self._store.output_range(last - 1).stop
        return int(self._store.column("output_holder")[begin:end].max(initial=0)) if end > begin else -1

    @cached_property
    def _outside(self) -> tuple[Counts32, Offsets]:
        inputs = self._store.column("outside_input")[:]
        return codes.first_outside(self._store.column("input_holder")[inputs.astype(np.int64)], inputs)

    @cached_property
    def _places(self) -> Counts32:
        return frozen(self._features.output_places(self._graph))

    @cached_property
    def _fingerprints(self) -> Counts32:
        wanted = 0
        for code, argument in self._program.tolist():
            wanted |= argument if code == codes.CONSISTENT else 0
        store, ends = self._store, self._store.column("holder_end")
        ordered = bool(wanted & codes.ORDERED_BIT)
        source = FingerprintSource(
            kind=frozen(store.column("holder_kind")),
            block_first_tx=frozen(store.column("block_first_tx")),
            txid=frozen(store.column("tx_txid")),
            outside_txid=frozen(store.column("outside_txid")),
            outside_index=frozen(store.column("outside_index")),
            payload_end=frozen(ends.low),
            payload_carries=frozen(ends.carries),
            payload=frozen(store.column("payload_bytes")),
            places=self._places if ordered else frozen(_EMPTY32),
        )
        return frozen(self._features.fingerprints(self._graph, source, wanted, 0, store.rows("tx")))

    @cached_property
    def _fees(self) -> Offsets:
        return frozen(self._features.fees(self._graph, 0, self._store.rows("tx")))


def change_outputs(
    store: ChainStore,
    rule: Rule | str,
    first: int = 0,
    last: int | None = None,
    *,
    overrules: Iterable[Overrule] = (),
    engine: EngineName = "auto",
) -> npt.NDArray[np.int64]:
    """The change output of each transaction of a range, -1 for none or no answer; see `ChainChanges`."""
    end = store.rows("tx") if last is None else last
    return ChainChanges(store, rule, overrules, engine=engine).outputs(first, end)
