"""Which output of a transaction is change, as a sheet says it: by the rule, and by what people said instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shieldwall.chain.store import ChainStore
from shieldwall.model.claim import Subject
from shieldwall.model.transaction import internal
from shieldwall.node.sheets.sheet import said_of
from shieldwall.trace.change.decide import ChangeVerdict, decide
from shieldwall.trace.change.expression import DEFAULT
from shieldwall.trace.change.overrule import OVERRULE, Overrule

if TYPE_CHECKING:
    from shieldwall.store.work import Work


def overrule_on(work: Work, chain: ChainStore, txid: str) -> Overrule | None:
    """What a person said last of the change of a transaction, where it stands and whoever asks may see it."""
    subject = Subject("transaction", chain.network.caip2, txid)
    standing = [kept for kept in said_of(work, [subject]).get(subject, []) if kept.claim.kind == OVERRULE.name]
    return Overrule.of(standing[-1].claim) if standing else None


def change_of(chain: ChainStore, txid: str, overruled: Overrule | None) -> ChangeVerdict | None:
    """The change of a transaction by the usual rule, or what a person said instead; None where it is not in the store."""
    number = chain.find_transaction(internal(txid))
    return None if number is None else decide(chain, number, DEFAULT, {txid: overruled} if overruled else None)
