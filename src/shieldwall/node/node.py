"""The running node: its parts put together, its background work, and what the web face asks of it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import Unconfirmed
from shieldwall.errors import NotFound, ShieldwallError, TooMany, UsageError
from shieldwall.intel import Directory, TagIndex, read_directory, shipped
from shieldwall.intel.stored import StoredTagSets
from shieldwall.model.access import Identity
from shieldwall.model.claim import Subject
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.home import OpenHome
from shieldwall.node.identity import NodeKeys, refreshed
from shieldwall.node.jobs.context import Means
from shieldwall.node.jobs.runner import Runner, RunnerConfig
from shieldwall.node.nodeconfig import NodeConfig
from shieldwall.node.operators import NODE
from shieldwall.node.people.config import OidcConfig, PeopleConfig
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.limits import DOORS
from shieldwall.node.sharing.door import PartnerDoor
from shieldwall.node.sharing.ruling import Ruler
from shieldwall.node.sharing.subscribing import Subscriber
from shieldwall.node.sheets.frozen import FrozenShelf, Made
from shieldwall.node.watches.delivery import Deliverer, Receiver
from shieldwall.node.watches.watcher import Watcher
from shieldwall.sharing.warninglists import Warninglists
from shieldwall.store import Store

if TYPE_CHECKING:
    from shieldwall.trace.change.decide import ChangeVerdict
    from shieldwall.trace.clusters.clustering import Clustering
    from shieldwall.trace.layout import Column

TICK = 2.0
"""Seconds between two looks at what is due."""

_MOST_LARGE = 3  # files and traces that are held whole at once
_PATIENCE = 10.0  # seconds that somebody waits for room
_MOST_INDEXES = 16  # sets of rights whose tags are kept open

_log = logging.getLogger(__name__)


class Node:
    """One node, opened.

    Args:
        home: Its folder, unlocked.
    """

    def __init__(self, home: OpenHome) -> None:
        self.home = home
        self.config: NodeConfig = home.config
        self.store: Store = home.store
        self.chains = Chains((home.config.chain, *home.config.further_chains))
        self.doors = Doors(home.store, people_config(home.config))
        self.partners = PartnerDoor(home.store, self.doors.gate)
        self.runner = Runner(self._means(), self._identity_of, RunnerConfig(workers=home.config.workers))
        self.deliverer = Deliverer(
            home.store,
            sign=self._sign_by,
            receiver_of=self._receiver_of,
            origin=home.config.origin,
            webhooks=home.config.webhook,
            mail=home.config.mail,
        )
        self.watcher = Watcher(
            home.store,
            self.chains,
            tags=self.tag_index,
            identity_of=self._identity_of,
            clustering=self._clustering,
            ways=self.deliverer.ways,
            directory=lambda: self.directory,
        )
        self.subscriber = Subscriber(self, self._identity_of)
        self.ruler = Ruler(self, self._identity_of)
        self.problems: dict[str, str] = {}
        self.frozen = FrozenShelf(self.large)
        self.pictures: Made[Sequence[Column]] = Made()
        self.records: Made[Mapping[str, Any]] = Made(512)
        self.changes: Made[ChangeVerdict | None] = Made(512)
        self.disputed: Made[tuple[tuple[Subject, ...], int, bool]] = Made()
        self._indexes: OrderedDict[tuple[object, ...], tuple[tuple[int, int], TagIndex]] = OrderedDict()
        self._lock = threading.Lock()
        self._large = threading.BoundedSemaphore(_MOST_LARGE)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # how it is reached

    @property
    def has_tls(self) -> bool:
        """Whether it speaks TLS itself."""
        return self.config.tls_certificate is not None

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; with TLS one that no other host or path can set."""
        return "__Host-shieldwall" if self.has_tls else "shieldwall"

    @cached_property
    def origins(self) -> frozenset[str]:
        """Origins of its own pages."""
        return frozenset(self.doors.config.origins)

    def is_own_host(self, host: str) -> bool:
        """Whether a Host header names this node."""
        return host.lower() in self._hosts

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(origin.split("://", 1)[1] for origin in self.origins)

    # what it holds

    def chain(self, network: str = "") -> ChainStore:
        """A snapshot of its chain store of a network, of the first without a name; see `Chains.open`."""
        return self.chains.open(network)

    def layer(self, network: str = "") -> Unconfirmed | None:
        """What waits for a block of a network; see `Chains.layer`."""
        return self.chains.layer(network)

    def tag_sets(self, identity: Identity, *, case: str | None = None, group: str | None = None) -> StoredTagSets:
        """The tag sets, as an identity sees them; what it imports goes into a case or group."""
        return StoredTagSets(self.store, identity, case=case, group=group)

    def tag_index(self, identity: Identity, names: Sequence[str] | None = None) -> TagIndex:
        """The tag sets that an identity may see, opened; those named, or all.

        Raises:
            UsageError: No such set.
        """
        return self.tag_sets(identity).select(names)

    def known_tags(self, identity: Identity) -> TagIndex:
        """All tag sets that an identity may see; kept open between look-ups as long as neither sets nor rights change."""
        with self.store.inside(identity) as work:
            stamp = work.tagsets.stamp()
        rights = (identity.person, identity.highest, identity.groups, identity.cases, identity.permissions)
        with self._lock:
            kept = self._indexes.pop(rights, None)
        if kept is None or kept[0] != stamp:
            kept = (stamp, self.tag_index(identity))
        with self._lock:
            self._indexes[rights] = kept
            while len(self._indexes) > _MOST_INDEXES:
                self._indexes.popitem(last=False)
        return kept[1]

    @cached_property
    def directory(self) -> Directory:
        """Who can freeze what."""
        further = self.home.path / "freeze-directory.toml"
        return shipped().with_further(read_directory(further)) if further.is_file() else shipped()

    @cached_property
    def warninglists(self) -> Warninglists:
        """What is known to be harmless: the lists in `warninglists` of its folder, as they were when it started."""
        return Warninglists.in_folder(self.home.path / "warninglists")

    @contextlib.contextmanager
    def large(self) -> Iterator[None]:
        """Room to hold a large thing in memory; few have it at once.

        Raises:
            TooMany: None within some seconds.
        """
        if not self._large.acquire(timeout=_PATIENCE):
            raise TooMany("too much is being read at once", hint="ask again in a moment", seconds=5)
        try:
            yield
        finally:
            self._large.release()

    def blind(self, kind: str, chain: str, name: str) -> str:
        """What an audit record says of a subject: a keyed hash, the same for the same subject, that tells nothing else."""
        return self.store.secrets.keyed("audit", kind, chain, name).hex()[:32]

    # background work

    def start(self) -> None:
        """Begin background work; the start is in the audit log, and its root is signed."""
        self.store.record(NODE, "node.start")
        self.home.witness.sign(NODE)
        self._stopping.clear()
        self.runner.start()
        self._threads = [
            threading.Thread(target=self._every, args=(name, step), name=name, daemon=True)
            for name, step in (
                ("watches", self.watcher.tick),
                ("deliveries", self.deliverer.tick),
                ("sources", self.subscriber.tick),
                ("rules", self.ruler.tick),
                ("roots", self._sign),
            )
        ]
        for thread in self._threads:
            thread.start()

    def keys(self) -> NodeKeys:
        """The keys of now: another process may have rotated them."""
        keys = refreshed(self.store, NODE, self.home.keys)
        if keys is not self.home.keys:
            self.home = replace(self.home, keys=keys)
        return keys

    def stop(self) -> None:
        """End background work; the stop is in the audit log, and its root is signed."""
        self._stopping.set()
        self.runner.stop()
        for thread in self._threads:
            thread.join(timeout=10)
        self.store.record(NODE, "node.stop")
        self.home.witness.sign(NODE)
        self.home.close()

    def _every(self, name: str, step: Callable[[], object]) -> None:
        """Do something again and again; what fails is told by `problems`, and tried again."""
        while not self._stopping.wait(TICK):
            try:
                step()
                self.problems.pop(name, None)
            except ShieldwallError as error:
                self._tell(name, error, error.message)
            except Exception as error:  # noqa: BLE001 - what is due must go on; the words of a fault may hold what is secret
                self._tell(name, error, f"a fault of the program: {type(error).__name__}")

    def _tell(self, name: str, error: Exception, words: str) -> None:
        if self.problems.get(name) != words:
            _log.warning("%s: %s", name, type(error).__name__)
        self.problems[name] = words

    def _sign_by(self, purpose: str, message: bytes) -> Mapping[str, Any]:
        return self.keys().sign(purpose, message)

    def _sign(self) -> None:
        self.home.witness.sign_if_due(NODE)

    def _identity_of(self, person: str) -> Identity:
        return self._receiver_of(person).identity

    def _receiver_of(self, person: str) -> Receiver:
        with self.store.inside(DOORS) as work:
            found = work.people.find(person)
            if found is None:
                raise NotFound("that person is not there any more")
            return Receiver(identity=work.people.identity_of(found), mail=found.mail)

    def _clustering(self, chain: ChainStore, name: str) -> Clustering:
        from shieldwall.node.wiring import open_clustering  # noqa: PLC0415 - the node starts without it

        return open_clustering(self._config, chain, name)

    @property
    def _config(self) -> Config:
        return Config(chain=self.config.chain, data=self.home.path)

    def _means(self) -> Means:
        return Means(
            store=self.store,
            config=self._config,
            chains=self.chains,
            tags=self.tag_index,
            sources=self.config.sources,
            directory=lambda: self.directory,
        )


def people_config(config: NodeConfig) -> PeopleConfig:
    """The doors' settings, out of the node's."""
    people = config.people
    oidc = None
    if config.oidc is not None:
        secret = config.oidc.client_secret_file
        oidc = OidcConfig(
            issuer=config.oidc.issuer,
            client_id=config.oidc.client_id,
            redirect=f"{config.origin}/api/v1/oidc/callback",
            client_secret=_secret_in(secret) if secret else "",
        )
    return PeopleConfig(
        host=config.host,
        origins=(config.origin,),
        node=config.name,
        idle=people.idle_minutes * 60,
        longest=people.session_hours * 3600,
        confirm_within=people.confirm_minutes * 60,
        invitation=people.invitation_hours * 3600,
        oidc=oidc,
    )


def _secret_in(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"client_secret_file: {path} cannot be read ({type(error).__name__})", hint="check [oidc] in node.toml"
        ) from None
