"""The Python API: the verbs of the command line as functions, with the same defaults and the same errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shieldwall.chain.build import BuildReport
from shieldwall.chain.build import build as build_store
from shieldwall.chain.readers.interface import silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel import ImportReport, ReadOptions, TagSets
from shieldwall.intel.document import gather, is_file
from shieldwall.intel.rates import choose_valuer
from shieldwall.model.mention import Mentions
from shieldwall.model.network import MAIN, by_name
from shieldwall.node.config import load
from shieldwall.node.wiring import labels
from shieldwall.node.wiring import open_chain as open_configured
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.follow import DEFAULT_METHOD, FORWARD, follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.published import read_published
from shieldwall.trace.result import TraceResult
from shieldwall.trace.screening.answer import Screening
from shieldwall.trace.screening.answer import screen as screen_mentions
from shieldwall.trace.screening.exposure import HOPS
from shieldwall.trace.screening.own_rows import own_rows
from shieldwall.trace.screening.run import Lists, Tally, write_file
from shieldwall.trace.screening.screener import Screener
from shieldwall.trace.targets import find_targets


def build_chain(folder: str | Path, sources: Sequence[str | Path], *, network: str | None = None) -> BuildReport:
    """Build a chain store in `folder` from files, folders or the URL of one's own Esplora instance, or extend it.

    Raises:
        ShieldwallError: As `shieldwall.chain.build.build` says.
    """
    return build_store(Path(folder), [str(source) for source in sources], network=by_name(network) if network else None)


def open_chain(folder: str | Path | None = None) -> ChainStore:
    """A chain store for reading: the one in `folder`, else the configured one. Use it as a context manager.

    Raises:
        UsageError: Nothing names a store.
        StoreError: None there, or damaged.
    """
    return open_configured(load(os.environ, {"chain": str(folder) if folder is not None else None}))


def import_tags(
    files: Sequence[str | Path],
    *,
    data: str | Path | None = None,
    set_name: str | None = None,
    network: str = MAIN.name,
) -> list[ImportReport]:
    """Import TagPacks, ActorPacks, address lists or CSV into the member's tag sets.

    Raises:
        BadText: A file does not fit its form.
    """
    config = load(os.environ, {"data": str(data) if data is not None else None})
    options = ReadOptions(network=by_name(network))
    return TagSets(config.tags).import_files([Path(file) for file in files], set_name=set_name, options=options)


def trace_money(
    chain: ChainStore,
    targets: Sequence[str],
    *,
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
    stop: Sequence[str] | None = None,
    published: Sequence[str | Path] = (),
    direction: str = FORWARD,
    fiat: str | None = None,
    rates: Sequence[str | Path] = (),
    rates_within: int = 0,
    clustering: Clustering | None = None,
) -> TraceResult:
    """Follow the money of `targets` to where it is now, or back to where it came from.

    Args:
        chain: From `open_chain`.
        targets: Addresses, txids, `TXID:N`, `TXID:in:N`, documents, or pasted text.
        method: poison, haircut, fifo, lifo, tiho, or all.
        limits: How far to go.
        data: The member's own data; the configured one by default.
        tags: Tag sets to use; None for all, an empty list for none.
        stop: Tag categories to stop at; None for the usual services.
        published: Files of published hops.
        direction: forward or backward.
        fiat: A currency to value seeds and ends in, each on its day; needs `rates`.
        rates: Rate files.
        rates_within: Days that a rate may be older than the payment.
        clustering: From `open_clusters`: start from whole clusters, and take members of a service's for that service.

    Raises:
        ShieldwallError: As `find_targets`, `choose_valuer` and `follow` say.
    """
    config = load(os.environ, {"data": str(data) if data is not None else None})
    known = None if tags is not None and not tags else labels(config, chain.network, tags or (), stop)
    claims = read_published([Path(path) for path in published])
    valuer = choose_valuer(fiat, rates, rates_within, chain.network.coin)
    found = find_targets(chain, list(targets), clustering=clustering)
    return follow(
        chain,
        found,
        method,
        limits,
        direction=direction,
        labels=known,
        published=claims,
        fiat=valuer,
        clustering=clustering,
        engine=config.engine,
    )


def find_addresses(text_or_path: str | Path, *, network: str | None = None) -> Mentions:
    """Every address, txid and block hash that a text or document mentions, with its places, and what nearly is one.

    Args:
        text_or_path: Text of any kind, or a file: text, mail, chat export, CSV, HTML, JSON; PDF with the extra.
        network: Look for addresses of this network only; None for every network.

    Raises:
        UsageError: The file cannot be opened, or its kind needs an extra.
        BadText: It is no text, or too long.
    """
    word = _word(text_or_path)
    return gather([word], network=by_name(network) if network else None).mentions


def screen(
    *texts_or_paths: str | Path,
    chain: ChainStore | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
    hops: int = HOPS,
    clustering: Clustering | None = None,
) -> Screening:
    """What is known about every address in texts or documents, and whom its money reached: unknown is not clean.

    Args:
        texts_or_paths: As `find_addresses` takes them.
        chain: From `open_chain`; None leaves out what a chain store holds, and what is some hops away.
        data: The member's own data; the configured one by default.
        tags: Tag sets to use; None for all, an empty list for none.
        hops: How many transactions around each address to look; 0 for direct only.
        clustering: Of the chain; to say what the cluster of each address is tagged with.

    Raises:
        UsageError: A file cannot be opened, no such tag set, or too many hops.
        BadText: One is no text, or too long.
        StoreError: A tag set on disk is not what its manifest says.
    """
    config = load(os.environ, {"data": str(data) if data is not None else None})
    words = [_word(each) for each in texts_or_paths]
    found = gather(words)
    index = TagSets(config.tags).select(tags)
    screener = Screener.of(index, chain, hops=hops, clustering=clustering, engine=config.engine)
    own = own_rows(word for word in words if is_file(word))
    return screen_mentions(found.mentions, screener, unread=found.unread, own=own)


def screen_lists(
    *paths: str | Path,
    to: str | Path,
    chain: ChainStore | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
    hops: int = HOPS,
    clustering: Clustering | None = None,
    resume: bool = False,
) -> Tally:
    """Screen lists of any length row by row into a file; what `screen` says of each address, in the order of the lists.

    Args:
        paths: Lists in any layout; no mail, PDF or web page.
        to: The file: CSV where its name ends so, else JSON lines.
        chain: As `screen` takes it, and so the next four.
        data: As above.
        tags: As above.
        hops: As above.
        clustering: As above.
        resume: Go on where a run into this file was stopped.

    Returns:
        What was found: counts, the most urgent rows, near misses.

    Raises:
        UsageError: A list cannot be opened, the file is there already, or the run that was stopped was another one.
        BadInput: The file cannot be written.
        StoreError: A tag set on disk is not what its manifest says.
    """
    config = load(os.environ, {"data": str(data) if data is not None else None})
    index = TagSets(config.tags).select(tags)
    screener = Screener.of(index, chain, hops=hops, clustering=clustering, threads=1, engine=config.engine)
    target = Path(to)
    lists = Lists(screener, [Path(path) for path in paths], "csv" if target.suffix.lower() == ".csv" else "jsonl")
    return write_file(lists, target, silent, resume=resume)


def _word(text_or_path: str | Path) -> str:
    """A path must be a file; a text may be one."""
    if isinstance(text_or_path, Path) and not text_or_path.is_file():
        raise UsageError(f"{text_or_path}: no such file", hint="check the path, or give the text itself")
    return str(text_or_path)
