"""A tag set of a simulated chain's services, as a member would have one, so that traces stop and addresses are known."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.data import Chain
from shieldwall.chain.store import ChainStore
from shieldwall.intel import ReadOptions, TagSets

MOST = 50  # tagged addresses of one service, those with most outputs: a member never knows them all
_CATEGORIES = {1: "exchange", 2: "shop", 3: "mixing_service"}  # of the simulator's kinds of entity
_RANSOM = 4  # another of them
_SET = "simulated-services"


def member_folder(chain: Chain) -> Path:
    """The folder of a member's own data beside a chain."""
    return chain.folder / "member"


def make_member(chain: Chain) -> int:
    """Make that folder anew, with the tags; how many there are. Needs the store."""
    folder = member_folder(chain)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    listed = folder / "services.csv"
    with ChainStore.open(chain.store) as store:
        rows = [
            f"{store.identity(holder)},{name},{category},{abuse}\n"
            for holder, name, category, abuse in tagged(store, chain.folder / "truth")
        ]
        options = ReadOptions(network=store.network, set_name=_SET, made_by="simulator", confidence="service_data")
    listed.write_text("address,label,category,abuse\n" + "".join(rows), encoding="utf-8")
    TagSets(folder / "tags").import_files([listed], set_name=_SET, options=options)
    return len(rows)


def tagged(store: ChainStore, truth: Path) -> list[tuple[int, str, str, str]]:
    """Holder, label, category and abuse of each address that is known: services, and the ransom actors' own."""
    kinds, owners = np.load(truth / "entity_kind.npy"), np.load(truth / "output_owner.npy")
    holders = np.asarray(store.column("output_holder"))[: len(owners)]
    wanted = np.isin(kinds[owners], [*_CATEGORIES, _RANSOM])
    order = np.argsort(owners[wanted], kind="stable")
    owner, holder = owners[wanted][order], holders[wanted][order]
    names, firsts = np.unique(owner, return_index=True)
    rows: list[tuple[int, str, str, str]] = []
    for name, own in zip(names.tolist(), np.split(holder, firsts[1:]), strict=True):
        category = _CATEGORIES.get(int(kinds[name]), "")
        label = f"{category or 'ransom actor'} {name} (simulated)"
        abuse = "" if category else "ransomware"
        named = (each for each in _most_used(own) if ":" not in store.identity(each))  # the others have no address
        rows += [(each, label, category, abuse) for each in named]
    return rows


def _most_used(holders: npt.NDArray[np.uint32]) -> list[int]:
    distinct, times = np.unique(holders, return_counts=True)
    return sorted(distinct[np.argsort(-times, kind="stable")[:MOST]].tolist())
