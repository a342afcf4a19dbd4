"""What `shieldwall chain follow` says while it runs, and how it ends."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click

from shieldwall.chain.follow import FollowConfig, Follower, Look
from shieldwall.chain.since import Since
from shieldwall.chain.sources import SourceOptions
from shieldwall.cli.options import Progress
from shieldwall.model.moment import utc
from shieldwall.model.network import Network


def follow_node(
    folder: Path,
    url: str,
    *,
    network: Network | None,
    config: FollowConfig,
    options: SourceOptions,
    since: Since | None,
    once: bool,
    as_json: bool,
) -> int:
    """Follow a node until a signal comes, or look at it once; 0 either way, errors as of `Follower.look`."""
    progress = Progress()
    follower = Follower(
        folder,
        url,
        network=network,
        config=config,
        options=options,
        since=since,
        now=time.time,
        progress=progress,
    )
    speaker = _Speaker(as_json=as_json, progress=progress)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for found in (follower.look(),) if once else follower.run(_sleep):
            speaker.say(found)
    except KeyboardInterrupt:
        progress.end()
        click.echo("stopped; what was committed stands", err=True)
    finally:
        progress.end()
        signal.signal(signal.SIGTERM, before)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


class _Speaker:
    """Says what a look has brought, and nothing where it has brought nothing."""

    def __init__(self, *, as_json: bool, progress: Progress) -> None:
        self._as_json = as_json
        self._progress = progress
        self._said: tuple[object, ...] | None = None

    def say(self, found: Look) -> None:
        """One line on standard error for a new tip or another state of the node; with JSON, one on standard output too."""
        record = as_record(found)
        state = (found.tip_hash, found.node_hash, found.away, record["unconfirmed"] if self._as_json else None)
        if state == self._said:
            return
        new_tip = self._said is None or state[:3] != self._said[:3]
        self._said = state
        self._progress.end()
        if self._as_json:
            click.echo(json.dumps(record, ensure_ascii=False))
        if new_tip:
            click.echo(in_words(found), err=True)


def as_record(found: Look) -> dict[str, Any]:
    """A look as a JSON object."""
    report, layer = found.report, found.unconfirmed
    return {
        "at": utc(found.at),
        "tip_height": found.tip_height,
        "tip_hash": found.tip_hash,
        "node_height": found.node_height,
        "node_hash": found.node_hash,
        "blocks": report.blocks if report else 0,
        "transactions": report.transactions if report else 0,
        "rolled_back": report.rolled_back if report else 0,
        "unresolved": report.unresolved if report else 0,
        "unconfirmed": len(layer.transactions) if layer else None,
        "unconfirmed_left_out": layer.left_out if layer else None,
        "unconfirmed_hidden": len(layer.hidden) if layer else None,
        "away": found.away or None,
        "notes": report.notes if report else [],
    }


def in_words(found: Look) -> str:
    """A look as a line for people."""
    if found.away:
        return f"{utc(found.at)}  {found.away}; asking again"
    parts = [f"{utc(found.at)}  height {found.tip_height}  {found.tip_hash}"]
    if found.report:
        parts.append(f"{found.report.blocks} blocks more")
    if found.report and found.report.rolled_back:
        parts.append(f"{found.report.rolled_back} rolled back")
    if found.tip_hash != found.node_hash:
        parts.append(f"the node is at height {found.node_height}, {found.node_hash}")
    if found.unconfirmed:
        more = (
            f" of {len(found.unconfirmed.transactions) + found.unconfirmed.left_out}"
            if found.unconfirmed.left_out
            else ""
        )
        parts.append(f"{len(found.unconfirmed.transactions)}{more} unconfirmed")
    return ", ".join(parts)
