"""Hex, addresses and script words for millions of rows: compiled, into one buffer with offsets, as Arrow keeps strings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shieldwall.kernels.arrays import Bytes, Offsets
from shieldwall.model.address import BASE58, BECH32
from shieldwall.model.network import REGTEST
from simulator.codes import DATA, GENESIS, P2PK, P2PKH, P2SH, P2TR
from simulator.draw import kernel
from simulator.hashing import CONTEXT, sha256d
from simulator.serialise import key_bytes

Text = tuple[Offsets, Bytes]
"""int64[n + 1] offsets and the bytes between them."""

_LONGEST_ADDRESS = 70  # characters; a P2WSH address of regtest has 64
_LONGEST_WORD = 16  # characters; OP_EQUALVERIFY and a space
_58_TO_5 = 58**5

_HEX = tuple(b"0123456789abcdef")
_BASE58 = tuple(BASE58.encode())
_BECH32 = tuple(BECH32.encode())
_HRP = tuple(REGTEST.hrp.encode())
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173
_BECH32M = 0x2BC830A3  # BIP 350
_VERSIONS = (REGTEST.p2pkh, REGTEST.p2sh)
_OPCODES = (0x00, 0x51, 0x6A, 0x76, 0x87, 0x88, 0xA9, 0xAC)
_WORDS = tuple(
    tuple(word)
    for word in (
        b"0               ", b"1               ", b"OP_RETURN       ", b"OP_DUP          ", b"OP_EQUAL        ",
        b"OP_EQUALVERIFY  ", b"OP_HASH160      ", b"OP_CHECKSIG     ",
    )
)  # fmt: skip


@kernel
def _hex(out: Any, at: Any, data: Any, start: Any, end: Any) -> Any:
    for k in range(start, end):
        out[at], out[at + 1] = _HEX[data[k] >> 4], _HEX[data[k] & 15]
        at += 2
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _hex_rows(data: Any, ranges: Any, offsets: Any, out: Any) -> None:
    at = 0
    for row in range(len(ranges)):
        at = _hex(out, at, data, ranges[row, 0], ranges[row, 1])
        offsets[row + 1] = at


@njit(cache=True, nogil=True, error_model="numpy")
def _hash_rows(hashes: Any, rows: Any, out: Any) -> None:
    at = 0
    for row in range(len(rows)):
        for k in range(31, -1, -1):
            byte = hashes[rows[row], k]
            out[at], out[at + 1] = _HEX[byte >> 4], _HEX[byte & 15]
            at += 2


@kernel
def _words(out: Any, at: Any, data: Any, start: Any, end: Any) -> Any:
    """Bitcoin Core's words for a script of the simulator's kinds; a push that is a signature loses its hash type to [ALL]."""
    begin = at
    place = start
    while place < end:
        if at > begin:
            out[at] = 0x20
            at += 1
        code = data[place]
        place += 1
        if 1 <= code <= 75:
            last = place + code
            signs = code >= 70 and data[place] == 0x30
            at = _hex(out, at, data, place, last - 1 if signs else last)
            if signs:
                out[at], out[at + 1], out[at + 2], out[at + 3], out[at + 4] = 0x5B, 0x41, 0x4C, 0x4C, 0x5D
                at += 5
            place = last
            continue
        for known in range(8):
            if _OPCODES[known] == code:
                for k in range(16):
                    letter = _WORDS[known][k]
                    if letter != 0x20:
                        out[at] = letter
                        at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _word_rows(data: Any, ranges: Any, offsets: Any, out: Any) -> None:
    at = 0
    for row in range(len(ranges)):
        at = _words(out, at, data, ranges[row, 0], ranges[row, 1])
        offsets[row + 1] = at


@kernel
def _base58(out: Any, at: Any, raw: Any) -> Any:
    """25 bytes that do not begin with zero, in groups of five digits."""
    words = np.zeros(7, np.uint64)
    for k in range(25):
        words[(k + 3) // 4] = words[(k + 3) // 4] << np.uint64(8) | np.uint64(raw[k])
    digits = np.zeros(40, np.uint8)
    for group in range(8):
        left = np.uint64(0)
        for k in range(7):
            whole = left << np.uint64(32) | words[k]
            words[k] = whole // np.uint64(_58_TO_5)
            left = whole - words[k] * np.uint64(_58_TO_5)
        for k in range(5):
            digits[39 - 5 * group - k] = np.uint8(left % np.uint64(58))
            left //= np.uint64(58)
    first = 0
    while digits[first] == 0:
        first += 1
    for k in range(first, 40):
        out[at] = _BASE58[digits[k]]
        at += 1
    return at


@kernel
def _check(state: Any, value: Any) -> Any:
    top = state >> 25
    state = (state & 0x1FFFFFF) << 5 ^ np.int64(value)
    for k in range(5):
        if (top >> k) & 1:
            state ^= _GENERATOR[k]
    return state


@kernel
def _bech32(out: Any, at: Any, version: Any, raw: Any, size: Any) -> Any:
    state = np.int64(1)
    for letter in _HRP:
        state = _check(state, letter >> 5)
    state = _check(state, 0)
    for letter in _HRP:
        state = _check(state, letter & 31)
        out[at] = letter
        at += 1
    out[at] = 0x31
    out[at + 1] = _BECH32[version]
    at += 2
    state = _check(state, version)
    bits, gathered = 0, np.int64(0)
    for k in range(size + 1):
        if k < size:
            gathered = (gathered << 8 | np.int64(raw[k])) & 0xFFFF
            bits += 8
        elif bits:
            gathered = gathered << (5 - bits)
            bits = 5
        while bits >= 5:
            bits -= 5
            value = (gathered >> bits) & 31
            state = _check(state, value)
            out[at] = _BECH32[value]
            at += 1
    for _ in range(6):
        state = _check(state, 0)
    state ^= _BECH32M if version else 1
    for k in range(6):
        out[at] = _BECH32[(state >> (5 * (5 - k))) & 31]
        at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _address_rows(keys: Any, kinds: Any, seed: Any, offsets: Any, out: Any, valid: Any) -> None:
    raw, digest, scratch = np.zeros(64, np.uint8), np.zeros(32, np.uint8), np.zeros(CONTEXT, np.uint8)
    at = 0
    for row in range(len(keys)):
        kind = np.int64(kinds[row])
        if kind in (P2PKH, P2SH):
            raw[0] = _VERSIONS[0] if kind == P2PKH else _VERSIONS[1]
            key_bytes(raw, np.int64(1), np.int64(keys[row]), np.int64(20), seed)
            sha256d(raw[:21], digest, scratch)
            raw[21:25] = digest[:4]
            at = _base58(out, at, raw)
        elif kind not in (P2PK, DATA, GENESIS):
            size = np.int64(20) if kind == 3 else np.int64(32)
            key_bytes(raw, np.int64(0), np.int64(keys[row]), size, seed)
            at = _bech32(out, at, 1 if kind == P2TR else 0, raw, size)
        if at > offsets[row]:
            valid[row >> 3] |= np.uint8(1 << (row & 7))
        offsets[row + 1] = at


def hex_rows(data: Bytes, ranges: Offsets) -> Text:
    """The bytes `data[a:b]` in hex for each of int64[n, 2] ranges."""
    offsets = np.zeros(len(ranges) + 1, np.int64)
    out = np.empty(2 * int((ranges[:, 1] - ranges[:, 0]).sum()), np.uint8)
    _hex_rows(data, ranges, offsets, out)
    return offsets, out


def hash_rows(hashes: Bytes, rows: npt.NDArray[Any]) -> Text:
    """`hashes[row]` (uint8[n, 32], internal byte order) in display hex for each row wanted."""
    out = np.empty(64 * len(rows), np.uint8)
    _hash_rows(hashes, rows, out)
    return np.arange(len(rows) + 1, dtype=np.int64) * 64, out


def word_rows(data: Bytes, ranges: Offsets) -> Text:
    """The scripts `data[a:b]` in Bitcoin Core's words for each of int64[n, 2] ranges."""
    offsets = np.zeros(len(ranges) + 1, np.int64)
    out = np.empty((_LONGEST_WORD + 1) * int((ranges[:, 1] - ranges[:, 0]).sum()), np.uint8)
    _word_rows(data, ranges, offsets, out)
    return offsets, out[: offsets[-1]]


def address_rows(keys: npt.NDArray[Any], kinds: npt.NDArray[Any], seed: int) -> tuple[Offsets, Bytes, Bytes]:
    """The addresses of simulated keys of given ScriptTypes, and a bitmap (least bit first) of those that have one."""
    offsets = np.zeros(len(keys) + 1, np.int64)
    out = np.empty(_LONGEST_ADDRESS * len(keys), np.uint8)
    valid = np.zeros((len(keys) + 7) // 8, np.uint8)
    _address_rows(keys, kinds, np.uint64(seed), offsets, out, valid)
    return offsets, out[: offsets[-1]], valid
