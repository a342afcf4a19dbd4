"""Ends beyond what the store shows: spent by a transaction that is not here, published as spent, or not known."""

from __future__ import annotations

from shieldwall.chain.store import ChainStore, Spend, SpendState
from shieldwall.model.claim import Claim
from shieldwall.model.transaction import internal
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import Ending, EndKind
from shieldwall.trace.seeds import input_at

NOT_HERE = "spend state not in this data"


class Unseen:
    """Published hops laid against what the data knows; the data holds, and every difference is told.

    Attributes:
        claims: Output -> what is published of its spend.
        notes: What a person should know.
    """

    def __init__(self, store: ChainStore, published: PublishedHops) -> None:
        self._store = store
        self.claims, self.notes = claims_by_output(store, published)

    def compare(self, output: int, spend: Spend) -> None:
        """Note what is published of an output of which the data knows what became."""
        if spend.state in (SpendState.UNKNOWN, SpendState.SPENT_OUTSIDE):
            return
        known = "unspent as of its tip" if spend.state == SpendState.UNSPENT else "never to be spent"
        if spend.transaction is not None:
            known = f"spent by {self._store.txid(spend.transaction)}"
        for claim in self.claims[output]:
            said = f"spent by {claim.statement['spender']}"
            verdict = (
                "the chain data says so, too" if known == said else f"in the chain data it is {known}, which holds"
            )
            self.notes.append(f"{claim.subject.name} is published as {said} ({claim.source}); {verdict}")

    def end(self, output: int, transaction: int, amount: int, spend: Spend) -> Ending:
        """The end of an output that the data does not follow."""
        if spend.txid:
            return self._outside(output, transaction, amount, spend)
        return self._unknown(output, transaction, amount, spend.as_of)

    def _outside(self, output: int, transaction: int, amount: int, spend: Spend) -> Ending:
        """The source names the spender, which is not here; what is published of the hops after it comes along."""
        spender = str(spend.txid)
        agreeing = [claim for claim in self.claims.get(output, ()) if claim.statement["spender"] == spender]
        for claim in self.claims.get(output, ()):
            if claim not in agreeing:
                self.notes.append(
                    f"{claim.subject.name} is published as spent by {claim.statement['spender']} ({claim.source}); "
                    f"the source of the chain data says that {spender} spent it"
                )
        reason = f"spent by {spender}, says the source as of height {spend.as_of}"
        return Ending(EndKind.GAP, output, transaction, amount, reason, spender, agreeing[0] if agreeing else None)

    def _unknown(self, output: int, transaction: int, amount: int, as_of: int | None) -> Ending:
        claims = self.claims.get(output, ())
        if claims:
            chosen = claims[0]
            spender = str(chosen.statement["spender"])
            for rival in claims[1:]:
                if rival.statement["spender"] != spender:
                    self.notes.append(
                        f"{rival.subject.name} is published as spent by {spender} ({chosen.source}) and as spent by "
                        f"{rival.statement['spender']} ({rival.source}): a contradiction; the gap names the first"
                    )
            reason = f"published as spent by {spender}: {chosen.source}"
            return Ending(EndKind.GAP, output, transaction, amount, reason, spender, chosen)
        reason = f"unspent as of height {as_of}, not known since" if as_of is not None else NOT_HERE
        return Ending(EndKind.UNKNOWN, output, transaction, amount, reason)


def undivided(store: ChainStore, transaction: int, place: int, method: str) -> tuple[str, str]:
    """Why a method cannot divide what enters a transaction, and the txid that is missing: that of input `place`."""
    missing = input_at(store, transaction, place)
    reason = (
        f"spent by {store.txid(transaction)}, whose input {place} spends {missing.txid}:{missing.index}; without "
        f"that amount {method} cannot divide"
    )
    return reason, missing.txid


def claims_by_output(store: ChainStore, published: PublishedHops) -> tuple[dict[int, tuple[Claim, ...]], list[str]]:
    """Published hops by the output of this store that they start from, and notes on those of another chain."""
    found: dict[int, tuple[Claim, ...]] = {}
    notes = []
    for outpoint, claims in published.by_outpoint.items():
        here = tuple(claim for claim in claims if claim.subject.chain == store.network.caip2)
        if len(here) < len(claims):
            notes.append(f"published hops of {outpoint} are of another chain than {store.network.name}, and not used")
        txid, _, index = outpoint.partition(":")
        maker = store.find_transaction(internal(txid)) if here else None
        if maker is not None and int(index) < len(store.output_range(maker)):
            found[store.output_range(maker)[int(index)]] = here
    return found, notes


def claims_by_input(store: ChainStore, published: PublishedHops) -> dict[str, Claim]:
    """Published hops by the input (`TXID:in:N`) at which their trail is in the data again; the one of least id first."""
    found: dict[str, Claim] = {}
    for claims in published.by_outpoint.values():
        for claim in claims:
            resumes = claim.statement.get("resumes")
            if isinstance(resumes, str) and claim.subject.chain == store.network.caip2:
                rival = found.get(resumes)
                found[resumes] = claim if rival is None or claim.id < rival.id else rival
    return found
