"""Scripts as text, as Bitcoin Core writes them in `asm` (`core_write.cpp`, `ScriptToAsmStr`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from shieldwall.model.script import MAX_SCRIPT_SIZE, OP_RETURN

_PUSHDATA1, _PUSHDATA4 = 0x4C, 0x4E
_MOST_NUMBER = 4  # bytes; a shorter push is written as the number that it is
_SIGHASHES = {
    0x01: "ALL",
    0x02: "NONE",
    0x03: "SINGLE",
    0x81: "ALL|ANYONECANPAY",
    0x82: "NONE|ANYONECANPAY",
    0x83: "SINGLE|ANYONECANPAY",
}


@cache
def opcode_names() -> Mapping[int, str]:
    """What a node calls each opcode (`data/opcodes.txt`)."""
    text = resources.files("shieldwall.chain").joinpath("data/opcodes.txt").read_text("utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {int(code, 16): name for code, name in rows}


def asm(script: bytes, *, signatures: bool = False) -> str:
    """A script as text.

    Args:
        script: Any bytes.
        signatures: Write the last byte of what is a signature as its sighash type, as Core does for input scripts.
    """
    signatures = signatures and len(script) <= MAX_SCRIPT_SIZE and script[:1] != bytes([OP_RETURN])
    return " ".join(_word(code, pushed, signatures) for code, pushed in operations(script))


def operations(script: bytes) -> Iterator[tuple[int, bytes | None]]:
    """(opcode, what it pushes: None for nothing); the last is (-1, None) for a push that the script cuts off."""
    place = 0
    while place < len(script):
        code = script[place]
        place += 1
        if code > _PUSHDATA4:
            yield code, None
            continue
        size = code
        if code >= _PUSHDATA1:
            width = 1 << (code - _PUSHDATA1)
            size = int.from_bytes(script[place : place + width], "little")
            place += width
        if place + size > len(script):
            yield -1, None
            return
        yield code, script[place : place + size]
        place += size


def _word(code: int, pushed: bytes | None, signatures: bool) -> str:
    if code < 0:
        return "[error]"
    if pushed is None:
        return opcode_names().get(code, "OP_UNKNOWN")
    if len(pushed) <= _MOST_NUMBER:
        return str(_number(pushed))
    sighash = _SIGHASHES.get(pushed[-1]) if signatures and is_signature(pushed) else None
    return pushed.hex() if sighash is None else f"{pushed[:-1].hex()}[{sighash}]"


def _number(pushed: bytes) -> int:
    """CScriptNum: little-endian, the highest bit is the sign."""
    magnitude = int.from_bytes(pushed, "little")
    if not pushed or not pushed[-1] & 0x80:
        return magnitude
    return -(magnitude - (0x80 << (8 * (len(pushed) - 1))))


def is_signature(data: bytes) -> bool:
    """True for a strict DER signature with a sighash byte behind it (BIP 66)."""
    if not 9 <= len(data) <= 73 or data[0] != 0x30 or data[1] != len(data) - 3:
        return False
    size_r = data[3]
    if 5 + size_r >= len(data):
        return False
    size_s = data[5 + size_r]
    if size_r + size_s + 7 != len(data):
        return False
    return all(_is_positive(data, place, size) for place, size in ((2, size_r), (4 + size_r, size_s)))


def _is_positive(data: bytes, place: int, size: int) -> bool:
    """A DER integer above zero without needless zeros in front."""
    number = data[place + 2 : place + 2 + size]
    if data[place] != 0x02 or not number or number[0] & 0x80:
        return False
    return not (len(number) > 1 and number[0] == 0 and not number[1] & 0x80)
