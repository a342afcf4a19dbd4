"""Follow a node: extend the store by what its chain has gained, roll back what it has given up, look at what waits.

Each look asks for headers from the fork point on alone: the last block that store and node share. The build does the rest
as for any other source, so a stop at any moment leaves the last commit. Clock and waiting are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from shieldwall.chain.build import BuildConfig, BuildReport, build
from shieldwall.chain.manifest import MANIFEST
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.readers.jsonfields import as_object, integer_field
from shieldwall.chain.readers.rpc import network_of_node
from shieldwall.chain.readers.rpc_client import NodeAway, RpcClient
from shieldwall.chain.since import Since
from shieldwall.chain.sources import SourceOptions
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import MOST, Unconfirmed, gather, read_unconfirmed, write_unconfirmed
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.model.network import MAIN, Network
from shieldwall.model.transaction import display

_LONGEST_WAIT = 300.0  # seconds between two attempts at a node that is away
_MOST_HEIGHT = 0xFFFFFFFE

Wait = Callable[[float], bool]
"""Waits for so many seconds, or less when the following is to end; True when it is to end."""


@dataclass(frozen=True, slots=True)
class FollowConfig:
    """How to follow.

    Attributes:
        every: Seconds between two looks.
        most_unconfirmed: Waiting transactions that the layer may hold; 0 keeps no layer.
        build: How to build.
        allow_remote: The node may be beyond this machine.
    """

    every: float = 10.0
    most_unconfirmed: int = MOST
    build: BuildConfig = field(default_factory=BuildConfig)
    allow_remote: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the node brought.

    Attributes:
        at: Unix seconds.
        tip_height: Of the store after it; None for a store without blocks.
        tip_hash: Likewise, display form.
        node_height: Of the node's last block.
        node_hash: Likewise, display form.
        report: What the build did; None when there was nothing to build.
        unconfirmed: What waits; None when no layer is kept.
        away: Why the node did not answer; "" when it did.
    """

    at: int
    tip_height: int | None
    tip_hash: str | None
    node_height: int | None = None
    node_hash: str | None = None
    report: BuildReport | None = None
    unconfirmed: Unconfirmed | None = None
    away: str = ""


