"""What a person pastes, and the money that it stands for: outputs and inputs to start from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, PartialData, ShieldwallError, UnknownAddress, UsageError
from shieldwall.model import address
from shieldwall.model.address import key_hash
from shieldwall.model.script import Script, ScriptKind, from_identity
from shieldwall.model.transaction import internal

_TRANSACTION = re.compile(r"([0-9a-fA-F]{64})(?::(in:)?([0-9]{1,18}))?")
_IDENTITY = re.compile(r"[a-z0-9_]+:[0-9a-fA-F]+")
_MOST_HOLDERS = 500_000  # of a store that are looked through for an address in the wrong case: a few seconds
_MOST_LINES = 100_000  # targets in one file
_MOST_BYTES = 16 << 20  # characters of one file


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
    """

    text: str
    kind: str
    identity: str
    outputs: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    linked: tuple[str, ...] = ()
    found: bool = True

    def as_dict(self) -> dict[str, Any]:
        """The target as it stands in a result."""
        return {
            "target": self.text,
            "kind": self.kind,
            "identity": self.identity,
            "outputs": len(self.outputs),
            "inputs": len(self.inputs),
            "linked": list(self.linked),
            "found": self.found,
        }


def read_targets(words: Sequence[str], standard_input: TextIO | None = None) -> dict[str, str]:
    """The targets that `words` say, each with its place ("" for a word itself).

    A word that names a file stands for the targets in it, `-` for those of `standard_input`: one a line, `#` begins a
    comment.

    Raises:
        UsageError: `-` where there is no standard input.
        BadInput: A file of more than 100,000 lines, or one that is no text.
    """
    targets: dict[str, str] = {}
    for word in words:
        if word == "-":
            if standard_input is None:
                raise UsageError("- means standard input, and there is none here", hint="name a file")
            text, place = _read(standard_input, "standard input"), "standard input"
        elif len(word) <= 255 and Path(word).is_file():
            with Path(word).open(encoding="utf-8-sig") as file:
                text, place = _read(file, word), word
        else:
            targets.setdefault(word.strip(), "")
            continue
        lines = text.splitlines()
        if len(lines) > _MOST_LINES or len(text) > _MOST_BYTES:
            raise BadInput(
                f"{place}: more than {_MOST_LINES} lines, or {_MOST_BYTES} characters", hint="split the file"
            )
        for number, line in enumerate(lines, 1):
            entry = line.partition("#")[0].strip()
            if entry:
                targets.setdefault(entry, f"{place}, line {number}")
    return targets


def _read(file: TextIO, place: str) -> str:
    try:
        return file.read(_MOST_BYTES + 1)
    except UnicodeDecodeError as error:
        raise BadInput(f"{place}, byte {error.start}: not UTF-8 text") from None


def find_targets(store: ChainStore, words: Sequence[str], standard_input: TextIO | None = None) -> list[Target]:
    """The targets that `words` name, in the store; see `read_targets` for files.

    Raises:
        UsageError: No target at all.
        BadInput: Neither a txid nor KIND:HEX nor a valid address (UnknownAddress, which names the nearest valid ones); an
            input or output that a transaction does not have. Of a file, with the line.
        PartialData: This store holds none of them: unknown, not clean. One that it does not hold among others that it
            does is a target that is not `found`.
    """
    targets = []
    absent: PartialData | None = None
    for word, place in read_targets(words, standard_input).items():
        try:
            targets.append(_find(store, word))
        except ShieldwallError as error:
            error.message = f"{place}: {error.message}" if place else error.message
            if not isinstance(error, PartialData):
                raise
            absent = absent or error
            targets.append(Target(word, "absent", word, found=False))
    if absent is not None and not any(target.found for target in targets):
        raise absent
    if not targets:
        raise UsageError("nothing to trace", hint="name an address, TXID, TXID:N, TXID:in:N, or a file of them")
    return targets


def _find(store: ChainStore, word: str) -> Target:
    match = _TRANSACTION.fullmatch(word)
    if match:
        return _find_transaction(store, word, match)
    if not _IDENTITY.fullmatch(word):
        try:
            return _find_holder(store, word, address.decode(word, store.network))
        except UnknownAddress as error:
            known = () if error.nearest else _same_but_for_case(store, word)
            if not known:
                raise
            hint = f"did you mean {' or '.join(known)}? It is in this store"
            raise UnknownAddress(error.message, hint=hint, nearest=known) from None
    try:
        return _find_holder(store, word, from_identity(word))
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
        raise BadInput(f"{word}: the transaction has {len(numbers)} {kind}s, counted from 0")
    chosen = (numbers[int(place)],)
    identity = f"{txid}:{incoming or ''}{int(place)}"
    if incoming:
        return Target(word, kind, identity, inputs=chosen)
    return Target(word, kind, identity, outputs=chosen)


def _find_holder(store: ChainStore, word: str, script: Script) -> Target:
    """Everything paid to a script, and to the same key in its other form: a public key and its hash are one holder."""
    number = store.find_holder(script)
    twin = None if number is None else store.twin(number)
    if number is None and script.kind == ScriptKind.P2PK:  # nothing was paid to the key itself
        twin = store.find_holder(key_hash(script.payload))
    own = [] if number is None else store.outputs_of(number)
    linked = [] if twin is None else store.outputs_of(twin)
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


def _absent(store: ChainStore, what: str) -> PartialData:
    heights = store.column("block_height")
    covered = f"heights {heights[0]} to {heights[-1]}, {len(heights)} blocks" if len(heights) else "no block"
    return PartialData(
        f"no {what} is in this store ({covered}): unknown, which is not the same as clean",
        hint="extend the store with the blocks or histories that hold it: shieldwall chain build",
    )
