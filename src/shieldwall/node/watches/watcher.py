"""Look at the watches as the chain stores grow, and ring."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import BadText, Conflict, Refused, ShieldwallError, StoreError, UsageError
from shieldwall.intel import directory as freezers
from shieldwall.intel import freezable_by, know
from shieldwall.model.access import Handling, Identity, joint
from shieldwall.model.canonical import digest
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand
from shieldwall.node.jobs.context import NODE, TagsOf, tag_handlings
from shieldwall.node.jobs.parameters import is_plain
from shieldwall.node.watches import movements as moves
from shieldwall.node.watches.advice import Told, alarm_body
from shieldwall.node.watches.looking import Event, Movement, Seen, begin, look
from shieldwall.store.watches import CHANNELS, NewAlarm, Watch

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore
    from shieldwall.chain.unconfirmed import Unconfirmed
    from shieldwall.node.chains import Chains, ChainShelf
    from shieldwall.store.engine import Store
    from shieldwall.trace.clusters.clustering import Clustering

_log = logging.getLogger(__name__)

KINDS = ("address", "cluster", "end")
MOST_OUTPUTS = 5000
"""Outputs of a trace's ends that one watch may follow."""
_LONGEST_NOTE = 200  # characters
_EVERY = 300.0  # seconds after which all is looked at, whether or not the chain store changed
_RETRY = 60.0  # seconds after a look that failed
_STEP = 100  # blocks after which a watch that saw nothing remembers how far it was
_TXID = re.compile(r"[0-9a-f]{64}")
_MOST_TRACE = 256 << 20  # bytes of a trace's result


@dataclass(eq=False)
class _Post:
    """Where one chain store is watched from: what waits there, how it was at the last look, and when to look in any case."""

    shelf: ChainShelf
    room: moves.WaitingRoom = field(default_factory=moves.WaitingRoom)
    looked: tuple[object, object] | None = None
    next_at: float = 0.0

    def state(self) -> tuple[object, object]:
        """Changes whenever the store was committed, or something else waits for a block."""
        return self.shelf.stamp(), self.layer()

    def layer(self) -> Unconfirmed | None:
        """What waits for a block; a damaged layer counts as none, so that it silences no watch."""
        try:
            return self.shelf.layer()
        except StoreError as error:
            _log.warning("what waits for a block cannot be read: %s", type(error).__name__)
            return None

    def enter(self, chain: ChainStore) -> None:
        """Take in what waits now."""
        layer = self.layer()
        if layer is not None and layer.network == chain.network:
            self.room.enter(chain, layer)

    def is_due(self, now: float, state: tuple[object, object]) -> bool:
        """Whether the store has changed since the last look, or that was long ago."""
        before = self.looked
        return now >= self.next_at or before is None or state[0] != before[0] or state[1] is not before[1]


ClusteringOf = Callable[["ChainStore", str], "Clustering"]
"""The clustering of a chain store that is called so; as `node.wiring.open_clustering` with a configuration."""

Ways = Callable[[Sequence[str], Handling], Iterable[tuple[str, str]]]
"""Channel and receiver of each delivery: for the channels that a watch names, and how its alarm is handled."""


def no_ways(_channels: Sequence[str], _handling: Handling) -> Iterable[tuple[str, str]]:
    """Alarms are seen on the page alone."""
    return ()


