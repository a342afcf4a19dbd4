"""The heaviest way from a seed to each end, or from each source to a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shieldwall.trace.facts import Facts
from shieldwall.trace.record import Ending, EndKind, Outside, Walked

MOST_PATHS = 100  # paths in a result; the rest is counted in `paths_omitted`
MOST_STEPS = 400  # steps of a path; of a longer one the middle is counted in `steps_omitted`


def paths(facts: Facts, walk: Walked, ends: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each end, fees left out, its heaviest path in the order of time: at each step the output with most of it.

    Of an end at a service every output has its path: whoever is asked to freeze or explain them must be able to follow
    each. An end that is no output at all (what an input to start from brought, and no method could divide) has none; at
    most `MOST_PATHS`, of the largest ends.
    """
    endings = {facts.outpoint(ending): ending for ending in walk.endings}
    wanted = []
    for end in [end for end in ends if end["kind"] != EndKind.FEE]:
        ranked = sorted(end["outputs"], key=lambda output: -output["amount"])
        wanted += [(end, output) for output in ranked[: None if end["kind"] == EndKind.SERVICE else 1]]
    found: list[dict[str, Any]] = []
    for end, heaviest in wanted:
        ending = endings[heaviest["txid"], heaviest["index"]]
        if (ending.output is None and ending.outside is None) or len(found) == MOST_PATHS:
            continue
        found.append(path_to(facts, walk, end, ending, heaviest["amount"]))
    return found


def path_to(facts: Facts, walk: Walked, end: Mapping[str, Any], ending: Ending, amount: int) -> dict[str, Any]:
    """The path of one of an end's outputs, of which `amount` ended there."""
    chain = _chain(walk, ending)
    left = max(0, len(chain) - MOST_STEPS)
    if left:
        chain[MOST_STEPS // 2 : MOST_STEPS // 2 + left] = []
    steps = [
        _outside_step(facts, ending, place) if isinstance(place, Outside) else _step(facts, walk, place)
        for place in chain
    ]
    steps[0 if walk.backward else -1]["amount"] = amount  # an end may be less than what reached it
    path = {"end": end["rank"], "kind": end["kind"], "address": end["address"]}
    return {**path, "steps": steps, "steps_omitted": left}


def _chain(walk: Walked, ending: Ending) -> list[int | Outside]:
    """Outputs from the end to the seed, put into the order of time: backward they are in it already."""
    chain: list[int | Outside] = []
    output = ending.output
    if ending.outside is not None:
        chain.append(ending.outside)
        output = ending.outside.heir
    while output is not None:
        chain.append(output)
        reached = walk.reached.get(output)
        output = None if reached is None else reached.origin
    return chain if walk.backward else chain[::-1]


def _step(facts: Facts, walk: Walked, output: int) -> dict[str, Any]:
    reached = walk.reached.get(output)
    maker = facts.store.transaction_of(output) if reached is None else reached.transaction
    made = facts.transaction(maker)
    return {
        "txid": made["txid"],
        "index": output - made["first"],
        "address": facts.address(output),
        "amount": 0 if reached is None else reached.amount,
        "value": int(facts.values[output]),
        "hop": 0 if reached is None else reached.hop,
        "height": made["height"],
        "time": made["time"],
        "proof": facts.store.proof_of(maker),
    }


def _outside_step(facts: Facts, ending: Ending, outside: Outside) -> dict[str, Any]:
    """An output whose transaction is not here: when it was made is not known, when it was spent is."""
    return {
        "txid": outside.txid,
        "index": outside.index,
        "address": facts.address_of(ending),
        "amount": ending.amount,
        "value": outside.value,
        "hop": outside.hop,
        "height": None,
        "time": facts.transaction(ending.transaction)["time"],
        "proof": "none",
    }
