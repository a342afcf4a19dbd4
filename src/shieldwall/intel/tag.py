"""The kinds of claim that this room owns: a tag on an address or transaction, and an actor.

Words are those of the TagPack schema (GraphSense, `tagpack_schema.yaml`) and its taxonomies, which derive from the
INTERPOL Dark Web and Virtual Assets Taxonomy (`confidence.csv`, `concepts.yaml`, `tag_types.csv`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.model.claim import ClaimKind

TAG = ClaimKind(
    "tag",
    required={"label": str},
    optional={
        "category": str,  # what it is: exchange, mixing_service, user
        "abuse": str,  # what it did: ransomware, sanction
        "actor": str,  # id in an ActorPack
        "concepts": list,  # further words of the taxonomy
        "context": str,  # free text of the source, often JSON
        "tag_type": str,  # actor, event, mention
        "currency": str,  # the asset, where it is not the chain's own (USDT on ETH)
        "cluster_definer": bool,  # the source says that the tag holds for the whole cluster
        "further": list,  # "field=value" of fields that no schema knows
    },
)
"""A tag: a label on a subject. Layer attribution always: it names someone."""

ACTOR = ClaimKind(
    "actor",
    required={"label": str},
    optional={
        "categories": list,
        "jurisdictions": list,  # ISO 3166 country codes
        "uri": str,
        "aliases": list,
        "legal_name": str,
    },
)
"""An actor of an ActorPack: what the `actor` of a tag stands for. Subject type "actor", chain ""."""

KINDS = {kind.name: kind for kind in (TAG, ACTOR)}

CONFIDENCE = {
    "override": 100,
    "ownership": 100,
    "ledger_immanent": 100,
    "manual_transaction": 90,
    "service_api": 70,
    "forensic_investigation": 70,
    "authority_data": 60,
    "trusted_provider": 50,
    "service_data": 50,
    "forensic": 50,
    "untrusted_transaction": 40,
    "web_crawl": 20,
    "heuristic": 10,
    "unknown": 5,
}
"""The TagPack's confidence words on its scale of 0 to 100."""

SERVICE_CATEGORIES = frozenset(
    (
        "exchange",
        "hosted_wallet",
        "wallet_service",
        "escrow_wallet",
        "payment_processor",
        "mixing_service",
        "market",
        "shop",
        "gambling",
        "mining_service",
        "service",
        "defi",
        "defi_bridge",
        "defi_dex",
        "defi_lending",
        "defi_derivative",
    )
)
"""Categories at which a trace stops by default: they pool the money of many, so what leaves is not what came in.

Not among them: user, perpetrator, victim, donation, organization, miner, coinjoin (a pattern, not a holder),
black_list (a state of the address), and every abuse.
"""

_CATEGORY_ALIASES = {
    "cex": "exchange",
    "mixer": "mixing_service",
    "tumbler": "mixing_service",
    "darknet_market": "market",
    "marketplace": "market",
    "casino": "gambling",
    "payment_service_provider": "payment_processor",
    "custodial_wallet": "hosted_wallet",
}


def confidence_of(word: str) -> int:
    """The number that a confidence word stands for.

    Raises:
        UsageError: No such word.
    """
    try:
        return CONFIDENCE[word]
    except KeyError:
        raise UsageError(f"{word!r} is no confidence word", hint=f"use one of {', '.join(CONFIDENCE)}") from None


def word(text: str) -> str:
    """A taxonomy word as it is compared: lower case, underscores.

    Example:
        >>> word(" Mixing Service ")
        'mixing_service'
    """
    return "_".join(text.lower().replace("-", " ").replace("_", " ").split())


def category_of(category: str, concepts: Iterable[str] = ()) -> str:
    """The category of a tag: its own, else the first of its concepts that is a service, else none.

    Example:
        >>> category_of("Mixer"), category_of("", ["ethereum", "exchange"]), category_of("", ["mention"])
        ('mixing_service', 'exchange', '')
    """
    own = word(category)
    if own:
        return _CATEGORY_ALIASES.get(own, own)
    words = (word(concept) for concept in concepts)
    return next((known for w in words if (known := _CATEGORY_ALIASES.get(w, w)) in SERVICE_CATEGORIES), "")


def iso_moment(text: str) -> str:
    """A date or time as claims carry it: the day alone, or UTC to the second. One without a zone is UTC.

    Raises:
        ValueError: Neither.

    Example:
        >>> iso_moment("2021-11-14"), iso_moment("2023-08-16 12:18:52.619444")
        ('2021-11-14', '2023-08-16T12:18:52Z')
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == 10:
            return moment.date().isoformat()
        zoned = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(text) from error
    return zoned.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def statement(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a statement
    """A statement without its empty fields; False is a value."""
    return {name: value for name, value in fields.items() if value not in ("", None, [])}
