"""Which output of one transaction is change, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.trace.change.expression import parse
from shieldwall.trace.change.overrule import Overrule, check_output
from shieldwall.trace.change.predicate import Predicate, Rule
from shieldwall.trace.change.rates import Published
from shieldwall.trace.change.view import TransactionView


@dataclass(frozen=True, slots=True)
class Reason:
    """What one predicate of the rule says of one output.

    Attributes:
        predicate: Its text.
        fits: False where it rules the output out.
        why: In plain words.
    """

    predicate: str
    fits: bool
    why: str

    def as_json(self) -> dict[str, Any]:
        """Plain values for a result."""
        return {"predicate": self.predicate, "fits": self.fits, "why": self.why}


@dataclass(frozen=True, slots=True)
class ChangeVerdict:
    """Which output is change by a rule: an inference, unless a person overruled it.

    Attributes:
        txid: The transaction.
        rule: Text of the rule.
        looks_ahead: Whether later blocks may change the answer.
        candidates: Indexes of the outputs that the rule leaves.
        standard: Whether the transaction is one of those that the published rates were measured on (two outputs that can be
            spent); of any other they say nothing.
        output: Index of the change: the only candidate, or what the overrule says; None for none.
        reasons: For each output, what each predicate of the rule says of it.
        published: Text of each predicate -> what was published of its error; of their combination nothing is.
        overruled: What a person said instead; None where nobody did.
        summary: The answer in a sentence.
    """

    txid: str
    rule: str
    looks_ahead: bool
    candidates: tuple[int, ...]
    standard: bool
    output: int | None
    reasons: tuple[tuple[Reason, ...], ...]
    published: Mapping[str, Published]
    overruled: Overrule | None
    summary: str

    def as_json(self) -> dict[str, Any]:
        """Plain values for a result."""
        return {
            "txid": self.txid,
            "output": self.output,
            "layer": "inference",
            "summary": self.summary,
            "rule": self.rule,
            "looks_ahead": self.looks_ahead,
            "candidates": list(self.candidates),
            "standard": self.standard,
            "reasons": [[reason.as_json() for reason in reasons] for reasons in self.reasons],
            "published": {text: rate.as_json() for text, rate in self.published.items()},
            "overruled": None if self.overruled is None else self.overruled.claim.as_dict(),
            "claim": None if self.overruled is None else self.overruled.claim.id,
        }


def decide(
    store: ChainStore, transaction: int, rule: Rule | str, overrules: Mapping[str, Overrule] | None = None
) -> ChangeVerdict:
    """The change of a transaction.

    Args:
        store: The chain.
        transaction: Its number.
        rule: A rule, or its text.
        overrules: Txid -> what a person says of it (`Overrules.standing`).

    Raises:
        UsageError: The text says no rule, or an overrule names an output that there is not.
    """
    wanted = parse(rule) if isinstance(rule, str) else rule
    view = TransactionView(store, transaction)
    candidates = tuple(sorted(wanted.candidates(view)))
    leaves = list(dict.fromkeys(wanted.leaves()))
    overruled = (overrules or {}).get(store.txid(transaction))
    if overruled is not None:
        check_output(store, transaction, overruled.output)
    output = overruled.output if overruled else candidates[0] if len(candidates) == 1 else None
    return ChangeVerdict(
        txid=store.txid(transaction),
        rule=str(wanted),
        looks_ahead=wanted.looks_ahead,
        candidates=candidates,
        standard=view.standard,
        output=output,
        reasons=_reasons(view, leaves),
        published={str(leaf): leaf.published for leaf in leaves},
        overruled=overruled,
        summary=_summary(view, wanted, candidates, overruled),
    )


def _reasons(view: TransactionView, leaves: list[Predicate]) -> tuple[tuple[Reason, ...], ...]:
    judged = [(str(leaf), leaf.judgements(view)) for leaf in leaves]
    return tuple(
        tuple(Reason(text, found[place].fits, found[place].why) for text, found in judged)
        for place in range(len(view.outputs))
    )


def _summary(view: TransactionView, rule: Rule, candidates: tuple[int, ...], overruled: Overrule | None) -> str:
    by_rule = (
        f"output {candidates[0]} is change"
        if len(candidates) == 1
        else f"no answer, {len(candidates)} outputs are left"
        if candidates
        else f"no answer, {view.why_none or 'no output is left'}"
    )
    if overruled is None:
        return f"By the rule {rule}: {by_rule} (an inference)."
    said = "no output is change" if overruled.output is None else f"output {overruled.output} is change"
    return f"{said.capitalize()}, {overruled.words}. By the rule {rule}: {by_rule}."
