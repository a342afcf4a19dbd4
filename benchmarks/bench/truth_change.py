"""How often every rule of change, and some that are put together, names the true change of the simulator."""

from __future__ import annotations

from typing import Any

from bench.data import Chain
from bench.truths import Named, Truth, as_code, by_mix, count_named, rate
from shieldwall.chain.store import ChainStore
from shieldwall.trace.change.chainwide import change_outputs
from shieldwall.trace.change.expression import DEFAULT, parse
from shieldwall.trace.change.predicate import Predicate
from shieldwall.trace.change.predicates import every_predicate

COMBINED = (
    DEFAULT,
    "unique(address_type & client_behaviour)",
    "unique(locktime & version & rbf & address_type)",
    "unique(locktime & version & rbf & address_type & client_behaviour & power_of_ten(3))",
    "fresh_address | unique(address_type & power_of_ten(3))",
    "unique(address_type - address_reuse)",
)
_ABOUT = """\
A rule is held to the transactions of one payer with exactly one true change. Precision: of the outputs that it names, those
that are the change. Recall: of all these transactions, those whose change it names. Wrong: of all, those in which it names
another output. Without change: of the transactions of one payer that have no change at all, those in which it names an output
all the same.

Published rates are Möser and Narayanan's, of real transactions: TPR (beside our recall) and FPR (beside wrong) of 35.26
million with two outputs and known change; coverage is of others, whose change is not known, and stands beside nothing of
ours. Of rules put together nothing is published."""


def measure(chain: Chain) -> dict[str, Any]:
    """See `bench.accuracy`."""
    with ChainStore.open(chain.store) as store:
        truth = Truth.of(chain, store)
        names = [*map(str, every_predicate()), *COMBINED]
        answers = {name: change_outputs(store, parse(name)) for name in names}
    counted = {name: count_named(truth, found) for name, found in answers.items()}
    telling = [(name, found) for name, found in answers.items() if counted[name].named]
    some = next(iter(counted.values()))
    return {
        "title": "Change",
        "about": _ABOUT,
        "tables": [
            {
                "title": f"{some.true:,} transactions with one change, {some.without:,} without",
                "columns": [
                    "rule", "named", "precision", "recall", "wrong", "without change", "published TPR", "published FPR",
                    "published coverage", "source",
                ],
                "rows": [_row(name, counted[name]) for name in names],
            },
            *by_mix(truth, telling),
        ],
    }  # fmt: skip


def _row(name: str, found: Named) -> list[Any]:
    rule = parse(name)
    published = rule.published if isinstance(rule, Predicate) else None
    rates = [None] * 3 if published is None else [published.tpr, published.fpr, published.coverage]
    known = published is not None and published.known
    return [
        as_code(name),
        found.named,
        found.precision,
        found.recall,
        found.wrong,
        rate(found.named_without, found.without),
        *rates,
        published.source if published is not None and known else "none published",
    ]
