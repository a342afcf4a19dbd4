"""A chain store as a source: its own blocks, when it must be written anew with others between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shieldwall.chain.columns import HEADER, NO_HEIGHT, STATED_UNSPENT, WHOLE
from shieldwall.chain.proof import parse_header, rules_of
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Statement, Survey
from shieldwall.chain.readers.loose import LooseReader, LooseTransaction, parse_loose
from shieldwall.chain.store import ChainStore
from shieldwall.model.script import assemble


class StoredReader(LooseReader):
    """Reads a committed store."""

    def __init__(self, store: ChainStore) -> None:
        super().__init__()
        self._store = store

    @property
    def source(self) -> str:
        """The store's folder."""
        return str(self._store.folder)

    def gather(self, found: Survey, progress: Progress) -> None:
        """Nothing to gather: the store is read where it lies."""

    def survey(self, progress: Progress) -> Survey:  # noqa: ARG002 - headers only
        """The store's blocks in their order, and its statements."""
        store = self._store
        found = Survey(network=store.network)
        blocks = store.rows("block")
        headers, hashes, lengths = (store.column(f"block_{f}") for f in ("header", "hash", "raw_length"))
        flags_of, heights, times = (store.column(f"block_{f}").tolist() for f in ("flags", "height", "time"))
        for number in range(blocks):
            flags, height = flags_of[number], heights[number]
            raw = headers[number].tobytes() if flags & HEADER else None
            header = parse_header(raw) if raw else None
            found.blocks.append(
                BlockRef(
                    hash=hashes[number].tobytes(),
                    previous=header.previous if header else None,
                    height=None if height == NO_HEIGHT else height,
                    time=times[number],
                    work=header.work if header else 0,
                    header=raw,
                    whole=bool(flags & WHOLE),
                    size=int(lengths[number]),
                    place=Place(f"{store.folder}, block {number}"),
                    reader=self,
                    key=number,
                )
            )
        for row in range(store.rows("stated")):
            output = int(store.column("stated_output")[row])
            maker = store.transaction_of(output)
            index = output - int(store.column("tx_first_output")[maker])
            spender = store.column("stated_txid")[row].tobytes()
            found.statements.append(
                Statement(
                    store.column("tx_txid")[maker].tobytes(),
                    index,
                    int(store.column("stated_height")[row]),
                    None if spender == STATED_UNSPENT else spender,
                )
            )
        return found

    def _numbers(self, ref: BlockRef) -> range:
        firsts = self._store.column("block_first_tx")
        last = int(firsts[ref.key + 1]) if ref.key + 1 < len(firsts) else self._store.rows("tx")
        return range(int(firsts[ref.key]), last)

    def transactions(self, ref: BlockRef) -> list[LooseTransaction]:
        """The transactions of a block, in the store's order."""
        rules = rules_of(self._store.network)
        return [
            parse_loose(self._store.raw(number), self._spent(number), str(ref.place), rules)
            for number in self._numbers(ref)
        ]

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks from the store's raw bytes."""
        files, offsets = self._store.column("block_raw_file"), self._store.column("block_raw_offset")
        for ref in refs:
            file = int(files[ref.key])
            source = self._store.manifest.files[file - 1] if file else None
            data = self._store.raw_block(ref.key)
            yield RawBlock(ref, len(self._numbers(ref)), data, source, int(offsets[ref.key]) if file else 0)

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """What the store knows of outputs that are not in it."""
        return [entry for number in self._numbers(ref) for entry in self._spent(number)]

    def _spent(self, number: int) -> list[Previous | None]:
        found: list[Previous | None] = []
        for entry in self._store.inputs(number):
            if entry.holder is None:
                found.append(None if entry.value is None else Previous(entry.value, b"", script_known=False))
            else:
                found.append(Previous(entry.value, assemble(self._store.holder(entry.holder))))
        return found
