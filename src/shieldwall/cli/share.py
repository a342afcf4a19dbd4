"""`shieldwall share`: objects of a node, and what goes to whom."""

from __future__ import annotations

import click

from shieldwall.cli.lazy import LazyGroup

_INTAKE, _RELEASE, _REMOTE = (f"shieldwall.cli.share_{part}" for part in ("intake", "release", "remote"))
_COMMANDS = {
    "import": (_INTAKE, "Take in STIX, or events and galaxies of MISP."),
    "case": (_INTAKE, "Make STIX of what a case says."),
    "make": (_INTAKE, "Make STIX of traces, clusters and requests."),
    "sighting": (_INTAKE, "Say that something was seen here."),
    "opinion": (_INTAKE, "Say what is thought of objects of others."),
    "list": (_INTAKE, "List the objects that a person may see."),
    "show": (_INTAKE, "Write every version of an object."),
    "find": (_INTAKE, "Find what speaks of an address, a hash or a name."),
    "related": (_INTAKE, "List the objects that say the same as another one."),
    "collection": (_RELEASE, "Make a collection for one audience."),
    "collections": (_RELEASE, "List the collections, and whom each is for."),
    "change": (_RELEASE, "Change the highest marking that a collection may hold."),
    "release": (_RELEASE, "Let objects go to the audience of a collection."),
    "preview": (_RELEASE, "Show what a partner would get, and what it would not."),
    "withdraw": (_RELEASE, "Take an object back, and say who has it."),
    "decisions": (_RELEASE, "List what was decided on a collection."),
    "rule": (_RELEASE, "Let objects of a kind go to a collection by themselves."),
    "rules": (_RELEASE, "List the rules."),
    "end-rule": (_RELEASE, "Let nothing go by a rule any more."),
    "redact": (_RELEASE, "Make an object without its parts that are marked stricter."),
    "export": (_RELEASE, "Let objects go to a partner as a file, or into its MISP."),
    "pull": (_REMOTE, "Take in what is new at another server."),
    "subscribe": (_REMOTE, "Let the node pull another server by itself."),
    "sources": (_REMOTE, "List what is pulled, and how that goes."),
    "unsubscribe": (_REMOTE, "Pull a source no more."),
    "push": (_REMOTE, "Add objects to another server's collection."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def share() -> None:
    """STIX objects of a node: intake, release to partners, preview, withdrawal.

    Objects are kept byte for byte. Nothing goes to anybody before somebody who may approve releases it, with a reason, to a
    collection; partners fetch it by TAXII 2.1 (`[taxii]` in node.toml).
    """
