"""Redact: a new package out of the contents of another, that says what it withholds. Nothing is ever changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shieldwall.cases.pack.contents import Contents, Withheld
from shieldwall.errors import BadInput

REDACTED = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What a package leaves out.

    Attributes:
        why: The reason; it stands in the package.
        claims: Ids of claims.
        evidence: Ids of pieces of evidence whose content is left out; their digests and custody logs stay.
        letters: Ids of requests.
        title: The title of the case is left out.
        timeline: Kinds of entries that are left out.
    """

    why: str
    claims: frozenset[str] = frozenset()
    evidence: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    title: bool = False
    timeline: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.why.strip():
            raise BadInput("a redaction says why", hint="the reason stands in the package")


def redact(contents: Contents, redaction: Redaction, ids: Mapping[int, str]) -> Contents:
    """The contents without what is left out, which is named, never what it says.

    Args:
        contents: Of the whole package.
        redaction: What to leave out.
        ids: Id of each claim of `contents.claims`, by its place.

    Raises:
        BadInput: Something that is to be left out is not there.
    """
    there = set(ids.values())
    pieces, letters = {each.id for each in contents.evidence}, {each.id for each in contents.letters}
    for wanted, known in ((redaction.claims, there), (redaction.evidence, pieces), (redaction.letters, letters)):
        for each in sorted(wanted - known):
            raise BadInput(f"nothing in the package has the id {each[:70]}", hint="look at what is in it")
    why, withheld = redaction.why.strip(), list(contents.withheld)
    claims = [claim for place, claim in enumerate(contents.claims) if ids[place] not in redaction.claims]
    if redaction.claims:
        layers: dict[str, int] = {}
        for place, claim in enumerate(contents.claims):
            if ids[place] in redaction.claims:
                layers[claim["layer"]] = layers.get(claim["layer"], 0) + 1
        withheld += [
            Withheld(what=f"{count} claims of the layer {layer}", why=why) for layer, count in sorted(layers.items())
        ]
    evidence = []
    for piece in contents.evidence:
        if piece.id in redaction.evidence:
            withheld.append(Withheld(what=f"content of evidence {piece.number}, SHA-256 {piece.sha256}", why=why))
            piece = replace(piece, content=None, why=why, name=REDACTED)  # noqa: PLW2901 - the redacted one
        evidence.append(piece)
    kept = [letter for letter in contents.letters if letter.id not in redaction.letters]
    withheld += [
        Withheld(what=f"request {letter.number} ({letter.kind})", why=why)
        for letter in contents.letters
        if letter.id in redaction.letters
    ]
    case: dict[str, Any] = dict(contents.case)
    if redaction.title:
        case["title"] = REDACTED
        withheld.append(Withheld(what="title of the case", why=why))
    timeline = [entry for entry in contents.timeline if not _gone(entry, redaction)]
    if len(timeline) < len(contents.timeline):
        withheld.append(Withheld(what=f"{len(contents.timeline) - len(timeline)} entries of the timeline", why=why))
    return replace(
        contents,
        case=case,
        claims=tuple(claims),
        evidence=tuple(evidence),
        letters=tuple(kept),
        timeline=tuple(timeline),
        withheld=tuple(withheld),
    )


def _gone(entry: Mapping[str, Any], redaction: Redaction) -> bool:
    """An entry of the timeline goes with what it tells of, and with its kind."""
    refs = redaction.claims | redaction.evidence | redaction.letters
    return entry.get("ref") in refs or entry.get("kind") in redaction.timeline
