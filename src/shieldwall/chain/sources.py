"""Tell what the sources on the command line are, and give each its reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shieldwall.chain.openfiles import KEY_FILE, key_of, plain
from shieldwall.chain.readers.blockfiles import BlockFileReader, looks_like_block_file
from shieldwall.chain.readers.esplora_files import EsploraFileReader, looks_like_esplora
from shieldwall.chain.readers.esplora_http import EsploraHttpReader, Fetch
from shieldwall.chain.readers.facts import FORMAT as FACTS
from shieldwall.chain.readers.facts import FactFileReader, network_of
from shieldwall.chain.readers.interface import Reader
from shieldwall.chain.readers.rawblocks import RawBlockReader, is_undo
from shieldwall.errors import BadInput, UsageError, WrongNetwork
from shieldwall.model.network import MAIN, Network, by_magic

_HEAD = 4096  # bytes that tell what a file is


@dataclass(slots=True)
class Sources:
    """What was found: readers in a fixed order, and files that are nothing of ours.

    Attributes:
        readers: One per kind of source.
        network: The network of all of them.
        size: Bytes of all files, for choosing kernels and keeping raw bytes.
        node_files: True when whole files of a node are among them.
        skipped: Files of a folder that are no source.
    """

    readers: list[Reader] = field(default_factory=list)
    network: Network = MAIN
    size: int = 0
    node_files: bool = False
    skipped: list[Path] = field(default_factory=list)


def find_sources(
    names: Sequence[str],
    network: Network | None,
    *,
    height: int | None = None,
    hops: int = 0,
    allow_remote: bool = False,
    fetch: Fetch | None = None,
) -> Sources:
    """Readers for files, folders and URLs.

    Args:
        names: Paths, or URLs of an Esplora instance with what to fetch.
        network: Of the store or the command line; None takes what the sources name, else the main network.
        height: Height of a single block file whose coinbase does not carry it.
        hops: Spends onward to fetch from an Esplora instance.
        allow_remote: An Esplora instance may be beyond this machine.
        fetch: Transport for URLs.

    Raises:
        UsageError: A source does not exist, or nothing was named.
        BadInput: A file that was named is none of the forms.
    """
    found = Sources()
    files = _Files()
    urls = [name for name in names if "://" in name]
    for name in names:
        if name not in urls:
            _sort_in(Path(name), files, found)
    if height is not None and len(files.raw) != 1:
        raise UsageError(f"--height is for one block file; {len(files.raw)} were named")
    found.network = _network(files, network)
    found.node_files = bool(files.node)
    if files.node:
        found.readers.append(BlockFileReader(files.node))
    if files.raw:
        found.readers.append(RawBlockReader(files.raw, height))
    if files.esplora:
        found.readers.append(EsploraFileReader(files.esplora, found.network))
    if files.facts:
        found.readers.append(FactFileReader(files.facts, found.network))
    for url in urls:
        found.readers.append(EsploraHttpReader(url, found.network, hops=hops, allow_remote=allow_remote, fetch=fetch))
    if not found.readers:
        raise UsageError(
            f"nothing to build from in {', '.join(names)} (folders inside a folder are not entered)",
            hint="name block files, raw blocks, Esplora answers or fact files",
        )
    found.size = sum(path.stat().st_size for path in files.all())
    return found


@dataclass(slots=True)
class _Files:
    node: list[Path] = field(default_factory=list)
    raw: list[Path] = field(default_factory=list)
    esplora: list[Path] = field(default_factory=list)
    facts: list[Path] = field(default_factory=list)

    def all(self) -> list[Path]:
        return [*self.node, *self.raw, *self.esplora, *self.facts]

    def of(self, kind: str) -> list[Path] | None:
        return {"node": self.node, "raw": self.raw, "esplora": self.esplora, "facts": self.facts}.get(kind)


def _sort_in(path: Path, files: _Files, found: Sources) -> None:
    """Put a named file, or the files of a named folder, where they belong."""
    if path.is_dir():
        for file in sorted(entry for entry in path.iterdir() if entry.is_file()):
            kind = _kind(file)
            if kind == "raw" and file.suffix == ".json" and not _names_block(file):
                kind = "other"
            group = files.of(kind)
            if group is not None:
                group.append(file)
            elif kind == "other":
                found.skipped.append(file)
    elif path.is_file():
        kind = _kind(path)
        group = files.of(kind)
        if group is None:
            raise BadInput(
                f"{path}: no block file, raw block, Esplora answer or fact file",
                hint="undo files are found beside their blocks: name the block" if kind == "beside" else "",
            )
        group.append(path)
    else:
        raise UsageError(f"{path}: no such file or folder")


def _network(files: _Files, wanted: Network | None) -> Network:
    """The network that all agree on: the wanted one, those that files name by magic or heading; else the main one."""
    named = [(path, by_magic(plain(_head(path), 0, key_of(path.parent))[:4])) for path in files.node]
    named += [(path, network_of(path)) for path in files.facts]
    chosen, by = wanted, "the store or --network"
    for path, network in named:
        if network is not None and chosen is None:
            chosen, by = network, str(path)
        if network is not None and chosen is not None and chosen != network:
            raise WrongNetwork(
                f"{path} is of {network.name}, and {by} says {chosen.name}",
                hint="give another --chain folder for that network",
            )
    return chosen or MAIN


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
    if name == KEY_FILE:
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
