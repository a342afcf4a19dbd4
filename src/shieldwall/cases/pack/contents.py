"""What is in a package, as plain values: what happened, what is known and by whom, what was asked, and what proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

INCLUDED, TXID_ONLY, UNPROVEN = "inclusion proven", "txid proven", "not proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProof:
    """What proves a transaction.

    Attributes:
        txid: Display form.
        network: Its network.
        raw: Its bytes; b"" where nobody has them.
        header: 80 bytes; b"" where inclusion is not proven.
        block: Hash of the block, display form.
        height: Of the block; None where it is not known.
        place: Of the transaction in the block.
        branch: Sibling hashes from the leaf up, internal byte order.
    """

    txid: str
    network: str
    raw: bytes = b""
    header: bytes = b""
    block: str = ""
    height: int | None = None
    place: int = 0
    branch: tuple[bytes, ...] = ()

    @property
    def state(self) -> str:
        """What is proven."""
        return INCLUDED if self.raw and self.header else TXID_ONLY if self.raw else UNPROVEN

    def as_dict(self) -> dict[str, Any]:
        """The file of the proof."""
        plain: dict[str, Any] = {"txid": self.txid, "raw": self.raw.hex()}
        if self.state == INCLUDED:
            plain |= {
                "header": self.header.hex(),
                "block": self.block,
                "height": self.height,
                "place": self.place,
                "branch": [each[::-1].hex() for each in self.branch],
            }
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedEvidence:
    """A piece of evidence.

    Attributes:
        id: Its id.
        number: In its case.
        name: Of its file.
        body: What is known of it: copy, method, source, and so on.
        sha256: Of its content.
        size: Bytes.
        custody: Entries of its log, each with its digest.
        content: The bytes; None where they are withheld.
        why: Why they are.
    """

    id: str
    number: int
    name: str
    body: Mapping[str, Any]
    sha256: str
    size: int
    custody: Sequence[Mapping[str, Any]]
    content: bytes | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTrace:
    """A frozen trace: its JSON as it was saved, what it says, and the words of the command that makes it again."""

    raw: bytes
    body: Mapping[str, Any]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedLetter:
    """A request with its letters: files by name, what became of it, and the ids of the claims that it carries."""

    id: str
    number: int
    kind: str
    state: str
    files: Mapping[str, bytes]
    deeds: Sequence[Mapping[str, Any]]
    claims: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """What was left out, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All of a package.

    Attributes:
        package_id: A UUID.
        case: Id and number of the case, and its title unless that is withheld.
        organisation, creator: Who makes it.
        created_at: ISO 8601 in UTC.
        program, environment: What made it.
        marking, pap: How it must be handled.
        as_of: As it was known then; "" for now.
        claims: Claims that stand, as plain JSON values, in the order in which they came.
        retracted: Those that were taken back: `claim`, its `claim_id`, `reason` and `at`.
        timeline: What happened, in order.
        evidence: See above.
        traces: See above.
        proofs: Of every transaction that a trace or request names.
        letters: See above.
        methods: Rules with their published error, tag sets, and so on.
        alternatives: Other explanations, and gaps.
        withheld: What was left out.
        keys: The public document of the node's keys.
        exercise: It must never be acted on.
    """

    package_id: str
    case: Mapping[str, Any]
    organisation: str
    creator: str
    created_at: str
    program: str
    environment: str
    marking: str
    pap: str
    keys: Mapping[str, Any]
    as_of: str = ""
    claims: Sequence[Mapping[str, Any]] = ()
    retracted: Sequence[Mapping[str, Any]] = ()
    timeline: Sequence[Mapping[str, Any]] = ()
    evidence: Sequence[PackedEvidence] = ()
    traces: Sequence[PackedTrace] = ()
    proofs: Sequence[ChainProof] = ()
    letters: Sequence[PackedLetter] = ()
    methods: Sequence[Mapping[str, Any]] = ()
    alternatives: Sequence[str] = ()
    withheld: Sequence[Withheld] = field(default_factory=tuple)
    replaces: str = ""
    exercise: bool = False


class Signs(Protocol):
    """Whoever signs."""

    def __call__(self, purpose: str, message: bytes) -> Mapping[str, Any]:
        """Both signatures over a message, in an envelope."""
