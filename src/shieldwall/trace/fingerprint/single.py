"""The fingerprint of one transaction, in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from shieldwall.chain.rawform import RawForm, RawForms
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.model.script import ScriptKind
from shieldwall.trace.fingerprint.table import (
    ASCENDING,
    DESCENDING,
    IN_ORDER,
    MIXED,
    NOTHING,
    OUT_OF_ORDER,
    SAME,
    UNKNOWN,
    fingerprint_table,
)

_ORDERS = {SAME: "nothing to order", ASCENDING: "ascending", DESCENDING: "descending", MIXED: "neither"}
_BIP69 = {NOTHING: "nothing to order", IN_ORDER: "yes", OUT_OF_ORDER: "no"}
_YES_NO = ("locktime", "replaceable", "final", "segwit", "coinbase")
_DATA = 1 << ScriptKind.OP_RETURN


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a transaction shows of the software that made it. None stands for unknown.

    Attributes:
        txid: Display form.
        coinbase: True for a block's first transaction, of which the rest says little.
        version: "1", "2", "3" or "other"; `exact_version` has the number where the raw bytes are there.
        exact_version: Signed, as Bitcoin Core prints it.
        locktime: True when it is not 0.
        exact_locktime: Height below 500,000,000, else Unix seconds; None without raw bytes.
        replaceable: An input's sequence is below 0xfffffffe (BIP 125).
        final: Every input's sequence is 0xffffffff, so that a locktime binds nothing.
        segwit: An input's holder is a witness program. A witness beneath P2SH does not count: not every source tells it.
        input_kinds: Kinds of the scripts that it spends, each once.
        output_kinds: Kinds of the scripts that it pays, each once.
        address_types: Both together, without data outputs.
        multisig: A bare multisig script (BIP 11) among them.
        inputs: How many; 0 for a coinbase.
        outputs: How many.
        output_order: "ascending" or "descending" by value, "neither", or "nothing to order".
        bip69: "yes", "no", or "nothing to order": one input and one output. With few of both, "yes" is often chance.
        fee: Satoshi.
        fee_rate: Satoshi for 1,000 virtual bytes, rounded down; None without raw bytes or witness.
        virtual_size: Bytes (BIP 141).
    """

    txid: str
    coinbase: bool
    version: str
    exact_version: int | None
    locktime: bool
    exact_locktime: int | None
    replaceable: bool
    final: bool
    segwit: bool | None
    input_kinds: tuple[str, ...] | None
    output_kinds: tuple[str, ...]
    address_types: tuple[str, ...] | None
    multisig: bool | None
    inputs: int
    outputs: int
    output_order: str
    bip69: str
    fee: int | None
    fee_rate: int | None
    virtual_size: int | None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def fingerprint_of(store: ChainStore, transaction: int) -> Fingerprint:
    """The fingerprint of a transaction of a store; raw bytes add what the columns do not keep, where they are there."""
    codes = fingerprint_table(store, transaction, transaction + 1).row(transaction)
    form = _form(store, transaction)
    spent, paid = codes["input_kinds"], codes["output_kinds"]
    both = UNKNOWN if spent == UNKNOWN else (spent | paid) & ~_DATA
    bare = 1 << ScriptKind.MULTISIG
    fee = None if codes["fee"] == UNKNOWN else codes["fee"]
    size = form.virtual_size if form else None
    return Fingerprint(
        txid=store.txid(transaction),
        coinbase=bool(codes["coinbase"]),
        version=str(codes["version"] or "other"),
        exact_version=form.version if form else None,
        locktime=bool(codes["locktime"]),
        exact_locktime=form.lock_time if form else None,
        replaceable=bool(codes["replaceable"]),
        final=bool(codes["final"]),
        segwit=None if codes["segwit"] == UNKNOWN else bool(codes["segwit"]),
        input_kinds=_names(spent),
        output_kinds=_names(paid) or (),
        address_types=_names(both),
        multisig=True if paid & bare else None if spent == UNKNOWN else bool(spent & bare),
        inputs=codes["inputs"],
        outputs=codes["outputs"],
        output_order=_ORDERS[codes["output_order"]],
        bip69=_BIP69[codes["bip69"]],
        fee=fee,
        fee_rate=None if fee is None or not size else fee * 1000 // size,
        virtual_size=size,
    )


def told(name: str, code: int) -> str | None:
    """A code of a fingerprint table as text; None for unknown."""
    if code == UNKNOWN:
        return None
    if name in _YES_NO:
        return "yes" if code else "no"
    if name in ("input_kinds", "output_kinds"):
        return ", ".join(_names(code) or ())
    if name == "version":
        return str(code or "other")
    if name == "output_order":
        return _ORDERS[code]
    return _BIP69[code] if name == "bip69" else str(code)


def _names(kinds: int) -> tuple[str, ...] | None:
    return None if kinds == UNKNOWN else tuple(kind.label for kind in ScriptKind if kinds >> kind & 1)


def _form(store: ChainStore, transaction: int) -> RawForm | None:
    try:
        return RawForms(store).of(transaction)
    except StoreError:  # parcels without raw bytes, or block files that were moved: the columns tell the rest
        return None
