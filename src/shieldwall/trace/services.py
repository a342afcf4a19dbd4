"""Ends summed by service: one service may have been reached at many addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shieldwall.model.amount import share
from shieldwall.model.words import ENGLISH, Words


class AtService(NamedTuple):
    """What came to one address of a service, or from it.

    Attributes:
        service: The service's name.
        amount: Satoshi.
        inherited: True where the address has the name only of another member of its cluster.
        freezers: Names of who can freeze there.
    """

    service: str
    amount: int
    inherited: bool
    freezers: Sequence[str]


def at_services(ends: Iterable[Mapping[str, Any]]) -> list[AtService]:
    """What the ends of a result say of services, an address each."""
    return [
        AtService(
            end["service"], end["amount"], bool(end["inherited"]), [entry["name"] for entry in end["freezable_by"]]
        )
        for end in ends
        if end["kind"] == "service"
    ]


def services_of(rows: Iterable[AtService], seed_amount: int) -> list[dict[str, Any]]:
    """The field `services` of a result (docs/spec/trace-result.md): the largest first, of equal ones by name.

    Args:
        rows: An address each, in any order.
        seed_amount: Satoshi that shares are of.
    """
    grouped: dict[str, list[AtService]] = {}
    for row in rows:
        grouped.setdefault(row.service, []).append(row)
    entries = []
    for service, members in grouped.items():
        amount = sum(member.amount for member in members)
        entries.append(
            {
                "service": service,
                "amount": amount,
                "share": share(amount, seed_amount),
                "addresses": len(members),
                "inherited": sum(member.inherited for member in members),
                "freezable_by": sorted({name for member in members for name in member.freezers}),
            }
        )
    return sorted(entries, key=lambda entry: (-entry["amount"], entry["service"]))


def in_few_words(entry: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """A service's name, with what of it is inferred: addresses that have it only of other members of their clusters."""
    service, some, size = str(entry["service"]), entry["inherited"], entry["addresses"]
    if not some:
        return service
    if some == size:
        return words.say("{service} (inferred, by its cluster)", service=service)
    return words.count(
        "{service} (inferred, by its cluster, for {some} of {number} address)",
        "{service} (inferred, by its cluster, for {some} of {number} addresses)",
        size,
        service=service,
        some=some,
    )
