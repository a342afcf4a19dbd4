"""Every transaction that a walk passed, in the words of a result."""

from __future__ import annotations

from typing import Any

from shieldwall.trace.facts import Facts
from shieldwall.trace.record import Step, Walked


def transfers(facts: Facts, walk: Walked) -> list[dict[str, Any]]:
    """The transactions in chain order: what came in tainted, what went where."""
    return [_transfer(facts, walk, step) for step in walk.steps]


def _transfer(facts: Facts, walk: Walked, step: Step) -> dict[str, Any]:
    made = facts.transaction(step.transaction)
    return {
        "txid": made["txid"],
        "height": made["height"],
        "time": made["time"],
        "hop": step.hop,
        "inputs": _inputs(facts, walk, step),
        "outputs": [
            {"index": output - made["first"], "address": facts.address(output), "amount": amount}
            for output, amount in step.outputs
        ],
        "fee": step.fee,
        "mixed": _mixed(facts, step, backward=walk.backward),
    }


def _mixed(facts: Facts, step: Step, *, backward: bool) -> bool:
    """Whether other money came in beside what is followed, so that which part went where is a convention of the method.

    Backward, what one input alone brought needs no convention.
    """
    store, numbers = facts.store, facts.store.input_range(step.transaction)
    if backward and len(numbers) < 2:
        return False
    if len(step.inputs) < len(numbers):
        return True
    if all(output is not None for _, output, _ in step.inputs):
        return any(amount < int(facts.values[output]) for _, output, amount in step.inputs)
    values = [entry.value for entry in store.inputs(step.transaction)]
    return any((value := values[place]) is None or amount < value for place, _, amount in step.inputs)


def _inputs(facts: Facts, walk: Walked, step: Step) -> list[dict[str, Any]]:
    rows = []
    outside = None
    address: str | None
    for place, output, amount in step.inputs:
        if output is not None:
            reached = walk.reached.get(output)
            maker = facts.transaction(facts.store.transaction_of(output) if reached is None else reached.transaction)
            txid, index, address = maker["txid"], output - maker["first"], facts.address(output)
        else:  # an output whose transaction is not here
            outside = outside or list(facts.store.inputs(step.transaction))
            entry = outside[place]
            txid, index = entry.txid, entry.index
            address = None if entry.holder is None else facts.holders.identity(entry.holder)
        rows.append({"place": place, "txid": txid, "index": index, "address": address, "amount": amount})
    return rows
