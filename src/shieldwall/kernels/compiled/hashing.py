"""Transaction ids and merkle roots (twin of `plain/hashing.py`), through the SHA-256 of the libcrypto that hashlib uses.

hashlib costs more for its objects than for its hashing. Its extension module brings libcrypto along, whose three functions
on a context of 112 bytes (`openssl/sha.h`) are called from compiled code here. A Python whose hashlib does not show them
(one that has it built in) takes the plain twin.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding
from numba import njit, types

from shieldwall.kernels.arrays import Bytes, Decoded, Offsets
from shieldwall.kernels.plain import hashing as plain

_CONTEXT = 128  # bytes, more than a context takes
_NAMES = ("SHA256_Init", "SHA256_Update", "SHA256_Final")

_init: Any = types.ExternalFunction("shieldwall_SHA256_Init", types.int32(types.uintp))
_update: Any = types.ExternalFunction("shieldwall_SHA256_Update", types.int32(types.uintp, types.uintp, types.uintp))
_final: Any = types.ExternalFunction("shieldwall_SHA256_Final", types.int32(types.uintp, types.uintp))


def _bind() -> bool:
    """Show the functions to the compiler under names of our own; False when this Python does not have them."""
    try:
        library = ctypes.CDLL(str(importlib.import_module("_hashlib").__file__))
        places = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in _NAMES]
    except (ImportError, OSError, AttributeError):
        return False
    for name, place in zip(_NAMES, places, strict=True):
        binding.add_symbol(f"shieldwall_{name}", place)
    return True


@njit(cache=True, nogil=True)
def twice(context: Any, data: Any, size: Any, digest: Any) -> None:
    """SHA-256 of SHA-256 of `size` bytes; all but `size` are addresses."""
    _init(context)
    _update(context, data, size)
    _final(digest, context)
    _init(context)
    _update(context, digest, 32)
    _final(digest, context)


@njit(cache=True, nogil=True)
def _txids(data: Any, start: Any, end: Any, witness: Any, digests: Any, scratch: Any) -> None:
    base = data.ctypes.data
    context = scratch.ctypes.data
    for number in range(len(start)):
        digest = digests.ctypes.data + np.uintp(32 * number)
        a, b, w = start[number], end[number], witness[number]
        if w == 0:
            twice(context, base + np.uintp(a), np.uintp(b - a), digest)
            continue
        _init(context)  # without the two bytes of marker and flag, and what is from the witness to the lock time
        _update(context, base + np.uintp(a), 4)
        _update(context, base + np.uintp(a + 6), np.uintp(w - a - 6))
        _update(context, base + np.uintp(b - 4), 4)
        _final(digest, context)
        _init(context)
        _update(context, digest, 32)
        _final(digest, context)


@njit(cache=True, nogil=True)
def _merkle_roots(txids: Any, first: Any, roots: Any, scratch: Any, level: Any) -> None:
    context = scratch.ctypes.data
    base = level.ctypes.data
    for block in range(len(first) - 1):
        count = first[block + 1] - first[block]
        for row in range(count):
            level[row] = txids[first[block] + row]
        while count > 1:
            if count % 2:
                level[count] = level[count - 1]
                count += 1
            count //= 2
            for row in range(count):
                twice(context, base + np.uintp(64 * row), 64, base + np.uintp(32 * row))
        roots[block] = level[0]


def _compiled_txids(data: Bytes, decoded: Decoded) -> Bytes:
    """uint8[n, 32]: the txid of each transaction; as `plain.hashing.txids`."""
    digests = np.empty((len(decoded.start), 32), np.uint8)
    scratch = np.empty(_CONTEXT, np.uint8)
    _txids(np.ascontiguousarray(data), decoded.start, decoded.end, decoded.witness, digests, scratch)
    return digests


def _compiled_merkle_roots(txids: Bytes, first: Offsets) -> Bytes:
    """uint8[b, 32]: the merkle root of each block; as `plain.hashing.merkle_roots`."""
    roots = np.empty((len(first) - 1, 32), np.uint8)
    most = int(np.diff(first).max(initial=0))
    level = np.empty((most + 1, 32), np.uint8)
    _merkle_roots(np.ascontiguousarray(txids), first, roots, np.empty(_CONTEXT, np.uint8), level)
    return roots


BOUND = _bind()
"""Whether this Python shows its libcrypto; kernels that call `twice` may run only then."""

txids: Callable[[Bytes, Decoded], Bytes] = _compiled_txids if BOUND else plain.txids
merkle_roots: Callable[[Bytes, Offsets], Bytes] = _compiled_merkle_roots if BOUND else plain.merkle_roots
