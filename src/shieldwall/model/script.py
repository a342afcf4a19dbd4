"""Locking scripts: what kind they are, and the part that identifies the holder.

A script and its (kind, payload) pair determine each other, so nothing is lost by storing the pair, and an output keeps
its identity when no address string exists for it. A payload is always one slice of its script.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from shieldwall.errors import UsageError

MAX_SCRIPT_SIZE = 10_000  # bytes; a longer script can never be spent (Bitcoin Core, `script/script.h`)

OP_RETURN, OP_DUP, OP_EQUAL, OP_EQUALVERIFY = 0x6A, 0x76, 0x87, 0x88
OP_HASH160, OP_CHECKSIG, OP_CHECKMULTISIG = 0xA9, 0xAC, 0xAE
OP_1, OP_16 = 0x51, 0x60

MWEB_LABELS = {0x58: "mweb_hogaddr", 0x59: "mweb_pegin"}
"""What Litecoin calls 32 bytes of witness versions 8 and 9, by their opcodes (LIP 2, 3; Litecoin Core, `script/script.h`).

What its extension block holds in all, and what a transaction pays into it; the last transaction of a block alone spends them.
"""
_MWEB_SCRIPT = 34  # bytes: version, length, 32 bytes


class ScriptKind(IntEnum):
    """The kinds, with the numbers that the chain store writes; the payload of each is said behind it."""

    OTHER = 0  # the whole script
    P2PK = 1  # the public key, 33 or 65 bytes
    P2PKH = 2  # HASH160 of the public key
    P2SH = 3  # HASH160 of the script (BIP 16)
    MULTISIG = 4  # the whole script: bare multisig (BIP 11)
    P2WPKH = 5  # HASH160 of the public key (BIP 141)
    P2WSH = 6  # SHA-256 of the script (BIP 141)
    P2TR = 7  # the x-only output key (BIP 341)
    WITNESS = 8  # the whole script: witness versions and sizes without a meaning yet
    OP_RETURN = 9  # the whole script: data, provably unspendable

    @property
    def label(self) -> str:
        """The kind's name in lower case, as in results."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Script:
    """A locking script by its kind and payload."""

    kind: ScriptKind
    payload: bytes

    @property
    def mweb_label(self) -> str | None:
        """What Litecoin calls this script if it is one of `MWEB_LABELS`; on other networks it means nothing."""
        sized = self.kind == ScriptKind.WITNESS and len(self.payload) == _MWEB_SCRIPT
        return MWEB_LABELS.get(self.payload[0]) if sized else None

    @property
    def unspendable(self) -> bool:
        """True when no input can ever spend it: OP_RETURN first, or over 10,000 bytes."""
        return self.kind == ScriptKind.OP_RETURN or len(self.payload) > MAX_SCRIPT_SIZE


def classify(script: bytes) -> Script:
    """The kind and payload of a locking script; twin of `shieldwall.kernels.scripts.classify`."""
    size = len(script)
    if size and script[0] == OP_RETURN:
        return Script(ScriptKind.OP_RETURN, script)
    if size == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return Script(ScriptKind.P2PKH, script[3:23])
    if size == 23 and script[:2] == b"\xa9\x14" and script[22] == OP_EQUAL:
        return Script(ScriptKind.P2SH, script[2:22])
    if 4 <= size <= 42 and (script[0] == 0 or OP_1 <= script[0] <= OP_16) and script[1] == size - 2:
        version = script[0] and script[0] - OP_1 + 1
        if version == 0 and size == 22:
            return Script(ScriptKind.P2WPKH, script[2:])
        if version == 0 and size == 34:
            return Script(ScriptKind.P2WSH, script[2:])
        if version == 1 and size == 34:
            return Script(ScriptKind.P2TR, script[2:])
        if version:
            return Script(ScriptKind.WITNESS, script)
        return Script(ScriptKind.OTHER, script)
    if size == 35 and script[0] == 33 and script[1] in (2, 3) and script[34] == OP_CHECKSIG:
        return Script(ScriptKind.P2PK, script[1:34])
    if size == 67 and script[0] == 65 and script[1] in (4, 6, 7) and script[66] == OP_CHECKSIG:
        return Script(ScriptKind.P2PK, script[1:66])
    if _is_multisig(script):
        return Script(ScriptKind.MULTISIG, script)
    return Script(ScriptKind.OTHER, script)


def _is_multisig(script: bytes) -> bool:
    if len(script) < 37 or script[-1] != OP_CHECKMULTISIG:
        return False
    needed, keys = script[0] - OP_1 + 1, script[-2] - OP_1 + 1
    if not 1 <= needed <= keys <= 16:
        return False
    place = 1
    for _ in range(keys):
        if place >= len(script) - 2 or script[place] not in (33, 65):
            return False
        place += 1 + script[place]
    return place == len(script) - 2


def assemble(script: Script) -> bytes:
    """The script's bytes; `classify(assemble(s)) == s` for every s that `classify` returned."""
    kind, payload = script.kind, script.payload
    match kind:
        case ScriptKind.P2PK:
            return bytes([len(payload)]) + payload + b"\xac"
        case ScriptKind.P2PKH:
            return b"\x76\xa9\x14" + payload + b"\x88\xac"
        case ScriptKind.P2SH:
            return b"\xa9\x14" + payload + b"\x87"
        case ScriptKind.P2WPKH | ScriptKind.P2WSH:
            return bytes([0, len(payload)]) + payload
        case ScriptKind.P2TR:
            return b"\x51\x20" + payload
        case _:
            return payload


def from_identity(text: str) -> Script:
    """The script that an identity such as `p2pk:04678a...` names (see `shieldwall.model.address.identity`).

    Raises:
        UsageError: Not `kind:hex`, or the payload does not fit the kind.
    """
    label, colon, payload = text.partition(":")
    mweb = label.lower() if label.lower() in MWEB_LABELS.values() else None
    try:
        if not colon:
            raise ValueError("no colon")  # noqa: TRY301
        kind = ScriptKind.WITNESS if mweb else ScriptKind[label.upper()]
        script = Script(kind, bytes.fromhex(payload))
        fits = classify(assemble(script)) == script  # ValueError: more than one push can hold
        fits = fits and mweb in (None, script.mweb_label)
    except (KeyError, ValueError):
        kinds = ", ".join(kind.label for kind in ScriptKind)
        raise UsageError(f"{text!r} names no script", hint=f"write KIND:HEX, KIND one of {kinds}") from None
    if not fits:
        raise UsageError(f"{text!r}: the payload does not fit the kind {label}")
    return script
