"""Build a chain store from sources, or extend one: survey, plan, cut back what was reorganised, ingest, index, commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from shieldwall.chain.columns import STATED_UNSPENT
from shieldwall.chain.indexes import write_indexes
from shieldwall.chain.ingest import Ingester
from shieldwall.chain.manifest import MANIFEST, read_manifest
from shieldwall.chain.plan import Plan, make_plan
from shieldwall.chain.readers.esplora_http import Fetch
from shieldwall.chain.readers.interface import BlockRef, Progress, RawBlock, Statement, Survey, silent
from shieldwall.chain.readers.loose import LooseReader
from shieldwall.chain.readers.stored import StoredReader
from shieldwall.chain.sources import Sources, find_sources
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock, WrongNetwork
from shieldwall.kernels.engine import EngineName, pick
from shieldwall.model.network import MAIN, Network, by_name
from shieldwall.model.transaction import display


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """How to build.

    Attributes:
        batch_bytes: Raw bytes decoded at once.
        commit_bytes: Raw bytes between two commits.
        keep_raw_below: Bytes of sources up to which the store keeps the transactions' own bytes.
        engine: Kernels; "auto" compiles for large inputs.
    """

    batch_bytes: int = 32 << 20
    commit_bytes: int = 1 << 30
    keep_raw_below: int = 512 << 20
    engine: EngineName = "auto"


@dataclass(slots=True)
class BuildReport:
    """What a build did.

    Attributes:
        blocks: Blocks added.
        transactions: Transactions added.
        already: Blocks of the sources that the store had.
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
    allow_remote: bool = False,
    config: BuildConfig | None = None,
    progress: Progress = silent,
    fetch: Fetch | None = None,
) -> BuildReport:
    """Build the store in `folder` from `sources`, or extend it; see `shieldwall chain build --help`.

    A stop at any moment leaves the last commit, and the same call goes on from there.

    Raises:
        UsageError: A source does not exist.
        BadInput: A source is broken; nothing of it is committed.
        WrongNetwork: Sources of another network than the store's.
        StoreError: The folder is no store, or another process writes it.
    """
    config = config or BuildConfig()
    chosen = _network(folder, network)
    found = find_sources(sources, chosen or MAIN, height=height, hops=hops, allow_remote=allow_remote, fetch=fetch)
    if found.network is not None and chosen is None and found.network != MAIN:
        chosen = found.network
        found = find_sources(sources, chosen, height=height, hops=hops, allow_remote=allow_remote, fetch=fetch)
    if chosen is not None and found.network is not None and found.network != chosen:
        raise WrongNetwork(
            f"the sources are of {found.network.name}, and the store or --network says {chosen.name}",
            hint="give another --chain folder for that network",
        )
    try:
        with ChainWriter(folder, chosen or MAIN) as writer:
            return _build(writer, found, config, progress)
    finally:
        for reader in found.readers:
            reader.close()


def _network(folder: Path, wanted: Network | None) -> Network | None:
    if (folder / MANIFEST).exists():
        stored = read_manifest(folder).network
        if wanted is not None and wanted.name != stored:
            raise WrongNetwork(
                f"{folder} is a store of {stored}, not of {wanted.name}", hint="give another --chain folder"
            )
        return wanted or by_name(stored)
    return wanted


def _build(writer: ChainWriter, found: Sources, config: BuildConfig, progress: Progress) -> BuildReport:
    report = BuildReport()
    store = writer.snapshot()
    stored = StoredReader(store)
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
    fresh = _fresh(surveys, store, before, report)
    plan = make_plan([*before.blocks, *fresh], store.network, connected=found.node_files)
    report.duplicates += plan.duplicates
    report.stale = plan.stale
    report.missing = plan.missing
    report.unconnected = [display(ref.hash) for ref in plan.unconnected]
    report.partial = found.node_files and bool(plan.missing or plan.unconnected)
    statements = [*before.statements, *(entry for survey in surveys for entry in survey.statements)]
    superseded = _apply(writer, plan, before.blocks, found, config, progress, report)
    _finish(writer, statements, report, superseded)
    store.close()
    stored.close()
    return report


def _fresh(surveys: Sequence[Survey], store: ChainStore, before: Survey, report: BuildReport) -> list[BlockRef]:
    """References that bring something: not a block that the store has, whole or with all these transactions."""
    known = {ref.hash: ref for ref in before.blocks}
    fresh = []
    for survey in surveys:
        for ref in survey.blocks:
            old = known.get(ref.hash)
            if old is not None and (old.whole or (not ref.whole and _all_there(ref, store))):
                report.already += 1
            else:
                fresh.append(ref)
    return fresh


def _all_there(ref: BlockRef, store: ChainStore) -> bool:
    reader = ref.reader
    return isinstance(reader, LooseReader) and all(
        store.find_transaction(transaction.txid) is not None for transaction in reader.transactions(ref)
    )


