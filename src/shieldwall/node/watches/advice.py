"""What an alarm says: what happened in one sentence, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.amount import btc
from shieldwall.model.moment import utc
from shieldwall.node.watches.looking import GONE, RECEIVED, SPENT, WAITING, Event, Paid, Tip

SURE = 6
"""Confirmations from which a payment is usually taken as settled."""
_MOST_NAMED = 3  # receivers in the sentence

WHAT = {"address": "the watched address", "cluster": "the watched cluster", "end": "the watched end of a trace"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a receiver.

    Attributes:
        labels: What tags call it.
        service: The service that it is, by a tag; "" for none.
        freezers: Who can freeze what lies there: plain JSON values with `name`, `channel` and `requires` among them.
    """

    labels: tuple[str, ...] = ()
    service: str = ""
    freezers: tuple[Mapping[str, Any], ...] = field(default=())


def alarm_body(
    kind: str,
    target: Mapping[str, Any],
    event: Event,
    tip: Tip,
    coin: str,
    known: Mapping[str, Told],
) -> dict[str, Any]:
    """What an alarm tells, as plain JSON values.

    Args:
        kind: Of the watch.
        target: Of the watch.
        event: What happened.
        tip: Where the chain store ends.
        coin: What the network's coin is called, such as BTC.
        known: By receiver, what is known of it.
    """
    movement = event.movement
    confirmations = _confirmations(movement.height, tip)
    payments = [_payment(paid, known.get(paid.to, Told())) for paid in movement.to]
    return {
        "event": event.kind,
        "watch": {"kind": kind, "target": dict(target)},
        "txid": event.txid,
        "amount": movement.amount,
        "returned": movement.returned,
        "coin": coin,
        "height": movement.height,
        "time": None if movement.time is None else utc(movement.time),
        "confirmations": confirmations,
        "tip_height": tip.height,
        "tip_hash": tip.hash,
        "to": payments,
        "to_left": movement.left,
        "say": sentence(kind, event, confirmations, coin, known),
        "do": what_to_do(event, confirmations, known),
    }


def sentence(kind: str, event: Event, confirmations: int | None, coin: str, known: Mapping[str, Told]) -> str:
    """What happened."""
    movement, what = event.movement, WHAT[kind]
    amount = "an amount that nobody tells" if movement.amount is None else f"{btc(movement.amount)} {coin}"
    how_sure = _how_sure(confirmations)
    if event.kind == GONE:
        was = "moved" if movement.kind == SPENT else "reached"
        return f"Transaction {event.txid}, by which {amount} {was} {what}, is gone: its block is no longer part of the chain."
    if event.kind == RECEIVED:
        return f"{amount} reached {what} in transaction {event.txid} ({how_sure})."
    returned = f"; {btc(movement.returned)} {coin} of it came back" if movement.returned else ""
    where = _where(movement.to, movement.left, coin, known)
    if event.kind == WAITING:
        return f"Transaction {event.txid}, which no block holds yet, would move {amount} at {what}{where}{returned}."
    return f"{amount} left {what} in transaction {event.txid} ({how_sure}){where}{returned}."


def what_to_do(event: Event, confirmations: int | None, known: Mapping[str, Told]) -> list[dict[str, Any]]:
    """What to do next, the most urgent first: a sentence, and the command or request that does it."""
    steps: list[dict[str, Any]] = []
    if event.kind == GONE:
        return [
            {
                "say": "Take back what was said because of it, and look what became of the money: the same coins may have "
                "been spent otherwise.",
                "command": ["shieldwall", "trace", event.txid],
            }
        ]
    if event.kind in (SPENT, WAITING):
        for paid in event.movement.to:
            told = known.get(paid.to, Told())
            steps += [_ask(freezer, paid, event.txid) for freezer in told.freezers]
            if told.service and not told.freezers:
                steps.append(
                    {
                        "say": f"{paid.to} is tagged as {told.service}, and the directory does not say whom to ask there: "
                        "find out, and ask.",
                        "request": {"to": told.service, "address": paid.to, "txid": event.txid, "index": paid.index},
                    }
                )
    if event.kind == WAITING:
        steps.append({"say": "Wait for a block: it may still be replaced, or never be confirmed.", "wait": True})
        return steps
    if confirmations is not None and confirmations < SURE:
        steps.append(
            {"say": f"Wait for {SURE} confirmations before you rely on it: there are {confirmations}.", "wait": True}
        )
    if event.kind == SPENT:
        steps.append({"say": "Follow it to where it is now.", "command": ["shieldwall", "trace", event.txid]})
    else:
        steps.append(
            {
                "say": "Look where it came from.",
                "command": ["shieldwall", "trace", event.txid, "--direction", "backward"],
            }
        )
    return steps


def _ask(freezer: Mapping[str, Any], paid: Paid, txid: str) -> dict[str, Any]:
    return {
        "say": f"Ask {freezer['name']} at once to hold what reached {paid.to}: it is tagged as theirs.",
        "request": {
            "to": freezer["name"],
            "channel": freezer.get("channel", ""),
            "requires": freezer.get("requires", ""),
            "address": paid.to,
            "txid": txid,
            "index": paid.index,
        },
    }


def _confirmations(height: int | None, tip: Tip) -> int | None:
    return None if height is None or tip.height is None else max(0, tip.height - height + 1)


def _how_sure(confirmations: int | None) -> str:
    if confirmations is None:
        return "its height is not known"
    return f"{confirmations} confirmation" + ("" if confirmations == 1 else "s")


def _where(to: Sequence[Paid], left: int, coin: str, known: Mapping[str, Told]) -> str:
    if not to:
        return ""
    named = []
    for paid in to[:_MOST_NAMED]:
        told = known.get(paid.to, Told())
        name = told.service or (told.labels[0] if told.labels else "")
        named.append(f"{btc(paid.amount)} {coin} to {paid.to}" + (f" ({name})" if name else ""))
    more = len(to) + left - len(named)
    return ": " + ", ".join(named) + (f" and {more} others" if more else "")


def _payment(paid: Paid, told: Told) -> dict[str, Any]:
    return {
        "to": paid.to,
        "amount": paid.amount,
        "index": paid.index,
        "tags": list(told.labels),
        "service": told.service,
        "freezable_by": [dict(freezer) for freezer in told.freezers],
    }
