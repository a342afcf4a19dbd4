"""Jobs that answer a question of someone's: a trace, a screening. What they find is handled as strictly as all that went in."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from shieldwall import __version__
from shieldwall.errors import BadText
from shieldwall.model.access import joint
from shieldwall.model.claim import Claim, ClaimKind, Layer, Subject
from shieldwall.model.moment import utc
from shieldwall.node.jobs.parameters import Parameters

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore
    from shieldwall.intel import TagIndex
    from shieldwall.intel.setfile import Glance
    from shieldwall.node.jobs.context import Context, Finish
    from shieldwall.store.work import Work
    from shieldwall.trace.clusters.clustering import Clustering
    from shieldwall.trace.published import PublishedHops
    from shieldwall.trace.result import TraceResult
    from shieldwall.trace.screening.screener import Screener

TRACE = ClaimKind(
    "trace",
    {"digest": str, "file": str, "method": str, "direction": str, "network": str, "sentence": str},
    {"tip_height": int, "tip_hash": str},
)
"""A claim on each thing that a trace started from: which file holds the answer, and what it says in one sentence."""

SUBJECTS = {"address": "address", "transaction": "transaction", "output": "output", "input": "input"}
MOST_RESULT = 256 << 20  # bytes of a result
_MOST_TARGETS = 1000
_DIRECTIONS = ("forward", "backward")
_METHODS = ("poison", "haircut", "fifo", "lifo", "tiho", "all")
_MOST_TRANSACTIONS = 5_000_000
_LONGEST_TARGET = 400  # characters
_MOST_HOPS = 20_000  # published hops that a trace asks for: the newest
_LEVEL = 1  # of compression: the rows of a screening repeat themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Follow money.

    Attributes:
        targets: Addresses, `KIND:HEX`, TXID, TXID:N, TXID:in:N.
        method: poison, haircut, fifo, lifo, tiho, or all.
        direction: forward or backward.
        tags: Tag sets, `NAME` or `NAME@VERSION`; None for all, none for none.
        stop: Tag categories to stop at; None for the usual services.
        cluster: Name of a clustering; "" for none.
        hops: Spends from the seed; None for no limit.
        until_height: A later spend is not followed (backward: what was paid earlier).
        until_time: Likewise, Unix seconds.
        least: Satoshi; less is not followed.
        transactions: How many are followed in all.
        network: Of the chain store; "" for the one that holds the first target.
    """

    name: ClassVar[str] = "trace"
    endless: ClassVar[bool] = False
    targets: tuple[str, ...]
    method: str = "fifo"
    direction: str = "forward"
    tags: tuple[str, ...] | None = None
    stop: tuple[str, ...] | None = None
    cluster: str = ""
    hops: int | None = None
    until_height: int | None = None
    until_time: int | None = None
    least: int = 0
    transactions: int = 200_000
    network: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """See `JobKind`."""
        read = Parameters(cls.name, given)
        found = cls(
            targets=read.texts("targets", least=1, most=_MOST_TARGETS),
            method=read.text("method", "fifo", among=_METHODS),
            direction=read.text("direction", "forward", among=_DIRECTIONS),
            tags=read.texts_or_none("tags"),
            stop=read.texts_or_none("stop"),
            cluster=read.text("cluster", ""),
            hops=read.number_or_none("hops"),
            until_height=read.number_or_none("until_height", most=0xFFFFFFFE),
            until_time=read.number_or_none("until_time", most=0xFFFFFFFF),
            least=read.number("least", 0),
            transactions=read.number("transactions", 200_000, least=1, most=_MOST_TRANSACTIONS),
            network=read.network(),
        )
        read.end()
        return found

    def run(self, context: Context) -> Finish:
        """See `JobKind`."""
        from shieldwall.trace.follow import follow  # noqa: PLC0415 - the node starts without it
        from shieldwall.trace.limits import Limits  # noqa: PLC0415
        from shieldwall.trace.targets import find_targets  # noqa: PLC0415

        limits = Limits(self.hops, self.until_time, self.until_height, self.least, self.transactions)
        chains = context.means.chains
        with chains.open(self.network) if self.network else chains.holding(self.targets[0]) as store:
            words = [_checked(store, word) for word in self.targets]
            clustering = _clustering(context, store, self.cluster)
            labels = None
            if self.tags is None or self.tags:
                labels = own_labels(context, store, self.tags, self.stop)
            result = follow(
                store,
                find_targets(store, words, clustering=clustering),
                self.method,
                limits,
                direction=self.direction,
                labels=labels,
                published=own_published(context, store.network.caip2),
                clustering=clustering,
                engine=context.means.config.engine,
                progress=context.progress,
            )
            context.progress("writing", 0, 0)
            text = result.to_json().encode()
            subjects = _subjects(result, store.network.caip2)
        return lambda work: _keep_trace(work, context, result, text, subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """Look up every address of a stored file.

    Attributes:
        file: Its id.
        form: csv or jsonl: how rows are written.
        tags: As `Trace`.
        cluster: As `Trace`.
        hops: Transactions around each address that are looked at.
        network: Of the chain store; "" for the first.
    """

    name: ClassVar[str] = "screening"
    endless: ClassVar[bool] = False
    file: str
    form: str = "csv"
    tags: tuple[str, ...] | None = None
    cluster: str = ""
    hops: int = 3
    network: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """See `JobKind`."""
        read = Parameters(cls.name, given)
        found = cls(
            file=read.text("file", longest=32),
            form=read.text("form", "csv", among=("csv", "jsonl")),
            tags=read.texts_or_none("tags"),
            cluster=read.text("cluster", ""),
            hops=read.number("hops", 3, most=10),
            network=read.network(),
        )
        read.end()
        return found

    def run(self, context: Context) -> Finish:
        """See `JobKind`."""
        from shieldwall.trace.screening.answer import sentence  # noqa: PLC0415 - the node starts without it
        from shieldwall.trace.screening.run import Lists, write_stream  # noqa: PLC0415

        chains = context.means.chains
        content = context.read_file(self.file)
        rows = Packed()
        with contextlib.ExitStack() as stack:
            named = bool(self.network) or chains.first.folder is not None
            store = stack.enter_context(chains.open(self.network)) if named else None
            clustering = None if store is None else _clustering(context, store, self.cluster)
            if self.cluster and store is None:
                raise BadText("clusters are those of a chain store, and the node has none")
            index = context.tag_index(() if self.tags == () else self.tags)
            screener = own_screener(context, index, store, self.hops, clustering)
            form = cast("Literal['jsonl', 'csv']", self.form)
            # in memory, and never in a file: the list is no public fact
            lists = Lists(screener, [], form, opened=io.BytesIO(content))
            tally = write_stream(lists, cast("io.BytesIO", rows), _of_bytes(context, len(content)))
        outcome = {
            "rows": tally.rows,
            "findings": tally.findings,
            "counts": dict(tally.counts),
            "near_misses": tally.near_misses,
            "sentence": sentence(tally.counts, self.hops if store is not None else 0),
        }

        def finish(work: Work) -> Mapping[str, Any]:
            media_type = "text/csv" if self.form == "csv" else "application/jsonl"
            name = f"screening-{context.job.id[:8]}.{self.form}"
            file = work.files.add(
                name, media_type, rows.pieces(), "screening", context.handling, most_bytes=MOST_RESULT
            )
            return {**outcome, "file": file.id, "sha256": file.sha256}

        return finish


class Packed:
    """Bytes that are written once and read once, held compressed in memory: nothing of them is in a file in clear."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(_LEVEL)
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        """Take more bytes.

        Raises:
            BadText: It becomes larger than a result may be.
        """
        self.size += len(data)
        if self.size > MOST_RESULT:
            raise BadText(f"the result has more than {MOST_RESULT:,} bytes", hint="screen the list in parts")
        self._parts.append(self._packer.compress(data))
        return len(data)

    def flush(self) -> None:
        """Nothing: `pieces` ends it."""

    def pieces(self) -> Iterator[bytes]:
        """All of them again, in order."""
        unpacker = zlib.decompressobj()
        for part in (*self._parts, self._packer.copy().flush()):
            piece = unpacker.decompress(part)
            if piece:
                yield piece
        yield unpacker.flush()


def own_published(context: Context, chain: str) -> PublishedHops:
    """Published hops that the person may see and that are guarded no otherwise than the job: a result names all of them."""
    from shieldwall.trace.published import HOP, PublishedHops  # noqa: PLC0415 - the node starts without it

    with context.means.store.inside(context.identity) as work:
        kept = work.claims.newest(kind=HOP.name, most=_MOST_HOPS)
    mine = joint(context.job.handling)
    here = [each for each in kept if each.claim.subject.chain == chain]
    return PublishedHops(each.claim for each in here if joint(context.job.handling, each.handling) == mine)


def own_labels(context: Context, store: ChainStore, tags: tuple[str, ...] | None, stop: tuple[str, ...] | None) -> Any:  # noqa: ANN401
    """The tags that the person may see as labels of a trace, kept for this job alone.

    The tables that `TagLabels` keeps are shared within the process, by the names of the sets: what one person may see would
    be shown to the next.
    """
    from shieldwall.trace.tagged import TagLabels, TagTable  # noqa: PLC0415 - the node starts without it
    from shieldwall.trace.tagged_holders import TaggedHolders  # noqa: PLC0415

    index = context.tag_index(tags)

    class OwnLabels(TagLabels):
        @property
        def versions(self) -> tuple[dict[str, Any], ...]:
            return tuple(each for each in super().versions if context.tells(each["set"]))

        def table(self, store: ChainStore) -> TagTable:
            if self._table is None:
                self._table = TagTable(self, TaggedHolders.of(store, index), self._stop)
            return self._table

    return OwnLabels(index, context.means.directory(), store.network, stop)


def own_screener(
    context: Context, index: TagIndex, store: ChainStore | None, hops: int, clustering: Clustering | None
) -> Screener:
    """As `Screener.of`, with every tag that a row names counted as taken, those some hops away among them."""
    from shieldwall.trace.screening.exposure import Exposures  # noqa: PLC0415 - the node starts without it
    from shieldwall.trace.screening.screener import Inherited, Screener  # noqa: PLC0415
    from shieldwall.trace.tagged_holders import TaggedHolders  # noqa: PLC0415

    class Noting(TaggedHolders):
        noting = False

        def standing(self, place: int) -> Sequence[Glance]:
            if self.noting:
                self.known(place)  # looks it up, which is noted; a glance alone is not
            return super().standing(place)

    if store is None or not (hops or clustering):
        return Screener(index, store)
    tagged = cast("Noting", Noting.of(store, index))
    engine = context.means.config.engine
    exposures = Exposures(store, tagged, hops, engine=engine) if hops else None
    tagged.noting = True  # from here on only what a row names is looked at
    return Screener(index, store, exposures, None if clustering is None else Inherited(clustering, tagged))


def _checked(store: ChainStore, word: str) -> str:
    """A target, which must be none of what the command line takes besides: the name of a file here, or pasted text.

    Raises:
        BadText: It is something else.
        UnknownAddress: It is no valid address of the store's network.
    """
    from shieldwall.model import address  # noqa: PLC0415
    from shieldwall.trace.pasted import IDENTITY, TRANSACTION  # noqa: PLC0415

    bare = word.strip()
    if len(bare) > _LONGEST_TARGET or not bare.isascii() or not bare.replace(":", "").replace("_", "").isalnum():
        raise BadText("a target is an address, a transaction id, TXID:N, TXID:in:N or KIND:HEX")
    if not (TRANSACTION.fullmatch(bare) or IDENTITY.fullmatch(bare)):
        address.decode(bare, store.network)
    return bare


def _clustering(context: Context, store: ChainStore, name: str) -> Clustering | None:
    from shieldwall.node.wiring import open_clustering  # noqa: PLC0415

    return open_clustering(context.means.config, store, name) if name else None


def _subjects(result: TraceResult, chain: str) -> list[Subject]:
    """What the trace started from and was found, each once."""
    targets = [target for target in result.body["targets"] if target["found"] and target["kind"] in SUBJECTS]
    return list(dict.fromkeys(Subject(SUBJECTS[each["kind"]], chain, each["identity"]) for each in targets))


def _keep_trace(
    work: Work, context: Context, result: TraceResult, text: bytes, subjects: list[Subject]
) -> Mapping[str, Any]:
    from shieldwall.node.casework.tracing import note_trace  # noqa: PLC0415 - the node starts without it

    handling = context.handling
    name = f"trace-{result.digest[:12]}.json"
    file = work.files.add(name, "application/json", [text], "trace", handling, most_bytes=MOST_RESULT)
    body = result.body
    statement = {name: body[name] for name in ("method", "direction", "network", "sentence", "tip_height", "tip_hash")}
    statement |= {"digest": result.digest, "file": file.id}
    statement = {name: value for name, value in statement.items() if value is not None}
    TRACE.check(statement, "trace")
    claims = [
        Claim(
            subject=subject,
            kind=TRACE.name,
            statement=statement,
            layer=Layer.INFERENCE,
            source=f"job {context.job.id}",
            made_by=f"shieldwall {__version__}",
            at=utc(work.now // 1_000_000),
            marking=handling.marking,
            pap=handling.pap,
            evidence=(file.sha256,),
        )
        for subject in subjects
    ]
    work.claims.add(claims, case=handling.case, group=handling.group)
    note_trace(work, file, result.as_dict())
    work.note(claims=len(claims))
    return {
        "file": file.id,
        "digest": result.digest,
        "sentence": body["sentence"],
        "claims": [claim.id for claim in claims],
    }


def _of_bytes(context: Context, size: int) -> Any:  # noqa: ANN401 - a Progress
    """Steps of a stream, whose size `write_stream` does not know."""

    def step(stage: str, done: int, total: int) -> None:
        context.progress(stage, min(done, size), total or size)

    return step
