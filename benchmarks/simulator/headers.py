"""What nodes say of a block beyond its bytes: sizes, median time, difficulty, chain work."""

from __future__ import annotations

from dataclasses import dataclass, field

from shieldwall.chain.proof import parse_header
from shieldwall.model.transaction import display
from simulator.blocks import MadeBlock

_EASIEST = 0xFFFF << 208  # the target of difficulty 1 (Bitcoin Core, `rpc/blockchain.cpp`)


@dataclass(frozen=True, slots=True)
class Told:
    """A block's fields as in `getblock`; hashes in display order."""

    hash: str
    previous: str | None
    merkle_root: str
    version: int
    time: int
    median_time: int
    nonce: int
    bits: str
    difficulty: float
    chainwork: str
    size: int
    stripped_size: int
    weight: int
    coinbase_script: str


@dataclass(slots=True)
class Headers:
    """Takes blocks in order and keeps what the next one's fields need."""

    _times: list[int] = field(default_factory=list)
    _work: int = 0

    def tell(self, block: MadeBlock) -> Told:
        """The fields of the next block."""
        header = parse_header(block.header)
        self._work += header.work
        self._times = [*self._times[-10:], header.time]
        count = block.last - block.first
        frame = 81 if count < 0xFD else 83
        size = frame + int(block.places[-1, 2])
        start, witness, end = block.places[:, 0], block.places[:, 1], block.places[:, 2]
        spare = int((end - 4 - witness + 2)[witness > 0].sum()) if (witness > start).any() else 0
        stripped = size - spare
        script_size = int(block.data[41])
        return Told(
            hash=display(header.hash),
            previous=display(header.previous) if block.height else None,
            merkle_root=display(header.merkle_root),
            version=header.version,
            time=header.time,
            median_time=sorted(self._times)[len(self._times) // 2],
            nonce=int.from_bytes(block.header[76:80], "little"),
            bits=block.header[72:76][::-1].hex(),
            difficulty=_EASIEST / header.target,
            chainwork=f"{self._work:064x}",
            size=size,
            stripped_size=stripped,
            weight=3 * stripped + size,
            coinbase_script=block.data[42 : 42 + script_size].tobytes().hex(),
        )
