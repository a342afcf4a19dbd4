"""What a person pastes, and the money that it stands for: outputs and inputs to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, PartialData, UsageError
from shieldwall.model import address
from shieldwall.model.script import Script, from_identity
from shieldwall.model.transaction import internal

_TRANSACTION = re.compile(r"([0-9a-fA-F]{64})(?::(in:)?(\d{1,10}))?")
_IDENTITY = re.compile(r"[a-z0-9_]+:[0-9a-fA-F]+")
_MOST_LINES = 100_000  # targets in one file


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to trace from.

    Attributes:
        text: As it was given.
        kind: address, transaction, output or input.
        identity: The address, txid or outpoint in its normal form.
        outputs: Numbers of the outputs to start from.
        inputs: Numbers of the inputs to start from.
        linked: Identities of the same key that are included (P2PK for P2PKH and back).
    """

    text: str
    kind: str
    identity: str
    outputs: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    linked: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The target as it stands in a result."""
        return {
            "target": self.text,
            "kind": self.kind,
            "identity": self.identity,
            "outputs": len(self.outputs),
            "inputs": len(self.inputs),
            "linked": list(self.linked),
        }


def read_targets(words: Sequence[str]) -> list[str]:
    """The words themselves; one that names a file stands for the targets in it, one a line, `#` begins a comment.

    Raises:
        BadInput: A file of more than 100,000 lines, or one that is no text.
    """
    targets: list[str] = []
    for word in words:
        path = Path(word)
        if len(word) > 255 or not path.is_file():
            targets.append(word.strip())
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}, byte {error.start}: not UTF-8 text") from None
        if len(lines) > _MOST_LINES:
            raise BadInput(f"{path}: more than {_MOST_LINES} lines", hint="split the file")
        entries = (line.partition("#")[0].strip() for line in lines)
        targets += [entry for entry in entries if entry]
    return list(dict.fromkeys(targets))


def find_targets(store: ChainStore, words: Sequence[str]) -> list[Target]:
    """The targets that `words` name, in the store.

    Raises:
        UsageError: No target at all.
        UnknownAddress: Neither a txid nor a valid address; names the nearest valid ones.
        PartialData: A target that this store does not hold: unknown, not clean.
    """
    targets = [_find(store, word) for word in read_targets(words)]
    if not targets:
        raise UsageError("nothing to trace", hint="name an address, TXID, TXID:N, TXID:in:N, or a file of them")
    return targets


def _find(store: ChainStore, word: str) -> Target:
    match = _TRANSACTION.fullmatch(word)
    if match:
        return _find_transaction(store, word, match)
    if _IDENTITY.fullmatch(word):
        return _find_holder(store, word, from_identity(word))
    return _find_holder(store, word, address.decode(word, store.network))


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
        raise BadInput(f"{word}: the transaction has {len(numbers)} {kind}s, counted from 0")
    chosen = (numbers[int(place)],)
    identity = f"{txid}:{incoming or ''}{int(place)}"
    if incoming:
        return Target(word, kind, identity, inputs=chosen)
    return Target(word, kind, identity, outputs=chosen)


def _find_holder(store: ChainStore, word: str, script: Script) -> Target:
    number = store.find_holder(script)
    twin = None if number is None else store.twin(number)
    outputs = [output for holder in (number, twin) if holder is not None for output in store.outputs_of(holder)]
    if not outputs:
        raise _absent(store, f"output of {address.identity(script, store.network)}")
    linked = (store.identity(twin),) if twin is not None and store.outputs_of(twin) else ()
    return Target(word, "address", address.identity(script, store.network), tuple(sorted(outputs)), linked=linked)


def _absent(store: ChainStore, what: str) -> PartialData:
    heights = store.column("block_height")
    covered = f"heights {heights[0]} to {heights[-1]}, {len(heights)} blocks" if len(heights) else "no block"
    return PartialData(
        f"no {what} is in this store ({covered}): unknown, which is not the same as clean",
        hint="extend the store with the blocks or histories that hold it: shieldwall chain build",
    )
