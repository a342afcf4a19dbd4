"""Tell what the sources on the command line are, and give each its reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shieldwall.chain.readers.blockfiles import BlockFileReader, looks_like_block_file
from shieldwall.chain.readers.esplora_files import EsploraFileReader, looks_like_esplora
from shieldwall.chain.readers.esplora_http import EsploraHttpReader, Fetch
from shieldwall.chain.readers.facts import FORMAT as FACTS
from shieldwall.chain.readers.facts import FactFileReader, network_of
from shieldwall.chain.readers.interface import Reader
from shieldwall.chain.readers.rawblocks import RawBlockReader, is_undo
from shieldwall.errors import BadInput, UsageError
from shieldwall.model.network import Network, by_magic

_HEAD = 4096  # bytes that tell what a file is


@dataclass(slots=True)
class Sources:
    """What was found: readers in a fixed order, and files that are nothing of ours.

    Attributes:
        readers: One per kind of source.
        network: The network that files name by magic or heading; None when none does.
        size: Bytes of all files, for choosing kernels and keeping raw bytes.
        node_files: True when whole files of a node are among them.
        skipped: Files of a folder that are no source.
    """

    readers: list[Reader] = field(default_factory=list)
    network: Network | None = None
    size: int = 0
    node_files: bool = False
    skipped: list[Path] = field(default_factory=list)


def find_sources(
    names: Sequence[str],
    network: Network,
    *,
    height: int | None = None,
    hops: int = 0,
    allow_remote: bool = False,
    fetch: Fetch | None = None,
) -> Sources:
    """Readers for files, folders and URLs.

    Args:
        names: Paths, or URLs of an Esplora instance with what to fetch.
        network: For sources that name none themselves.
        height: Height of a single block file whose coinbase does not carry it.
        hops: Spends onward to fetch from an Esplora instance.
        allow_remote: An Esplora instance may be beyond this machine.
        fetch: Transport for URLs.

    Raises:
        UsageError: A source does not exist, or nothing was named.
        BadInput: A file that was named is none of the forms.
    """
    found = Sources()
    kinds: dict[str, list[Path]] = {"node": [], "raw": [], "esplora": [], "facts": []}
    for name in names:
        if "://" in name:
            reader = EsploraHttpReader(name, network, hops=hops, allow_remote=allow_remote, fetch=fetch)
            found.readers.append(reader)
            continue
        path = Path(name)
        if path.is_dir():
            for file in sorted(entry for entry in path.iterdir() if entry.is_file()):
                kind = _kind(file)
                if kind == "raw" and file.suffix == ".json" and not _names_block(file):
                    kind = "other"
                if kind in kinds:
                    kinds[kind].append(file)
                elif kind == "other":
                    found.skipped.append(file)
        elif path.is_file():
            kind = _kind(path)
            if kind not in kinds:
                raise BadInput(
                    f"{path}: no block file, raw block, Esplora answer or fact file",
                    hint="undo files are found beside their blocks: name the block" if kind == "beside" else "",
                )
            kinds[kind].append(path)
        else:
            raise UsageError(f"{name}: no such file or folder")
    if kinds["node"]:
        found.network = by_magic(_head(kinds["node"][0])[:4])
        found.node_files = True
        found.readers.append(BlockFileReader(kinds["node"]))
    if height is not None and len(kinds["raw"]) != 1:
        raise UsageError(f"--height is for one block file; {len(kinds['raw'])} were named")
    if kinds["raw"]:
        found.readers.append(RawBlockReader(kinds["raw"], height))
    if kinds["esplora"]:
        found.readers.append(EsploraFileReader(kinds["esplora"], network))
    if kinds["facts"]:
        found.network = found.network or network_of(kinds["facts"][0])
        found.readers.append(FactFileReader(kinds["facts"], found.network))
    if not found.readers:
        raise UsageError("nothing to build from", hint="name block files, raw blocks, Esplora answers or fact files")
    found.size = sum(path.stat().st_size for paths in kinds.values() for path in paths)
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _names_block(path: Path) -> bool:
    """True when the start of a JSON file looks like a block; a folder may hold any JSON."""
    return re.search(rb'"merkleroot"|"block"\s*:\s*"[0-9a-fA-F]{160}', _head(path)) is not None


def _kind(path: Path) -> str:
    """node, raw, esplora, facts; beside (belongs to another file) or other."""
    name = path.name
    if is_undo(path) or (name.startswith("rev") and name.endswith(".dat")):
        return "beside"
    if name == "xor.dat":
        if any(path.read_bytes()):
            raise BadInput(
                f"{path}: the node scrambles its block files with this key, which this version does not undo yet",
                hint="start the node once with -blocksxor=0 and a fresh blocks folder, or use another source",
            )
        return "beside"
    head = _head(path)
    if looks_like_block_file(head) or (name.startswith("blk") and name.endswith(".dat")):
        return "node"
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{") and FACTS.partition("/")[0] in text[:200]:
        return "facts"
    if looks_like_esplora(text):
        return "esplora"
    suffixes = (".raw", ".blk", ".bin", ".dat", ".hex")
    if name.endswith(suffixes) or (name.endswith(".json") and text.startswith("{")):
        return "raw"
    return "other"
