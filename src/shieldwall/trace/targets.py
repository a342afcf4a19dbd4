"""What a person pastes, and the money that it stands for: outputs and inputs to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TextIO

import numpy as np
import numpy.typing as npt

from shieldwall.chain.many import paid_outputs
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, PartialData, ShieldwallError, UnknownAddress, UsageError
from shieldwall.model import address
from shieldwall.model.address import key_hash
from shieldwall.model.script import Script, ScriptKind, from_identity
from shieldwall.model.transaction import internal
from shieldwall.trace.pasted import IDENTITY, TRANSACTION, Tell, read_words, silence

_MOST_HOLDERS = 500_000  # of a store that are looked through for an address in the wrong case: a few seconds


class Clustering(Protocol):
    """Which holders belong together, such as `clusters.clustering.Clustering`."""

    def clusters_of(self, holders: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """uint32[k]: the cluster of each holder."""

    def members(self, cluster: int) -> npt.NDArray[np.uint32]:
        """uint32[n]: the holders in a cluster, ascending."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to trace from.

    Attributes:
        text: As it was given.
        kind: address, transaction, output or input.
        identity: The address, txid or outpoint in its normal form.
        outputs: Numbers of the outputs to start from.
        inputs: Numbers of the inputs to start from.
        found: False for one that this store does not hold, named beside others that it does.
        linked: Identities of the same key that are included (P2PK for P2PKH and back).
        members: Addresses of its cluster that are included, itself among them; 0 where no clustering was asked for.
    """

    text: str
    kind: str
    identity: str
    outputs: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    linked: tuple[str, ...] = ()
    found: bool = True
    members: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The target as it stands in a result."""
        return {
            "target": self.text,
            "kind": self.kind,
            "identity": self.identity,
            "outputs": len(self.outputs),
            "inputs": len(self.inputs),
            "linked": list(self.linked),
            "members": self.members,
            "found": self.found,
        }


def find_targets(
    store: ChainStore,
    words: Sequence[str],
    standard_input: TextIO | None = None,
    tell: Tell = silence,
    clustering: Clustering | None = None,
) -> list[Target]:
    """The targets that `words` name, in the store; see `read_words` for files, lists and pasted text.

    Args:
        store: The chain store.
        words: Targets, names of files, `-` for standard input, or pasted text.
        standard_input: What `-` reads.
        tell: Is told what documents mention and what of it is left aside.
        clustering: Start from the whole cluster of each address; None for the address alone.

    Raises:
        UsageError: No target at all.
        BadInput: Neither a txid nor KIND:HEX nor a valid address (UnknownAddress, which names the nearest valid ones); an
            input or output that a transaction does not have; a document that mentions nothing of the store's network.
            Of a file, with the place.
        PartialData: This store holds none of them: unknown, not clean. One that it does not hold among others that it
            does is a target that is not `found`; a txid that only a document mentions is left aside, for it may be a
            digest of anything.
    """
    targets: list[Target] = []
    absent: PartialData | None = None
    no_transactions = 0
    for asked in read_words(words, store.network, standard_input, tell):
        try:
            targets.append(_find(store, asked.text, clustering))
        except ShieldwallError as error:
            error.message = f"{asked.place}: {error.message}" if asked.place else error.message
            perhaps = not asked.sure and TRANSACTION.fullmatch(asked.text) is not None
            if not isinstance(error, PartialData) and not perhaps:
                raise
            absent = absent or (error if isinstance(error, PartialData) else None)
            if perhaps:
                no_transactions += 1
            else:
                targets.append(Target(asked.text, "absent", asked.text, found=False))
    if no_transactions:
        tell(f"left aside: {no_transactions} strings of 64 digits that are no transactions or outputs of this store")
    if absent is not None and not any(target.found for target in targets):
        raise absent
    if not targets:
        raise UsageError("nothing to trace", hint="name an address, TXID, TXID:N, TXID:in:N, or a file of them")
    return targets


def _find(store: ChainStore, word: str, clustering: Clustering | None) -> Target:
    match = TRANSACTION.fullmatch(word)
    if match:
        return _find_transaction(store, word, match)
    found = _find_holder(store, word, _script_named(store, word))
    return found if clustering is None else _with_cluster(store, found, clustering)


def holder_named(store: ChainStore, word: str) -> int:
    """The holder that an address, or `KIND:HEX`, names; where only the same key in its other form was paid, that one.

    Raises:
        PartialData: Nothing was paid to it in this store.
        BadInput: No address of this network.
    """
    script = _script_named(store, word)
    number = store.find_holder(script)
    if number is None:
        number = store.same_key(script)
    if number is None:
        raise _absent(store, f"output of {address.identity(script, store.network)}")
    return number


