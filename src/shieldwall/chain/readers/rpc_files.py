"""Blocks saved as a node's answers: one `getblock HASH 2` or `3` a file, bare or in its JSON-RPC envelope."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shieldwall.chain.readers import rpc_json
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.chain.readers.jsonfields import parse_json
from shieldwall.errors import BadBlock, BadInput
from shieldwall.model.network import Network

_MOST_BYTES = 256 << 20  # of one file: a block of 4 MB with what it spends, as JSON with hex, takes tens of MB
_FORM = re.compile(r'"merkleroot"\s*:')
_BODY = re.compile(r'"tx"\s*:\s*\[\s*\{')  # verbosity 1 has ids in place of transactions


def looks_like_rpc_block(head: str) -> bool:
    """True when a file's first characters could be a `getblock` answer."""
    return head.startswith("{") and _FORM.search(head) is not None and _BODY.search(head) is not None


class RpcFileReader(Reader):
    """Reads saved `getblock` answers; one is held in memory at a time.

    Args:
        files: The files.
        network: Whose blocks they are.
    """

    def __init__(self, files: Sequence[Path], network: Network) -> None:
        self._files = list(files)
        self._network = network

    def survey(self, progress: Progress) -> Survey:
        """Read every file's header."""
        found = Survey()
        for number, path in enumerate(self._files):
            place = Place(str(path))
            body = _block_in(path)
            header, height = rpc_json.header(body, place, self._network)
            found.blocks.append(
                BlockRef(
                    hash=header.hash,
                    previous=header.previous,
                    height=height,
                    time=header.time,
                    work=header.work,
                    header=header.raw,
                    whole=True,
                    size=sum(len(raw) for raw in rpc_json.transactions(body, str(place), self._network)),
                    place=place,
                    reader=self,
                    key=number,
                )
            )
            progress("reading blocks", number + 1, len(self._files))
        return found

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks put together from their transactions."""
        for ref in refs:
            raws = rpc_json.transactions(self._body(ref), str(ref.place), self._network)
            yield RawBlock(ref, len(raws), b"".join(raws))

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """As `prevout` gives them (verbosity 3)."""
        return rpc_json.previous_outputs(self._body(ref), str(ref.place), self._network)

    def _body(self, ref: BlockRef) -> Any:  # noqa: ANN401
        body = _block_in(self._files[ref.key])
        if rpc_json.header(body, ref.place, self._network)[0].raw != ref.header:
            raise BadBlock(f"{ref.place}: the file changed while it was read", hint="build again")
        return body


def _block_in(path: Path) -> Any:  # noqa: ANN401
    """The block, out of its envelope."""
    with path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise BadInput(f"{path}: more than {_MOST_BYTES} bytes; that is more than one block can take")
    body = parse_json(raw.decode("utf-8-sig", "replace"), str(path))
    if isinstance(body, dict) and isinstance(body.get("result"), dict):
        return body["result"]
    return body
