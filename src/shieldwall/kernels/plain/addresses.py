"""Read and write many addresses at once: base58check, bech32 (BIP 173) and bech32m (BIP 350) (twin of `compiled/addresses.py`).

The rules are those of `shieldwall.model.address`, which reads one address with codecs of its own: a test holds all three to
each other, so that two authors would have to make one mistake.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from shieldwall.kernels.arrays import Bytes, Offsets, raw_view
from shieldwall.kernels.plain.scripts import P2PKH, P2SH, P2TR, P2WPKH, P2WSH, WITNESS

NO_KIND = 255  # the text is no address of the network
PAYLOAD = 42  # bytes that the longest payload of an address has: opcode, length, a program of 40
TEXT = 90  # characters; no address is longer (BIP 173)
SHORTEST = 14  # characters; no address is shorter (a program of two bytes, and a part of two before it)
MOST_BASE58 = 35  # characters that 25 bytes take at most
BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_FINAL, BECH32M_FINAL = 1, 0x2BC830A3  # what the checksum of a text comes to
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
OP_RESERVED = 0x50  # one below OP_1: the opcode of a witness version is this and the version
MWEB_FIRST, MWEB_SCRIPT = (0x58, 0x59), 34  # Litecoin's own witness programs: opcodes, bytes of the script (LIP 2, 3)


class AddressForms(NamedTuple):
    """What a network writes its addresses with.

    Attributes:
        p2pkh: Version byte before the hash of a public key.
        p2sh: Version byte before the hash of a script.
        p2sh_old: A second one that is read and not written; -1 for none.
        hrp: uint8[h], human-readable part of a bech32 address, in lower case.
        mweb: True where two witness programs belong to an extension block, and no address names them.
    """

    p2pkh: int
    p2sh: int
    p2sh_old: int
    hrp: Bytes
    mweb: bool


def decode_addresses(text: Bytes, end: Offsets, forms: AddressForms) -> tuple[Bytes, Offsets, Bytes]:
    """The scripts behind n texts.

    Args:
        text: uint8, the texts one behind the other.
        end: int64[n], one past the last byte of each; each begins where the one before it ends.
        forms: The network's.

    Returns:
        uint8[n]: kinds as in `scripts`, `NO_KIND` for a text that is no address of the network;
        int64[n]: bytes of each payload;
        uint8[n, PAYLOAD]: the payloads, zeros behind.
    """
    raw = raw_view(text)
    kinds = np.full(len(end), NO_KIND, np.uint8)
    sizes = np.zeros(len(end), np.int64)
    payloads = np.zeros((len(end), PAYLOAD), np.uint8)
    first = 0
    for row, last in enumerate(end.tolist()):
        found = _decode(raw[first:last].tobytes(), forms)
        first = last
        if found is not None:
            kinds[row], payload = found
            sizes[row] = len(payload)
            payloads[row, : len(payload)] = np.frombuffer(payload, np.uint8)
    return kinds, sizes, payloads


def encode_addresses(
    kinds: Bytes, data: Bytes, start: Offsets, end: Offsets, forms: AddressForms
) -> tuple[Bytes, Offsets]:
    """The addresses of n scripts.

    Args:
        kinds: uint8[n], as in `scripts`.
        data: uint8, where the payloads stand.
        start: int64[n], first byte of each payload.
        end: int64[n], one past its last.
        forms: The network's.

    Returns:
        uint8[n, TEXT]: the addresses, zeros behind; int64[n]: characters of each, 0 where a script has no address.
    """
    raw = raw_view(data)
    texts = np.zeros((len(kinds), TEXT), np.uint8)
    sizes = np.zeros(len(kinds), np.int64)
    for row, (kind, a, b) in enumerate(zip(kinds.tolist(), start.tolist(), end.tolist(), strict=True)):
        text = _encode(kind, raw[a:b].tobytes(), forms)
        sizes[row] = len(text)
        texts[row, : len(text)] = np.frombuffer(text, np.uint8)
    return texts, sizes


def _decode(text: bytes, forms: AddressForms) -> tuple[int, bytes] | None:
    if not SHORTEST <= len(text) <= TEXT:
        return None
    prefix = forms.hrp.tobytes() + b"1"
    if text[: len(prefix)].lower() == prefix:
        return _decode_segwit(text, prefix)
    return _decode_base58(text, forms)


def _decode_segwit(text: bytes, prefix: bytes) -> tuple[int, bytes] | None:
    lower = text.lower()
    if text not in (lower, text.upper()):
        return None
    data = [BECH32.find(letter) for letter in lower[len(prefix) :]]
    if len(data) < 7 or min(data) < 0:  # a version and six of the checksum
        return None
    final = _checksum(prefix[:-1], data)
    version, words = data[0], data[1:-6]
    bits = 5 * len(words)
    number = 0
    for word in words:
        number = number << 5 | word
    spare = bits % 8
    size = bits // 8
    if spare >= 5 or number & ((1 << spare) - 1) or not 2 <= size <= 40 or version > 16:
        return None
    if final != (BECH32M_FINAL if version else BECH32_FINAL) or (version == 0 and size not in (20, 32)):
        return None
    program = (number >> spare).to_bytes(size, "big")
    if version == 0:
        return P2WPKH if size == 20 else P2WSH, program
    if version == 1 and size == 32:
        return P2TR, program
    return WITNESS, bytes((OP_RESERVED + version, size)) + program


def _decode_base58(text: bytes, forms: AddressForms) -> tuple[int, bytes] | None:
    digits = [BASE58.find(letter) for letter in text]
    if len(text) > MOST_BASE58 or min(digits) < 0:
        return None
    number = 0
    for digit in digits:
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(b"1"))  # each is a byte, and the number has no more than it needs
    if zeros + (number.bit_length() + 7) // 8 != 25:
        return None
    raw = number.to_bytes(25, "big")
    if _twice(raw[:-4])[:4] != raw[-4:] or raw[0] not in (forms.p2pkh, forms.p2sh, forms.p2sh_old):
        return None
    return P2PKH if raw[0] == forms.p2pkh else P2SH, raw[1:-4]


def _encode(kind: int, payload: bytes, forms: AddressForms) -> bytes:
    if kind in (P2PKH, P2SH):
        return _encode_base58(bytes([forms.p2pkh if kind == P2PKH else forms.p2sh]) + payload)
    if kind in (P2WPKH, P2WSH):
        return _encode_segwit(0, payload, forms)
    if kind == P2TR:
        return _encode_segwit(1, payload, forms)
    hidden = forms.mweb and len(payload) == MWEB_SCRIPT and payload[:1] in [bytes([code]) for code in MWEB_FIRST]
    if kind != WITNESS or hidden:
        return b""
    return _encode_segwit(payload[0] - OP_RESERVED, payload[2:], forms)


def _encode_base58(versioned: bytes) -> bytes:
    raw = versioned + _twice(versioned)[:4]
    number = int.from_bytes(raw, "big")
    letters = bytearray()
    while number:
        number, digit = divmod(number, 58)
        letters.append(BASE58[digit])
    return b"1" * (len(raw) - len(raw.lstrip(b"\0"))) + bytes(reversed(letters))


def _encode_segwit(version: int, program: bytes, forms: AddressForms) -> bytes:
    count = -(-8 * len(program) // 5)
    number = int.from_bytes(program, "big") << (5 * count - 8 * len(program))
    data = [version, *((number >> 5 * (count - 1 - place)) & 31 for place in range(count))]
    hrp = forms.hrp.tobytes()
    final = _checksum(hrp, data + [0] * 6) ^ (BECH32M_FINAL if version else BECH32_FINAL)
    data += [(final >> 5 * (5 - place)) & 31 for place in range(6)]
    return hrp + b"1" + bytes(BECH32[word] for word in data)


def _checksum(hrp: bytes, data: list[int]) -> int:
    """The remainder that BIP 173 calls `polymod`."""
    check = 1
    for value in [*(letter >> 5 for letter in hrp), 0, *(letter & 31 for letter in hrp), *data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check


def _twice(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
