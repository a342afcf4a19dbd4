"""Tell what the sources on the command line are, and give each its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from shieldwall.chain.openfiles import KEY_FILE, key_of, plain
from shieldwall.chain.readers.blockfiles import BlockFileReader, looks_like_block_file, network_of_frame
from shieldwall.chain.readers.esplora_files import EsploraFileReader, looks_like_esplora
from shieldwall.chain.readers.esplora_http import EsploraHttpReader, Fetch
from shieldwall.chain.readers.etl_json import EtlReader, looks_like_etl
from shieldwall.chain.readers.facts import FORMAT as FACTS
from shieldwall.chain.readers.facts import FactFileReader, network_of
from shieldwall.chain.readers.interface import Reader
from shieldwall.chain.readers.parquet import ParquetOptions, ParquetReader, looks_like_parquet, parquet_files
from shieldwall.chain.readers.rawblocks import RawBlockReader, is_undo
from shieldwall.chain.readers.rpc import RpcReader, network_of_node
from shieldwall.chain.readers.rpc_client import Login, Post, RpcClient, is_rpc_url
from shieldwall.chain.readers.rpc_files import RpcFileReader, looks_like_rpc_block
from shieldwall.errors import BadInput, UsageError, WrongNetwork
from shieldwall.model.network import MAIN, Network

_HEAD = 4096  # bytes that tell what a file is


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a node that is asked over JSON-RPC, or a table, needs to be told.

    Attributes:
        login: Where credentials come from, for URLs that carry none.
        first: Height of the first block to be read.
        confirmations: Blocks with fewer are left for later; 1 takes the tip.
        post: Transport; None for HTTP.
        parquet: What to prove of Parquet files, and from when on.
    """

    login: Login | None = None
    first: int = 0
    confirmations: int = 1
    post: Post | None = None
    parquet: ParquetOptions = field(default_factory=ParquetOptions)


@dataclass(slots=True)
class Sources:
    """What was found: readers in a fixed order, and files that are nothing of ours.

    Attributes:
        readers: One per kind of source.
        network: The network of all of them.
        size: Bytes of all files, for choosing kernels and keeping raw bytes.
        node_files: True when a node's whole files, or the node itself, are among them.
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
    options: SourceOptions | None = None,
) -> Sources:
    """Readers for files, folders and URLs.

    Args:
        names: Paths, URLs of a node's JSON-RPC, or URLs of an Esplora instance with what to fetch.
        network: Of the store or the command line; None takes what the sources name, else the main network.
        height: Height of a single block file whose coinbase does not carry it.
        hops: Spends onward to fetch from an Esplora instance.
        allow_remote: A node or an Esplora instance may be beyond this machine.
        fetch: Transport for URLs of Esplora.
        options: For URLs of nodes, and for Parquet.

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
    options = options or SourceOptions()
    nodes = _clients(urls, network, options, allow_remote=allow_remote)
    found.network = _network(files, network, nodes)
    found.node_files = bool(files.node or nodes)
    found.readers += _file_readers(files, found.network, height, options)
    for client in nodes:
        found.readers.append(RpcReader(client, found.network, first=options.first, confirmations=options.confirmations))
    for url in urls:
        if is_rpc_url(url):
            continue
        found.readers.append(EsploraHttpReader(url, found.network, hops=hops, allow_remote=allow_remote, fetch=fetch))
    if not found.readers:
        raise UsageError(
            f"nothing to build from in {', '.join(names)} (folders inside a folder are not entered)",
            hint="name block files, raw blocks, a node's or Esplora's answers, fact files, Parquet or bitcoin-etl files",
        )
    found.size = sum(path.stat().st_size for path in files.all())
    return found


@dataclass(slots=True)
class _Files:
    node: list[Path] = field(default_factory=list)
    raw: list[Path] = field(default_factory=list)
    esplora: list[Path] = field(default_factory=list)
    facts: list[Path] = field(default_factory=list)
    rpc: list[Path] = field(default_factory=list)
    parquet: list[Path] = field(default_factory=list)
    etl: list[Path] = field(default_factory=list)

    def all(self) -> list[Path]:
        return [path for group in self._groups().values() for path in group]

    def of(self, kind: str) -> list[Path] | None:
        return self._groups().get(kind)

    def _groups(self) -> dict[str, list[Path]]:
        return {
            "node": self.node,
            "raw": self.raw,
            "esplora": self.esplora,
            "facts": self.facts,
            "rpc": self.rpc,
            "parquet": self.parquet,
            "etl": self.etl,
        }