class Watcher:
    """Looks at the watches.

    Args:
        store: The node's store.
        chains: The chain stores; each watch belongs to the network of one.
        tags: Opens tag sets for an identity.
        identity_of: Whose watch it is, by the id of the person, with the rights of now; Refused where they may not come in.
        clustering: Opens a clustering.
        ways: How an alarm leaves the node.
        directory: Who can freeze what.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        store: Store,
        chains: Chains,
        *,
        tags: TagsOf,
        identity_of: Callable[[str], Identity],
        clustering: ClusteringOf,
        ways: Ways = no_ways,
        directory: Callable[[], freezers.Directory] = freezers.shipped,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._chains = chains
        self._tags = tags
        self._identity_of = identity_of
        self._clustering = clustering
        self._ways = ways
        self._directory = directory
        self._monotonic = monotonic
        self._posts = tuple(_Post(shelf) for shelf in chains.shelves)
        self._lost: frozenset[str] = frozenset()

    # setting a watch

    def add(
        self,
        identity: Identity,
        kind: str,
        target: Mapping[str, Any],
        handling: Handling,
        *,
        channels: Sequence[str] = (),
        note: str = "",
        network: str = "",
    ) -> Watch:
        """Set a watch. What is there already does not ring.

        Args:
            identity: Who.
            kind: address, cluster or end.
            target: `{"address": ...}`; of a cluster `{"address": ..., "clustering": name}`; of the ends of a trace
                `{"file": id}`, a stored result of a trace.
            handling: Who may see it; where it is that of a trace, at least as strict as the trace.
            channels: webhook, mail; every alarm is on the page as well.
            note: What people call it.
            network: Of the chain store; "" for the one that holds the address, or for that of the trace.

        Raises:
            BadText: The target does not fit.
            UnknownAddress: No address of the chain's network.
            UsageError: The node has no chain store, or none of that network.
            Refused: Whoever asks may not.
        """
        for name in channels:
            if name not in CHANNELS:
                raise BadText(f"no channel is called {name[:40]!r}", hint=f"use {' or '.join(CHANNELS)}")
        if len(note) > _LONGEST_NOTE or not is_plain(note):
            raise BadText(f"a note has at most {_LONGEST_NOTE} characters")
        _check_fields(kind, target)
        plain: dict[str, Any] = dict(target)
        if kind == "end":
            plain, handling = self._ends(identity, target["file"], handling, network)
            network = plain["network"]
        opened = self._chains.open(network) if network else self._chains.holding(target["address"])
        with contextlib.closing(opened) as chain:
            if kind != "end":
                address = moves.check_address(chain, target["address"])
                plain = {**plain, "address": address, "network": chain.network.name}
            watched, members = self._watched(chain, kind, plain)
            post = next(each for each in self._posts if each.shelf.folder == chain.folder)
            post.enter(chain)
            waiting = post.room.movements(chain, watched)
            seen = begin(moves.tip_of(chain), moves.movements(chain, watched), waiting, members)
            subject = Subject(*_subject(kind, plain, chain.network.caip2))
        body = {"what": plain, "channels": sorted(set(channels)), "note": note}
        with self._store.act(identity, "watch.add", kind=kind) as work:
            watch = work.watches.add(kind, body, seen.as_dict(), subject, handling)
        post.next_at = 0.0  # the chain may have grown in between
        return watch

    def _ends(
        self, identity: Identity, file_id: str, handling: Handling, wanted: str
    ) -> tuple[dict[str, Any], Handling]:
        """The outputs that a stored trace ended in, and how a watch on them must be handled."""
        with self._store.look(identity, "file.read", file=file_id) as work:
            file = work.files.get(file_id)
            if file.kind != "trace" or file.size > _MOST_TRACE:
                raise BadText("that file is no result of a trace")
            raw = work.files.read(file_id)
        try:
            body = parse_json(raw, "trace")
            network, ends = body["network"], body["ends"]
            outputs = [(output["txid"], output["index"]) for end in ends for output in end["outputs"]]
            first = str(body["targets"][0]["identity"])
            demand(isinstance(network, str), *(_is_output(*output) for output in outputs))
        except (KeyError, TypeError, IndexError, ValueError):
            raise BadText("that file is no result of a trace") from None
        if network not in ([wanted] if wanted else self._chains.networks()):
            here = wanted or " and ".join(self._chains.networks())
            raise BadText(
                f"that trace is of {network[:40]}, and the chain is {here}" if here else "there is no chain store"
            )
        if len(outputs) > MOST_OUTPUTS:
            raise BadText(f"that trace ended in more than {MOST_OUTPUTS:,} outputs", hint="trace with narrower limits")
        if not outputs:
            raise BadText("that trace ended in no output that could move")
        plain = {"file": file_id, "from": first, "outputs": [list(output) for output in sorted(set(outputs))]}
        return {**plain, "network": network}, joint(handling, file.handling)

    # looking

    def tick(self) -> int:
        """Look at the watches of each chain store that has changed, or where something else waits; how many alarms rang.

        A watch that cannot be looked at now does not keep the others from it, and is looked at again; nor does a chain store.

        Raises:
            StoreError: Two chain stores are of one network, and none was looked at; or one is damaged, and the others were.
        """
        there = self._chains.there()
        now = self._monotonic()
        states = {post: post.state() for post in self._posts if post.shelf.is_there}
        due = [post for post, state in states.items() if post.is_due(now, state)]
        if not due:
            return 0
        with self._store.inside(NODE) as work:
            active = work.watches.active()
        self._tell_lost({_network_of(watch) for watch in active} - {"", *there})
        rang, damage = 0, None
        for post in due:
            try:
                new, failed = self._look_from(post, active) if active else (0, False)
            except (StoreError, UsageError) as error:
                damage = damage or error
                continue
            rang += new
            post.looked, post.next_at = states[post], now + (_RETRY if failed else _EVERY)
        if damage is not None:
            raise damage
        return rang

    def _look_from(self, post: _Post, active: Sequence[Watch]) -> tuple[int, bool]:
        """Look at the watches of one chain store; how many alarms rang, and whether some could not be looked at."""
        rang, failed = 0, False
        with contextlib.closing(post.shelf.open()) as chain:
            own = {chain.network.name, "" if post.shelf is self._chains.first else chain.network.name}
            post.enter(chain)
            for watch in active:
                if _network_of(watch) not in own:
                    continue
                try:
                    rang += self._look(post, chain, watch)
                except (ShieldwallError, OSError) as error:
                    failed = True
                    _log.warning("watch %s cannot be looked at now: %s", watch.id, type(error).__name__)
        return rang, failed

    def _tell_lost(self, networks: set[str]) -> None:
        """Say once that watches belong to networks of which there is no store (any more)."""
        if networks != self._lost:
            self._lost = frozenset(networks)
            for network in sorted(networks):
                _log.warning("watches on %s are not looked at: there is no such chain store", network)

    def _look(self, post: _Post, chain: ChainStore, watch: Watch) -> int:
        rang = 0
        while True:
            new, more = self._look_once(post, chain, watch)
            rang += new
            if not more:
                return rang
            with self._store.inside(NODE) as work:
                watch = next((each for each in work.watches.active() if each.id == watch.id), watch)

    def _look_once(self, post: _Post, chain: ChainStore, watch: Watch) -> tuple[int, bool]:
        """One look; how many alarms rang, and whether there is more to see."""
        before = Seen.from_dict(watch.seen)
        watched, members = self._watched(chain, watch.kind, watch.target["what"])
        tip, found = moves.tip_of(chain), moves.movements(chain, watched, before.above)
        layer = post.layer()
        seen, events = look(
            before,
            tip,
            found,
            still=moves.still_there(chain, before.known.keys() - found.keys()),
            waiting=None if layer is None else post.room.movements(chain, watched),
            members=members,
        )
        if events:
            alarms = self._alarms(chain, watch, events)
            ways = list(self._ways(watch.target["channels"], alarms[0].handling))
            with self._store.act(NODE, "watch.ring", watch=watch.id) as work:
                rang = work.watches.ring(watch, seen.as_dict(), alarms, ways)
            return len(rang), seen.tip != tip
        if _worth_keeping(before, seen):
            with contextlib.suppress(Conflict), self._store.upkeep(NODE) as work:
                work.watches.see(watch, seen.as_dict())
        return 0, False

    def _watched(self, chain: ChainStore, kind: str, plain: Mapping[str, Any]) -> tuple[moves.Watched, str]:
        """What is watched in the store as it stands, and the digest of a cluster's members."""
        if kind == "end":
            return moves.watched_outputs(chain, [(txid, index) for txid, index in plain["outputs"]]), ""
        if kind == "address":
            return moves.watched_address(chain, plain["address"]), ""
        with self._clustering(chain, plain["clustering"]) as clustering:
            watched = moves.watched_cluster(chain, plain["address"], clustering)
        return watched, digest([len(watched.holders), watched.holders.tobytes().hex()])

    def _alarms(self, chain: ChainStore, watch: Watch, events: Sequence[Event]) -> list[NewAlarm]:
        known, used = self._known(chain, watch, [event.movement for event in events])
        what = {"note": watch.target["note"], **_shown(watch.target["what"])}
        tip, coin = moves.tip_of(chain), chain.network.coin
        alarms = []
        for event in events:
            tags = [handling for paid in event.movement.to for handling in used.get(paid.to, ())]
            body = alarm_body(watch.kind, what, event, tip, coin, known)
            alarms.append(NewAlarm(event=event.key, body=body, handling=joint(watch.handling, *tags)))
        return alarms

    def _known(
        self, chain: ChainStore, watch: Watch, moved: Sequence[Movement]
    ) -> tuple[dict[str, Told], dict[str, list[Handling]]]:
        """What the owner of a watch may tell of the receivers, and how that must be handled."""
        names = sorted({paid.to for movement in moved for paid in movement.to})
        try:
            identity = self._identity_of(watch.handling.owner) if watch.handling.owner else NODE
        except Refused:  # the watch rings on, for those who share it; their tags are not looked into
            return {}, {}
        identity = replace(identity, kind=NODE.kind)
        index = self._tags(identity, None)
        found = index.lookup([Subject("address", chain.network.caip2, name) for name in names])
        handlings = tag_handlings(self._store, identity, (each for some in found.values() for each in some))
        directory = self._directory()
        told: dict[str, Told] = {}
        used: dict[str, list[Handling]] = {}
        for subject, everything in found.items():
            sourced = [each for each in everything if _may_tell(handlings[each.claim.id], watch.handling)]
            known = know(subject, sourced)
            services = known.services()
            able = freezable_by(known.tags, directory).freezers
            told[subject.name] = Told(
                labels=tuple(tag.label for tag in known.tags),
                service=services[0].label if services else "",
                freezers=tuple(freezer.as_dict() for freezer in able),
            )
            used[subject.name] = [handlings[each.claim.id] for each in sourced]
        return told, used


