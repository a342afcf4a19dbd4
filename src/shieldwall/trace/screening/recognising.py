"""Which of many words are addresses, and on which networks: `model.recognition.recognize` in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from shieldwall.chain.finding_many import COMPILED_FROM, forms_of
from shieldwall.kernels.arrays import frozen
from shieldwall.kernels.engine import kernel
from shieldwall.kernels.plain.addresses import NO_KIND, AddressForms
from shieldwall.kernels.plain.scripts import P2SH, P2WPKH
from shieldwall.model.network import NETWORKS, Network


@dataclass(frozen=True, slots=True)
class Recognized:
    """Words, and what they are.

    Attributes:
        names: The normal form of each; the word itself where it is no address.
        networks: Names of the networks on which each is valid; empty for no address.
        subjects: For each network that has any of them: their places, and the names that tag sets call them by.
    """

    names: list[str]
    networks: list[tuple[str, ...]]
    subjects: dict[str, tuple[npt.NDArray[np.int64], list[str]]]


def recognize_all(words: Sequence[str]) -> Recognized:
    """What each of `words` is, ASCII letters and digits; about two microseconds each."""
    codec = kernel("addresses", compiled=len(words) >= COMPILED_FROM)
    text = np.frombuffer("".join(words).encode("ascii", "replace"), np.uint8)
    end = np.cumsum(np.fromiter(map(len, words), np.int64, len(words)))
    mask = np.zeros(len(words), np.int64)
    segwit = np.zeros(len(words), bool)
    subjects: dict[str, tuple[npt.NDArray[np.int64], list[str]]] = {}
    names = list(words)
    for bit, (forms, networks) in enumerate(_kinds()):
        kinds, sizes, payloads = codec.decode_addresses(text, end, forms)
        valid = kinds != NO_KIND
        if not valid.any():
            continue
        mask |= valid.astype(np.int64) << bit
        segwit |= valid & (kinds >= P2WPKH)
        for place in np.flatnonzero(valid & (kinds >= P2WPKH)).tolist():
            names[place] = words[place].lower()  # BIP 173: written in capitals it is the same address
        places = np.flatnonzero(valid)
        called = [names[place] for place in places.tolist()]
        if forms.p2sh_old >= 0:  # read in two forms, and written in one
            rows = np.flatnonzero(kinds[places] == P2SH)
            start = places[rows] * payloads.shape[1]
            written, length = codec.encode_addresses(
                kinds[places[rows]], frozen(payloads.reshape(-1)), start, start + sizes[places[rows]], forms
            )
            for row, letters, size in zip(rows.tolist(), written, length.tolist(), strict=True):
                called[row] = letters[:size].tobytes().decode("ascii")
        for network in networks:
            subjects[network.name] = (places, called)
    return Recognized(names, [_names(each) for each in mask.tolist()], subjects)


@cache
def _kinds() -> tuple[tuple[AddressForms, tuple[Network, ...]], ...]:
    """The ways to write addresses, each with the networks that share it."""
    found: dict[tuple[int, int, int | None, str], list[Network]] = {}
    for network in NETWORKS.values():
        found.setdefault((network.p2pkh, network.p2sh, network.p2sh_old, network.hrp), []).append(network)
    return tuple((forms_of(networks[0]), tuple(networks)) for networks in found.values())


@cache
def _names(mask: int) -> tuple[str, ...]:
    """The networks of the ways whose bits are set, in the order of all networks."""
    chosen = {network.name for bit, (_, networks) in enumerate(_kinds()) if mask >> bit & 1 for network in networks}
    return tuple(name for name in NETWORKS if name in chosen)
