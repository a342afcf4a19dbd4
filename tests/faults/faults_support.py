"""What the fault tests share: scenes of builds that come one after the other, stops at a moment, and what must hold after."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from chain_support import Esplora, build_store, clone, extend, facts_of, fork, random_chain, write

from shieldwall.chain.manifest import read_manifest
from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels, find_parcels
from shieldwall.chain.regtest import BlockMaker
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify

EPOCH = 20  # transactions: small, so that every build here seals some
DISK = (
    (os, "fsync"),
    (Path, "replace"),
    (Path, "unlink"),
    (Path, "mkdir"),
    (Path, "touch"),
    (shutil, "rmtree"),
    (np.memmap, "flush"),
)
"""What a writer does to the disk, as far as its order matters."""

Act = Callable[[Path], object]
"""Something done to the store in a folder; done again, it goes on."""


def stop_at(patch: Callable[[Any, str, Any], None], number: int, stop: Callable[[], None]) -> None:
    """Call `stop` before the n-th thing (from 0) done to the disk; `patch` sets an attribute."""
    left = [number]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                stop()
            return real(*arguments, **named)

        return stopping

    for owner, name in DISK:
        patch(owner, name, counted(getattr(owner, name)))


@dataclass(frozen=True)
class Content:
    """What a store says, in every respect that does not depend on the steps it was built in."""

    facts: dict[str, Any]
    epochs: tuple[tuple[int, str], ...]
    blocks: tuple[bytes, ...]
    indexed: bool


def content_of(folder: Path) -> Content | None:
    """What the store in `folder` says, after it has passed every check; None where nothing is committed yet."""
    if not (folder / "manifest.json").exists():
        return None
    with ChainStore.open(folder) as store:
        report = verify(store, source=True)
        assert report.passed, [check for check in report.checks if not check.passed]
        blocks = tuple(row.tobytes() for row in store.column("block_hash"))
        epochs, indexed = store.manifest.epochs, store.indexed
    return Content(facts_of(folder), epochs, blocks, indexed)


def left_over(folder: Path) -> set[str]:
    """Entries of a store's folder that belong to no commit."""
    return {entry.name for entry in folder.iterdir()} - {"manifest.json", "lock", *read_manifest(folder).folders}


@dataclass(frozen=True)
class Scene:
    """A store as it stands, and what is done to it.

    Attributes:
        name: What for.
        base: The store before; None for none.
        act: What is done.
        wanted: What the store says afterwards.
    """

    name: str
    base: Path | None
    act: Act
    wanted: Content

    def begin(self, folder: Path) -> None:
        """Put the store before into `folder`."""
        if self.base is not None:
            shutil.copytree(self.base, folder)

    def prefixes(self) -> tuple[tuple[bytes, ...], ...]:
        """The chains of which a stop may leave the first blocks."""
        before = content_of(self.base) if self.base is not None else None
        return ((), self.wanted.blocks) if before is None else (before.blocks, self.wanted.blocks)


def building(*sources: Path, **more: Any) -> Act:
    """An act that builds in tiny batches, each committed."""
    steps: dict[str, Any] = {"batch": 2500, "commit": 1, "epoch_transactions": EPOCH, **more}
    return lambda folder: build_store(folder, *sources, **steps)


def importing(parcels: Path) -> Act:
    """An act that takes parcels in."""
    return lambda folder: import_parcels(folder, [str(parcels)], engine="plain")


def statements(folder: Path, maker: BlockMaker, below: int) -> list[Path]:
    """Esplora's answers on the outputs of blocks below a height."""
    esplora = Esplora(maker.blocks)
    folder.mkdir()
    (folder / "tip").write_text(str(maker.height))
    for txid, (height, _) in esplora.where.items():
        if height < below:
            (folder / f"{txid}.json").write_text(json.dumps(esplora.outspends(txid)))
    return sorted(folder.iterdir())


def scenes(folder: Path, seed: int = 31, blocks: int = 36) -> list[Scene]:
    """Every kind of change to a store: begun, extended in both ways, reorganised, rewritten, stated, imported."""
    maker = random_chain(seed, blocks=blocks)
    longer = clone(maker)
    extend(longer, random.Random(seed), 8)
    other = fork(maker, blocks // 3, seed, blocks)
    third = blocks // 3

    def dat(name: str, chain: list[bytes]) -> Path:
        return write(folder / f"blk0000{name}.dat", chain)

    early, late, all_of = dat("0", maker.blocks[:third]), dat("1", maker.blocks[third:]), dat("2", maker.blocks)
    more, branch = dat("3", longer.blocks[blocks:]), dat("4", other.blocks[third + 1 :])
    said = statements(folder / "said", maker, 4)
    found: list[Scene] = []

    def scene(name: str, base: Act | None, act: Act) -> None:
        before = None if base is None else folder / f"{name} before"
        after = folder / f"{name} after"
        if before is not None and base is not None:
            base(before)
            shutil.copytree(before, after)
        act(after)
        wanted = content_of(after)
        assert wanted is not None
        assert wanted.indexed
        found.append(Scene(name, before, act, wanted))

    def once(*sources: Path) -> Act:
        return building(*sources, batch=1 << 20, commit=1 << 30)

    scene("begun", None, building(all_of))
    whole = folder / "begun after"
    with ChainStore.open(whole) as store:
        export_parcels(store, folder / "parcels")
    parcels = find_parcels([str(folder / "parcels")])
    (folder / "first").mkdir()
    for parcel in parcels[:2]:
        shutil.copy(parcel.path, folder / "first")
    scene("extended", once(early), building(late, extend="load"))
    scene("looked up", once(early), building(late, extend="look up"))
    scene("joined", once(all_of), building(more, extend="look up", batch=500))
    scene("reorganised", once(all_of), building(branch))
    scene("rewritten", once(late), building(early))
    scene("stated", once(late), building(*said))
    scene("imported", None, importing(folder / "parcels"))

    def begun_by_parcels(target: Path) -> None:
        import_parcels(target, [str(folder / "first")], engine="plain")
        end = parcels[1].sealed.last["block"]
        once(dat("5", maker.blocks[end : end + 1]))(target)

    scene("imported on a tail", begun_by_parcels, importing(folder / "parcels"))
    return found