def _script_named(store: ChainStore, word: str) -> Script:
    if not IDENTITY.fullmatch(word):
        try:
            return address.decode(word, store.network)
        except UnknownAddress as error:
            known = () if error.nearest else _same_but_for_case(store, word)
            if not known:
                raise
            hint = f"did you mean {' or '.join(known)}? It is in this store"
            raise UnknownAddress(error.message, hint=hint, nearest=known) from None
    try:
        return from_identity(word)
    except UsageError as error:
        raise BadInput(error.message, hint=error.hint) from None


def _same_but_for_case(store: ChainStore, word: str) -> tuple[str, ...]:
    """Base58 addresses of the store that a text typed all in one case may stand for; trying every case would take hours."""
    if not 26 <= len(word) <= 35 or not word.isalnum():
        return ()
    hashes = np.flatnonzero(np.isin(store.column("holder_kind"), (ScriptKind.P2PKH, ScriptKind.P2SH)))[:_MOST_HOLDERS]
    found = (store.identity(int(number)) for number in hashes)
    return tuple(name for name in found if name.lower() == word.lower())[:3]


def _find_transaction(store: ChainStore, word: str, match: re.Match[str]) -> Target:
    txid, incoming, place = match[1].lower(), match[2], match[3]
    number = store.find_transaction(internal(txid))
    if number is None:
        raise _absent(store, f"transaction {txid}")
    if place is None:
        return Target(word, "transaction", txid, outputs=tuple(store.output_range(number)))
    numbers = store.input_range(number) if incoming else store.output_range(number)
    kind = "input" if incoming else "output"
    if int(place) >= len(numbers):
        raise BadInput(
            f"{word}: the transaction has {_counted(len(numbers), kind)}", hint=_instead(txid, len(numbers), kind)
        )
    chosen = (numbers[int(place)],)
    identity = f"{txid}:{incoming or ''}{int(place)}"
    if incoming:
        return Target(word, kind, identity, inputs=chosen)
    return Target(word, kind, identity, outputs=chosen)


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind}{'' if count == 1 else 's'}, counted from 0"


def _instead(txid: str, count: int, kind: str) -> str:
    """What to name in place of an input or output that a transaction does not have."""
    colon = f"{txid}:in:" if kind == "input" else f"{txid}:"
    if not count:  # a coinbase, or one of which this store knows no inputs
        return f"name all its outputs: {txid}"
    last = f"{colon}0" if count == 1 else f"{colon}0 to {colon}{count - 1}"
    return f"name {last}" + ("" if kind == "input" else f", or all its outputs: {txid}")


def _find_holder(store: ChainStore, word: str, script: Script) -> Target:
    own, linked, twin = paid_to(store, script)
    identity = address.identity(script, store.network)
    if not own and not linked:
        raise _absent(store, f"output of {identity}")
    return Target(
        text=word,
        kind="address",
        identity=identity,
        outputs=tuple(sorted(own + linked)),
        linked=(store.identity(twin),) if twin is not None and linked else (),
    )


def _with_cluster(store: ChainStore, target: Target, clustering: Clustering) -> Target:
    """A target with everything that was paid to its cluster, and to the cluster of the same key in its other form."""
    own = np.array([int(store.column("output_holder")[output]) for output in target.outputs[:1]], np.uint32)
    linked = [store.twin(int(holder)) for holder in own]
    holders = np.union1d(own, np.array([holder for holder in linked if holder is not None], np.uint32))
    clusters = np.unique(clustering.clusters_of(holders))
    members = np.concatenate([clustering.members(int(cluster)) for cluster in clusters])
    outputs, _ = paid_outputs(store, members)
    return replace(target, outputs=tuple(sorted({*target.outputs, *outputs.tolist()})), members=len(members))


def paid_to(store: ChainStore, script: Script) -> tuple[list[int], list[int], int | None]:
    """Everything paid to a script, and to the same key in its other form: a public key and its hash are one holder.

    Returns:
        Numbers of the outputs paid to it, of those paid to its other form, and the holder that is the other form.
    """
    number = store.find_holder(script)
    twin = None if number is None else store.twin(number)
    if number is None and script.kind == ScriptKind.P2PK:  # nothing was paid to the key itself
        twin = store.find_holder(key_hash(script.payload))
    return [] if number is None else store.outputs_of(number), [] if twin is None else store.outputs_of(twin), twin


def _absent(store: ChainStore, what: str) -> PartialData:
    heights = store.column("block_height")
    covered = f"heights {heights[0]} to {heights[-1]}, {len(heights)} blocks" if len(heights) else "no block"
    return PartialData(
        f"no {what} is in this store ({covered}): unknown, which is not the same as clean",
        hint="extend the store with the blocks or histories that hold it: shieldwall chain build",
    )
