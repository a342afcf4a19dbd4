"""Anything that somebody puts into the box: a word, a pasted mail, a file; and what it names that this node knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shieldwall.errors import BadText, ShieldwallError
from shieldwall.intel.document import parse_document
from shieldwall.model.access import Identity, Permission
from shieldwall.model.claim import Subject
from shieldwall.model.mention import ADDRESS, Mention, Mentions
from shieldwall.model.network import by_name
from shieldwall.model.transaction import TXID, internal
from shieldwall.node.search import kept_here
from shieldwall.store.files import File

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

MOST = 100
"""Things that an answer lists; the rest is counted."""

MOST_BYTES = 16 << 20
"""Of what is read through."""

_PLACES = {"case": "/cases/", "file": "/files/", "claim": "/claims/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that a text names.

    Attributes:
        kind: address, transaction, case, file or claim.
        name: Its normal form, or id.
        title: What is said of it.
        path: Its page.
        network: Of the chain store that holds it; "" for none.
        held: Whether a chain store of this node holds it.
        places: Where the text says it.
        tags: Labels of the tags that whoever asks may see.
    """

    kind: str
    name: str
    title: str = ""
    path: str = ""
    network: str = ""
    held: bool = False
    places: Sequence[str] = ()
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What a text names.

    Attributes:
        what: What it was read as: text, mail, table, ...
        things: In the order of the text.
        left: How many more there are.
        near: What nearly is an address, with what it may have been meant to be.
        aside: Strings of 64 digits that are no transactions of this node's stores.
        unread: Parts that could not be read.
        is_one: Whether the text is one word.
    """

    what: str
    things: Sequence[Thing]
    left: int = 0
    near: Sequence[str] = ()
    aside: int = 0
    unread: Sequence[str] = ()
    is_one: bool = False

    @property
    def targets(self) -> list[str]:
        """What a trace can start from: of the first network that something is held of, all that it holds."""
        held = [thing for thing in self.things if thing.held and thing.kind in ("address", "transaction")]
        return [thing.name for thing in held if thing.network == held[0].network]


def read_pasted(node: Node, identity: Identity, act: str, raw: bytes, name: str) -> Pasted:
    """What a text or file names; who asked is in the audit log, what they asked is not.

    Raises:
        BadText: It cannot be read.
    """
    with node.store.look(identity, act, bytes=len(raw)) as work:
        work.must(Permission.READ)
        return _read(node, work, raw, name)


def paste_of(node: Node, identity: Identity, act: str, file_id: str) -> tuple[File, Pasted]:
    """The same of a file that was kept.

    Raises:
        NotFound: None that whoever asks may see.
        BadText: It cannot be read.
    """
    with node.large(), node.store.look(identity, act, file=file_id) as work:
        work.must(Permission.READ)
        file = work.files.get(file_id)
        return file, _read(node, work, work.files.read(file_id), file.name)


def _read(node: Node, work: Work, raw: bytes, name: str) -> Pasted:
    if len(raw) > MOST_BYTES:
        raise BadText(f"more than {MOST_BYTES:,} bytes are not read through here", hint="screen it: a job of its own")
    document = parse_document(raw, name or "what you pasted")
    mentions = document.mentions()
    text = raw.decode("utf-8", "replace") if len(raw) <= 4000 else ""
    is_one = len(text.split()) == 1
    things, aside = _things(node, work, mentions)
    if text:
        known = {(thing.kind, thing.name) for thing in things}
        for hit in kept_here(work, text):
            if (hit.kind, hit.id) not in known:
                things.append(Thing(kind=hit.kind, name=hit.id, title=hit.title, path=_PLACES[hit.kind] + hit.id))
    near = [str(miss) for miss in mentions.near_misses[:20]]
    work.note(found=len(things))
    return Pasted(
        what=document.kind,
        things=things[:MOST],
        left=len(things[MOST:]),
        near=near,
        aside=aside,
        unread=document.unread,
        is_one=is_one,
    )


def _things(node: Node, work: Work, mentions: Mentions) -> tuple[list[Thing], int]:
    """Addresses and transactions, with what is known of them; and how many strings of 64 digits are none."""
    chains: dict[str, ChainStore] = {name: shelf.open() for name, shelf in node.chains.there().items()}
    try:
        found, aside = [], 0
        for mention in mentions.mentions:
            thing = _address(chains, mention) if mention.kind == ADDRESS else _transaction(chains, mention)
            if thing is None:
                aside += 1
            else:
                found.append(thing)
        return _tagged(node, work, found), aside
    finally:
        for chain in chains.values():
            chain.close()


def _address(chains: dict[str, ChainStore], mention: Mention) -> Thing:
    networks = [name for name in chains if name in mention.networks]
    held = ""
    for name in networks:
        chain = chains[name]
        if chain.find_addresses([mention.name])[0] < chain.rows("holder"):
            held = name
            break
    return Thing(
        kind="address",
        name=mention.name,
        title=mention.note,
        path=f"/addresses/{mention.name}",
        network=held or next(iter(networks), next(iter(mention.networks), "")),
        held=bool(held),
        places=[str(place) for place in mention.places[:5]],
    )


def _transaction(chains: dict[str, ChainStore], mention: Mention) -> Thing | None:
    txid = mention.name.partition(":")[0].lower()
    if not TXID.fullmatch(txid):
        return None
    for name, chain in chains.items():
        if chain.find_transaction(internal(txid)) is not None:
            return Thing(
                kind="transaction",
                name=mention.name,
                path=f"/transactions/{txid}",
                network=name,
                held=True,
                places=[str(place) for place in mention.places[:5]],
            )
    return None


def _tagged(node: Node, work: Work, things: list[Thing]) -> list[Thing]:
    """The same with the labels of their tags."""
    subjects = {
        thing.name: Subject("address", by_name(thing.network).caip2, thing.name)
        for thing in things[:MOST]
        if thing.kind == "address" and thing.network
    }
    if not subjects:
        return things
    try:
        found = node.known_tags(work.identity).lookup(list(subjects.values()))
    except ShieldwallError:
        return things
    labels = {
        name: sorted(
            {str(each.claim.statement.get("label", "")) for each in found.get(subject, ()) if not each.claim.retracted}
        )
        for name, subject in subjects.items()
    }
    return [replace(thing, tags=labels.get(thing.name, ())) for thing in things]
