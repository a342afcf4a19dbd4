"""The flagship job: a ransom address -> the money traced -> who can freeze it -> the request to them.

Read from top to bottom, this file is the story; every step is a call into the room that does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.cases.demands import lacking
from shieldwall.cases.drafting import (
    ALTERNATIVES,
    assets_of,
    chronology_of,
    method_of,
    narrative_of,
    recipient_of,
    ways_to,
)
from shieldwall.cases.letter import as_html, compose
from shieldwall.cases.request import Request, RequestKind, Sender
from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.intel import Directory, ReadOptions, TagSets, read_directory, shipped
from shieldwall.model.marking import Marking
from shieldwall.model.network import Network
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
    coin, ways = coin_of(result.body), ways_to(result.body, end)
    told = [(entry["time"], entry["event"]) for entry in case["events"]]
    return Request(
        kind=RequestKind.FREEZE,
        case_number=case["number"],
        sender=sender,
        recipient=recipient_of(freezer, None, bench.directory.dated),
        relief=case["relief"],
        urgent=case["urgent"],
        offence=case["offence"],
        narrative=f"{narrative_of(result.body, end, case['summary'], coin)} We ask you to hold it before it leaves.",
        chronology=chronology_of(told, ways, coin),
        victim=case["victim"],
        suspect=case["suspect"],
        assets=assets_of(bench.store, end),
        paths=ways,
        method=method_of(result.body),
        confidence=case["confidence"],
        alternatives=ALTERNATIVES,
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
