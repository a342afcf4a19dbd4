"""Addresses: the strings that people paste, and the scripts behind them (BIP 13, 173, 350; base58check; LIP 3).

The codecs are embit's; the checks that they leave out (lengths, network, mixed case) are here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from embit import base58, bech32
from embit.hashes import hash160

from shieldwall.errors import UnknownAddress
from shieldwall.model.network import NETWORKS, Network
from shieldwall.model.script import OP_1, Script, ScriptKind

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MAX_LENGTH = 90  # characters; no address is longer (BIP 173)
_MOST_MWEB = 200  # characters; two public keys take 107 and the human-readable part
_LONGEST_BASE58 = 36  # characters: one more than the longest address has
_CASE_FLIPS = 3  # letters in the wrong case that `nearest` still mends


def encode(script: Script, network: Network) -> str | None:
    """The address of `script`, or None where no address form exists (P2PK, bare multisig, OP_RETURN, MWEB, other)."""
    kind, payload = script.kind, script.payload
    if mweb_role(script, network):
        return None
    match kind:
        case ScriptKind.P2PKH:
            return str(base58.encode_check(bytes([network.p2pkh]) + payload))
        case ScriptKind.P2SH:
            return str(base58.encode_check(bytes([network.p2sh]) + payload))
        case ScriptKind.P2WPKH | ScriptKind.P2WSH:
            return _segwit(network, 0, payload)
        case ScriptKind.P2TR:
            return _segwit(network, 1, payload)
        case ScriptKind.WITNESS:
            return _segwit(network, payload[0] - OP_1 + 1, payload[2:])
        case _:
            return None


def _segwit(network: Network, version: int, program: bytes) -> str:
    """BIP 173 for version 0, BIP 350 for the others; embit's own `encode` takes its answer apart again each time."""
    encoding = bech32.Encoding.BECH32M if version else bech32.Encoding.BECH32
    return str(bech32.bech32_encode(encoding, network.hrp, [version, *bech32.convertbits(program, 8, 5)]))


def identity(script: Script, network: Network) -> str:
    """The address, or `kind:payload` in hex where there is no address; `shieldwall trace` takes both."""
    return encode(script, network) or f"{kind_label(script, network)}:{script.payload.hex()}"


def kind_label(script: Script, network: Network) -> str:
    """The kind's name in results: `mweb_pegin` and `mweb_hogaddr` where the network has them, else the script's own."""
    return mweb_role(script, network) or script.kind.label


def mweb_role(script: Script, network: Network) -> str | None:
    """What a script is to Litecoin's extension block (`mweb_pegin`, `mweb_hogaddr`); None for all others.

    What is paid to either goes into the extension block, where amounts and holders are hidden: beyond it nothing in the
    chain tells whose it is.
    """
    return script.mweb_label if network.mweb else None


def is_mweb_address(text: str, network: Network) -> bool:
    """True for a valid address inside the extension block (LIP 3): no output of the chain ever names it."""
    lower, hrp = text.lower(), network.mweb_hrp
    data = [BECH32.find(letter) for letter in lower[len(hrp) + 1 :]]
    return (
        bool(hrp)
        and len(text) <= _MOST_MWEB
        and lower.startswith(hrp + "1")
        and text in (lower, text.upper())
        and min(data, default=-1) >= 0
        and bech32.bech32_verify_checksum(hrp, data) is not None
    )


def key_hash(key: bytes) -> Script:
    """The P2PKH script of a public key: whoever is paid by key or by its hash is one holder, visibly linked."""
    return Script(ScriptKind.P2PKH, hash160(key))


def parse(text: str, network: Network) -> Script | None:
    """The script that `text` is the address of, or None when it is no valid address of `network`."""
    if not 14 <= len(text) <= MAX_LENGTH or not text.isascii():
        return None
    if text[: len(network.hrp) + 1].lower() == network.hrp + "1":
        version, program = bech32.decode(network.hrp, text)
        if version is None:
            return None
        if version == 0:
            return Script(ScriptKind.P2WPKH if len(program) == 20 else ScriptKind.P2WSH, bytes(program))
        if version == 1 and len(program) == 32:
            return Script(ScriptKind.P2TR, bytes(program))
        return Script(ScriptKind.WITNESS, bytes([version + OP_1 - 1, len(program), *program]))
    try:
        raw = base58.decode_check(text)
    except ValueError:
        return None
    if len(raw) != 21 or raw[0] not in (network.p2pkh, network.p2sh, network.p2sh_old):
        return None
    return Script(ScriptKind.P2PKH if raw[0] == network.p2pkh else ScriptKind.P2SH, raw[1:])


def decode(text: str, network: Network) -> Script:
    """The script behind an address.

    Raises:
        UnknownAddress: Not a valid address of `network`; the error names the nearest valid ones and, where the text is
            an address of another network, that network.
    """
    script = parse(text, network)
    if script is not None:
        return script
    if is_mweb_address(text, network):
        raise UnknownAddress(
            f"{text} is an MWEB address: payments to it stand in Litecoin's extension block, where amounts and holders are "
            "hidden, and no output of the chain names it",
            hint="trace the transaction that paid into the extension block: its output of kind mweb_pegin",
        )
    others = [other.name for other in NETWORKS.values() if parse(text, other) or is_mweb_address(text, other)]
    if others:
        raise UnknownAddress(
            f"{text} is an address of {' or '.join(others)}, and the chain is {network.name}",
            hint="choose the chain store of that network",
        )
    near = nearest(text, network)
    hint = f"did you mean {' or '.join(near)}?" if near else "copy it again from its source: the checksum does not hold"
    raise UnknownAddress(f"{text!r} is not a valid {network.name} address", hint=hint, nearest=near)


def nearest(text: str, network: Network, *, limit: int = 3) -> tuple[str, ...]:
    """Valid addresses that differ from `text` by one character, or only by case: at most `limit`, best first."""
    text = text.strip()
    if not 14 <= len(text) <= MAX_LENGTH or not text.isascii():
        return ()
    found = (candidate for candidate in _candidates(text, network) if parse(candidate, network))
    return tuple(dict.fromkeys(itertools.islice(found, limit)))


def _candidates(text: str, network: Network) -> Iterator[str]:
    lower, hrp = text.lower(), network.hrp
    if lower.startswith(hrp) or lower[len(hrp)] == "1":
        yield lower
        for place in range(len(lower)):
            for letter in BECH32 + "1" + hrp:
                yield lower[:place] + letter + lower[place + 1 :]
    if len(text) > _LONGEST_BASE58:
        return
    letters = [i for i, c in enumerate(text) if c.isalpha() and c.swapcase() in BASE58]
    for count in range(1, _CASE_FLIPS + 1):
        for places in itertools.combinations(letters, count):
            chosen = set(places)
            yield "".join(c.swapcase() if i in chosen else c for i, c in enumerate(text))
    for place in range(len(text)):
        for letter in BASE58:
            yield text[:place] + letter + text[place + 1 :]
