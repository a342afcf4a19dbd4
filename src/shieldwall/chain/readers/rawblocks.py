"""Single blocks as files: raw bytes (`.raw` `.blk` `.bin` `.dat`), hex text, or JSON with the block as hex.

`NAME-undo.raw` beside `NAME.raw` gives the outputs that the block spends.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from shieldwall.chain.proof import HEADER_SIZE, claimed_height, parse_header
from shieldwall.chain.readers.blockfiles import (
    LEAST_TRANSACTION,
    MAX_BLOCK,
    check_header,
    coinbase_script,
    transaction_count,
)
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.chain.readers.undo import parse_plain_undo
from shieldwall.errors import BadBlock, BadInput
from shieldwall.model.network import MAIN, Network
from shieldwall.model.transaction import display

UNDO_SUFFIX = "-undo.raw"
_MOST_TEXT = 8 * MAX_BLOCK  # bytes of hex or JSON that one block may take


class RawBlockReader(Reader):
    """Reads one block a file.

    Args:
        files: The block files.
        height: Height of the block, for a single file whose coinbase does not carry it.
        network: Whose blocks they are.
    """

    def __init__(self, files: Sequence[Path], height: int | None = None, network: Network = MAIN) -> None:
        self._files = list(files)
        self._height = height
        self._network = network

    def survey(self, progress: Progress) -> Survey:
        """Read every header."""
        found = Survey()
        for number, path in enumerate(self._files):
            block = read_block(path, self._network)
            place = Place(str(path))
            if len(block) < HEADER_SIZE + LEAST_TRANSACTION + 1:
                raise BadBlock(f"{path}: {len(block)} bytes are less than the smallest block")
            header = check_header(parse_header(block[:HEADER_SIZE]), place, self._network)
            claimed = claimed_height(header.version, coinbase_script(block[HEADER_SIZE : HEADER_SIZE + 320]))
            if self._height is not None and claimed not in (None, self._height):
                raise BadBlock(
                    f"{path}: the coinbase carries height {claimed}, and --height says {self._height}",
                    hint="leave --height out",
                )
            ref = BlockRef(
                hash=header.hash,
                previous=header.previous,
                height=claimed if self._height is None else self._height,
                time=header.time,
                work=header.work,
                header=header.raw,
                whole=True,
                size=len(block),
                place=place,
                reader=self,
                key=number,
            )
            found.blocks.append(ref)
            progress("reading headers", number + 1, len(self._files))
        return found

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks as the files hold them."""
        for ref in refs:
            block = read_block(self._files[ref.key], self._network)
            if block[:HEADER_SIZE] != ref.header:
                raise BadBlock(f"{ref.place}: the file changed while it was read", hint="build again")
            count, width = transaction_count(block, ref.place)
            yield RawBlock(ref, count, block[HEADER_SIZE + width :])

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """From the undo file beside the block."""
        path = self._files[ref.key]
        beside = path.with_name(path.stem + UNDO_SUFFIX)
        if not beside.is_file():
            return None
        return parse_plain_undo(_read_bounded(beside), str(beside), self._network.max_money)


def is_undo(path: Path) -> bool:
    """True for a file that belongs to a block beside it and is no block itself."""
    return path.name.endswith(UNDO_SUFFIX)


def read_block(path: Path, network: Network = MAIN) -> bytes:
    """A block's bytes, whatever form the file has.

    Raises:
        BadInput: JSON without a block, hex with a stray character, or more than a block can take.
    """
    raw = _read_bounded(path)
    if len(raw) >= HEADER_SIZE and parse_header(raw[:HEADER_SIZE]).carries_work(network.work):
        return raw  # a version may look like the first character of JSON
    start = raw[:64].lstrip()[:1]
    if start in (b"{", b"["):
        return _block_of_json(raw, path)
    if raw[:160].strip() and not raw[:160].translate(None, b"0123456789abcdefABCDEF \r\n\t"):
        return _unhex(raw.decode("ascii", "replace"), str(path))
    return raw


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(_MOST_TEXT + 1)
    if len(raw) > _MOST_TEXT:
        raise BadInput(f"{path}: more than {_MOST_TEXT} bytes; that is more than one block can take")
    return raw


def _block_of_json(raw: bytes, path: Path) -> bytes:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: not JSON ({error})") from None
    if not isinstance(content, dict) or not isinstance(content.get("block"), str):
        raise BadInput(
            f"{path}: JSON without a block as hex in its field 'block'",
            hint="a node's own answer must hold the transactions: getblock HASH 2",
        )
    block = _unhex(content["block"], f"{path}, field 'block'")
    named = content.get("hash")
    if isinstance(named, str) and len(block) >= HEADER_SIZE:
        own = display(parse_header(block[:HEADER_SIZE]).hash)
        if named.lower() != own:
            raise BadBlock(f"{path}: the file names block {named}, and its bytes are block {own}")
    return block


def _unhex(text: str, place: str) -> bytes:
    try:
        return binascii.unhexlify("".join(text.split()))
    except ValueError as error:
        raise BadInput(f"{place}: not hex ({error})") from None
