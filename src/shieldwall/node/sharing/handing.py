"""What was let go to one partner, in the form in which it is handed over: a bundle, events of MISP, or a feed of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shieldwall.model.canonical import canonical_json
from shieldwall.node.sharing.exporting import maker_of
from shieldwall.node.sharing.misp import push_events
from shieldwall.sharing.extensions import definitions_for
from shieldwall.sharing.misp.writing import WrittenEvent, events_of, feed_files, json_of
from shieldwall.sharing.money import address_of, wallet_object
from shieldwall.sharing.stix.bundle import bundle_of
from shieldwall.sharing.stix.ids import own_id

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.node.sharing.pulling import Ask, Remote
    from shieldwall.node.sharing.releasing import Exported


def hand_over(
    node: Node, exported: Exported, form: str, *, wallets: bool = False
) -> tuple[list[tuple[str, bytes]], Counter[str]]:
    """The files of what was let go, and how many objects of which type have no place in them.

    Args:
        node: Whose they are.
        exported: What was let go.
        form: `stix`, `misp` or `misp-feed`.
        wallets: Of a bundle, addresses in the form of other platforms as well.
    """
    if form == "stix":
        raws = [each.raw for each in exported.things]
        raws += [canonical_json(body) for body in _wallets(exported)] if wallets else []
        name = own_id("bundle", maker_of(node).id, *sorted(each.id for each in exported.things))
        return [("bundle.json", b"".join(bundle_of(raws, name)))], Counter()
    written = _events(node, exported)
    left = sum((each.left_out for each in written), Counter[str]())
    events = [each.event for each in written]
    if form == "misp":
        answer: Any = {"Event": events[0]} if len(events) == 1 else {"response": [{"Event": each} for each in events]}
        return [("events.json", json_of(answer))], left
    return list(feed_files(events)), left


def send_to_misp(node: Node, exported: Exported, remote: Remote, *, ask: Ask | None = None) -> list[str]:
    """Add what was let go to the partner's MISP; returns a sentence for each event.

    Raises:
        Unreachable: It does not take one.
        UsageError: The URL must not be asked.
    """
    written = _events(node, exported)
    done = push_events(ask or remote.ask, remote.url, [each.event for each in written])
    told = [f"event {each.event['uuid']}: {what}" for each, what in zip(written, done, strict=True)]
    left = sum((each.left_out for each in written), Counter[str]())
    return told + [f"{number} of type {what} have no place in MISP" for what, number in sorted(left.items())]


def _events(node: Node, exported: Exported) -> list[WrittenEvent]:
    return events_of(
        [each.body for each in exported.things],
        info=f"{node.config.name}: {len(exported.things):,} objects",
        maker=node.config.name,
        marking=exported.marking,
        pap=exported.pap,
        at=node.store.now(),
    )


def _wallets(exported: Exported) -> Iterable[dict[str, Any]]:
    addresses = (address_of(each.body) for each in exported.things if each.type == "blockchain-address")
    made = [wallet_object(address.name) for address in addresses if address is not None]
    yield from made
    yield from definitions_for(made)
