"""Check a chain store against itself and, where wanted, against the bytes that it was built from.

Example:
    >>> from pathlib import Path
    >>> def check(folder: Path) -> bool:
    ...     with ChainStore.open(folder) as store:
    ...         return verify(store, source=True).passed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shieldwall.chain.checks.blocks import check_digests, check_headers, check_merkle_roots
from shieldwall.chain.checks.check import Check, check_shape
from shieldwall.chain.checks.epochs import check_files
from shieldwall.chain.checks.flags import check_flags
from shieldwall.chain.checks.holders import check_holders, check_unspendable
from shieldwall.chain.checks.links import check_indexes, check_links
from shieldwall.chain.checks.source import check_source
from shieldwall.chain.checks.values import BlockFees, block_fees, check_values
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import ShieldwallError

__all__ = ["BlockFees", "Check", "VerifyReport", "block_fees", "verify"]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What the checks found.

    Attributes:
        checks: In the order in which they were made.
        blocks: Fees, coinbase and subsidy of every block; empty when the rows are too damaged to tell.
        digest: Digest of the store that was checked.
    """

    checks: tuple[Check, ...]
    blocks: tuple[BlockFees, ...]
    digest: str

    @property
    def passed(self) -> bool:
        """True when no check found a fault; what was skipped is counted in each."""
        return all(check.passed for check in self.checks)

    @property
    def unclaimed(self) -> tuple[BlockFees, ...]:
        """Blocks whose miners took less than they could (on the main chain 124,724 and some more)."""
        return tuple(entry for entry in self.blocks if (entry.unclaimed or 0) > 0)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values; amounts in satoshi."""
        return {
            "passed": self.passed,
            "digest": self.digest,
            "checks": [asdict(check) for check in self.checks],
            "unclaimed_subsidy": sum(entry.unclaimed or 0 for entry in self.unclaimed),
            "unclaimed_blocks": [{"height": entry.height, "unclaimed": entry.unclaimed} for entry in self.unclaimed],
        }


def verify(store: ChainStore, *, source: bool = False, progress: Progress = silent) -> VerifyReport:
    """Check headers, merkle roots, links, values, digests and indexes of a store; its whole content is read once or twice.

    Args:
        store: Opened for reading.
        source: Also decode the transactions' own bytes again and hold the columns to them.
        progress: Told which check is being made.

    Returns:
        A report; a damaged store makes checks fail, never an exception.
    """
    blocks: list[BlockFees] = []

    def values() -> tuple[Check, ...]:
        by_transaction, by_block, fees = check_values(store)
        blocks.extend(fees)
        return by_transaction, by_block

    steps: list[tuple[str, Callable[[], tuple[Check, ...]]]] = [
        ("files", lambda: (check_files(store),)),
        ("headers", lambda: (check_headers(store),)),
        ("merkle roots", lambda: (check_merkle_roots(store),)),
        ("links", lambda: (check_links(store),)),
        ("flags", lambda: (check_flags(store),)),
        ("holders", lambda: (check_holders(store), check_unspendable(store))),
        ("values", values),
        ("digests", lambda: (check_digests(store),)),
        ("indexes", lambda: (check_indexes(store),)),
    ]
    if source:
        steps.append(("source", lambda: (check_source(store, progress),)))
    else:
        steps.append(("source", lambda: (_not_asked(store),)))
    checks = list(_guarded("rows", lambda: (check_shape(store),)))
    if not checks[0].passed:  # nothing can be read by its numbers
        checks += [Check(name, False, 0, 1, "not checked: the rows do not fit") for name, _ in steps]
        return VerifyReport(tuple(checks), (), store.digest)
    for number, (name, step) in enumerate(steps):
        progress(f"checking {name}", number, len(steps))
        checks += _guarded(name, step)
    return VerifyReport(tuple(checks), tuple(blocks), store.digest)


def _not_asked(store: ChainStore) -> Check:
    """Digests bind txids, and txids bind amounts and scripts; only the raw bytes can show that the columns still fit."""
    detail = "amounts, scripts and raw bytes are not held to the txids without --source"
    return Check("source", True, 0, store.rows("tx"), detail)


def _guarded(name: str, step: Callable[[], tuple[Check, ...]]) -> tuple[Check, ...]:
    """A check whose columns are damaged beyond what it can walk over has failed."""
    try:
        return step()
    except (IndexError, ValueError, OverflowError, ShieldwallError) as error:
        return (Check(name, False, 0, 0, f"the columns contradict each other ({error})"),)
