"""What the simulator knows, in the order of a store, and how rates of it are counted and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data import Chain
from shieldwall.chain.many import makers, payers
from shieldwall.chain.store import ChainStore

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]

PEEL_KIND = 9  # of the simulator's kinds of transaction
SEVERAL = -2
_TX0 = 2  # of its kinds of CoinJoin: one person's
ENTITIES = ("miner", "exchange", "service", "coordinator", "ransom actor", "person")
SCRIPTS = ("P2PK", "P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR")
PLACES = ("first", "last", "random", "by amount")
REUSE = ("a new address", "the first input's address")
AMOUNTS = ("any", "round")


@dataclass(frozen=True, slots=True)
class Truth:
    """The tables of a simulated chain; n transactions, o outputs, e entities, h holders.

    Attributes:
        kind: uint8[n], why each transaction was made.
        single: bool[n], True where one entity alone pays: no coinbase and no CoinJoin of several.
        fingerprint: uint16[n], of the wallet that made it.
        payer: int64[n], the entity that pays; -1 where `single` is not.
        change: bool[o].
        owner: uint32[o].
        only_change: int64[n], the output that is the only true change of a transaction of one payer; -1 where it has none, or
            several pay; `SEVERAL` where it has more than one.
        entity_kind: uint8[e].
        holder_owner: int64[h], who owns each holder; -1 for one that no output pays.
    """

    kind: Numbers
    single: Flags
    fingerprint: Numbers
    payer: Numbers
    change: Flags
    owner: Numbers
    only_change: Numbers
    entity_kind: Numbers
    holder_owner: Numbers

    @classmethod
    def of(cls, chain: Chain, store: ChainStore) -> Truth:
        """The truth of a chain, in the order of its store."""
        folder = chain.folder / "truth"
        read = {path.stem: np.load(path) for path in folder.glob("*.npy")}
        count, outputs = store.rows("tx"), store.rows("output")
        coinjoin = read["coinjoin_kind"]
        holders = np.asarray(store.column("output_holder")[:])
        holder_owner = np.full(store.rows("holder"), -1, np.int64)
        holder_owner[holders] = read["output_owner"]
        made = makers(store, np.arange(outputs, dtype=np.uint64))
        change = read["output_is_change"].astype(bool)
        single = (read["tx_kind"] != 0) & ((coinjoin == 0) | (coinjoin == _TX0))
        payer = np.full(count, -1, np.int64)
        for first in range(0, count, 1 << 20):
            numbers = np.arange(first, min(first + (1 << 20), count))
            paying, place = payers(store, numbers)
            payer[numbers[place]] = holder_owner[paying]
        payer[~single] = -1
        backs = np.bincount(made[change], minlength=count)
        only = np.full(count, -1, np.int64)
        only[made[change]] = np.flatnonzero(change)
        only[backs > 1] = SEVERAL
        only[~single] = -1
        return cls(
            read["tx_kind"], single, read["tx_fingerprint"], payer, change, read["output_owner"], only,
            read["entity_kind"], holder_owner,
        )  # fmt: skip

    def mixes(self) -> dict[str, list[tuple[str, Flags]]]:
        """The transactions of one payer, taken apart by wallet: heading -> (name, bool[n])."""
        kinds = np.where(self.payer >= 0, self.entity_kind[self.payer.clip(min=0)], len(ENTITIES))
        script, place = self.fingerprint >> 5 & 7, self.fingerprint >> 3 & 3
        return {
            "who pays": self._parts(ENTITIES, kinds),
            "script type of the wallet": self._parts(SCRIPTS, script),
            "where the wallet puts its change": self._parts(PLACES, place),
            "where its change goes": self._parts(REUSE, self.fingerprint >> 8 & 1),
            "its amounts": self._parts(AMOUNTS, self.fingerprint >> 9 & 1),
        }

    def _parts(self, names: tuple[str, ...], codes: Numbers) -> list[tuple[str, Flags]]:
        parts = [(name, self.single & (codes == code)) for code, name in enumerate(names)]
        return [(name, part) for name, part in parts if (self.only_change[part] >= 0).any()]


@dataclass(frozen=True, slots=True)
class Named:
    """What a rule that names change found, counted.

    Attributes:
        true: Transactions with exactly one true change.
        named: Of these, in which it names an output.
        right: Of these, in which that is the change.
        without: Transactions of one payer without any change.
        named_without: Of these, in which it names one all the same.
    """

    true: int
    named: int
    right: int
    without: int
    named_without: int

    @property
    def precision(self) -> str | None:
        """Right of named."""
        return rate(self.right, self.named)

    @property
    def recall(self) -> str | None:
        """Right of all with one true change: what is published as the true positive rate."""
        return rate(self.right, self.true)

    @property
    def wrong(self) -> str | None:
        """Wrong of all with one true change: what is published as the false positive rate."""
        return rate(self.named - self.right, self.true)

    @property
    def both(self) -> str:
        """Precision and recall as a cell."""
        return f"{self.precision or '-'} / {self.recall or '-'}"


def count_named(truth: Truth, found: Numbers, part: Flags | None = None) -> Named:
    """Hold a rule's answers to the truth.

    Args:
        truth: The truth.
        found: int64[n], the output that it names in each transaction; -1 for none.
        part: bool[n], the transactions that count; None for all of one payer.
    """
    whole = truth.single if part is None else part & truth.single
    one = whole & (truth.only_change >= 0)
    none = whole & (truth.only_change == -1)
    named = found >= 0
    return Named(
        int(one.sum()),
        int((one & named).sum()),
        int((one & (found == truth.only_change)).sum()),
        int(none.sum()),
        int((none & named).sum()),
    )


def together(cluster: Numbers, owner: Numbers) -> tuple[Numbers, Numbers]:
    """Each cluster with each of its owners, and how many addresses they have in common.

    Args:
        cluster: int64[a].
        owner: int64[a], from 0.

    Returns:
        int64[k], cluster * (the highest owner + 1) + owner, ascending; int64[k].
    """
    both, count = np.unique(cluster * (int(owner.max()) + 1) + owner, return_counts=True)
    return both, count


def main_owner(cluster: Numbers, owner: Numbers) -> Numbers:
    """int64[the highest cluster + 1]: who owns most of each cluster; of equals the least number."""
    both, count = together(cluster, owner)
    entities = int(owner.max()) + 1
    order = np.lexsort((-both, count))
    found = np.zeros(int(cluster.max()) + 1, np.int64)
    found[both[order] // entities] = both[order] % entities
    return found


def rate(part: int, whole: int) -> str | None:
    """A share as a decimal of four places, rounded half up; None of nothing."""
    if not whole:
        return None
    scaled = (2 * part * 10_000 + whole) // (2 * whole)
    return f"{scaled // 10_000}.{scaled % 10_000:04d}"


def percent(part: int, whole: int) -> str | None:
    """A share as a percentage of two places; None of nothing."""
    if not whole:
        return None
    scaled = (2 * part * 10_000 + whole) // (2 * whole)
    return f"{scaled // 100}.{scaled % 100:02d} %"


def as_code(rule: str) -> str:
    """The text of a rule for a table of the page."""
    return "`" + rule.replace("|", "\\|") + "`"


def by_mix(truth: Truth, answers: Iterable[tuple[str, Numbers]]) -> Iterator[dict[str, Any]]:
    """A table for each way to take the wallets apart: precision and recall of every rule.

    Args:
        truth: The truth.
        answers: Name of a rule, and int64[n] as in `count_named`.
    """
    rows = list(answers)
    for heading, parts in truth.mixes().items():
        yield {
            "title": f"Precision / recall by {heading}",
            "columns": ["rule", *(name for name, _ in parts)],
            "rows": [
                [as_code(name), *(count_named(truth, found, part).both for _, part in parts)] for name, found in rows
            ],
        }
