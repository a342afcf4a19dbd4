"""The bits of a transaction's profile, which the plain and the compiled kernel share: what wallets differ in, in one word.

    bits 0-1   version 1, 2 or 3; 0 for any other
    bit  2     replaceable (BIP 125)
    bit  3     locktime is not 0
    bit  4     SegWit: an input's holder is p2wpkh, p2wsh, p2tr or another witness program
    bit  5     the holder of an input is not known: SegWit and the kinds below are then at least what is said
    bits 6-14  kinds of the inputs' holders, 1 << (6 + kind), with the numbers of a store's `holder_kind` (0 to 8)
    bit  15    coinbase (it has no inputs, so no kinds)

A witness that spends a P2SH output is not seen, since not every source tells it: such an input counts as p2sh alone.
These are the transaction's features of Kappos and others, "How to Peel a Million" (USENIX Security 2022), section 5, with the
kinds of scripts for the types of addresses.
"""

from __future__ import annotations

PROFILE_VERSION = 3
PROFILE_REPLACEABLE, PROFILE_LOCKED, PROFILE_SEGWIT, PROFILE_UNKNOWN = 4, 8, 16, 32
PROFILE_KIND_SHIFT = 6
PROFILE_KINDS = 0x1FF << PROFILE_KIND_SHIFT
PROFILE_COINBASE = 1 << 15

WITNESS_KINDS = (5, 6, 7, 8)
"""Numbers of p2wpkh, p2wsh, p2tr and witness (`model.script.ScriptKind`)."""
LAST_KIND = 8
"""The last kind that an input can spend; a holder that is said to be of a later one counts as kind 0, other."""
