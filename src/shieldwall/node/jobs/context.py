"""What a job is given to work with, and how it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, cast

from shieldwall.chain.readers.rpc_client import Login, is_rpc_url
from shieldwall.errors import BadInput, UsageError
from shieldwall.intel import directory as freezers
from shieldwall.model.access import Handling, Identity, Kind, joint
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking

if TYPE_CHECKING:
    from shieldwall.chain.readers.rpc_client import Post
    from shieldwall.intel import TagIndex
    from shieldwall.intel.interface import Sourced
    from shieldwall.node.chains import Chains
    from shieldwall.node.config import Config
    from shieldwall.store.engine import Store
    from shieldwall.store.jobs import Job
    from shieldwall.store.work import Work

_AT_ONCE = 500  # subjects that are asked for in one query

NODE = Identity(kind=Kind.NODE, person="", name="node")
"""The node itself: takes and ends jobs, looks at watches, sends what is due; reads nothing of anybody's."""

Finish = Callable[["Work"], Mapping[str, Any]]
"""Writes a job's result within the act that ends it, and gives its outcome; plain JSON values."""

TagsOf = Callable[[Identity, Sequence[str] | None], "TagIndex"]
"""The tag sets that an identity may see, opened: those named (`NAME` or `NAME@VERSION`), None for all."""


class Cancelled(Exception):
    """Whoever may has asked the job to stop; raised by its next step."""


class Stopped(Cancelled):
    """The node stops; the job is to go on when it is there again."""


class Lost(Cancelled):
    """The job is another worker's now; what this one does counts for nothing."""


class Hold(Protocol):
    """How a job's worker holds it; see `runner`."""

    def step(self, stage: str, done: int, total: int) -> None:
        """Say how far it is.

        Raises:
            Cancelled: It is to stop.
        """

    def wait(self, seconds: float) -> bool:
        """Wait; True when it is to stop."""


class JobKind(Protocol):
    """A kind of job: its checked parameters, as a frozen dataclass.

    Attributes:
        name: What it is called, such as chain.build.
        endless: It goes on until it is stopped.
    """

    name: ClassVar[str]
    endless: ClassVar[bool]

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """The parameters, checked.

        Raises:
            BadText: They do not fit.
        """

    def run(self, context: Context) -> Finish:
        """Do it; every step says how far it is, and may raise Cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the node gives to every job.

    Attributes:
        store: The node's store.
        config: Where the clusterings are, and which kernels are used.
        chains: The chain stores.
        tags: Opens tag sets for an identity.
        sources: What chains may be built from: folders and files, and URLs `rpc://...`, as the administrator declared them.
        login: Credentials for those URLs that carry none.
        directory: Who can freeze what.
        now: Unix seconds.
        post: Transport to nodes; None for HTTP.
    """

    store: Store
    config: Config
    chains: Chains
    tags: TagsOf
    sources: tuple[str, ...] = ()
    login: Login | None = None
    directory: Callable[[], freezers.Directory] = freezers.shipped
    now: Callable[[], float] = time.time
    post: Post | None = None


