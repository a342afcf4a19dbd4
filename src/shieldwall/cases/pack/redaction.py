"""Redact: a new package out of the contents of another, that says what it withholds. Nothing is ever changed in place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shieldwall.cases.pack.contents import Contents, Withheld
from shieldwall.errors import BadInput

REDACTED = "withheld"
_SHORTEST = 8  # characters of a text that is looked for elsewhere: shorter ones stand everywhere


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
        BadInput: Something that is to be left out is not there, or a request that stays carries it.
    """
    gone = {str(each["claim_id"]) for each in contents.retracted}
    pieces, letters = {each.id for each in contents.evidence}, {each.id for each in contents.letters}
    there = set(ids.values()) | gone
    for wanted, known in ((redaction.claims, there), (redaction.evidence, pieces), (redaction.letters, letters)):
        for each in sorted(wanted - known):
            raise BadInput(f"nothing in the package has the id {each[:70]}", hint="look at what is in it")
    for letter in contents.letters:
        if letter.id not in redaction.letters and redaction.claims & set(letter.claims):
            raise BadInput(
                f"request {letter.number} carries a claim that is to be left out", hint="leave that request out as well"
            )
    why, withheld = redaction.why.strip(), list(contents.withheld)
    claims = [claim for place, claim in enumerate(contents.claims) if ids[place] not in redaction.claims]
    layers = Counter(claim["layer"] for place, claim in enumerate(contents.claims) if ids[place] in redaction.claims)
    withheld += [
        Withheld(what=f"{count} claims of the layer {layer}", why=why) for layer, count in sorted(layers.items())
    ]
    retracted = [each for each in contents.retracted if each["claim_id"] not in redaction.claims]
    if len(retracted) < len(contents.retracted):
        count = len(contents.retracted) - len(retracted)
        withheld.append(Withheld(what=f"{count} claims that were taken back", why=why))
    evidence = []
    for piece in contents.evidence:
        if piece.id in redaction.evidence:  # the verifier itself names it among what is withheld
            piece = replace(piece, content=None, why=why, name=REDACTED, body={})  # noqa: PLW2901 - the redacted one
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
        retracted=tuple(retracted),
        evidence=tuple(evidence),
        letters=tuple(kept),
        timeline=tuple(timeline),
        withheld=tuple(withheld),
    )


def must_be_gone(before: Contents, after: Contents, files: Mapping[str, bytes]) -> None:
    """Refuse a redacted payload in which a text that was left out stands elsewhere all the same.

    Args:
        before: The contents of the whole package.
        after: Those of the redacted one.
        files: Its payload.

    Raises:
        BadInput: One stands in a file, which is named.
    """
    texts = set(_texts([*before.claims, *before.retracted])) - set(_texts([*after.claims, *after.retracted]))
    names = {piece.id: piece.name for piece in after.evidence}
    texts |= {piece.name for piece in before.evidence if names.get(piece.id) == REDACTED}
    if after.case.get("title") == REDACTED:
        texts.add(str(before.case.get("title", "")))
    for text in sorted(texts):
        for name, content in files.items():
            if len(text) >= _SHORTEST and (text.encode() in content or json.dumps(text)[1:-1].encode() in content):
                raise BadInput(
                    f"{text[:40]!r} is to be left out, and stands in {name}, too",
                    hint="leave that out as well, or neither",
                )


def _texts(claims: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What claims say in words of their own."""
    for each in claims:
        claim = each.get("claim", each)
        for name in ("text", "basis", "alternatives"):
            said = claim["statement"].get(name, "")
            yield from (said if isinstance(said, list) else [said])


def _gone(entry: Mapping[str, Any], redaction: Redaction) -> bool:
    """An entry of the timeline goes with what it tells of, and with its kind."""
    refs = redaction.claims | redaction.evidence | redaction.letters
    return entry.get("ref") in refs or entry.get("kind") in redaction.timeline
