"""One block of which several sources know different transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shieldwall.chain.readers.interface import BlockRef, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.chain.readers.loose import LooseReader, LooseTransaction, in_order, raw_block


class MergedReader(Reader):
    """Unites partial blocks with the same hash; each transaction once, with every previous output that anyone knows."""

    def __init__(self) -> None:
        self._parts: list[list[BlockRef]] = []

    def unite(self, parts: Sequence[BlockRef]) -> BlockRef:
        """One reference for several partial ones of the same block."""
        self._parts.append(list(parts))
        return replace(parts[0], size=sum(part.size for part in parts), reader=self, key=len(self._parts) - 1)

    def survey(self, progress: Progress) -> Survey:  # noqa: ARG002 - the parts have been surveyed
        """Nothing of its own."""
        return Survey()

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks with what all parts know."""
        for ref in refs:
            yield raw_block(ref, self._transactions(ref))

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """What any part knows."""
        return [entry for transaction in self._transactions(ref) for entry in transaction.previous]

    def _transactions(self, ref: BlockRef) -> list[LooseTransaction]:
        united: dict[bytes, LooseTransaction] = {}
        for part in self._parts[ref.key]:
            if not isinstance(part.reader, LooseReader):
                continue
            for transaction in part.reader.transactions(part):
                known = united.get(transaction.txid)
                if known is not None:
                    pairs = zip(known.previous, transaction.previous, strict=True)
                    transaction = replace(known, previous=tuple(a or b for a, b in pairs))  # noqa: PLW2901
                united[transaction.txid] = transaction
        return in_order(list(united.values()))