class Follower:
    """Follows one node with one store.

    Args:
        folder: The store's folder.
        url: The node's URL, `rpc://...`.
        network: None takes the store's, else the node's.
        config: How to follow.
        options: Credentials and confirmations.
        since: Where a new store begins.
        now: Unix seconds.
        progress: Told of each build.

    Raises:
        UsageError: No such URL.
        RemoteRefused: The node is beyond this machine, and nobody said that it may be.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        network: Network | None = None,
        config: FollowConfig | None = None,
        options: SourceOptions | None = None,
        since: Since | None = None,
        now: Callable[[], float],
        progress: Progress = silent,
    ) -> None:
        self._folder = folder
        self._url = url
        self._config = config or FollowConfig()
        self._options = options or SourceOptions()
        self._since = since
        self._now = now
        self._progress = progress
        self._network = network or _network_of(folder)
        self._client = RpcClient(
            url,
            login=self._options.login,
            port=(self._network or MAIN).rpc_port,
            allow_remote=self._config.allow_remote,
            post=self._options.post,
        )
        self._seen: str | None = None  # the node's tip that the last build has taken in
        self._layer: Unconfirmed | None = None

    def look(self) -> Look:
        """Ask once, and take in what is new.

        Raises:
            NodeAway: No answer now.
            WrongNetwork: The node is of another network than the store.
            PartialData: The node does not have the blocks that are wanted.
            StoreError: The store is damaged, or another process writes it.
        """
        try:
            return self._look()
        finally:
            self._client.close()  # a node that is to stop waits for connections that are open

    def _look(self) -> Look:
        network = self._checked_network()
        info = as_object(self._client.call("getblockchaininfo"), self._client.name)
        height = integer_field(info, "blocks", self._client.name, most=_MOST_HEIGHT)
        tip = str(info.get("bestblockhash"))
        report = None
        if tip != self._seen:
            first = self._first_wanted()
            if first <= height - self._options.confirmations + 1:
                report = build(
                    self._folder,
                    (self._url,),
                    network=network,
                    since=None if _has_store(self._folder) else self._since,
                    allow_remote=self._config.allow_remote,
                    config=self._config.build,
                    progress=self._progress,
                    options=replace(self._options, first=first),
                )
            self._seen = tip
        layer = self._look_at_waiting(network)
        stored = _tip_of(self._folder)
        return Look(int(self._now()), *stored, node_height=height, node_hash=tip, report=report, unconfirmed=layer)

    def _checked_network(self) -> Network:
        own = network_of_node(self._client)
        if self._network is not None and own != self._network:
            raise WrongNetwork(
                f"{self._client.name} serves {own.name}, and the store or --network says {self._network.name}",
                hint="give another --chain folder for that network",
            )
        self._network = own
        return own

    def _first_wanted(self) -> int:
        """Height of the first block to ask for: behind the last that store and node share."""
        begin = (self._since and self._since.height) or 0
        if not _has_store(self._folder):
            return begin
        with ChainStore.open(self._folder) as store:
            run = _whole_run(store)
            if not run:
                return max(begin, store.tip_height or 0)
            shared, other, step = run[-1], run.stop, 1
            while not self._shares(store, run, shared):  # mostly near the tip: farther back each time
                if shared == run.start:
                    return shared  # nothing is shared: the build decides by work
                other, shared, step = shared, max(run.start, shared - step), 2 * step
            while other - shared > 1:
                middle = (shared + other) // 2
                shared, other = (middle, other) if self._shares(store, run, middle) else (shared, middle)
            return shared + 1

    def _shares(self, store: ChainStore, run: range, height: int) -> bool:
        own = store.column("block_hash")[store.followed_from + height - run.start].tobytes()
        return bool(self._client.batch([("getblockhash", (height,))])[0] == display(own))

    def _look_at_waiting(self, network: Network) -> Unconfirmed | None:
        if not self._config.most_unconfirmed or not _has_store(self._folder):
            return None
        before = self._layer or _layer_before(self._folder, network)
        now, most = int(self._now()), self._config.most_unconfirmed
        self._layer = gather(self._client, network, now, before, most=most)
        write_unconfirmed(self._folder, self._layer)
        return self._layer

    def run(self, wait: Wait) -> Iterator[Look]:
        """Look again and again until `wait` says that it is to end; a node that is away is asked again, ever later."""
        delay = self._config.every
        while True:
            try:
                found = self.look()
                delay = self._config.every
            except NodeAway as error:
                found = Look(int(self._now()), *_tip_of(self._folder), away=error.message)
                delay = min(max(1.0, 2 * delay), max(_LONGEST_WAIT, self._config.every))
            yield found
            if wait(delay):
                return


def _has_store(folder: Path) -> bool:
    return (folder / MANIFEST).exists()


def _network_of(folder: Path) -> Network | None:
    if not _has_store(folder):
        return None
    with ChainStore.open(folder) as store:
        return store.network


def _tip_of(folder: Path) -> tuple[int | None, str | None]:
    if not _has_store(folder):
        return None, None
    with ChainStore.open(folder) as store:
        return store.tip_height, store.tip_hash


def _whole_run(store: ChainStore) -> range:
    """Heights of the unbroken run of whole blocks that ends at the store's tip; empty when its height is not known."""
    last, count = store.tip_height, store.rows("block") - store.followed_from
    return range(0) if last is None else range(last + 1 - count, last + 1)


def _layer_before(folder: Path, network: Network) -> Unconfirmed | None:
    """The layer that an earlier run left, for its times; a damaged one, or another network's, counts as none."""
    try:
        layer = read_unconfirmed(folder)
    except StoreError:
        return None
    return layer if layer is not None and layer.network == network else None
