"""What others have published of a family's payments, beside what a store shows for the same days."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shieldwall.chain.columns import WHOLE
from shieldwall.chain.store import ChainStore
from shieldwall.intel.known import plain_name
from shieldwall.model.moment import unix
from shieldwall.trace.families.payments import Receipt, Received

_DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published total.

    Attributes:
        family: As tags call it; "" for many at once.
        amount: Satoshi.
        what: What was counted.
        source: Who says so.
        url: Where.
        since: First day; "" where the source names none.
        until: Last day, inclusive.
        payments: How many; None where the source does not say.
        addresses: Of how many addresses; likewise.
        families: Of how many families; likewise.
    """

    family: str
    amount: int
    what: str
    source: str
    url: str
    since: str = ""
    until: str = ""
    payments: int | None = None
    addresses: int | None = None
    families: int | None = None


@cache
def published_totals() -> tuple[Published, ...]:
    """The shipped table (`data/published.toml`)."""
    raw = files("shieldwall.trace.families").joinpath("data", "published.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(raw)["total"]
    return tuple(
        Published(**{("since" if name == "from" else name): value for name, value in row.items()}) for row in rows
    )


def beside(store: ChainStore, key: str, found: Sequence[Received]) -> list[dict[str, Any]]:
    """Published totals of a family ("" for all) with what this store shows for the same days.

    `comparable` is true only where the store has every block from block 0 to the last of those days; and even then the
    addresses are not the same ones. Where it is false the two figures must not be held against each other.
    """
    rows = []
    for entry in published_totals():
        if plain_name(entry.family) != key:
            continue
        first = unix(entry.since) if entry.since else 0
        last = unix(entry.until) + _DAY - 1 if entry.until else None
        counted = [
            each for each in found
            if each.kind == Receipt.PAYMENT and each.time >= first and (last is None or each.time <= last)
        ]  # fmt: skip
        tip = store.tip_time
        rows.append(
            {
                "what": entry.what,
                "source": entry.source,
                "url": entry.url,
                "from": entry.since or None,
                "until": entry.until or None,
                "published_amount": entry.amount,
                "published_payments": entry.payments,
                "published_addresses": entry.addresses,
                "here_amount": sum(each.amount for each in counted),
                "here_payments": len(counted),
                "here_addresses": len({each.holder for each in counted}),
                "comparable": whole(store) and last is not None and tip is not None and tip >= last,
            }
        )
    return rows


def whole(store: ChainStore) -> bool:
    """True when a store holds every block from block 0 to its tip."""
    heights = store.column("block_height")
    if not len(heights) or int(heights[0]) != 0 or store.followed_from != 0:
        return False
    return bool(int(store.column("block_flags")[-1]) & WHOLE) and int(heights[-1]) == len(heights) - 1
