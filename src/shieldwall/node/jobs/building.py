"""Jobs on the chain store: build it, follow a node with it, cluster it. What they make are public facts, or rest on such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from shieldwall.errors import BadText, StoreError
from shieldwall.intel.manifest import check_name
from shieldwall.model.moment import unix
from shieldwall.model.network import Network, by_name
from shieldwall.node.jobs.parameters import Parameters

if TYPE_CHECKING:
    from shieldwall.chain.follow import Look
    from shieldwall.chain.since import Since
    from shieldwall.node.jobs.context import Context, Finish
    from shieldwall.store.work import Work

_LONGEST_DIGITS = 9  # of a height
_MOST_FAULTS = 10  # looks at a node in a row that the store's folder may refuse, such as while another process builds
_FAULT_WAIT = 30.0  # seconds between two such
_MOST_NOTES = 100  # in an outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildChain:
    """Build the node's chain store, or extend it.

    Attributes:
        sources: Paths in the folders that the administrator declared, or URLs declared there.
        network: Its name, which also says in which of the node's folders; "" for what the sources say, in the first folder.
        since: A height, a date or a time: leave out what is earlier; "" for everything.
    """

    name: ClassVar[str] = "chain.build"
    endless: ClassVar[bool] = False
    sources: tuple[str, ...]
    network: str = ""
    since: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """See `JobKind`."""
        read = Parameters(cls.name, given)
        sources = read.texts("sources", least=1)
        found = cls(sources=sources, network=read.network(), since=read.text("since", ""))
        read.end()
        _since(found.since)
        return found

    def run(self, context: Context) -> Finish:
        """See `JobKind`."""
        from shieldwall.chain.build import BuildConfig, build  # noqa: PLC0415 - the node starts without it
        from shieldwall.chain.sources import SourceOptions  # noqa: PLC0415

        means = context.means
        report = build(
            means.chains.folder_for(self.network),
            [context.source(text) for text in self.sources],
            network=_named(self.network),
            since=_since(self.since),
            allow_remote=True,  # a URL is one that the administrator declared
            config=BuildConfig(engine=means.config.engine),
            progress=context.progress,
            options=SourceOptions(login=means.login, post=means.post),
        )
        plain = asdict(report)
        plain |= {"missing": [list(hole) for hole in report.missing[:_MOST_NOTES]]}
        plain |= {name: plain[name][:_MOST_NOTES] for name in ("notes", "unconnected")}
        return lambda _: plain


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowChain:
    """Follow a node with the chain store until it is cancelled.

    Attributes:
        source: A URL `rpc://...` that the administrator declared.
        network: As `BuildChain`; "" for what the node says, in the first folder.
        since: As `BuildChain`; where a new store begins.
        every: Seconds between two looks.
    """

    name: ClassVar[str] = "chain.follow"
    endless: ClassVar[bool] = True
    source: str
    network: str = ""
    since: str = ""
    every: int = 10

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """See `JobKind`."""
        read = Parameters(cls.name, given)
        found = cls(
            source=read.text("source"),
            network=read.network(),
            since=read.text("since", ""),
            every=read.number("every", 10, least=1, most=3600),
        )
        read.end()
        _since(found.since)
        return found

    def run(self, context: Context) -> Finish:
        """See `JobKind`."""
        from shieldwall.chain.follow import FollowConfig, Follower  # noqa: PLC0415 - the node starts without it
        from shieldwall.chain.sources import SourceOptions  # noqa: PLC0415

        means = context.means
        follower = Follower(
            means.chains.folder_for(self.network),
            context.source(self.source),
            network=_named(self.network),
            config=FollowConfig(every=float(self.every), allow_remote=True),
            options=SourceOptions(login=means.login, post=means.post),
            since=_since(self.since),
            now=means.now,
            progress=context.progress,
        )
        looks = faults = 0
        while True:
            try:
                for look in follower.run(context.wait):
                    looks, faults = looks + 1, 0
                    context.progress(*_told(look))
                break
            except StoreError:
                faults += 1  # another process builds; it will be done
                if faults >= _MOST_FAULTS:
                    raise
                context.progress("waiting for the store", 0, 0)
                if context.wait(_FAULT_WAIT):
                    break
        return lambda _: {"looks": looks}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildClusters:
    """Build a clustering of the chain store, or extend it.

    It is kept in clear beside the chain store and is everybody's, so it is constrained by tags that anybody may see alone.

    Attributes:
        clustering: What it is called.
        coinjoin: drop, or keep: whether payers of CoinJoins are joined.
        change: A change rule; "" joins payers only.
        most: Change never makes a cluster of more addresses; 0 for no limit.
        tags: Tag sets whose services never merge; None for all, none for no constraint.
        again: From scratch in any case.
        network: Of the chain store; "" for the first.
    """

    name: ClassVar[str] = "cluster.build"
    endless: ClassVar[bool] = False
    clustering: str = "co-spend"
    coinjoin: str = "drop"
    change: str = ""
    most: int = 10_000
    tags: tuple[str, ...] | None = None
    again: bool = False
    network: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """See `JobKind`."""
        read = Parameters(cls.name, given)
        found = cls(
            clustering=read.text("clustering", "co-spend"),
            coinjoin=read.text("coinjoin", "drop", among=("drop", "keep")),
            change=read.text("change", ""),
            most=read.number("most", 10_000),
            tags=read.texts_or_none("tags"),
            again=read.flag("again"),
            network=read.network(),
        )
        read.end()
        check_name(found.clustering, "clustering", "clustering")
        return found

    def run(self, context: Context) -> Finish:
        """See `JobKind`."""
        from shieldwall.node.wiring import changes_of, clustering_folder  # noqa: PLC0415
        from shieldwall.trace.clusters.building import build_clustering  # noqa: PLC0415 - the node starts without it
        from shieldwall.trace.clusters.rules import ClusterRules  # noqa: PLC0415
        from shieldwall.trace.tagged_holders import TaggedHolders  # noqa: PLC0415

        config = context.means.config
        constrained = self.tags is None or bool(self.tags)
        rules = ClusterRules(coinjoin=self.coinjoin, change=self.change, most=self.most, constrained=constrained)
        with context.means.chains.open(self.network) as store:
            tagged = TaggedHolders.of(store, context.public_tag_index(self.tags)) if constrained else None
            report = build_clustering(
                clustering_folder(config, store, self.clustering),
                store,
                rules,
                tagged=tagged,
                changes=changes_of(config, store, rules.change),
                again=self.again,
                engine=config.engine,
                progress=context.progress,
            )
        handling = context.handling
        claim = replace(report.clustering.claim(), marking=handling.marking, pap=handling.pap)
        counts = {name: report.clustering.body[name] for name in ("clusters", "transactions", "holders", "tip_height")}
        outcome = {
            "clustering": self.clustering,
            "digest": report.clustering.digest,
            "unchanged": report.unchanged,
        } | counts

        def finish(work: Work) -> Mapping[str, Any]:
            if work.identity.person:
                work.claims.add([claim], case=handling.case, group=handling.group)
            return outcome

        return finish


def _named(name: str) -> Network | None:
    return by_name(name) if name else None


def _since(text: str) -> Since | None:
    """Where a store begins: a height, or a date or time.

    Raises:
        BadText: Neither.
    """
    from shieldwall.chain.since import Since  # noqa: PLC0415 - the node starts without it
    from shieldwall.errors import UsageError  # noqa: PLC0415

    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_DIGITS:
        return Since(height=int(text))
    try:
        return Since(time=unix(text))
    except (UsageError, ValueError, OverflowError):
        raise BadText("'since' must be a height, or a date such as 2021-05-08") from None


def _told(look: Look) -> tuple[str, int, int]:
    stage = "the node is away" if look.away else "following"
    return stage, look.tip_height or 0, look.node_height or look.tip_height or 0
