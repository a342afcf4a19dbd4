"""Every parser of outside data as a function of bytes: `TARGETS`, name -> function.

A parser must answer any bytes with a result or with an error of `shieldwall.errors`; anything else that it raises is a
finding, and so is what a target itself asserts. `run.py` drives them by coverage (atheris), tests/faults/test_fault_fuzz.py
by Hypothesis. `make_corpus.py` writes what both begin with.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path

from casework_targets import TARGETS as CASEWORK_TARGETS
from chain_support import build_store, random_chain, write
from fuzz_folder import Target, path_of, text_of
from node_targets import TARGETS as NODE_TARGETS
from sharing_targets import TARGETS as SHARING_TARGETS
from web_targets import TARGETS as WEB_TARGETS

from shieldwall.chain.batch import decode_batch
from shieldwall.chain.epochs import sealed_from
from shieldwall.chain.manifest import MANIFEST
from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.openfiles import KEY_FILE
from shieldwall.chain.parcels import (
    FORMAT,
    Parcel,
    export_parcels,
    find_parcels,
    parcel_name,
    read_columns,
    read_parcel,
)
from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.esplora_http import EsploraHttpReader
from shieldwall.chain.readers.interface import Reader, silent
from shieldwall.chain.readers.loose import outputs_of as outputs_in
from shieldwall.chain.readers.loose import parse_loose
from shieldwall.chain.readers.rpc import RpcReader
from shieldwall.chain.readers.rpc_client import RpcClient
from shieldwall.chain.readers.undo import parse_plain_undo, parse_undo
from shieldwall.chain.regtest import BlockMaker
from shieldwall.chain.sources import find_sources
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import FILE as UNCONFIRMED
from shieldwall.chain.unconfirmed import read_unconfirmed, without_mweb
from shieldwall.chain.verify import verify
from shieldwall.errors import Refused, ShieldwallError, StoreError
from shieldwall.intel.directory import parse_directory
from shieldwall.intel.document import parse_document
from shieldwall.intel.interface import ReadOptions
from shieldwall.intel.manifest import MANIFEST as TAG_MANIFEST
from shieldwall.intel.manifest import read_manifest as read_tag_manifest
from shieldwall.intel.rates.readers import parse_rates
from shieldwall.intel.readers import READERS, choose
from shieldwall.intel.setfile import CLAIMS, INDEX, SetFile
from shieldwall.intel.yamlfile import parse_yaml
from shieldwall.kernels.engine import pick
from shieldwall.model.address import decode, nearest
from shieldwall.model.marking import parse_marking
from shieldwall.model.mention import find_mentions
from shieldwall.model.moment import unix
from shieldwall.model.network import LITECOIN, MAIN, REGTEST
from shieldwall.model.script import assemble, classify, from_identity
from shieldwall.node.config import load
from shieldwall.trace.pasted import read_words
from shieldwall.trace.published import read_published

EPOCH = 12  # transactions: the stores here are small
CHANGE = struct.Struct("<BHB")  # which file or column, place in it, what to flip


def read_all(reader: Reader) -> None:
    """Ask a reader everything that a build asks it, and take its blocks apart."""
    try:
        refs = reader.survey(silent).blocks
        blocks = list(reader.load(refs))
        for ref in refs:
            reader.previous_outputs(ref)
        if blocks:
            decode_batch(blocks, pick(0, "plain", rules_of(REGTEST)))
        reader.remarks()
    finally:
        reader.close()


def source(*parts: str) -> Target:
    """A target that reads the bytes as a source file of this name, whatever reader its content asks for."""

    def read(data: bytes) -> None:
        path = path_of("source", *parts)
        path.write_bytes(data)
        for reader in find_sources([str(path)], REGTEST).readers:
            read_all(reader)

    return read


@cache
def chain() -> BlockMaker:
    """The chain that stores and seeds are made of."""
    return random_chain(97, blocks=26)


def undo_file(data: bytes) -> None:
    """`rev*.dat` beside a good `blk*.dat`."""
    path = path_of("undo", "blk00000.dat")
    if not path.exists():
        write(path, chain().blocks[-6:])
    path.with_name("rev00000.dat").write_bytes(data)
    for reader in find_sources([str(path)], REGTEST).readers:
        read_all(reader)


def key_file(data: bytes) -> None:
    """`xor.dat` beside a good `blk*.dat`."""
    path = path_of("key", "blk00000.dat")
    if not path.exists():
        write(path, chain().blocks[-3:])
    path.with_name(KEY_FILE).write_bytes(data)
    for reader in find_sources([str(path)], REGTEST).readers:
        read_all(reader)


def transaction(data: bytes) -> None:
    """One transaction, as Bitcoin and as Litecoin write them."""
    for network in (REGTEST, LITECOIN):
        with suppress(ShieldwallError):
            parse_loose(data, [], "here", rules_of(network))
            outputs_in(data, "here", rules_of(network))
    without_mweb(data, LITECOIN)


def rpc_node(data: bytes) -> None:
    """Answers of a node, one a line and the first again behind the last: each is the result of one call."""
    answers = [line for line in data.split(b"\n") if line.strip()] or [b"null"]
    asked = 0

    def post(body: bytes) -> bytes:
        nonlocal asked
        calls = json.loads(body)
        results = []
        for call in calls:
            results.append(b'{"id": %d, "error": null, "result": %s}' % (call["id"], answers[asked % len(answers)]))
            asked += 1
        return b"[" + b", ".join(results) + b"]"

    read_all(RpcReader(RpcClient("rpc://127.0.0.1:1", post=post), REGTEST))


def rpc_answer(data: bytes) -> None:
    """The bytes of one answer."""
    RpcClient("rpc://127.0.0.1:1", post=lambda _body: data).batch([("getblockcount", ()), ("getblock", ("00", 2))])


def esplora_http(data: bytes) -> None:
    """Answers of an Esplora instance, one a line, behind the one that names the network."""
    answers = [line for line in data.split(b"\n") if line.strip()] or [b"[]"]
    asked = 0

    def fetch(url: str) -> bytes:
        nonlocal asked
        if url.endswith("/block-height/0"):
            return REGTEST.genesis.encode()
        asked += 1
        return answers[(asked - 1) % len(answers)]

    for wanted in ("tx/" + "ab" * 32, "address/bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"):
        asked = 0
        with suppress(ShieldwallError):
            read_all(EsploraHttpReader(f"http://127.0.0.1:1/{wanted}", REGTEST, hops=1, fetch=fetch))


# the store's own files


@cache
def store_files() -> tuple[Path, dict[Path, bytes]]:
    """A small store and the bytes of its files."""
    blocks, folder = chain().blocks, path_of("store", "c")
    early, late = (
        write(path_of("store", "blk00000.dat"), blocks[2:23]),
        write(path_of("store", "blk00001.dat"), blocks[23:]),
    )
    build_store(folder, early, epoch_transactions=EPOCH)
    build_store(folder, late)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    return folder, {path: path.read_bytes() for path in files}


def _look(name: str, data: bytes) -> bool:
    """Open and verify the store with another file in place of one; True when nothing was found wrong with it."""
    folder, files = store_files()
    path = next(path for path in files if path.match(name))
    path.write_bytes(data)
    try:
        with ChainStore.open(folder) as store:
            return verify(store, source=True).passed
    except StoreError:
        return False
    finally:
        path.write_bytes(files[path])


def store_manifest(data: bytes) -> None:
    """Any bytes as `manifest.json`."""
    _look(MANIFEST, data)


def store_fields(data: bytes) -> None:
    """A manifest with other fields and a checksum that fits them: someone wrote it on purpose."""
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(changes, dict):
        return
    _, files = store_files()
    body = json.loads(next(files[path] for path in files if path.name == MANIFEST))
    body = {**body, **changes}
    body.pop("checksum", None)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    _look(MANIFEST, json.dumps({**body, "checksum": sha256(text.encode()).hexdigest()}).encode())


def epoch_file(data: bytes) -> None:
    """Any bytes as an epoch's file."""
    _look("epoch-000000.json", data)


