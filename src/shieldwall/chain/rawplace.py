"""Where the transactions of a block stand in its raw bytes: found by decoding, and remembered for the last blocks asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shieldwall.chain.openfiles import key_of, plain
from shieldwall.errors import BadInput, StoreError
from shieldwall.kernels.arrays import DecodeFault, Rules
from shieldwall.kernels.engine import COMPILED_FROM, kernel

_MOST_REMEMBERED = 16  # blocks

Places = list[tuple[int, int]]


class RawPlaces:
    """Takes raw blocks apart, a few of them remembered.

    Args:
        rules: What the store's network lets its transactions be.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[int, Places] = {}
        self._read = 0  # bytes that were taken apart so far

    def of(self, block: int, data: bytes, count: int) -> Places:
        """(first byte, one past the last) of each transaction of a block.

        Raises:
            StoreError: The bytes are not those of so many transactions.
        """
        places = self._known.pop(block, None)
        if places is None:
            self._read += len(data)  # whoever asks for many blocks gets the form that is worth its loading
            decode = kernel("decoding", compiled=self._read >= COMPILED_FROM).decode
            start, counts, limit = (np.array([number], np.int64) for number in (0, count, len(data)))
            try:
                decoded = decode(np.frombuffer(data, np.uint8), start, counts, limit, self._rules)
            except DecodeFault as fault:
                raise StoreError(
                    f"the raw bytes of block {block}: transaction {fault.transaction} {fault}",
                    hint="the source was changed since the store was built: put it back, or build again",
                ) from None
            places = list(zip(decoded.start.tolist(), decoded.end.tolist(), strict=True))
        while len(self._known) >= _MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[block] = places
        return places

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Bytes of a source file.

        Raises:
            StoreError: It is gone or has been cut.
        """
        try:
            with Path(path).open("rb") as source:
                source.seek(offset)
                data = plain(source.read(length), offset, key_of(Path(path).parent))
        except (OSError, BadInput) as error:
            raise StoreError(
                f"{path}: the source of this store cannot be read ({error})",
                hint="put the block files back where they were when the store was built",
            ) from None
        if len(data) != length:
            raise StoreError(f"{path}, offset {offset}: the source has been cut since the store was built")
        return data
