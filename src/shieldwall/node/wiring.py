"""Put the parts of a command together: the store that is meant, the tags that apply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel import TagSets, read_directory, shipped
from shieldwall.model.network import Network
from shieldwall.node.config import Config
from shieldwall.trace.tagged import TagLabels


def chain_folder(config: Config) -> Path:
    """The folder of the chain store.

    Raises:
        UsageError: Nothing names one.
    """
    if config.chain is None:
        raise UsageError(
            "no chain store is named",
            hint='say --chain DIR, set SHIELDWALL_CHAIN, or write chain = "DIR" into the configuration file',
        )
    return config.chain


def open_chain(config: Config) -> ChainStore:
    """The chain store that the configuration names.

    Raises:
        UsageError: Nothing names one.
        StoreError: None there, or damaged.
    """
    return ChainStore.open(chain_folder(config))


def labels(config: Config, network: Network, sets: Sequence[str] = (), stop: Sequence[str] | None = None) -> TagLabels:
    """The member's tag sets (all, or `sets`) and the directory of who can freeze, as labels of a trace."""
    directory = shipped()
    if config.directory is not None:
        directory = directory.with_further(read_directory(config.directory))
    return TagLabels(TagSets(config.tags).select(list(sets) or None), directory, network, stop)