def _check_fields(kind: str, target: Mapping[str, Any]) -> None:
    """Refuse what cannot be watched, before anything is looked up.

    Raises:
        UsageError: No such kind.
        BadText: The target does not fit it.
    """
    fields = {"address": ("address",), "cluster": ("address", "clustering"), "end": ("file",)}.get(kind)
    if fields is None:
        raise UsageError(f"nothing called {kind[:40]!r} can be watched", hint=f"use one of {', '.join(KINDS)}")
    if set(target) != set(fields) or not all(isinstance(value, str) and is_plain(value) for value in target.values()):
        raise BadText(f"what to watch: {' and '.join(fields)}, as texts, and nothing else")


def _network_of(watch: Watch) -> str:
    """The network that a watch belongs to; "" for that of the first chain store, as those set before there were several."""
    return str(watch.target["what"].get("network", ""))


def _may_tell(tag: Handling, watch: Handling) -> bool:
    """Whether a tag may go into the alarms of a watch: not where its readers are others than the watch's.

    Else the alarm would be for nobody but the owner of the watch, and the team that waits for it would not hear it.
    """
    if tag.case not in (None, watch.case) or tag.group not in (None, watch.group):
        return False
    own_alone = tag.marking is Marking.RED and tag.case is None and tag.group is None
    return not own_alone or (watch.case is None and watch.group is None and watch.marking is Marking.RED)


def _subject(kind: str, plain: Mapping[str, Any], chain: str) -> tuple[str, str, str]:
    """What a watch is about, for the meeting of cases."""
    return "address", chain, plain["from"] if kind == "end" else plain["address"]


def _shown(what: Mapping[str, Any]) -> dict[str, Any]:
    """A target without its long list."""
    return {name: value for name, value in what.items() if name != "outputs"}


def _is_output(txid: object, index: object) -> bool:
    """Whether these are the txid, in display form, and the index of an output."""
    return isinstance(txid, str) and bool(_TXID.fullmatch(txid)) and type(index) is int and 0 <= index < 1 << 32


def _worth_keeping(before: Seen, seen: Seen) -> bool:
    """Whether something changed without ringing that the next look must know."""
    if before.known.keys() != seen.known.keys() and seen.above == before.above:
        return True
    if (before.members, before.turns) != (seen.members, seen.turns):
        return True
    heights = before.tip.height, seen.tip.height
    if None in heights:
        return before.tip != seen.tip
    return abs((seen.tip.height or 0) - (before.tip.height or 0)) >= _STEP
