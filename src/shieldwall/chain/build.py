"""Build a chain store from sources, or extend one: survey, plan, cut back what was reorganised, ingest, index, commit."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal

from shieldwall.chain.batch import Batch, decode_batch
from shieldwall.chain.diskfault import disk_fault
from shieldwall.chain.finish import finish, refuse_double_spends
from shieldwall.chain.fresh import fresh_blocks
from shieldwall.chain.ingest import Ingester
from shieldwall.chain.manifest import EPOCH_TRANSACTIONS, MANIFEST, read_manifest
from shieldwall.chain.plan import Plan, make_plan
from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.esplora_http import Fetch
from shieldwall.chain.readers.interface import BlockRef, Progress, RawBlock, silent
from shieldwall.chain.readers.stored import StoredReader
from shieldwall.chain.since import Since, begin_at, leave_out
from shieldwall.chain.sources import SourceOptions, Sources, find_sources
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.kernels.engine import Engine, EngineName, pick
from shieldwall.model.network import Network, by_name
from shieldwall.model.transaction import display

_BYTES_A_HOLDER = 360  # of raw blocks that bring one new holder, about
_LEAST_BATCH = 1 << 20  # bytes of raw blocks that are worth a batch of their own
_FLUSH_BYTES = 1 << 28  # of raw blocks between two hints to the disk
_MOST_EXPECTED = 1 << 26  # holders that memory is laid out for beforehand


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """How to build.

    Attributes:
        batch_bytes: Raw bytes decoded at once.
        commit_bytes: Raw bytes between two commits.
        raw: "keep" has the store keep the transactions' own bytes; "drop" does not: of block files it remembers the
            places, of other whole blocks nothing; "auto" keeps those of sources up to `keep_raw_below`.
        keep_raw_below: Bytes of sources.
        engine: Kernels; "auto" compiles for large inputs.
        threads: 2 takes blocks apart and hashes them beside the one that writes; 1 does one after the other.
        epoch_transactions: Transactions that fill an epoch of a new store (`epochs`).
        extend: "load" reads all holders and unspent outputs into memory before extending a store, "look up" asks its
            indexes for each; "auto" takes what is likely to be faster.
    """

    batch_bytes: int = 32 << 20
    commit_bytes: int = 1 << 30
    raw: Literal["auto", "keep", "drop"] = "auto"
    keep_raw_below: int = 512 << 20
    engine: EngineName = "auto"
    threads: int = 2
    epoch_transactions: int = EPOCH_TRANSACTIONS
    extend: Literal["auto", "load", "look up"] = "auto"


@dataclass(slots=True)
class BuildReport:
    """What a build did.

    Attributes:
        blocks: Blocks added.
        transactions: Transactions added.
        already: Blocks of the sources that the store had.
        earlier: Blocks left out since the store begins later (`since`).
        rolled_back: Blocks taken out since a branch with more work replaced them.
        rewritten: True when the store was written anew, since blocks came between those that it had.
        stale: Blocks left aside on branches with less work.
        duplicates: Blocks and transactions met more than once.
        unconfirmed: Transactions left aside that no block holds yet.
        unresolved: Added inputs of which nobody says what they spend.
        missing: (first, last) height of each hole between whole blocks.
        unconnected: Hashes of blocks left aside since the block before them is missing.
        partial: True when a node's files have such holes: the answer may be incomplete.
        notes: What a person should know.
    """

    blocks: int = 0
    transactions: int = 0
    already: int = 0
    earlier: int = 0
    rolled_back: int = 0
    rewritten: bool = False
    stale: int = 0
    duplicates: int = 0
    unconfirmed: int = 0
    unresolved: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    unconnected: list[str] = field(default_factory=list)
    partial: bool = False
    notes: list[str] = field(default_factory=list)


def build(
    folder: Path,
    sources: Sequence[str],
    *,
    network: Network | None = None,
    height: int | None = None,
    hops: int = 0,
    since: Since | None = None,
    allow_remote: bool = False,
    config: BuildConfig | None = None,
    progress: Progress = silent,
    fetch: Fetch | None = None,
    options: SourceOptions | None = None,
) -> BuildReport:
    """Build the store in `folder` from `sources`, or extend it; see `shieldwall chain build --help`.

    A stop at any moment leaves the last commit, and the same call goes on from there. `since` leaves out what is earlier,
    now and in every later extension: inputs that spend it keep its value where the source knows it.

    Raises:
        UsageError: A source does not exist.
        BadInput: A source is broken; nothing of it is committed.
        WrongNetwork: Sources of another network than the store's.
        StoreError: The folder is no store, or another process writes it.
    """
    config = config or BuildConfig()
    try:
        chosen = _network(folder, network)
        with contextlib.ExitStack() as opened:
            found = find_sources(
                sources, chosen, height=height, hops=hops, allow_remote=allow_remote, fetch=fetch, options=options
            )
            for reader in found.readers:
                opened.callback(reader.close)
            writer = opened.enter_context(
                ChainWriter(folder, found.network, epoch_transactions=config.epoch_transactions, threads=config.threads)
            )
            return _build(writer, found, since, config, progress)
    except OSError as error:
        raise disk_fault(error, folder) from error
    except MemoryError as error:
        raise StoreError(
            f"{folder}: the memory of this machine does not suffice for what is being read",
            hint="build from fewer sources at once; the last committed state is intact",
        ) from error


def _network(folder: Path, wanted: Network | None) -> Network | None:
    if (folder / MANIFEST).exists():
        stored = read_manifest(folder).network
        if wanted is not None and wanted.name != stored:
            raise WrongNetwork(
                f"{folder} is a store of {stored}, not of {wanted.name}", hint="give another --chain folder"
            )
        return wanted or by_name(stored)
    return wanted


def _build(
    writer: ChainWriter, found: Sources, since: Since | None, config: BuildConfig, progress: Progress
) -> BuildReport:
    with writer.snapshot() as store, contextlib.closing(StoredReader(store)) as stored:
        return _extend(writer, store, stored, found, since, config, progress)


def _extend(
    writer: ChainWriter,
    store: ChainStore,
    stored: StoredReader,
    found: Sources,
    since: Since | None,
    config: BuildConfig,
    progress: Progress,
) -> BuildReport:
    report = BuildReport()
    before = stored.survey(progress)
    surveys = [reader.survey(progress) for reader in found.readers]
    for survey in surveys:
        report.duplicates += survey.duplicates
        report.unconfirmed += survey.unconfirmed
        report.notes += survey.notes
        if survey.network is not None and survey.network != store.network:
            raise WrongNetwork(
                f"blocks of {survey.network.name} for a store of {store.network.name}",
                hint="build one store per network",
            )
    report.notes += [f"{path}: no source, skipped" for path in found.skipped]
    fresh, better, already = fresh_blocks(surveys, store, before)
    report.already = already
    plan = make_plan([*before.blocks, *fresh], store.network, connected=found.node_files)
    begin = begin_at(plan, since, store)
    report.earlier = leave_out(plan, begin)
    report.duplicates += plan.duplicates - sum(ref.whole and ref.hash in better for ref in fresh)
    report.stale = plan.stale
    report.missing = plan.missing
    report.unconnected = [display(ref.hash) for ref in plan.unconnected]
    report.partial = found.node_files and bool(plan.missing or plan.unconnected)
    report.notes += _holes(plan)
    statements = [*before.statements, *(entry for survey in surveys for entry in survey.statements)]
    changed = bool(statements) and any(survey.statements for survey in surveys)
    if begin != writer.manifest.since:
        writer.begin_at(begin)
        changed = True
    if (
        _apply(writer, plan, before.blocks, better, found, config, progress, report)
        or changed
        or not (store.indexed and store.manifest.digest)
    ):
        report.notes += finish(writer, statements, config.engine)
    return report


def _holes(plan: Plan) -> list[str]:
    """What is missing, by name: heights between blocks, and the block before each run that nothing places."""
    notes = [f"blocks {first} to {last} are missing" for first, last in plan.missing]
    own = {ref.hash for ref in plan.unconnected}
    firsts = [ref for ref in plan.unconnected if ref.previous is not None and ref.previous not in own]
    notes += [
        f"block {display(ref.previous or b'')} is missing: it comes before {display(ref.hash)} ({ref.place}), and what follows "
        "that is left aside"
        for ref in firsts
    ]
    return notes


def _apply(
    writer: ChainWriter,
    plan: Plan,
    before: Sequence[BlockRef],
    better: set[bytes],
    found: Sources,
    config: BuildConfig,
    progress: Progress,
    report: BuildReport,
) -> bool:
    """Cut back or start over where blocks changed, then ingest what is new; True when anything was done."""
    same = 0
    while (
        same < min(len(before), len(plan.blocks))
        and plan.blocks[same] is before[same]
        and before[same].hash not in better
    ):
        same += 1
    planned = {ref.hash for ref in plan.blocks}
    had = {ref.hash for ref in before}
    report.blocks = len(planned - had)
    report.rolled_back = len(had - planned)
    kept = writer.rows["tx"]
    if same < len(before):
        if any(ref.hash in planned for ref in before[same:]):
            report.rewritten = True
            writer.start_over()
            same = 0
        else:
            writer.cut(same)
            kept = writer.rows["tx"]
    todo = plan.blocks[same:]
    if todo:
        _ingest(writer, todo, plan, found, config, progress, report)
    report.transactions = max(0, writer.rows["tx"] - kept)
    return bool(todo) or same < len(before)


def _ingest(
    writer: ChainWriter,
    todo: Sequence[BlockRef],
    plan: Plan,
    found: Sources,
    config: BuildConfig,
    progress: Progress,
    report: BuildReport,
) -> None:
    size = sum(ref.size for ref in todo)
    keep_raw = config.raw == "keep" or (config.raw == "auto" and found.size <= config.keep_raw_below)
    network = by_name(writer.manifest.network)
    # a look-up costs some hundred times what loading one row costs, and brings in some hundred bytes
    look_up = config.extend == "look up" or (config.extend == "auto" and size < writer.rows["tx"])
    look_up = look_up and writer.rows["tx"] == writer.manifest.indexed["tx"]
    engine = pick(size, config.engine, rules_of(network))
    expected = min(size // _BYTES_A_HOLDER, _MOST_EXPECTED)
    ingester = Ingester(writer, engine, network, keep_raw, plan.helpers, look_up, expected)
    done = uncommitted = unflushed = 0
    beside = config.threads > 1 and all(
        reader.beside for reader in {id(ref.reader): ref.reader for ref in todo}.values()
    )
    decoded = _decoded(_batches(todo, config.batch_bytes), engine, beside=beside)
    with contextlib.closing(decoded):  # where this thread fails, the other must be done before its files are closed
        for batch in decoded:
            ingester.write(batch)
            part = sum(len(block.data) for block in batch.blocks)
            done, uncommitted, unflushed = done + part, uncommitted + part, unflushed + part
            if unflushed >= _FLUSH_BYTES:
                writer.flush_beside()
                unflushed = 0
            progress("building", done, size)
            if uncommitted >= config.commit_bytes and not report.rewritten:
                refuse_double_spends(writer.draft())
                writer.commit()
                uncommitted = 0
    report.unresolved = ingester.unresolved
    report.notes += [remark for reader in found.readers for remark in reader.remarks()]


def _decoded(batches: Iterator[list[RawBlock]], engine: Engine, *, beside: bool) -> Generator[Batch]:
    """Batches taken apart and proved; `beside` the caller, who writes one while a thread reads and decodes the next.

    The kernels let go of Python's lock, and the threads share nothing but a batch that is done.
    """

    def take() -> Batch | None:
        blocks = next(batches, None)
        return None if blocks is None else decode_batch(blocks, engine)

    if not beside:
        while (batch := take()) is not None:
            yield batch
        return
    with ThreadPoolExecutor(1, "decode") as pool:
        coming = pool.submit(take)
        while (ready := coming.result()) is not None:
            coming = pool.submit(take)
            yield ready


def _batches(refs: Sequence[BlockRef], size: int) -> Iterator[list[RawBlock]]:
    """Loaded blocks, about `size` bytes at a time, each reader asked for runs of its own.

    A batch rather ends early than reaches over two pieces of memory: one of a single piece is decoded where it lies.
    """
    batch: list[RawBlock] = []
    weight = 0
    for _, run in groupby(refs, key=lambda ref: id(ref.reader)):
        wanted = list(run)
        for block in wanted[0].reader.load(wanted):
            if weight >= _LEAST_BATCH and _memory(block) != _memory(batch[-1]):
                yield batch
                batch, weight = [], 0
            batch.append(block)
            weight += len(block.data)
            if weight >= size:
                yield batch
                batch, weight = [], 0
    if batch:
        yield batch


def _memory(block: RawBlock) -> int:
    """What piece of memory a block's bytes lie in."""
    return id(block.data.obj if isinstance(block.data, memoryview) else block.data)
