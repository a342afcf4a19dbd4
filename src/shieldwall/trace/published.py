"""Hops that someone published and this data does not hold: claims, shown as gaps with their source, never as facts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shieldwall.errors import BadInput, BadText, ShieldwallError
from shieldwall.model.claim import Claim, ClaimKind

HOP = ClaimKind(
    name="hop",
    required={"spender": str},
    optional={"then": list, "resumes": str, "note": str},
)
"""An output's next hops by txid: `spender` spends the subject (an outpoint), `then` lists the txids after it in order,
and `resumes` names the input (`TXID:in:N`) at which the trail is in the data again."""

_TXID = re.compile(r"[0-9a-f]{64}")
_OUTPOINT = re.compile(r"[0-9a-f]{64}:[0-9]{1,10}")
_RESUMES = re.compile(r"[0-9a-f]{64}:in:[0-9]{1,10}")


class PublishedHops:
    """Published hops by the outpoint that they start from; the order in which they were given does not matter.

    Attributes:
        by_outpoint: Outpoint (`TXID:INDEX`) -> the claims on its spend, by id.
        ids: Ids of all of them, sorted.

    Raises:
        BadText: A claim of this kind that names no outpoint, or no txids.
    """

    def __init__(self, claims: Iterable[Claim]) -> None:
        hops = {}
        for claim in claims:
            if claim.kind == HOP.name and not claim.retracted:
                check_hop(claim, f"a published hop of {claim.source}")
                hops[claim.id] = claim
        self.ids = sorted(hops)
        self.by_outpoint: dict[str, tuple[Claim, ...]] = {}
        for identity in self.ids:
            name = hops[identity].subject.name
            self.by_outpoint[name] = (*self.by_outpoint.get(name, ()), hops[identity])


def check_hop(claim: Claim, place: str) -> None:
    """Refuse a hop that does not say what spends what.

    Raises:
        BadText: The subject is no outpoint, or a transaction is not named by its id; `place` says where it was read.
    """
    HOP.check(claim.statement, place)
    spender, then, resumes = (claim.statement.get(name) for name in ("spender", "then", "resumes"))
    if not _OUTPOINT.fullmatch(claim.subject.name):
        raise BadText(f"{place}: the subject of a hop is an output, TXID:INDEX in lower case")
    if not all(isinstance(txid, str) and _TXID.fullmatch(txid) for txid in (spender, *(then or ()))):
        raise BadText(f"{place}: a hop names transactions by their ids, 64 hex digits in lower case")
    if resumes is not None and not _RESUMES.fullmatch(resumes):
        raise BadText(f"{place}: a trail is in the data again at an input, TXID:in:N")


def read_published(paths: Sequence[Path]) -> PublishedHops:
    """Published hops from files of claims, one JSON object a line; claims of other kinds are let be.

    Raises:
        BadInput: A file that cannot be opened.
        BadText: A line that is no claim; file and line are named.
    """
    claims: list[Claim] = []
    for path in paths:
        try:
            lines = path.read_bytes().splitlines()
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{path}: cannot be read ({error})", hint="name a file of claims, one JSON object a line"
            ) from None
        for number, line in enumerate(lines, 1):
            if line.strip():
                claims.append(_claim(line, f"{path}, line {number}"))
    return PublishedHops(claims)


def _claim(line: bytes, place: str) -> Claim:
    try:
        body = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadText(f"{place}: not JSON ({error})") from None
    if not isinstance(body, dict):
        raise BadText(f"{place}: not a claim")
    try:
        _check_texts(body)
        claim = Claim.from_dict(body, place)
        if claim.kind == HOP.name:
            check_hop(claim, place)
        _ = claim.id  # a claim whose digest cannot be made (floats, broken text) is none
    except BadText:
        raise
    except (ShieldwallError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadText(f"{place}: not a claim ({error})") from None
    return claim


def _check_texts(body: Mapping[str, Any]) -> None:
    subject = body.get("subject")
    named = {**(subject if isinstance(subject, dict) else {}), **body}
    for name in ("type", "chain", "name", "kind", "source", "made_by", "layer"):
        if not isinstance(named.get(name), str):
            raise TypeError(f"{name} must be a text")
