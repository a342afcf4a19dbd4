"""One box that takes anything: what a text names that the node knows, and whoever asks may see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shieldwall.errors import NotFound
from shieldwall.model.access import Identity, Permission
from shieldwall.model.claim import Subject
from shieldwall.model.mention import find_mentions
from shieldwall.model.transaction import internal

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

MOST = 50
"""Hits of one search."""

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_LOOKED = 500  # files whose titles are read through, the newest


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was found: what it is, its id, and its title."""

    kind: Literal["address", "transaction", "case", "file", "claim"]
    id: str
    title: str


def find(node: Node, identity: Identity, act: str, text: str) -> list[Found]:
    """What `text` names: addresses and transactions of the chain stores, and cases, files and claims by id or title."""
    with node.store.look(identity, act) as work:
        work.must(Permission.READ)
        hits = [*_on_chain(node, work, text), *kept_here(work, text)]
        hits = list(dict.fromkeys(hits))[:MOST]
        work.note(found=len(hits))
    return hits


def kept_here(work: Work, text: str) -> list[Found]:
    """Cases, files and claims that a text names by id or title."""
    return [*_by_id(work, text), *_by_title(work, text)]


def _on_chain(node: Node, work: Work, text: str) -> list[Found]:
    addresses: dict[str, tuple[bool, Found]] = {}
    transactions: dict[str, Found] = {}
    networks = node.chains.networks()
    for network in networks:
        store = f"the {network} chain store" if len(networks) > 1 else "the chain store"
        with node.chain(network) as chain:
            for mention in find_mentions(text, chain.network).addresses():
                said = work.claims.find(Subject("address", chain.network.caip2, mention.name))
                held = bool(chain.find_addresses([mention.name])[0] < chain.rows("holder"))
                where = f"in {store}" if held else f"not in {store}: unknown"
                hit = held, Found("address", mention.name, f"{where}; {len(said)} claims")
                # some networks write addresses alike: the store that holds it, as `Chains.holding` chooses
                if mention.name not in addresses or (held and not addresses[mention.name][0]):
                    addresses[mention.name] = hit
            for txid in _DIGEST.findall(text.lower()):
                if txid not in transactions and chain.find_transaction(internal(txid)) is not None:
                    transactions[txid] = Found("transaction", txid, f"in {store}")
    return [*(found for _, found in addresses.values()), *transactions.values()]


def _by_id(work: Work, text: str) -> list[Found]:
    hits = []
    for each in dict.fromkeys(_ID.findall(text.lower())):
        for kind, look in (("case", _case_title), ("file", _file_name)):
            try:
                hits.append(Found(kind, each, look(work, each)))  # type: ignore[arg-type]
            except NotFound:
                continue
    for each in dict.fromkeys(_DIGEST.findall(text.lower())):
        try:
            kept = work.claims.get(each)
        except NotFound:
            continue
        hits.append(Found("claim", each, f"{kept.claim.kind} on {kept.claim.subject.name}"))
    return hits


def _by_title(work: Work, text: str) -> list[Found]:
    wanted = text.casefold().strip()
    cases = [Found("case", case.id, case.title) for case in work.cases.search(text, most=MOST)]
    titles = [Found("file", file.id, file.name) for file in work.files.page(most=_LOOKED)]
    return [*cases, *(hit for hit in titles if wanted in hit.title.casefold())]


def _case_title(work: Work, case_id: str) -> str:
    return work.cases.get(case_id).title


def _file_name(work: Work, file_id: str) -> str:
    return work.files.get(file_id).name