def store_bytes(data: bytes) -> None:
    """Changed bytes in any file of a store are found."""
    _, files = store_files()
    paths = list(files)
    for which, place, flip in CHANGE.iter_unpack(data[: len(data) // CHANGE.size * CHANGE.size][:400]):
        path = paths[which % len(paths)]
        changed = bytearray(files[path])
        changed[place % len(changed)] ^= flip
        if flip:
            assert not _look(f"{path.parent.name}/{path.name}", bytes(changed)), f"{path} at {place % len(changed)}"


def unconfirmed(data: bytes) -> None:
    """The layer of unconfirmed transactions."""
    path = path_of("unconfirmed", UNCONFIRMED)
    path.write_bytes(data)
    read_unconfirmed(path.parent)


# parcels


@cache
def parcel_parts() -> tuple[Parcel, dict[str, bytes]]:
    """A parcel and the bytes of its columns."""
    folder = path_of("store", "parcels", "x").parent
    build_store(
        path_of("store", "whole"), write(path_of("store", "blk00002.dat"), chain().blocks), epoch_transactions=EPOCH
    )
    with ChainStore.open(path_of("store", "whole")) as store:
        export_parcels(store, folder)
    parcel = find_parcels([str(folder)])[0]
    data, columns = parcel.path.read_bytes()[parcel.start :], {}
    for name, size in parcel.sizes.items():
        columns[name], data = data[:size], data[size:]
    return parcel, columns


def parcel_heading(data: bytes) -> None:
    """Any bytes under the name of a parcel."""
    path = path_of("parcel", parcel_parts()[0].path.name)
    path.write_bytes(data)
    for _ in read_columns(read_parcel(path)):
        pass


def parcel_fields(data: bytes) -> None:
    """What an epoch says of itself, in JSON."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):  # as the readers of both kinds of file take them
        sealed_from(json.loads(data))


def parcel_columns(data: bytes) -> None:
    """A parcel whose columns were changed by someone who made its digests fit: what is taken in passes every check."""
    parcel, whole = parcel_parts()
    columns = {name: bytearray(part) for name, part in whole.items()}
    names = [name for name in columns if columns[name]]
    for which, place, flip in CHANGE.iter_unpack(data[: len(data) // CHANGE.size * CHANGE.size]):
        name = names[which % len(names)]
        columns[name][place % len(columns[name])] ^= flip
    body = asdict(parcel.sealed)
    body["columns"] |= {name: sha256(part).hexdigest() for name, part in columns.items()}
    sealed = sealed_from(body)
    heading = {"epoch": body, "digest": sealed.digest, "sizes": [[name, len(part)] for name, part in columns.items()]}
    text = json.dumps(heading).encode()
    path = path_of("forged", "parcels", parcel_name(0, sealed.digest))
    path.write_bytes(f"{FORMAT} {len(text)}\n".encode() + text + b"".join(columns.values()))
    target = path_of("forged", "c")
    try:
        import_parcels(target, [str(path)], engine="plain")
        with ChainStore.open(target) as store:
            report = verify(store)
            assert report.passed, [check for check in report.checks if not check.passed]
    finally:
        path.unlink()
        shutil.rmtree(target, ignore_errors=True)


# what is said of addresses


def tags(name: str) -> Target:
    """A target that reads tags with one reader, under several options."""

    def read(data: bytes) -> None:
        for options in (
            ReadOptions(),
            ReadOptions(set_name="x", label="y", currency="BTC", source="z", at="2020-01-01"),
        ):
            with suppress(ShieldwallError):
                READERS[name](data, "here", options)
        choose("here", data)

    return read


def tag_manifest(data: bytes) -> None:
    """The manifest of a tag set."""
    path = path_of("tags", TAG_MANIFEST)
    path.write_bytes(data)
    read_tag_manifest(path.parent)


def tag_set(data: bytes) -> None:
    """The index of a tag set, up to the first zero line, and its claims behind that."""
    index, _, claims = data.partition(b"\n--\n")
    path_of("set", INDEX).write_bytes(index)
    path_of("set", CLAIMS).write_bytes(claims)
    found = SetFile(path_of("set"), len(claims), sha256(index).hexdigest())
    for _ in found.claims():
        pass
    found.verify(sha256(claims).hexdigest())


def document(name: str) -> Target:
    """A target that reads a document of this name and looks for what it mentions."""

    def read(data: bytes) -> None:
        found = parse_document(data, name).mentions()
        assert all(str(place) for mention in found.mentions for place in mention.places)

    return read


def published(data: bytes) -> None:
    """Published hops."""
    path = path_of("published", "claims.jsonl")
    path.write_bytes(data)
    read_published([path])


# words and settings


def words(data: bytes) -> None:
    """What a person pastes: an address, an identity, a moment, a marking, a text."""
    text = text_of(data)
    for network in (MAIN, REGTEST, LITECOIN):
        with suppress(ShieldwallError):
            decode(text[:200], network)
        nearest(text[:90], network)
    for reading in (from_identity, unix, parse_marking, lambda word: read_words([word], MAIN, io.StringIO(text))):
        with suppress(ShieldwallError):
            reading(text)
    find_mentions(text)


def script(data: bytes) -> None:
    """A locking script comes out as it went in."""
    assert assemble(classify(data)) == data


def settings(data: bytes) -> None:
    """The configuration file."""
    path = path_of("settings", "config.toml")
    path.write_bytes(data)
    load({"SHIELDWALL_CONFIG": str(path), "HOME": str(path.parent)})


TARGETS: dict[str, Target] = {
    "block_file": source("blk00000.dat"),
    "undo_file": undo_file,
    "undo_record": lambda data: parse_undo(data, "here"),
    "plain_undo": lambda data: parse_plain_undo(data, "here"),
    "key_file": key_file,
    "raw_block": source("b.raw"),
    "hex_block": source("b.hex"),
    "json_block": source("b.json"),
    "transaction": transaction,
    "esplora_file": source("a.json"),
    "esplora_http": esplora_http,
    "rpc_file": source("getblock.json"),
    "rpc_answer": rpc_answer,
    "rpc_node": rpc_node,
    "facts": source("facts.jsonl"),
    "bitcoin_etl": source("transactions.jsonl"),
    "parquet": source("transactions.parquet"),
    "store_manifest": store_manifest,
    "store_fields": store_fields,
    "store_bytes": store_bytes,
    "epoch_file": epoch_file,
    "unconfirmed": unconfirmed,
    "parcel_heading": parcel_heading,
    "parcel_fields": parcel_fields,
    "parcel_columns": parcel_columns,
    **{name: tags(name) for name in sorted(READERS)},
    "tag_manifest": tag_manifest,
    "tag_set": tag_set,
    "yaml": lambda data: parse_yaml(data, "here"),
    "directory": lambda data: parse_directory(data, "here"),
    "rates": lambda data: parse_rates(data, "BTC-USD.csv"),
    "published": published,
    "mail": document("x.eml"),
    "mailbox": document("x.mbox"),
    "page": document("x.html"),
    "table": document("x.csv"),
    "json_text": document("x.json"),
    "pdf": document("x.pdf"),
    "words": words,
    "script": script,
    "settings": settings,
    **NODE_TARGETS,
    **CASEWORK_TARGETS,
    **SHARING_TARGETS,
    **WEB_TARGETS,
}


def check(name: str, data: bytes) -> None:
    """Call a target.

    Raises:
        Exception: Anything but an error of `shieldwall.errors` whose words can be shown: that is a finding.
    """
    try:
        TARGETS[name](data)
    except ShieldwallError as error:
        assert str(error).strip()
        assert error.exit_code in (2, 3, 4) or isinstance(error, Refused)
