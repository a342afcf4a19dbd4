"""What sources know of the outputs that a block's inputs spend, united over all sources that have the block."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.chain.batch import Batch
from shieldwall.chain.readers.interface import BlockRef, Previous
from shieldwall.chain.readers.loose import LooseReader
from shieldwall.errors import BadBlock

Answer = list[Previous | None]


def ask_sources(batch: Batch, number: int, helpers: Sequence[BlockRef]) -> Answer | None:
    """The outputs that a block's inputs spend, one entry an input without the coinbase's; None when nobody knows any.

    Args:
        batch: The batch.
        number: The block in it.
        helpers: Further references of the same block, whole or not.

    Raises:
        BadBlock: A source gives another number of spent outputs than the block has inputs.
        BadInput: A source is broken.
    """
    ref = batch.blocks[number].ref
    edges = batch.first_input[batch.first_tx]
    inputs = int(edges[number + 1] - edges[number])
    united: Answer | None = None
    for source in (ref, *helpers):
        if source is ref or source.whole:
            answer = source.reader.previous_outputs(source)
        else:
            answer = _by_transaction(batch, number, source)
        if answer is None:
            continue
        if len(answer) != inputs:
            raise BadBlock(
                f"{source.place}: {len(answer)} spent outputs are given for the {inputs} inputs of the block"
            )
        united = answer if united is None else [_better(a, b) for a, b in zip(united, answer, strict=True)]
    return united


def _better(first: Previous | None, second: Previous | None) -> Previous | None:
    return second if first is None or (first.value is None and second is not None) else first


def _by_transaction(batch: Batch, number: int, source: BlockRef) -> Answer | None:
    """The answer of a source that has only some of the block's transactions."""
    if not isinstance(source.reader, LooseReader):
        return None
    known = {transaction.txid: transaction.previous for transaction in source.reader.transactions(source)}
    answer: Answer = []
    for tx in range(int(batch.first_tx[number]), int(batch.first_tx[number + 1])):
        inputs = int(batch.first_input[tx + 1] - batch.first_input[tx])
        answer += known.get(batch.txids[tx].tobytes(), (None,) * inputs)
    return answer