def _apply(
    writer: ChainWriter,
    plan: Plan,
    before: Sequence[BlockRef],
    found: Sources,
    config: BuildConfig,
    progress: Progress,
    report: BuildReport,
) -> str:
    """Cut back, ingest; returns the generation that a rewrite supersedes, to be dropped after the commit."""
    same = 0
    while same < min(len(before), len(plan.blocks)) and plan.blocks[same] is before[same]:
        same += 1
    remaining = {ref.hash for ref in plan.blocks[same:]}
    keep_raw = found.size <= config.keep_raw_below or not found.node_files
    old = ""
    transactions_before = writer.rows["tx"]
    if same < len(before):
        if any(ref.hash in remaining for ref in before[same:]):
            report.rewritten = True
            old = writer.start_over()
            same = 0
        else:
            report.rolled_back = len(before) - same
            writer.cut(same)
    todo = plan.blocks[same:]
    size = sum(ref.size for ref in todo)
    report.blocks = len(plan.blocks) - (len(before) - report.rolled_back)
    kept = transactions_before if report.rewritten else writer.rows["tx"]
    if todo:
        ingester = Ingester(writer, pick(size, config.engine), writer.snapshot().network, keep_raw, plan.helpers)
        done = uncommitted = 0
        for batch in _batches(todo, config.batch_bytes):
            ingester.take(batch)
            part = sum(len(block.data) for block in batch)
            done, uncommitted = done + part, uncommitted + part
            progress("building", done, size)
            if uncommitted >= config.commit_bytes and not report.rewritten:
                writer.commit()
                uncommitted = 0
        report.unresolved = ingester.unresolved
    report.transactions = writer.rows["tx"] - kept
    return old


def _batches(refs: Sequence[BlockRef], size: int) -> Iterator[list[RawBlock]]:
    """Loaded blocks, about `size` bytes at a time, each reader asked for runs of its own."""
    batch: list[RawBlock] = []
    weight = 0
    for _, run in groupby(refs, key=lambda ref: id(ref.reader)):
        wanted = list(run)
        for block in wanted[0].reader.load(wanted):
            batch.append(block)
            weight += len(block.data)
            if weight >= size:
                yield batch
                batch, weight = [], 0
    if batch:
        yield batch


def _finish(writer: ChainWriter, statements: Sequence[Statement], report: BuildReport, superseded: str) -> None:
    """Indexes, statements, conflicts, and the commit that makes all of it the store."""
    uncommitted = writer.draft()
    number = int(writer.manifest.index.rpartition("-")[2] or 0) + 1
    folder = f"index-{number}"
    indexed = write_indexes(uncommitted, writer.folder / folder)
    view = writer.draft(index=folder, indexed=indexed)
    _refuse_double_spends(view)
    writer.put_statements(_statement_rows(view, statements, report))
    old_index = writer.manifest.index
    writer.commit(index=folder, indexed=indexed)
    if old_index != folder:
        writer.drop(old_index)
    writer.drop(superseded)


def _refuse_double_spends(store: ChainStore) -> None:
    """An input that resolved to nothing must not spend what is in the store: that would be a second spend."""
    outside = store.column("outside_txid")
    keys = np.ascontiguousarray(outside[:, :8]).view(np.uint64).reshape(-1)
    suspects = np.flatnonzero(np.isin(keys, store.index("txid_key")))
    for row in suspects.tolist():
        maker = store.find_transaction(outside[row].tobytes())
        if maker is None:
            continue
        index = int(store.column("outside_index")[row])
        number = int(store.column("outside_input")[row])
        spender = int(np.searchsorted(store.column("tx_first_input"), number, side="right")) - 1
        raise BadBlock(
            f"transaction {store.txid(spender)} spends output {index} of {store.txid(maker)}, which is spent by another, "
            "cannot be spent, or stands later in the chain",
            hint="one of the sources is damaged, or a block's height is wrong: give --height",
        )


def _statement_rows(store: ChainStore, statements: Sequence[Statement], report: BuildReport) -> dict[str, np.ndarray]:
    """One statement an output, the latest; those that the chain itself answers are left out."""
    best: dict[int, Statement] = {}
    left = 0
    for statement in statements:
        maker = store.find_transaction(statement.txid)
        if maker is None or statement.index >= len(store.output_range(maker)):
            left += 1
            continue
        output = store.output_range(maker)[statement.index]
        spender = int(store.column("output_spender")[output])
        if spender < store.rows("tx"):
            height = store.height_of(spender)
            if statement.spender is None and height is not None and statement.height >= height:
                report.notes.append(
                    f"output {display(statement.txid)}:{statement.index} is said to be unspent as of height "
                    f"{statement.height}, and was spent at {height}: the answer is older than it says"
                )
            continue
        rival = best.get(output)
        if rival is None or statement.height >= rival.height:
            best[output] = statement
    if left:
        report.notes.append(f"{left} statements on outputs that are not in the store were left out")
    outputs = sorted(best)
    return {
        "stated_output": np.array(outputs, np.uint64),
        "stated_height": np.array([best[output].height for output in outputs], np.uint32),
        "stated_txid": np.frombuffer(b"".join(best[output].spender or STATED_UNSPENT for output in outputs), np.uint8),
    }
