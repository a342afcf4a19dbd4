"""The commands by name; a module is loaded when its command is called."""

from __future__ import annotations

import click

from shieldwall import __version__
from shieldwall.cli.lazy import LazyGroup

_COMMANDS = {
    "demo": ("shieldwall.cli.demo", "The flagship job, offline, start to finish."),
    "chain": ("shieldwall.cli.chain", "Build, follow, verify and pass on a chain store."),
    "tags": ("shieldwall.cli.tags", "Import and look up what is said of addresses."),
    "trace": ("shieldwall.cli.trace", "Where is the money now, and who can freeze it?"),
    "screen": ("shieldwall.cli.screen", "Many addresses: what is known about each?"),
    "cluster": ("shieldwall.cli.cluster", "Which addresses belong together, and why."),
    "choke": ("shieldwall.cli.choke", "Which few points stop most of the money?"),
    "family": ("shieldwall.cli.family", "Ransomware families: payments, and the services that they reach."),
    "case": ("shieldwall.cli.case", "Cases of a node: intake, findings, evidence, timeline."),
    "request": ("shieldwall.cli.request", "Ask to preserve, freeze, disclose, inform, take down."),
    "pack": ("shieldwall.cli.pack", "Make an evidence package of a case."),
    "verify": ("shieldwall.cli.verify", "Check an evidence package or request, without a node."),
    "share": ("shieldwall.cli.share", "STIX: take it in, release it to partners, take it back."),
    "peer": ("shieldwall.cli.peer", "Partners of a node, and by what they come in."),
    "node": ("shieldwall.cli.node", "Make, serve and look after a node."),
    "warm-up": ("shieldwall.cli.warm_up", "Compile what is fast now, so that no answer waits for it."),
    "config": ("shieldwall.cli.config", "Show the settings and where they come from."),
}


@click.group(
    cls=LazyGroup,
    commands_by_name=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="shieldwall")
def shieldwall() -> None:
    """Shieldwall: follow the money, exactly, on data you hold.

    Exit codes: 0 done, 1 finding or failed check, 2 wrong usage, 3 partial data, 4 bad input.
    """
