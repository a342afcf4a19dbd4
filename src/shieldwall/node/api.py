"""The Python API: the verbs of the command line as functions, with the same defaults and the same errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shieldwall.chain.build import BuildReport
from shieldwall.chain.build import build as build_store
from shieldwall.chain.store import ChainStore
from shieldwall.intel import ImportReport, ReadOptions, TagSets
from shieldwall.model.network import MAIN, by_name
from shieldwall.node.config import load
from shieldwall.node.wiring import labels
from shieldwall.node.wiring import open_chain as open_configured
from shieldwall.trace.follow import DEFAULT_METHOD, follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.published import read_published
from shieldwall.trace.result import TraceResult
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
) -> TraceResult:
    """Follow the money of `targets` to where it is now.

    Args:
        chain: From `open_chain`.
        targets: Addresses, txids, `TXID:N`, `TXID:in:N`, or files of these.
        method: poison, haircut, fifo, or all.
        limits: How far to go.
        data: The member's own data; the configured one by default.
        tags: Tag sets to use; None for all, an empty list for none.
        stop: Tag categories to stop at; None for the usual services.
        published: Files of published hops.

    Raises:
        ShieldwallError: As `find_targets` and `follow` say.
    """
    config = load(os.environ, {"data": str(data) if data is not None else None})
    known = None if tags is not None and not tags else labels(config, chain.network, tags or (), stop)
    claims = read_published([Path(path) for path in published])
    return follow(chain, find_targets(chain, list(targets)), method, limits, labels=known, published=claims)
