"""Draft a request out of a trace: what stands at one of its ends, the way there, and what a first reader needs.

Given the trace as plain values and the chain store that it was made on; nothing is invented, so what nobody knows stays empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shieldwall.cases.recipients import Profile
from shieldwall.cases.request import Asset, PathStep, Recipient
from shieldwall.chain.store import ChainStore
from shieldwall.model.amount import btc, percent
from shieldwall.model.transaction import display, internal

MOST_WAYS = 12
"""Ways to single outputs that a letter tells step by step."""

ALTERNATIVES = (
    "The attribution of the address is the named source's; you can confirm or refute it.",
    "How mixed money divides is a convention: the report gives every method side by side.",
)
"""What every request that rests on a trace must say of it."""


def assets_of(chain: ChainStore, end: Mapping[str, Any], *, backward: bool = False) -> tuple[Asset, ...]:
    """What lies at an end of a trace, the largest first, each output by itself.

    Args:
        chain: The store that the trace was made on.
        end: An end of its result.
        backward: The trace went back: the money came from there.
    """
    outputs = sorted((each for each in end["outputs"] if each["index"] is not None), key=lambda each: -each["amount"])
    return tuple(_asset(chain, end, output, backward) for output in outputs)


def ways_to(body: Mapping[str, Any], end: Mapping[str, Any]) -> tuple[tuple[PathStep, ...], ...]:
    """The ways of a trace to one of its ends, at most `MOST_WAYS`."""
    paths = [path["steps"] for path in body["paths"] if path["end"] == end["rank"]]
    return tuple(tuple(_step(step) for step in path) for path in paths[:MOST_WAYS])


def chronology_of(
    told: Iterable[tuple[str, str]], ways: Sequence[Sequence[PathStep]], coin: str
) -> tuple[tuple[str, str], ...]:
    """What people say happened, and what the chain shows, in the order of time."""
    seen = {
        (step.time, f"{btc(step.amount)} {coin} moves to {step.address or 'an unknown script'}")
        for path in ways
        for step in path
    }
    return tuple(sorted({*told, *seen}))


def narrative_of(body: Mapping[str, Any], end: Mapping[str, Any], summary: str, coin: str) -> str:
    """One paragraph: what happened, what part of the money is where, who says whose address it is, and when it came there."""
    amount, seed = btc(end["amount"]), body["seed_amount"]
    where = end["address"] or "an unknown script"
    sources = [source["source"] for tag in end["tags"] for source in tag["sources"] if source["source"]]
    whose = (
        f", an address that {sources[0]} attributes to {end['service'] or end['tags'][0]['label']}" if sources else ""
    )
    if body["direction"] == "backward":
        told = f"{percent(end['amount'], seed)} of the money ({amount} {coin}) came from {where}{whose}."
        moved = f"It left there between {end['first_received']} and {end['last_moved']}."
    else:
        told = (
            f"Of the {btc(seed)} {coin} paid, {percent(end['amount'], seed)} ({amount} {coin}) reached {where}{whose}."
        )
        moved = f"It arrived between {end['first_received']} and {end['last_moved']}."
    return " ".join(part for part in (summary.strip(), told, moved) if part)


def method_of(body: Mapping[str, Any]) -> str:
    """How mixed money was divided, in words."""
    return f"{body['method']}: {body['method_rule']}; whole transactions are proven from their bytes"


def recipient_of(freezer: Mapping[str, Any] | None, profile: Profile | None, dated: str) -> Recipient:
    """Who is asked, as far as the directory and the profile know."""
    entry: Mapping[str, Any] = freezer or {}
    return Recipient(
        profile="" if profile is None else profile.id,
        name=entry.get("name", "") or ("" if profile is None or profile.generic else profile.name),
        legal_entity=entry.get("legal_entity", ""),
        country=entry.get("country", ""),
        channel=entry.get("channel", ""),
        directory_dated=dated if freezer else "",
    )


def _step(step: Mapping[str, Any]) -> PathStep:
    given = {name: step[name] for name in ("txid", "index", "amount", "time", "height")}
    return PathStep(**given, address=step["address"] or "")


def _asset(chain: ChainStore, end: Mapping[str, Any], output: Mapping[str, Any], backward: bool) -> Asset:
    transaction = chain.find_transaction(internal(output["txid"]))
    block = "" if transaction is None else display(chain.column("block_hash")[chain.block_of(transaction)].tobytes())
    return Asset(
        chain=chain.network.caip2,
        network=chain.network.name,
        asset=chain.network.coin,
        address=end["address"] or "",
        txid=output["txid"],
        index=output["index"],
        amount=output["amount"],
        value=output["amount"] if output["value"] is None else output["value"],
        share=output["share"],
        time=output["time"] or "",
        height=output["height"] if transaction is not None else None,
        block_hash=block,
        proof="nothing" if transaction is None else chain.proof_of(transaction),
        side="input" if backward else "output",
    )
