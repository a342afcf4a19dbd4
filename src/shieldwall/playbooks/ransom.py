"""The flagship job: a ransom address -> the money traced -> who can freeze it -> the request to them.

Read from top to bottom, this file is the story; every step is a call into the room that does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.cases.demands import lacking
from shieldwall.cases.letter import as_html, compose
from shieldwall.cases.request import Asset, PathStep, Recipient, Request, RequestKind, Sender
from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.intel import Directory, ReadOptions, TagSets, read_directory, shipped
from shieldwall.model.amount import btc, percent
from shieldwall.model.marking import Marking
from shieldwall.model.network import Network
from shieldwall.model.transaction import display, internal
from shieldwall.trace.coin import coin_of
from shieldwall.trace.follow import DEFAULT_METHOD, follow
from shieldwall.trace.published import read_published
from shieldwall.trace.report import render
from shieldwall.trace.result import TraceResult
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.targets import find_targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a case starts with.

    Attributes:
        sources: What the chain store is built from.
        network: Network of the sources.
        tag_files: Tag packs that this case brings along.
        directories: Further directories of who can freeze, laid over the shipped one.
        published: Files of published hops.
    """

    sources: Sequence[str]
    network: Network
    tag_files: Sequence[Path] = ()
    directories: Sequence[Path] = ()
    published: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """A case laid out for work: the store is built, the tags are in."""

    store: ChainStore
    labels: TagLabels
    directory: Directory
    material: Material


def lay_out(material: Material, folder: Path) -> Bench:
    """Build the chain store, import the tags, open the directory."""
    build(folder / "chain", material.sources, network=material.network)
    sets = TagSets(folder / "tags")
    sets.import_files(list(material.tag_files), options=ReadOptions(network=material.network))
    directory = shipped()
    for path in material.directories:
        directory = directory.with_further(read_directory(path))
    store = ChainStore.open(folder / "chain")
    return Bench(store, TagLabels(sets.select(None), directory, material.network), directory, material)


def trace_ransom(bench: Bench, targets: Sequence[str], method: str = DEFAULT_METHOD) -> TraceResult:
    """Follow the ransom to where it is now."""
    found = find_targets(bench.store, targets)
    return follow(bench.store, found, method, labels=bench.labels, published=read_published(bench.material.published))


def write_report(result: TraceResult, path: Path, *, title: str, label: str = "") -> Path:
    """Put the answer on a page, with its CSV and JSON beside it."""
    path.write_text(render(result, title=title, label=label), encoding="utf-8")
    path.with_suffix(".csv").write_text(result.to_csv(), encoding="utf-8")
    path.with_suffix(".json").write_text(result.to_json() + "\n", encoding="utf-8")
    return path


def ask_to_freeze(bench: Bench, result: TraceResult, sender: Sender, case: dict[str, Any]) -> Request | None:
    """The request to whoever can freeze most of it; None when the directory knows nobody."""
    reachable = [end for end in result.body["ends"] if end["kind"] == "service" and end["freezable_by"]]
    if not reachable:
        return None
    end, freezer = reachable[0], reachable[0]["freezable_by"][0]
    paths = [path["steps"] for path in result.body["paths"] if path["end"] == end["rank"]]
    amount, seed, coin = btc(end["amount"]), result.body["seed_amount"], coin_of(result.body)
    return Request(
        kind=RequestKind.FREEZE,
        case_number=case["number"],
        sender=sender,
        recipient=Recipient(
            name=freezer["name"],
            legal_entity=freezer["legal_entity"],
            country=freezer["country"],
            channel=freezer["channel"],
            directory_dated=bench.directory.dated,
        ),
        relief=case["relief"],
        urgent=case["urgent"],
        offence=case["offence"],
        narrative=(
            f"{case['summary']} Of the {btc(seed)} {coin} paid, {percent(end['amount'], seed)} ({amount} {coin}) reached "
            f"{end['address']}, an address that {end['tags'][0]['sources'][0]['source']} attributes to {end['service']}. "
            f"It arrived between {end['first_received']} and {end['last_moved']}. We ask you to hold it before it leaves."
        ),
        chronology=_chronology(case, paths, coin),
        victim=case["victim"],
        suspect=case["suspect"],
        assets=tuple(_asset(bench.store, end, output) for output in sorted(end["outputs"], key=lambda o: -o["amount"])),
        paths=tuple(tuple(_step(step) for step in path) for path in paths),
        method=f"{result.body['method']}: {result.body['method_rule']}; whole transactions are proven from their bytes",
        confidence=case["confidence"],
        alternatives=(
            "The attribution of the address is the named source's; you can confirm or refute it.",
            "How mixed money divides is a convention: the report gives every method side by side.",
        ),
        term=case["term"],
        non_disclosure=case["non_disclosure"],
        marking=Marking[case["marking"]],
        trace_digest=result.digest,
        expires=case["expires"],
        reply_to=case["reply_to"],
        exercise=case["exercise"],
    )


def write_request(request: Request, path: Path) -> Path:
    """The letter, with its CSV and JSON beside it."""
    path.write_text(as_html(compose(request, lacks=lacking(request))), encoding="utf-8")
    path.with_suffix(".csv").write_text(request.to_csv(), encoding="utf-8")
    path.with_suffix(".json").write_text(request.to_json(), encoding="utf-8")
    return path


def _chronology(
    case: dict[str, Any], paths: Sequence[Sequence[dict[str, Any]]], coin: str
) -> tuple[tuple[str, str], ...]:
    told = {(entry["time"], entry["event"]) for entry in case["events"]}
    seen = {
        (step["time"], f"{btc(step['amount'])} {coin} moves to {step['address']}") for path in paths for step in path
    }
    return tuple(sorted(told | seen))


def _step(step: dict[str, Any]) -> PathStep:
    return PathStep(**{name: step[name] for name in ("txid", "index", "address", "amount", "time", "height")})


def _asset(store: ChainStore, end: dict[str, Any], output: dict[str, Any]) -> Asset:
    transaction = store.find_transaction(internal(output["txid"])) or 0
    return Asset(
        chain=store.network.caip2,
        network=store.network.name,
        asset=store.network.coin,
        address=end["address"],
        txid=output["txid"],
        index=output["index"],
        amount=output["amount"],
        value=output["value"],
        share=output["share"],
        time=output["time"],
        height=output["height"],
        block_hash=display(store.column("block_hash")[store.block_of(transaction)].tobytes()),
        proof=store.proof_of(transaction),
    )
