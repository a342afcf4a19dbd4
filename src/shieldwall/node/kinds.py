"""The kinds of claim that the rooms have registered, and the check of a claim that comes from outside."""

from __future__ import annotations

from functools import cache

from shieldwall.errors import BadInput, BadText
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, ClaimKind


@cache
def kinds() -> dict[str, ClaimKind]:
    """Every kind by its name."""
    from shieldwall.cases.event import EVENT  # noqa: PLC0415 - the node starts without the rooms above
    from shieldwall.cases.finding import FINDING  # noqa: PLC0415
    from shieldwall.cases.incident import INCIDENT  # noqa: PLC0415
    from shieldwall.cases.relation import RELATION  # noqa: PLC0415
    from shieldwall.intel.tag import ACTOR, TAG  # noqa: PLC0415
    from shieldwall.node.jobs.tracing import TRACE  # noqa: PLC0415
    from shieldwall.node.sheets.claimed import NOTE, SHEET  # noqa: PLC0415
    from shieldwall.trace.change.overrule import OVERRULE  # noqa: PLC0415
    from shieldwall.trace.clusters.clustering import KIND as CLUSTERING  # noqa: PLC0415
    from shieldwall.trace.published import HOP  # noqa: PLC0415

    said_in_cases = (FINDING, EVENT, INCIDENT, RELATION)
    return {kind.name: kind for kind in (NOTE, TAG, ACTOR, TRACE, SHEET, OVERRULE, CLUSTERING, HOP, *said_in_cases)}


def _check_words(claim: Claim, place: str) -> None:
    """What a schema cannot say: words of likelihood apart from those of confidence, times that are times."""
    from shieldwall.cases.event import event_statement  # noqa: PLC0415 - the node starts without the rooms above
    from shieldwall.cases.finding import Finding  # noqa: PLC0415
    from shieldwall.cases.incident import incident_statement  # noqa: PLC0415
    from shieldwall.cases.relation import relation_statement  # noqa: PLC0415

    said = claim.statement
    try:
        match claim.kind:
            case "finding":
                Finding.of(claim.layer, said)
            case "event":
                event_statement(said["text"], said["when"], said.get("where", ""))
            case "incident":
                incident_statement(said)
            case "relation":
                given = said["relation"], said["object_type"], said["object"]
                relation_statement(*given, chain=said.get("chain", ""), basis=said.get("basis", ""))
            case _:
                pass
    except BadInput as error:
        raise BadText(f"{place}: {error.message}", hint=error.hint) from None


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
    _check_words(claim, place)
    try:
        canonical_json(claim.as_dict())
    except TypeError as error:
        raise BadText(f"{place}: {error}") from None
