"""SHA-256 for compiled code: libcrypto's where Python's hashlib brings it as a library, else one compiled from here.

Both give the same digests; libcrypto's is several times faster, since it uses the processor's own instructions.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import numpy as np
from llvmlite import binding
from numba import types

from simulator.draw import kernel

CONTEXT = 256  # bytes of scratch that a hash takes
_NAMES = ("SHA256_Init", "SHA256_Update", "SHA256_Final")

_init: Any = types.ExternalFunction("simulator_SHA256_Init", types.int32(types.uintp))
_update: Any = types.ExternalFunction("simulator_SHA256_Update", types.int32(types.uintp, types.uintp, types.uintp))
_final: Any = types.ExternalFunction("simulator_SHA256_Final", types.int32(types.uintp, types.uintp))


def _bind() -> bool:
    """Show libcrypto's functions to the compiler under names of our own; False when this Python does not have them."""
    try:
        library = ctypes.CDLL(str(importlib.import_module("_hashlib").__file__))
        places = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in _NAMES]
    except (ImportError, OSError, AttributeError):
        return False
    for name, place in zip(_NAMES, places, strict=True):
        binding.add_symbol(f"simulator_{name}", place)
    return True


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _root_bits(prime: int, power: int) -> int:
    """The first 32 bits behind the point of the square or cube root of a prime (FIPS 180-4, sections 4.2.2 and 5.3.3)."""
    target = prime << (32 * power)
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**power <= target else (low, middle - 1)
    return low & 0xFFFFFFFF


_ROUND = tuple(np.uint32(_root_bits(prime, 3)) for prime in _primes(64))
_START = tuple(np.uint32(_root_bits(prime, 2)) for prime in _primes(8))


@kernel
def _turn(word: Any, bits: Any) -> Any:
    return (word >> np.uint32(bits)) | (word << np.uint32(32 - bits))


@kernel
def _compress(state: Any, block: Any, words: Any) -> None:
    """One block of 64 bytes into uint32[8] `state`; `words` is scratch, uint32[64]."""
    for t in range(16):
        words[t] = (
            np.uint32(block[4 * t]) << np.uint32(24)
            | np.uint32(block[4 * t + 1]) << np.uint32(16)
            | np.uint32(block[4 * t + 2]) << np.uint32(8)
            | np.uint32(block[4 * t + 3])
        )
    for t in range(16, 64):
        one, two = words[t - 15], words[t - 2]
        small = _turn(one, 7) ^ _turn(one, 18) ^ (one >> np.uint32(3))
        large = _turn(two, 17) ^ _turn(two, 19) ^ (two >> np.uint32(10))
        words[t] = np.uint32(words[t - 16] + small + words[t - 7] + large)
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for t in range(64):
        choice = (e & f) ^ (~e & g)
        high = np.uint32(h + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + choice + _ROUND[t] + words[t])
        low = np.uint32((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c)))
        h, g, f, e, d, c, b, a = g, f, e, np.uint32(d + high), c, b, a, np.uint32(high + low)
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h


@kernel
def _own_sha256(data: Any, digest: Any) -> None:
    """SHA-256 of the bytes `data` into uint8[32] `digest`, without libcrypto."""
    state = np.empty(8, np.uint32)
    words = np.empty(64, np.uint32)
    for k in range(8):
        state[k] = _START[k]
    size = len(data)
    whole = size // 64
    for block in range(whole):
        _compress(state, data[64 * block : 64 * block + 64], words)
    tail = np.zeros(128, np.uint8)
    left = size - 64 * whole
    for k in range(left):
        tail[k] = data[64 * whole + k]
    tail[left] = 0x80
    end = 64 if left < 56 else 128
    for k in range(8):
        tail[end - 1 - k] = np.uint8((size * 8) >> (8 * k) & 0xFF)
    for block in range(end // 64):
        _compress(state, tail[64 * block : 64 * block + 64], words)
    for k in range(32):
        digest[k] = np.uint8(state[k // 4] >> np.uint32(24 - 8 * (k % 4)) & np.uint32(0xFF))


@kernel
def _own_sha256d(data: Any, digest: Any, scratch: Any) -> None:  # noqa: ARG001
    _own_sha256(data, digest)
    _own_sha256(digest.copy(), digest)


@kernel
def _library_sha256d(data: Any, digest: Any, scratch: Any) -> None:
    context = scratch.ctypes.data
    _init(context)
    _update(context, data.ctypes.data, np.uintp(len(data)))
    _final(digest.ctypes.data, context)
    _init(context)
    _update(context, digest.ctypes.data, np.uintp(32))
    _final(digest.ctypes.data, context)


BOUND = _bind()
sha256d: Any = _library_sha256d if BOUND else _own_sha256d
"""Compiled: SHA-256 of SHA-256 of a uint8 array into uint8[32]; the last argument is scratch, uint8[CONTEXT]."""
own_sha256d: Any = _own_sha256d
"""The same without libcrypto."""
