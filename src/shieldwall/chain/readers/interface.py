"""The seam between sources and the chain store.

A reader answers three questions: which blocks are there (`survey`), what are their transactions (`load`), and which
outputs did their inputs spend, where the source knows (`previous_outputs`). Transactions travel as raw bytes, whatever
the source's form, so that one decoder, one txid proof and one store serve all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from shieldwall.kernels.arrays import Bytes
from shieldwall.model.network import Network

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and its total (0 when not known)."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a source, for messages and for finding raw bytes again."""

    file: str
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.file}, offset {self.offset}" if self.offset else self.file


@dataclass(frozen=True, slots=True, eq=False)
class BlockRef:
    """A block that a source has.

    Attributes:
        hash: Internal byte order.
        previous: Hash of the block before; None when the source does not tell.
        height: As the source or the coinbase claims; None when nobody does.
        time: Unix seconds of the header.
        work: Expected hashes of its own header; 0 without one.
        header: The 80 bytes, None when the source has no header.
        whole: True when all transactions are there.
        size: Bytes of its transactions, for batching.
        place: Where it stands.
        reader: Who loads it.
        key: The reader's own handle.
        proven: False when all may be there, and its merkle root is by request not to be checked; `whole` is False then.
    """

    hash: bytes
    previous: bytes | None
    height: int | None
    time: int
    work: int
    header: bytes | None
    whole: bool
    size: int
    place: Place
    reader: Reader
    key: int
    proven: bool = True


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block's transactions as bytes.

    Attributes:
        ref: Which block.
        count: Transactions.
        data: Their serialisations one after the other; more bytes after the last are an error.
        file: Absolute path of the file in which these bytes stand as they are, None when they were put together.
        offset: Where `data` begins in that file.
        txids: uint8[count, 32] as the source names them, to be taken unproven; None where they are to be computed.
    """

    ref: BlockRef
    count: int
    data: bytes | memoryview
    file: str | None = None
    offset: int = 0
    txids: Bytes | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """The output that an input spends, as the source gives it.

    Attributes:
        value: Satoshi; None when the source does not give it.
        script: The locking script.
        script_known: False when the source gives the value alone; `script` is empty then and means nothing.
    """

    value: int | None
    script: bytes
    script_known: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source says of an output's spend as of a height; `spender` is an internal txid, None for unspent."""

    txid: bytes
    index: int
    height: int
    spender: bytes | None


@dataclass(slots=True)
class Survey:
    """What a source holds.

    Attributes:
        network: The network that the source's own bytes name, None when they name none.
        blocks: Its blocks, in the source's order.
        statements: What it says of spends.
        duplicates: Blocks or transactions met more than once.
        unconfirmed: Transactions without a block, left aside.
        notes: What a person should know of it.
    """

    network: Network | None = None
    blocks: list[BlockRef] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    duplicates: int = 0
    unconfirmed: int = 0
    notes: list[str] = field(default_factory=list)


class Reader(ABC):
    """A source of blocks and transactions.

    Attributes:
        beside: True when `load` may run in one thread while another asks for `previous_outputs`.
    """

    beside = False

    @abstractmethod
    def survey(self, progress: Progress) -> Survey:
        """Find what is there; reads headers, and no more of a block than its identity needs.

        Raises:
            BadInput: The source is broken; the message names file and place.
        """

    @abstractmethod
    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """The blocks of `refs` (all of this reader), in that order.

        Raises:
            BadInput: The source is broken; the message names file and place.
        """

    @abstractmethod
    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """What each non-coinbase input of `ref` spends, in order; None when this source does not know.

        Raises:
            BadInput: The source is broken, or has not as many as the block has inputs.
        """

    def remarks(self) -> list[str]:
        """What loading has shown that a person should know; asked for after the last `load`."""
        return []

    def close(self) -> None:  # noqa: B027 - most readers hold nothing
        """Let go of files."""
