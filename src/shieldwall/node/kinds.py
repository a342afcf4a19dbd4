"""The kinds of claim that the rooms have registered, and the check of a claim that comes from outside."""

from __future__ import annotations

from functools import cache

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, ClaimKind


@cache
def kinds() -> dict[str, ClaimKind]:
    """Every kind by its name."""
    from shieldwall.intel.tag import ACTOR, TAG  # noqa: PLC0415 - the node starts without the rooms above
    from shieldwall.node.jobs.tracing import TRACE  # noqa: PLC0415
    from shieldwall.node.sheets.claimed import NOTE, SHEET  # noqa: PLC0415
    from shieldwall.trace.change.overrule import OVERRULE  # noqa: PLC0415
    from shieldwall.trace.clusters.clustering import KIND as CLUSTERING  # noqa: PLC0415
    from shieldwall.trace.published import HOP  # noqa: PLC0415

    return {kind.name: kind for kind in (NOTE, TAG, ACTOR, TRACE, SHEET, OVERRULE, CLUSTERING, HOP)}


def check_claim(claim: Claim, place: str) -> None:
    """Refuse a claim whose kind nobody registered, or whose statement does not fit it.

    Args:
        claim: The claim.
        place: Where it was read, for errors.

    Raises:
        BadText: It does not fit.
    """
    kind = kinds().get(claim.kind)
    if kind is None:
        raise BadText(
            f"{place}: no kind of claim is called {claim.kind[:40]!r}", hint=f"use one of {', '.join(sorted(kinds()))}"
        )
    kind.check(claim.statement, place)
    try:
        canonical_json(claim.as_dict())
    except TypeError as error:
        raise BadText(f"{place}: {error}") from None
