"""Write transactions as the bytes of the Bitcoin protocol (BIP 144 for witnesses), and compute their txids.

Public keys, hashes of keys and signatures are drawn from the seed: they have the right form and length, and nobody can check
them against each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simulator.codes import P2PK, P2PKH, P2SH, P2TR, P2WPKH, P2WSH
from simulator.draw import kernel, mixed
from simulator.hashing import sha256d
from simulator.layout import INS, OUTS, TXS

_STEP = np.uint64(0x9E3779B97F4A7C15)
_KEYS, _SIGNATURES = np.uint64(0x6B657973), np.uint64(0x7369676E)  # tell streams of one seed apart


@kernel
def number(data: Any, at: Any, value: Any, size: Any) -> Any:
    """Write `value` in `size` bytes, little-endian; the next place."""
    left = np.uint64(value)
    for k in range(size):
        data[at + k] = np.uint8(left & np.uint64(0xFF))
        left >>= np.uint64(8)
    return at + size


@kernel
def compact(data: Any, at: Any, value: Any) -> Any:
    """Write a count as the protocol does (one or three bytes here); the next place."""
    if value < 0xFD:
        data[at] = np.uint8(value)
        return at + 1
    data[at] = np.uint8(0xFD)
    return number(data, at + 1, np.int64(value), 2)


@kernel
def noise(data: Any, at: Any, size: Any, stream: Any, seed: Any) -> Any:
    """Write `size` pseudo-random bytes that follow from a uint64 and the seed; the next place."""
    state = mixed(np.uint64(stream) + seed)
    done = 0
    while done < size:
        state += _STEP
        word = mixed(state)
        for k in range(min(8, size - done)):
            data[at + done + k] = np.uint8(word & np.uint64(0xFF))
            word >>= np.uint64(8)
        done += 8
    return at + size


@kernel
def key_bytes(data: Any, at: Any, key: Any, size: Any, seed: Any) -> Any:
    """The hash or key of an address: the same bytes for the same number."""
    return noise(data, at, size, np.uint64(key) ^ _KEYS << np.uint64(32), seed)


@kernel
def locking_script(data: Any, at: Any, key: Any, kind: Any, seed: Any) -> Any:
    """Write the locking script of an address; the next place."""
    if kind == P2PKH:
        data[at], data[at + 1], data[at + 2] = 0x76, 0xA9, 0x14
        at = key_bytes(data, at + 3, key, np.int64(20), seed)
        data[at], data[at + 1] = 0x88, 0xAC
        return at + 2
    if kind == P2SH:
        data[at], data[at + 1] = 0xA9, 0x14
        at = key_bytes(data, at + 2, key, np.int64(20), seed)
        data[at] = 0x87
        return at + 1
    if kind == P2PK:
        data[at] = 0x21
        at = public_key(data, at + 1, key, seed)
        data[at] = 0xAC
        return at + 1
    if kind == P2WPKH:
        data[at], data[at + 1] = 0x00, 0x14
        return key_bytes(data, at + 2, key, np.int64(20), seed)
    data[at] = 0x00 if kind == P2WSH else 0x51 if kind == P2TR else 0x6A
    data[at + 1] = 0x20
    return key_bytes(data, at + 2, key, np.int64(32), seed)


@kernel
def public_key(data: Any, at: Any, key: Any, seed: Any) -> Any:
    """A compressed key of 33 bytes."""
    data[at] = 0x02 + (key & 1)
    return key_bytes(data, at + 1, key, np.int64(32), seed)


@kernel
def signature(data: Any, at: Any, spend: Any, seed: Any) -> Any:
    """A push of a signature in the form of DER, 71 or 72 bytes with its hash type."""
    stream = np.uint64(spend) ^ _SIGNATURES << np.uint64(32)
    long = np.int64(mixed(stream ^ seed) & np.uint64(1))
    head = (71 + long, 0x30, 68 + long, 0x02, 32 + long)
    for k in range(5):
        data[at + k] = head[k]
    at += 5
    if long:
        data[at] = 0
        at += 1
    first = at
    at = noise(data, at, np.int64(32), stream, seed)
    data[first] = data[first] | 0x80 if long else (data[first] & 0x7F) | 1
    data[at], data[at + 1] = 0x02, 32
    first = at + 2
    at = noise(data, first, np.int64(32), stream + np.uint64(1 << 62), seed)
    data[first] = (data[first] & 0x7F) | 1
    data[at] = 0x01
    return at + 1


@kernel
def unlocking_script(data: Any, at: Any, spend: Any, key: Any, kind: Any, seed: Any) -> Any:
    """Write what stands in the input itself, with its length; the next place."""
    if kind == P2SH:  # the nested program
        data[at], data[at + 1], data[at + 2], data[at + 3] = 23, 22, 0x00, 0x14
        return noise(data, at + 4, np.int64(20), np.uint64(key) ^ np.uint64(1 << 61), seed)
    start = at
    at += 1
    if kind in (P2PKH, P2PK):
        at = signature(data, at, spend, seed)
    if kind == P2PKH:
        data[at] = 33
        at = public_key(data, at + 1, key, seed)
    data[start] = np.uint8(at - start - 1)
    return at


@kernel
def witness(data: Any, at: Any, spend: Any, key: Any, kind: Any, seed: Any) -> Any:
    """Write the witness of an input; the next place."""
    if kind in (P2SH, P2WPKH):
        data[at] = 2
        at = signature(data, at + 1, spend, seed)
        data[at] = 33
        return public_key(data, at + 1, key, seed)
    if kind == P2TR:
        data[at], data[at + 1] = 1, 64
        return noise(data, at + 2, np.int64(64), np.uint64(spend) ^ _SIGNATURES << np.uint64(32), seed)
    if kind != P2WSH:
        data[at] = 0
        return at + 1
    data[at], data[at + 1] = 4, 0
    at = signature(data, at + 2, spend, seed)
    at = signature(data, at, spend ^ (1 << 40), seed)
    data[at], data[at + 1] = 105, 0x52
    at += 2
    for other in range(3):
        data[at] = 33
        at = public_key(data, at + 1, key ^ (other << 40), seed)
    data[at], data[at + 1] = 0x53, 0xAE
    return at + 2


@kernel
def _outputs(data: Any, at: Any, first: Any, last: Any, s: Any, script: Any, base: Any, seed: Any) -> Any:
    at = compact(data, at, last - first)
    for output in range(first, last):
        at = number(data, at, s.out[output].value, 8)
        key = np.int64(s.out[output].key)
        start = at + 1
        end = locking_script(data, start, key, np.int64(s.key[key].kind), seed)
        data[at] = np.uint8(end - start)
        script[output - base, 0], script[output - base, 1] = start, end
        at = end
    return at


@kernel
def _coinbase_input(data: Any, at: Any, height: Any) -> Any:
    """The height first (BIP 34), then nothing that means anything."""
    data[at] = 1
    at += 1
    for k in range(32):
        data[at + k] = 0
    for k in range(32, 36):
        data[at + k] = 0xFF
    at += 36
    start = at
    at += 1
    if height <= 16:
        data[at] = 0x50 + height
        at += 1
    else:
        size = 1 if height < 0x80 else 2 if height < 0x8000 else 3
        data[at] = size
        at = number(data, at + 1, height, size)
    data[at] = 0  # a script of one byte would be too short
    data[start] = np.uint8(at - start)
    return number(data, at + 1, np.int64(0xFFFFFFFF), 4)


@njit(cache=True, nogil=True, error_model="numpy")
def write_block(
    s: Any, first: Any, last: Any, height: Any, owner_tx: Any, txids: Any, wtxids: Any, seed: Any, data: Any, at: Any,
    places: Any, unlock: Any, script: Any, scratch: Any,
) -> Any:  # fmt: skip
    """Write the transactions `first` to `last` - 1, which are one block, from `data[at]` on.

    Args:
        s: Arrays of the story.
        first: First transaction.
        last: One past the last.
        height: Of the block.
        owner_tx: int32[outputs], the transaction of each output; filled for this block.
        txids: uint8[n, 32], internal byte order; filled for this block.
        wtxids: uint8[m, 32], hash of the whole bytes of each transaction of the block; not filled when m is 0.
        seed: uint64.
        data: uint8, long enough.
        at: Where to begin.
        places: int64[m, 3], filled: first byte of each transaction, of its witness (0: none), one past its last byte.
        unlock: int64[inputs of the block, 2], filled: first and one past the last byte of each unlocking script.
        script: int64[outputs of the block, 2], filled: likewise for locking scripts.
        scratch: uint8: CONTEXT bytes, then room for one transaction.

    Returns:
        One past the last byte.
    """
    first_input = np.int64(s.tx[first].first_input)
    first_output = np.int64(s.tx[first].first_output)
    spare = scratch[256:]
    for tx in range(first, last):
        begin = at
        inputs = np.int64(s.tx[tx].first_input)
        outputs = np.int64(s.tx[tx].first_output)
        end_inputs = s.counter[INS] if tx + 1 == s.counter[TXS] else np.int64(s.tx[tx + 1].first_input)
        end_outputs = s.counter[OUTS] if tx + 1 == s.counter[TXS] else np.int64(s.tx[tx + 1].first_output)
        segwit = False
        for spend in range(inputs, end_inputs):
            kind = np.int64(s.key[s.out[s.inputs[spend]].key].kind)
            segwit |= kind not in (P2PKH, P2PK)
        at = number(data, at, np.int64(s.tx[tx].version), 4)
        if segwit:
            data[at], data[at + 1] = 0, 1
            at += 2
        if tx == first:
            at = _coinbase_input(data, at, height)
        else:
            at = compact(data, at, end_inputs - inputs)
            for spend in range(inputs, end_inputs):
                coin = np.int64(s.inputs[spend])
                source = np.int64(owner_tx[coin])
                for k in range(32):
                    data[at + k] = txids[source, k]
                at = number(data, at + 32, coin - np.int64(s.tx[source].first_output), 4)
                key = np.int64(s.out[coin].key)
                start = at
                at = unlocking_script(data, at, spend, key, np.int64(s.key[key].kind), seed)
                unlock[spend - first_input, 0], unlock[spend - first_input, 1] = start + 1, at
                at = number(data, at, np.int64(0xFFFFFFFF) - np.int64(s.tx[tx].sequence), 4)
        at = _outputs(data, at, outputs, end_outputs, s, script, first_output, seed)
        for output in range(outputs, end_outputs):
            owner_tx[output] = tx
        places[tx - first, 0] = begin
        places[tx - first, 1] = at if segwit else 0
        middle = at
        if segwit:
            for spend in range(inputs, end_inputs):
                key = np.int64(s.out[s.inputs[spend]].key)
                at = witness(data, at, spend, key, np.int64(s.key[key].kind), seed)
        at = number(data, at, np.int64(s.tx[tx].locktime), 4)
        places[tx - first, 2] = at
        if segwit:  # without marker, flag and witness
            size = middle - begin - 2
            spare[:4] = data[begin : begin + 4]
            spare[4:size] = data[begin + 6 : middle]
            spare[size : size + 4] = data[at - 4 : at]
            sha256d(spare[: size + 4], txids[tx], scratch)
        else:
            sha256d(data[begin:at], txids[tx], scratch)
        if len(wtxids):
            sha256d(data[begin:at], wtxids[tx - first], scratch)
    return at
