"""Hops that someone published and this data does not hold: claims, shown as gaps with their source, never as facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from shieldwall.errors import BadText
from shieldwall.model.claim import Claim, ClaimKind

HOP = ClaimKind(
    name="hop",
    required={"spender": str},
    optional={"then": list, "resumes": str, "note": str},
)
"""An output's next hops by txid: `spender` spends the subject (an outpoint), `then` lists the txids after it in order,
and `resumes` names the input (`TXID:in:N`) at which the trail is in the data again."""


class PublishedHops:
    """Published hops by the outpoint that they start from."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._by_outpoint: dict[str, Claim] = {}
        for claim in claims:
            if claim.kind == HOP.name and not claim.retracted:
                HOP.check(claim.statement, f"claim {claim.id[:12]}")
                self._by_outpoint.setdefault(claim.subject.name, claim)

    def after(self, outpoint: str) -> Claim | None:
        """The claim on what spent an output, None when nobody published one."""
        return self._by_outpoint.get(outpoint)

    def by_id(self, claim_id: str) -> Claim:
        """The claim with this id."""
        return next(claim for claim in self._by_outpoint.values() if claim.id == claim_id)

    @property
    def ids(self) -> list[str]:
        """Ids of all claims, for the result's parameters."""
        return sorted(claim.id for claim in self._by_outpoint.values())


def read_published(paths: Sequence[Path]) -> PublishedHops:
    """Published hops from files of claims, one JSON object a line.

    Raises:
        BadText: A line that is no claim.
    """
    claims: list[Claim] = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if not line.strip():
                continue
            place = f"{path}, line {number}"
            try:
                body = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadText(f"{place}: not JSON ({error})") from None
            if not isinstance(body, dict):
                raise BadText(f"{place}: not a claim")
            claim = Claim.from_dict(body, place)
            if claim.kind == HOP.name:
                HOP.check(claim.statement, place)
            claims.append(claim)
    return PublishedHops(claims)
