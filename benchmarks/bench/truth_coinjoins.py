"""How often the published rules of CoinJoins are right on the simulator's truth: a table of what is taken for what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data import Chain

_SERVICES = ("EXCHANGE", "SERVICE")
_LOOK_ALIKES = ("EQUAL_BATCH", "STONEWALL")

_ABOUT = (
    "A type is the answer of a published rule to the shape of a transaction. The simulator draws its CoinJoins from the same "
    "publications, so these figures say whether the rules are built as published, and what they take for each other; they are "
    "no rates of the field. A generic round of the simulator has the shape of a JoinMarket round, and is called one. A PayJoin "
    "has no shape of its own. Equal batches and Stonewalls are the simulator's look-alikes, with one payer each; a batch whose "
    "payer is a tagged service is no longer called JoinMarket, but has the generic shape all the same. The rule of a tx0 takes "
    "a payment with OP_RETURN for one where its amounts happen to fit; a tx0 keeps nobody's payers apart."
)


def measure(chain: Chain) -> dict[str, Any]:
    """Truth against the kernel's types, for all transactions of a chain; the form of `bench.accuracy`.

    The look-alikes have rows of their own. A second table counts what matters to a clustering: several payers kept apart, and
    single payers kept apart for nothing; once without tags, once as if each address of a service were tagged.
    """
    import simulator.kinds as made  # noqa: PLC0415 - as all that measures: loaded where it runs
    from shieldwall.chain.graph import graph_of  # noqa: PLC0415
    from shieldwall.chain.store import ChainStore  # noqa: PLC0415
    from shieldwall.kernels.arrays import COINJOIN_NAMES  # noqa: PLC0415
    from shieldwall.trace.clusters.left_out import coinjoins, is_left_out  # noqa: PLC0415

    with ChainStore.open(chain.store) as store:
        holders = np.asarray(store.column("output_holder"))
        services = _services(chain, holders, [int(made.EntityKind[name]) for name in _SERVICES])
        graph, rows = graph_of(store), store.rows("tx")
        untagged = coinjoins(store, graph, 0, rows, np.zeros(0, np.uint32))
        tagged = coinjoins(store, graph, 0, rows, services)
    joined = _truth(chain, "coinjoin_kind")[:rows]
    reason = _truth(chain, "tx_kind")[:rows]
    groups = {kind.name.lower(): joined == kind for kind in made.JoinKind if kind != made.JoinKind.NONE}
    for name in _LOOK_ALIKES:
        groups[f"no CoinJoin: {name.lower()}"] = reason == made.TransactionKind[name]
    groups["no CoinJoin: all else"] = ~np.logical_or.reduce(list(groups.values()))
    several = (joined != made.JoinKind.NONE) & (joined != made.JoinKind.WHIRLPOOL_TX0)
    return {
        "title": "Types of CoinJoins",
        "about": _ABOUT,
        "tables": [
            _confusion("What is taken for what, without tags (transactions)", groups, untagged, COINJOIN_NAMES),
            _confusion(
                "The same if each address of an exchange or service were tagged", groups, tagged, COINJOIN_NAMES
            ),
            _by_kind(groups, untagged, COINJOIN_NAMES),
            _kept_apart(several, {"no tags": is_left_out(untagged), "all services tagged": is_left_out(tagged)}),
        ],
    }


def _truth(chain: Chain, name: str) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.load(chain.folder / "truth" / f"{name}.npy", mmap_mode="r")
    return found


def _services(chain: Chain, holders: npt.NDArray[np.uint32], kinds: list[int]) -> npt.NDArray[np.uint32]:
    """Holders whose owner is a service, ascending."""
    owner = _truth(chain, "output_owner")[: len(holders)]
    kind = np.asarray(_truth(chain, "entity_kind"))
    known = owner < len(kind)
    is_service = np.zeros(len(holders), bool)
    is_service[known] = np.isin(kind[owner[known]], kinds)
    return np.unique(holders[is_service])


def _confusion(
    title: str, groups: dict[str, npt.NDArray[np.bool_]], said: npt.NDArray[np.uint8], names: tuple[str, ...]
) -> dict[str, Any]:
    rows = [
        [name, int(group.sum()), *np.bincount(said[group], minlength=len(names)).tolist()]
        for name, group in groups.items()
    ]
    return {"title": title, "columns": ["is", "transactions", *(f"said {name}" for name in names)], "rows": rows}


def _by_kind(
    groups: dict[str, npt.NDArray[np.bool_]], said: npt.NDArray[np.uint8], names: tuple[str, ...]
) -> dict[str, Any]:
    from shieldwall.trace.coinjoin.kinds import KINDS  # noqa: PLC0415

    rows: list[list[Any]] = []
    for code, name in enumerate(names[1:], 1):
        is_said, is_so = said == code, groups[name]
        right = int((is_said & is_so).sum())
        rates = KINDS[code].published
        rows.append(
            [
                name, int(is_so.sum()), int(is_said.sum()), right, _share(right, int(is_so.sum())),
                _share(right, int(is_said.sum())), "; ".join(f"{rate.what}: {rate.value}" for rate in rates),
                "; ".join(dict.fromkeys(rate.source for rate in rates)),
            ]
        )  # fmt: skip
    columns = [
        "kind",
        "transactions",
        "said",
        "right",
        "recall",
        "precision",
        "published",
        "source of the published figure",
    ]
    return {"title": "By kind, without tags", "columns": columns, "rows": rows}


def _kept_apart(several: npt.NDArray[np.bool_], answers: dict[str, npt.NDArray[np.bool_]]) -> dict[str, Any]:
    rows = []
    for name, left_out in answers.items():
        right, wrong = int((left_out & several).sum()), int((left_out & ~several).sum())
        rows.append(
            [name, int(several.sum()), right, wrong, _share(right, int(several.sum())), _share(right, right + wrong)]
        )
    return {
        "title": "Transactions whose payers a clustering keeps apart",
        "columns": ["tags", "with several payers", "kept apart", "kept apart for nothing", "recall", "precision"],
        "rows": rows,
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
