"""Change of single transactions, as a person says it: claims that overrule every rule, kept line by line.

The file is only ever added to: what is said later of a transaction wins, a retraction is a line of its own, and every
version stays. A last line without its end was never said: a stop cut it short, and the next one takes its place.
"""

from __future__ import annotations

import fcntl
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.errors import BadText, StoreError, UsageError
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, ClaimKind, Layer, Subject
from shieldwall.model.network import Network
from shieldwall.model.transaction import TXID, internal

OVERRULE = ClaimKind("change-overrule", required={"why": str}, optional={"output": int, "none": bool})
"""About a transaction: its output `output` (from 0) is change, or with `none` true no output is; and why."""

_TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Overrule:
    """One claim that overrules, taken apart.

    Attributes:
        txid: The transaction, in display form.
        output: Index of the output that is change; None for none of them.
        why: What the person says for a reason.
        claim: The claim itself.
    """

    txid: str
    output: int | None
    why: str
    claim: Claim

    @property
    def words(self) -> str:
        """Who says so, when and why."""
        return f"overruled by {self.claim.made_by} at {self.claim.at}: {self.why}"

    @classmethod
    def of(cls, claim: Claim, place: str = "claim") -> Overrule:
        """The overrule that a claim says.

        Raises:
            BadText: It is none; `place` says where it was read.
        """
        if claim.kind != OVERRULE.name or claim.subject.type != _TRANSACTION or not TXID.fullmatch(claim.subject.name):
            raise BadText(f"{place}: not a {OVERRULE.name} about a transaction")
        OVERRULE.check(claim.statement, place)
        output = claim.statement.get("output")
        if (output is None) == (claim.statement.get("none") is not True) or (output is not None and output < 0):
            raise BadText(f"{place}: a {OVERRULE.name} names either an output from 0 on, or none")
        if not (claim.made_by and claim.at):
            raise BadText(f"{place}: a {OVERRULE.name} needs who says it, and when")
        return cls(claim.subject.name.lower(), output, str(claim.statement["why"]), claim)


def overrule_of(network: Network, txid: str, output: int | None, *, why: str, by: str, at: str) -> Overrule:
    """What a person says of a transaction.

    Args:
        network: Its chain.
        txid: The transaction, in display form.
        output: Index of the output that is change; None for none of them.
        why: The reason, which everyone will read who is given the answer.
        by: Who says it.
        at: When, ISO 8601 in UTC.

    Raises:
        UsageError: No reason or no name.
    """
    if not why.strip() or not by.strip():
        raise UsageError("an overrule needs a reason and a name", hint="say --why TEXT and --by NAME")
    statement = {"why": why.strip(), **({"none": True} if output is None else {"output": output})}
    claim = Claim(
        subject=Subject(_TRANSACTION, network.caip2, txid.lower()),
        kind=OVERRULE.name,
        statement=statement,
        layer=Layer.INFERENCE,
        source="said by a person",
        made_by=by.strip(),
        at=at,
    )
    return Overrule.of(claim)


class OverruleBook(ABC):
    """What was ever said of change, wherever it is kept: `Overrules` in a file, `stored.StoredOverrules` in a node's store."""

    @abstractmethod
    def versions(self) -> tuple[Claim, ...]:
        """Every claim that was ever said here, retractions among them, in the order in which they were said."""

    @abstractmethod
    def _append(self, claim: Claim) -> None:
        """Keep one more."""

    def standing(self, network: Network) -> dict[str, Overrule]:
        """What stands of a network's transactions: txid -> the last that was said, where that is no retraction.

        Raises:
            BadText: A line of the file is no such claim.
            StoreError: The file, or the node's store, cannot be read.
        """
        last: dict[str, Claim] = {}
        for claim in self.versions():
            if claim.subject.chain == network.caip2:
                last[claim.subject.name.lower()] = claim
        return {txid: Overrule.of(claim) for txid, claim in last.items() if not claim.retracted}

    def add(self, overrule: Overrule) -> Claim:
        """Say it; returns the claim.

        Raises:
            StoreError: The file cannot be written.
        """
        self._append(overrule.claim)
        return overrule.claim

    def retract(self, network: Network, txid: str, *, by: str, at: str) -> Claim:
        """Take back what stands of a transaction; returns the claim with its retraction.

        Raises:
            UsageError: Nothing stands, or someone else said it.
            StoreError: The file cannot be written.
        """
        standing = self.standing(network).get(txid.lower())
        if standing is None:
            raise UsageError(f"no overrule of {txid} stands", hint="nothing is to be taken back")
        if standing.claim.made_by != by.strip():
            raise UsageError(
                f"{standing.claim.made_by} said it, and nobody else takes it back",
                hint="say another overrule of your own, which wins as the later one",
            )
        claim = replace(standing.claim, statement=dict(standing.claim.statement), retracted=at)
        self._append(claim)
        return claim


class Overrules(OverruleBook):
    """The overrules in a file.

    Args:
        path: Of the file, which may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def versions(self) -> tuple[Claim, ...]:
        """Every claim that was ever said here, retractions among them, in the order in which they were said.

        Raises:
            BadText: A line is no such claim.
            StoreError: The file cannot be read.
        """
        try:
            whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror})") from error
        found = []
        for number, line in enumerate(whole.split(b"\n") if whole else [], 1):
            place = f"{self.path}:{number}"
            try:
                plain = json.loads(line)
            except (ValueError, RecursionError):
                raise BadText(f"{place}: not a line of JSON") from None
            if not isinstance(plain, dict):
                raise BadText(f"{place}: not a claim")
            claim = Claim.from_dict(plain, place)
            Overrule.of(claim, place)
            found.append(claim)
        return tuple(found)

    def _append(self, claim: Claim) -> None:
        line = canonical_json(claim.as_dict()) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed
                file.seek(0)
                whole, newline, _ = file.read().rpartition(b"\n")
                file.truncate(len(whole) + len(newline))
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror})") from error


def check_output(store: ChainStore, transaction: int, output: int | None) -> None:
    """Refuse to call change what cannot be.

    Raises:
        UsageError: The transaction is a coinbase, or has no such output, or nobody can ever spend it.
    """
    if output is None:
        return
    numbers, txid = store.output_range(transaction), store.txid(transaction)
    if store.is_coinbase(transaction):
        raise UsageError(f"{txid} is a coinbase, which has no change")
    if not 0 <= output < len(numbers):
        raise UsageError(f"{txid} has no output {output}", hint=f"it has outputs 0 to {len(numbers) - 1}")
    if store.spend(numbers[output]).state == SpendState.UNSPENDABLE:
        raise UsageError(f"nobody can ever spend output {output} of {txid}, which is no change")


def overruled_outputs(store: ChainStore, overrules: Iterable[Overrule]) -> Mapping[int, int]:
    """Transaction -> number of its change output, -1 for none, of the overrules whose transactions are in the store.

    Raises:
        UsageError: One names an output that its transaction does not have, or that can be no change.
    """
    found = {}
    for overrule in overrules:
        transaction = store.find_transaction(internal(overrule.txid))
        if transaction is not None:
            check_output(store, transaction, overrule.output)
            first = store.output_range(transaction).start
            found[transaction] = -1 if overrule.output is None else first + overrule.output
    return found


def apply(answers: npt.NDArray[np.int64], first: int, overruled: Mapping[int, int]) -> None:
    """Put overruled outputs into the answers for the transactions from `first` on."""
    for transaction, output in overruled.items():
        if first <= transaction < first + len(answers):
            answers[transaction - first] = output
