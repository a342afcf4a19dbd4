"""Read and write many addresses at once (twin of `plain/addresses.py`): base58check, bech32 and bech32m.

Base58 digits are taken five at a time (58^5 fits 32 bits) in and out of a number of seven words. Where libcrypto cannot be
called from compiled code (see `hashing`), these are the plain twins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from shieldwall.kernels.arrays import Bytes, Offsets
from shieldwall.kernels.compiled.hashing import BOUND, twice
from shieldwall.kernels.plain import addresses as plain
from shieldwall.kernels.plain.addresses import (
    BECH32_FINAL,
    BECH32M_FINAL,
    GENERATOR,
    MOST_BASE58,
    MWEB_FIRST,
    MWEB_SCRIPT,
    NO_KIND,
    OP_RESERVED,
    PAYLOAD,
    SHORTEST,
    TEXT,
    AddressForms,
)
from shieldwall.kernels.plain.scripts import P2PKH, P2SH, P2TR, P2WPKH, P2WSH, WITNESS

_CONTEXT = 128  # bytes of libcrypto's state, as in `hashing`
_WORDS = 7  # of 32 bits: 25 bytes, and room for what 35 digits can come to
_RAW = 25  # bytes: version, hash, checksum
_GROUP = 5  # digits
_NONE = 255  # no digit


def _table(letters: bytes) -> Bytes:
    """uint8[256]: the number of each letter, `_NONE` for the others."""
    table = np.full(256, _NONE, np.uint8)
    table[np.frombuffer(letters, np.uint8)] = np.arange(len(letters), dtype=np.uint8)
    return table


_BASE58, _BECH32 = np.frombuffer(plain.BASE58, np.uint8).copy(), np.frombuffer(plain.BECH32, np.uint8).copy()
_OF_BASE58, _OF_BECH32 = _table(plain.BASE58), _table(plain.BECH32)
_TERMS = np.array(
    [np.bitwise_xor.reduce([0] + [term for bit, term in enumerate(GENERATOR) if top >> bit & 1]) for top in range(32)],
    np.uint32,
)
"""What the five bits that fall out of a checksum add to it."""
_POWERS = np.array([58**power for power in range(_GROUP + 1)], np.uint64)


@njit(cache=True, nogil=True)
def _step(check: Any, value: Any) -> Any:
    top = check >> np.uint32(25)
    return ((check & np.uint32(0x1FFFFFF)) << np.uint32(5)) ^ np.uint32(value) ^ _TERMS[top]


@njit(cache=True, nogil=True)
def _start(hrp: Any) -> Any:
    check = np.uint32(1)
    for letter in hrp:
        check = _step(check, letter >> 5)
    check = _step(check, 0)
    for letter in hrp:
        check = _step(check, letter & 31)
    return check


@njit(cache=True, nogil=True)
def _begins(text: Any, a: Any, b: Any, hrp: Any) -> Any:
    """Whether text[a:b] begins with the human-readable part and its 1, in either case."""
    if b - a <= len(hrp) or text[a + len(hrp)] != 49:
        return False
    for place in range(len(hrp)):
        letter = text[a + place]
        if 65 <= letter <= 90:
            letter += 32
        if letter != hrp[place]:
            return False
    return True


@njit(cache=True, nogil=True)
def _decode_segwit(text: Any, a: Any, b: Any, hrp: Any, check: Any, payload: Any) -> Any:
    """(kind, size); `check` is what the human-readable part comes to."""
    upper, lower = False, False
    for place in range(a, b):
        upper |= 65 <= text[place] <= 90
        lower |= 97 <= text[place] <= 122
    first = a + len(hrp) + 1
    if (upper and lower) or b - first < 7:
        return NO_KIND, 0
    bits, word, size, version = 0, np.uint32(0), 0, 0
    for place in range(first, b):
        letter = text[place]
        if 65 <= letter <= 90:
            letter += 32
        value = _OF_BECH32[letter]
        if value == _NONE:
            return NO_KIND, 0
        check = _step(check, value)
        if place == first:
            version = value
        elif place < b - 6:
            word = ((word << np.uint32(5)) | np.uint32(value)) & np.uint32(0xFFF)
            bits += 5
            if bits >= 8:
                bits -= 8
                if size == 40:
                    return NO_KIND, 0
                payload[2 + size] = np.uint8((word >> np.uint32(bits)) & np.uint32(0xFF))
                size += 1
    if bits >= 5 or (word & np.uint32((1 << bits) - 1)) != 0 or size < 2 or version > 16:
        return NO_KIND, 0
    if check != np.uint32(BECH32M_FINAL if version else BECH32_FINAL):
        return NO_KIND, 0
    if version == 0 and size not in (20, 32):
        return NO_KIND, 0
    if version == 0 or (version == 1 and size == 32):
        for place in range(size):
            payload[place] = payload[place + 2]
        payload[size] = 0
        payload[size + 1] = 0
        if version:
            return P2TR, size
        return (P2WPKH, size) if size == 20 else (P2WSH, size)
    payload[0] = OP_RESERVED + version
    payload[1] = size
    return WITNESS, size + 2


@njit(cache=True, nogil=True)
def _decode_base58(text: Any, a: Any, b: Any, p2pkh: Any, p2sh: Any, p2sh_old: Any, room: Any, words: Any) -> Any:
    """The kind; `room` holds the 25 bytes, from its byte 0 on, and behind them state and digest."""
    if b - a > MOST_BASE58:
        return NO_KIND
    zeros = 0
    while a + zeros < b and text[a + zeros] == 49:
        zeros += 1
    words[:] = 0
    place = a
    while place < b:
        last = min(b, place + _GROUP)
        group = np.uint64(0)
        for digit in range(place, last):
            value = _OF_BASE58[text[digit]]
            if value == _NONE:
                return NO_KIND
            group = group * np.uint64(58) + np.uint64(value)
        carry = group
        for row in range(_WORDS):
            carry += words[row] * _POWERS[last - place]
            words[row] = carry & np.uint64(0xFFFFFFFF)
            carry >>= np.uint64(32)
        place = last
    size = 4 * _WORDS
    while size and (words[(size - 1) // 4] >> np.uint64(8 * ((size - 1) % 4))) & np.uint64(0xFF) == 0:
        size -= 1
    if zeros + size != _RAW:
        return NO_KIND
    for byte in range(_RAW):
        at = _RAW - 1 - byte
        room[byte] = np.uint8((words[at // 4] >> np.uint64(8 * (at % 4))) & np.uint64(0xFF))
    version = np.int64(room[0])
    if version not in (p2pkh, p2sh, p2sh_old):
        return NO_KIND
    base = room.ctypes.data
    twice(base + np.uintp(64), base, np.uintp(_RAW - 4), base + np.uintp(32))
    for byte in range(4):
        if room[32 + byte] != room[_RAW - 4 + byte]:
            return NO_KIND
    return P2PKH if version == p2pkh else P2SH


@njit(cache=True, nogil=True)
def _decode(
    text: Any, end: Any, p2pkh: Any, p2sh: Any, p2sh_old: Any, hrp: Any, kinds: Any, sizes: Any, payloads: Any
) -> None:
    room = np.empty(64 + _CONTEXT, np.uint8)
    words = np.empty(_WORDS, np.uint64)
    start = _start(hrp)
    a = 0
    for row in range(len(end)):
        b = end[row]
        kinds[row] = NO_KIND
        if SHORTEST <= b - a <= TEXT:
            if _begins(text, a, b, hrp):
                kind, size = _decode_segwit(text, a, b, hrp, start, payloads[row])
                kinds[row] = kind
                sizes[row] = size
                if kind == NO_KIND:
                    payloads[row, :] = 0
            else:
                kinds[row] = _decode_base58(text, a, b, p2pkh, p2sh, p2sh_old, room, words)
                if kinds[row] != NO_KIND:
                    sizes[row] = 20
                    payloads[row, :20] = room[1:21]
        a = b


@njit(cache=True, nogil=True)
def _encode_base58(version: Any, data: Any, a: Any, room: Any, words: Any, text: Any) -> Any:
    room[0] = version
    room[1:21] = data[a : a + 20]
    base = room.ctypes.data
    twice(base + np.uintp(64), base, np.uintp(_RAW - 4), base + np.uintp(32))
    room[21:25] = room[32:36]
    words[:] = 0
    for byte in range(_RAW):
        at = _RAW - 1 - byte
        words[at // 4] |= np.uint64(room[byte]) << np.uint64(8 * (at % 4))
    digits = room[64 : 64 + MOST_BASE58]  # the state of the hash is done with
    for group in range(MOST_BASE58 // _GROUP):
        rest = np.uint64(0)
        for row in range(_WORDS - 1, -1, -1):
            rest = (rest << np.uint64(32)) | words[row]
            words[row] = rest // _POWERS[_GROUP]
            rest %= _POWERS[_GROUP]
        for digit in range(_GROUP):
            digits[_GROUP * group + digit] = np.uint8(rest % np.uint64(58))
            rest //= np.uint64(58)
    count = MOST_BASE58
    while count and digits[count - 1] == 0:
        count -= 1
    size = 0
    while size < _RAW and room[size] == 0:
        text[size] = 49
        size += 1
    for place in range(count - 1, -1, -1):
        text[size] = _BASE58[digits[place]]
        size += 1
    return size


@njit(cache=True, nogil=True)
def _encode_segwit(version: Any, data: Any, a: Any, b: Any, hrp: Any, check: Any, text: Any) -> Any:
    size = len(hrp)
    text[:size] = hrp
    text[size] = 49
    text[size + 1] = _BECH32[version]
    size += 2
    check = _step(check, version)
    word, bits = np.uint32(0), 0
    for place in range(a, b):
        word = ((word & np.uint32(0xFF)) << np.uint32(8)) | np.uint32(data[place])
        bits += 8
        while bits >= 5:
            bits -= 5
            value = (word >> np.uint32(bits)) & np.uint32(31)
            check = _step(check, value)
            text[size] = _BECH32[value]
            size += 1
    if bits:
        value = (word << np.uint32(5 - bits)) & np.uint32(31)
        check = _step(check, value)
        text[size] = _BECH32[value]
        size += 1
    for _ in range(6):
        check = _step(check, 0)
    check ^= np.uint32(BECH32M_FINAL if version else BECH32_FINAL)
    for place in range(6):
        text[size + place] = _BECH32[(check >> np.uint32(5 * (5 - place))) & np.uint32(31)]
    return size + 6


@njit(cache=True, nogil=True)
def _encode(
    kinds: Any, data: Any, start: Any, end: Any, p2pkh: Any, p2sh: Any, hrp: Any, mweb: Any, texts: Any, sizes: Any
) -> None:
    room = np.empty(64 + _CONTEXT, np.uint8)
    words = np.empty(_WORDS, np.uint64)
    check = _start(hrp)
    for row in range(len(kinds)):
        kind, a, b = kinds[row], start[row], end[row]
        if kind == P2PKH:
            sizes[row] = _encode_base58(p2pkh, data, a, room, words, texts[row])
        elif kind == P2SH:
            sizes[row] = _encode_base58(p2sh, data, a, room, words, texts[row])
        elif kind in (P2WPKH, P2WSH):
            sizes[row] = _encode_segwit(0, data, a, b, hrp, check, texts[row])
        elif kind == P2TR:
            sizes[row] = _encode_segwit(1, data, a, b, hrp, check, texts[row])
        elif kind == WITNESS and not (mweb and b - a == MWEB_SCRIPT and data[a] in MWEB_FIRST):
            sizes[row] = _encode_segwit(np.int64(data[a]) - OP_RESERVED, data, a + 2, b, hrp, check, texts[row])


def _compiled_decode(text: Bytes, end: Offsets, forms: AddressForms) -> tuple[Bytes, Offsets, Bytes]:
    """The scripts behind n texts; arguments and result as in `plain.addresses.decode_addresses`."""
    kinds = np.empty(len(end), np.uint8)
    sizes = np.zeros(len(end), np.int64)
    payloads = np.zeros((len(end), PAYLOAD), np.uint8)
    _decode(text, end, forms.p2pkh, forms.p2sh, forms.p2sh_old, forms.hrp, kinds, sizes, payloads)
    return kinds, sizes, payloads


def _compiled_encode(
    kinds: Bytes, data: Bytes, start: Offsets, end: Offsets, forms: AddressForms
) -> tuple[Bytes, Offsets]:
    """The addresses of n scripts; arguments and result as in `plain.addresses.encode_addresses`."""
    texts = np.zeros((len(kinds), TEXT), np.uint8)
    sizes = np.zeros(len(kinds), np.int64)
    _encode(kinds, data, start, end, forms.p2pkh, forms.p2sh, forms.hrp, forms.mweb, texts, sizes)
    return texts, sizes


_Decode = Callable[[Bytes, Offsets, AddressForms], tuple[Bytes, Offsets, Bytes]]
_Encode = Callable[[Bytes, Bytes, Offsets, Offsets, AddressForms], tuple[Bytes, Offsets]]
decode_addresses: _Decode = _compiled_decode if BOUND else plain.decode_addresses
encode_addresses: _Encode = _compiled_encode if BOUND else plain.encode_addresses
