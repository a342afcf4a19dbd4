"""A clustering on disk: which holders of a store belong together, by which rules, as of which block.

A result on top of the chain and no part of it: a claim of this program, an inference, stamped with its parameters, the tip it
was made at, and a digest (docs/spec/clustering.md).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from copy import copy
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from shieldwall import __version__
from shieldwall.chain.mapping import map_rows
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError, WrongNetwork
from shieldwall.intel.manifest import sync_folder
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.claim import Claim, ClaimKind, Layer, Subject
from shieldwall.model.network import by_name

FORMAT = "shieldwall-clustering/1"
MANIFEST = "manifest.json"
KIND = ClaimKind(
    "clustering",
    {"digest": str, "parameters": dict, "tip_height": int, "transactions": int, "holders": int, "clusters": int},
    {"refused": int},
)

_AGAIN = "build it again with `shieldwall cluster build --again`"
_FILES: dict[str, tuple[type[np.generic], int]] = {
    "cluster": (np.uint32, 1),
    "member": (np.uint32, 1),
    "refused": (np.int64, 4),
}


class Clustering:
    """A clustering, opened for reading. Use as a context manager, or call `close`.

    A holder that came after the clustering was made, or shares its set with no other, is a cluster of its own.

    Attributes:
        body: The manifest: parameters, tip, counts.
        cluster: uint32[h], the cluster of each holder: the least holder in it.
        member: uint32[m], the holders of clusters of two and more, by cluster, ascending within.
        refused: int64[k, 4]: transaction, why (`kernels.plain.clustering`), two labels (numbers into `services`, from 1).
    """

    def __init__(self, folder: Path, body: dict[str, Any]) -> None:
        self.folder = folder
        self.body = body
        parts = {}
        for name, (dtype, width) in _FILES.items():
            entry = body["files"][name]
            parts[name] = map_rows(folder / entry["name"], dtype, entry["rows"], width)
        self.cluster: npt.NDArray[np.uint32] = parts["cluster"]
        self.member: npt.NDArray[np.uint32] = parts["member"]
        self.refused: npt.NDArray[np.int64] = parts["refused"].reshape(-1, 4)

    @classmethod
    def open(cls, folder: Path, store: ChainStore | None = None) -> Clustering:
        """The clustering in `folder`.

        Args:
            folder: Where it is.
            store: The chain that it must be of: same blocks up to its tip.

        Raises:
            StoreError: None there, damaged, of another format, or of another chain.
        """
        path = folder / MANIFEST
        try:
            body = json.loads(path.read_bytes())
            if body["format"] != FORMAT:
                raise StoreError(f"{path}: format {body['format']!r}; this version reads {FORMAT}", hint=_AGAIN)
            clustering = cls(folder, body)
            if digest(_stamped(body)) != body["digest"]:
                raise StoreError(f"{path}: its digest is another", hint=_AGAIN)
        except FileNotFoundError:
            raise StoreError(
                f"{folder}: no clustering there", hint=f"build it: shieldwall cluster build --name {folder.name}"
            ) from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise StoreError(f"{path}: not the manifest of a clustering ({error})", hint=_AGAIN) from None
        if store is not None:
            clustering.check(store)
        return clustering

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the maps."""
        del self.cluster, self.member, self.refused

    def kept(self) -> Clustering:
        """The same for someone who reads on when this one is closed; nothing is opened or mapped again."""
        kept = copy(self)
        kept.body = dict(self.body)
        return kept

    def check(self, store: ChainStore) -> None:
        """Hold it against a store.

        Raises:
            WrongNetwork: Another network's.
            StoreError: Made of other blocks: another store, or one that was rolled back or filled since.
        """
        if self.body["network"] != store.network.name:
            raise WrongNetwork(
                f"{self.folder}: clusters of {self.body['network']}, and the store is {store.network.name}"
            )
        if not self.fits(store):
            raise StoreError(f"{self.folder}: made of other blocks than {store.folder} holds", hint=_AGAIN)

    def fits(self, store: ChainStore) -> bool:
        """True when the store begins with the very blocks that this was made of."""
        blocks = self.body["blocks"]
        same_rows = self.body["holders"] <= store.rows("holder") and self.body["transactions"] <= store.rows("tx")
        if blocks > store.rows("block") or not same_rows or self.body["network"] != store.network.name:
            return False
        return bool(self.body["chain"] == chain_digest(store, blocks))

    def verify(self) -> None:
        """Hold every file against its SHA-256.

        Raises:
            StoreError: One is another; it is named.
        """
        for entry in self.body["files"].values():
            path = self.folder / entry["name"]
            if sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
                raise StoreError(f"{path}: its SHA-256 is not the one in the manifest", hint=_AGAIN)

    # what it says

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over parameters, tip and all files."""
        digest_: str = self.body["digest"]
        return digest_

    @property
    def name(self) -> str:
        """What it is called: its folder's name."""
        return self.folder.name

    @property
    def stamp(self) -> dict[str, Any]:
        """What a result says that used it."""
        return {
            "name": self.name,
            "digest": self.digest,
            "tip_height": self.body["tip_height"],
            "tip_hash": self.body["tip_hash"],
            "parameters": self.body["parameters"],
        }

    def claim(self) -> Claim:
        """The claim that it is: an inference of this program, about the chain up to a block."""
        body = self.body
        statement = {name: body[name] for name in KIND.required} | {"refused": body["refused"]}
        statement["tip_height"] = -1 if body["tip_height"] is None else body["tip_height"]
        KIND.check(statement, str(self.folder))
        return Claim(
            subject=Subject("block", by_name(body["network"]).caip2, body["tip_hash"] or ""),
            kind=KIND.name,
            statement=statement,
            layer=Layer.INFERENCE,
            source="chain store " + body["chain"],
            made_by=body["program"],
            evidence=(body["digest"],),
        )

    def cluster_of(self, holder: int) -> int:
        """The cluster that a holder is in: its least member."""
        return int(self.cluster[holder]) if holder < len(self.cluster) else holder

    def clusters_of(self, holders: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """uint32[k]: the cluster of each holder, uint32[k]."""
        found = holders.copy()
        known = holders < len(self.cluster)
        found[known] = self.cluster[holders[known]]
        return found

    def members(self, cluster: int) -> npt.NDArray[np.uint32]:
        """uint32[n]: the holders in the cluster with this number, ascending."""
        first, last = self._place(cluster, "left"), self._place(cluster, "right")
        return self.member[first:last] if last > first else np.array([cluster], np.uint32)

    def size(self, cluster: int) -> int:
        """Holders in the cluster with this number."""
        return max(1, self._place(cluster, "right") - self._place(cluster, "left"))

    def _place(self, cluster: int, side: str) -> int:
        """Where a cluster stands among the members, which are ordered by their clusters."""
        low, high = 0, len(self.member)
        while low < high:
            middle = (low + high) // 2
            at = int(self.cluster[self.member[middle]])
            if at < cluster or (side == "right" and at == cluster):
                low = middle + 1
            else:
                high = middle
        return low

    @property
    def services(self) -> list[str]:
        """Names of the services that constrained it; a label is a place in this list, from 1."""
        names: list[str] = self.body["services"]
        return names


def chain_digest(store: ChainStore, blocks: int) -> str:
    """Running digest (hex) of a store's first `blocks` blocks; "" for none."""
    return store.column("block_digest")[blocks - 1].tobytes().hex() if blocks else ""


def write(folder: Path, body: Mapping[str, Any], parts: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a clustering in one step: a stop at any moment leaves the old one or the new one.

    Args:
        folder: Its folder, made where it is missing.
        body: The manifest without files and digest.
        parts: The arrays of `Clustering` by name.

    Raises:
        StoreError: The disk is full, or the folder may not be written to.
    """
    files, written = {}, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (dtype, _) in _FILES.items():
            content = np.ascontiguousarray(parts[name], dtype).reshape(-1).view(np.uint8).data
            found = sha256(content).hexdigest()
            path = folder / f"{name}-{found[:12]}.bin"
            _replace(path, content)
            written.append(path.name)
            files[name] = {"name": path.name, "rows": len(parts[name]), "sha256": found}
        whole = {"format": FORMAT, **body, "files": files, "program": f"shieldwall {__version__}"}
        whole["digest"] = digest(_stamped(whole))
        _replace(folder / MANIFEST, canonical_json(whole) + b"\n")
        sync_folder(folder)
        for path in folder.glob("*.bin"):
            if path.name not in written:
                path.unlink()  # open maps of it stay whole
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error})", hint="check its rights and the free space") from None


def _stamped(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the digest covers: not the program, and not how the files are called."""
    told = {name: value for name, value in body.items() if name not in ("program", "digest", "files")}
    return told | {"files": {name: entry["sha256"] for name, entry in body["files"].items()}}


def _replace(path: Path, content: bytes | memoryview) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
