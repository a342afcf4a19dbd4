"""Addresses and transactions of the chain stores, with what is known of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.chain.records import holder_record, transaction_record
from shieldwall.errors import PartialData
from shieldwall.intel import freezable_by, know
from shieldwall.model.access import Handling, Permission
from shieldwall.model.claim import Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.standing import standing
from shieldwall.model.transaction import TXID
from shieldwall.web.pages.door import FormHere, Pages, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule

pages = Pages("chain")

MOST = 100  # outputs of an address
MOST_SAID = 200  # claims that are shown


@pages.get("/addresses/{address}", Rule("address.show", Permission.READ, PEOPLE))
def show_address(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    address: Annotated[str, Path(min_length=1, max_length=3000)],
    first: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
) -> Response:
    """An address: what it holds, what is known of it, and what can be done next."""
    with node.chains.holding(address) as chain:
        network = chain.network
        blind = node.blind("address", network.caip2, address)
        with node.store.look(caller.identity, caller.act, subject=blind) as work:
            record, why_not = None, ""
            try:
                record = holder_record(chain, address, node.layer(network.name), first=first, most=MOST)
            except PartialData as error:
                why_not = error.message
            subject = Subject("address", network.caip2, record["address"] if record else address)
            said = work.claims.find(subject, most=MOST_SAID + 1)
            view = standing(said, work.now)
            watches = work.watches.about([subject]).get(subject, [])
            found = node.known_tags(caller.identity).lookup([subject])
            known = know(subject, found.get(subject, ()))
            freezers = freezable_by(known.tags, node.directory).freezers
        return page(
            request,
            "address",
            caller,
            subject=subject,
            record=record,
            why_not=why_not,
            known=known.as_dict(),
            freezers=[freezer.as_dict() for freezer in freezers],
            said=[(kept, view.states[kept.id].value) for kept in said[:MOST_SAID] if kept.claim.kind != "tag"],
            more_said=len(said) > MOST_SAID,
            watches=watches,
            network=network,
            coin=network.coin,
            tip=(chain.tip_height, chain.tip_time),
            first=first,
            most=MOST,
        )


@pages.post("/addresses/{address}/watch", Rule("watch.add", Permission.WRITE, PEOPLE))
def watch_address(
    node: NodeHere,
    caller: CallerHere,
    address: Annotated[str, Path(min_length=1, max_length=3000)],
    form: FormHere,
) -> Response:
    """Watch an address."""
    with node.chains.holding(address) as chain:
        network = chain.network.name
    handling = Handling(
        marking=parse_marking(form.text("marking") or None),
        pap=parse_pap(form.text("pap") or None),
        owner=caller.identity.person,
    )
    node.watcher.add(
        caller.identity, "address", {"address": address}, handling, note=form.text("note", most=200), network=network
    )
    return seen(f"/addresses/{address}")


@pages.get("/transactions/{txid}", Rule("transaction.show", Permission.READ, PEOPLE))
def show_transaction(
    node: NodeHere, caller: CallerHere, request: Request, txid: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{64}$")]
) -> Response:
    """A transaction: inputs, outputs, its raw bytes and what is proven of it."""
    with node.chains.holding(txid) as chain:
        network = chain.network
        blind = node.blind("transaction", network.caip2, txid)
        with node.store.look(caller.identity, caller.act, subject=blind) as work:
            if not TXID.fullmatch(txid):
                raise PartialData("that is no transaction id")
            record = transaction_record(chain, txid.lower(), node.layer(network.name))
            subject = Subject("transaction", network.caip2, txid.lower())
            said = work.claims.find(subject, most=MOST_SAID)
            view = standing(said, work.now)
        return page(
            request,
            "transaction",
            caller,
            record=record,
            network=network,
            coin=network.coin,
            tip=(chain.tip_height, chain.tip_time),
            said=[(kept, view.states[kept.id].value) for kept in said],
        )
