"""`shieldwall cluster`: which addresses belong together, and what tells so."""

from __future__ import annotations

import click

from shieldwall.cli.lazy import LazyGroup

_COMMANDS = {
    "build": ("shieldwall.cli.clustering", "Cluster the chain store, or extend what is there."),
    "list": ("shieldwall.cli.clustering", "The clusterings there are."),
    "show": ("shieldwall.cli.clustering", "The cluster of an address: size, activity, balance, tags."),
    "why": ("shieldwall.cli.clustering", "Why are two addresses in one cluster?"),
    "verify": ("shieldwall.cli.clustering", "Is a clustering on disk what it says?"),
    "refused": ("shieldwall.cli.clustering", "Merges that were refused, and why."),
    "peel": ("shieldwall.cli.peeling", "Follow a peel chain: one line that unfolds into its hops."),
    "change": ("shieldwall.cli.changing", "Which output of a transaction is change, and why; or say it yourself."),
    "coinjoin": ("shieldwall.cli.mixing", "Is a transaction a CoinJoin, of which kind, and why?"),
    "rules": ("shieldwall.cli.changing", "The change rules: definitions, and what was published of their error."),
    "compare": ("shieldwall.cli.comparing", "May two transactions be one actor's? Reasons for and against."),
    "fingerprint": ("shieldwall.cli.comparing", "What a transaction shows of the software that made it."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def cluster() -> None:
    """Which addresses belong together: inferences by named rules, with the transactions that tell so.

    A cluster is no proof of one owner: each rule errs, as its description says.
    """