class Context:
    """One job at work.

    Args:
        means: What every job is given.
        job: The job.
        identity: Whom it works for, with the rights that they have now.
        hold: How it is held.
    """

    def __init__(self, means: Means, job: Job, identity: Identity, hold: Hold) -> None:
        self.means = means
        self.job = job
        self.identity = identity
        self._hold = hold
        self._took: list[Handling] = []
        self._indexes: list[NotedTags] = []
        self._unnamed: dict[str, Handling] = {}

    @property
    def handling(self) -> Handling:
        """How the result must be handled: as the job, and as strictly as anything that went into it."""
        sourced = [each for index in self._indexes for each in index.found()]
        tags = set(tag_handlings(self.means.store, self.identity, sourced).values())
        return joint(self.job.handling, *self._took, *tags)

    def progress(self, stage: str, done: int, total: int) -> None:
        """One step; as `chain.readers.interface.Progress`.

        Raises:
            Cancelled: The job is to stop.
        """
        self._hold.step(stage, done, total)

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds; True, and earlier, when the job is to stop."""
        return self._hold.wait(seconds)

    def took(self, handling: Handling) -> None:
        """Something went into the result."""
        self._took.append(handling)

    def tag_index(self, names: Sequence[str] | None) -> TagIndex:
        """The tag sets that the person may see; each tag that is looked up counts as taken, and so does each set that is named.

        Raises:
            UsageError: No such set; which others there are is not told, since others may read why a job failed.
        """
        try:
            index = self.means.tags(self.identity, names)
        except UsageError as error:
            raise UsageError(error.message, hint="name tag sets out of the list that you see") from None
        for name, handling in set_handlings(index).items():
            if names is None:
                self._unnamed[name] = handling
            else:
                self.took(handling)
        noted = NotedTags(index)
        self._indexes.append(noted)
        return cast("TagIndex", noted)

    def tells(self, name: str) -> bool:
        """Whether a result may name a tag set though nothing of it was found: not where it is guarded otherwise than the job."""
        handling = self._unnamed.get(name)
        return handling is None or joint(self.job.handling, handling) == joint(self.job.handling)

    def public_tag_index(self, names: Sequence[str] | None) -> TagIndex:
        """The tags that anybody may see, for results that are kept in clear beside the chain store.

        Raises:
            UsageError: No such set.
        """
        anybody = replace(self.identity, highest=Marking.CLEAR, groups=frozenset(), cases=frozenset())
        return self.means.tags(anybody, names)

    def read_file(self, file_id: str) -> bytes:
        """A stored file, which counts as taken.

        Raises:
            NotFound: None that the person may see.
        """
        with self.means.store.look(self.identity, "file.read", file=file_id, job=self.job.id) as work:
            self.took(work.files.get(file_id).handling)
            return work.files.read(file_id)

    def source(self, text: str) -> str:
        """What a chain is built from, as the administrator declared it.

        Args:
            text: A path in a declared folder, a declared path, or a declared URL, with its credentials or without.

        Raises:
            BadInput: Nothing that was declared.
        """
        refused = BadInput(
            "that source is not among those that the administrator allowed",
            hint="name a path in one of the folders of `sources` in the node's settings, or a URL rpc://... there",
        )
        if "://" in text:
            for url in self.means.sources:
                if is_rpc_url(url) and text in (url, without_login(url)):
                    return url
            raise refused
        try:
            path = Path(text).resolve(strict=True)
            allowed = [Path(each).resolve() for each in self.means.sources if "://" not in each]
        except (OSError, ValueError, RuntimeError):
            raise refused from None
        if not any(path == each or each in path.parents for each in allowed):
            raise refused
        return str(path)


class NotedTags:
    """Tag sets that remember what was found in them."""

    def __init__(self, index: TagIndex) -> None:
        self._index = index
        self._found: dict[tuple[str, Subject], Sourced] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a tag index has
        return getattr(self._index, name)

    def lookup(self, subjects: Iterable[Subject]) -> dict[Subject, tuple[Sourced, ...]]:
        """See `TagIndex.lookup`."""
        found = self._index.lookup(subjects)
        for sourced in found.values():
            self._note(sourced)
        return found

    def lookup_names(self, kind: str, chain: str, names: Sequence[str]) -> dict[int, tuple[Sourced, ...]]:
        """See `TagIndex.lookup_names`."""
        found = self._index.lookup_names(kind, chain, names)
        for sourced in found.values():
            self._note(sourced)
        return found

    def everything(self) -> Iterator[Sourced]:
        """See `TagIndex.everything`."""
        for sourced in self._index.everything():
            self._note((sourced,))
            yield sourced

    def found(self) -> list[Sourced]:
        """All that was found, each once."""
        return list(self._found.values())

    def _note(self, found: Iterable[Sourced]) -> None:
        for sourced in found:
            self._found[sourced.claim.id, sourced.claim.subject] = sourced


def set_handlings(index: TagIndex) -> dict[str, Handling]:
    """By name, who may learn that there is such a set, of those sets that the store keeps."""
    kept = ((info.name, getattr(opened, "kept", None)) for info, opened in index.sets)
    return {name: each.handling for name, each in kept if each is not None}


def tag_handlings(store: Store, identity: Identity, sourced: Iterable[Sourced]) -> dict[str, Handling]:
    """By the ids of tags, how each must be handled.

    Args:
        store: The node's store. Of a tag that it keeps in several places, the most open one that the identity may see counts.
        identity: Who found them.
        sourced: The tags; those that the store does not keep are handled as they say themselves.
    """
    claims = {each.claim.id: each.claim for each in sourced}
    found: dict[str, Handling] = {}
    subjects = sorted({claim.subject for claim in claims.values()})
    for start in range(0, len(subjects), _AT_ONCE):
        with store.inside(identity) as work:
            beside = work.claims.find_many(subjects[start : start + _AT_ONCE])
        for kept in (each for listed in beside.values() for each in listed):
            claim_id = kept.claim.id
            if claim_id in claims and (claim_id not in found or _openness(kept.handling) < _openness(found[claim_id])):
                found[claim_id] = kept.handling
    alone = {key: Handling(marking=claim.marking, pap=claim.pap) for key, claim in claims.items()}
    return alone | found


def _openness(handling: Handling) -> tuple[bool, bool, int, int]:
    """Orders handlings, the most open first."""
    return handling.case is not None, handling.group is not None, int(handling.marking), int(handling.pap)


def without_login(url: str) -> str:
    """A URL without its user and password.

    Example:
        >>> without_login("rpc://mara:secret@127.0.0.1:8332")
        'rpc://127.0.0.1:8332'
    """
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.rpartition("@")[2]