def _file_readers(files: _Files, network: Network, height: int | None, options: SourceOptions) -> list[Reader]:
    """One reader for each kind of file that is there."""
    readers: list[Reader] = []
    if files.node:
        readers.append(BlockFileReader(files.node, network))
    if files.raw:
        readers.append(RawBlockReader(files.raw, height, network))
    if files.esplora:
        readers.append(EsploraFileReader(files.esplora, network))
    if files.facts:
        readers.append(FactFileReader(files.facts, network))
    if files.rpc:
        readers.append(RpcFileReader(files.rpc, network))
    if files.parquet:
        readers.append(ParquetReader(files.parquet, network, options.parquet))
    if files.etl:
        readers.append(EtlReader(files.etl, network))
    return readers


def _sort_in(path: Path, files: _Files, found: Sources) -> None:
    """Put a named file, or the files of a named folder, where they belong."""
    tables = parquet_files(path) if path.is_dir() else []
    if tables:
        files.parquet += [file for file in tables if file not in files.parquet]
    elif path.is_dir():
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
                f"{path}: no block file, raw block, answer of a node or of Esplora, fact file, Parquet or bitcoin-etl file",
                hint="undo files are found beside their blocks: name the block" if kind == "beside" else "",
            )
        group.append(path)
    else:
        raise UsageError(f"{path}: no such file or folder")


def _clients(
    urls: Sequence[str], network: Network | None, options: SourceOptions, *, allow_remote: bool
) -> list[RpcClient]:
    port = (network or MAIN).rpc_port
    return [
        RpcClient(url, login=options.login, port=port, allow_remote=allow_remote, post=options.post)
        for url in urls
        if is_rpc_url(url)
    ]


def _network(files: _Files, wanted: Network | None, nodes: Sequence[RpcClient]) -> Network:
    """The network that all agree on: the wanted one, those that sources name (magic, heading, block 0); else the main one.

    A node is asked only where nothing else has told; its reader holds it to the network later.
    """
    chosen, by = wanted, "the store or --network"
    named: list[tuple[Path, Callable[[Path], Network | None]]] = []
    named += [
        (path, lambda path: network_of_frame(plain(_head(path), 0, key_of(path.parent)), chosen)) for path in files.node
    ]
    named += [(path, network_of) for path in files.facts]
    for path, of in named:
        network = of(path)
        if network is not None and chosen is None:
            chosen, by = network, str(path)
        if network is not None and chosen is not None and chosen != network:
            raise WrongNetwork(
                f"{path} is of {network.name}, and {by} says {chosen.name}",
                hint="give another --chain folder for that network",
            )
    if chosen is None and nodes:
        with closing(nodes[0]):  # it connects again when it is read
            chosen = network_of_node(nodes[0])
    return chosen or MAIN


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _names_block(path: Path) -> bool:
    """True when the start of a JSON file looks like a block; a folder may hold any JSON."""
    return re.search(rb'"merkleroot"|"block"\s*:\s*"[0-9a-fA-F]{160}', _head(path)) is not None


def _kind(path: Path) -> str:
    """node, raw, rpc, esplora, facts; beside (belongs to another file) or other."""
    name = path.name
    if is_undo(path) or (name.startswith("rev") and name.endswith(".dat")):
        return "beside"
    if name == KEY_FILE:
        return "beside"
    head = _head(path)
    if looks_like_block_file(head) or (name.startswith("blk") and name.endswith(".dat")):
        return "node"
    if looks_like_parquet(head):
        return "parquet"
    if looks_like_etl(head):
        return "etl"
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{") and FACTS.partition("/")[0] in text[:200]:
        return "facts"
    if looks_like_rpc_block(text):
        return "rpc"
    if looks_like_esplora(text):
        return "esplora"
    suffixes = (".raw", ".blk", ".bin", ".dat", ".hex")
    if name.endswith(suffixes) or (name.endswith(".json") and text.startswith("{")):
        return "raw"
    return "other"
