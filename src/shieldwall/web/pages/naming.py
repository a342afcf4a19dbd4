"""What things of the program are called on pages: jobs, files, claims, roles, steps; each a message."""

from __future__ import annotations

from collections.abc import Mapping

from shieldwall.model.words import Words, message

NAMES: Mapping[str, Mapping[str, str]] = {
    "job": {
        "chain.build": message("building a chain store"),
        "chain.follow": message("following the chain"),
        "cluster.build": message("clustering addresses"),
        "trace": message("trace of money"),
        "screening": message("screening of addresses"),
    },
    "stage": {
        "waiting for the store": message("waiting for the store"),
        "writing": message("writing"),
        "building": message("building"),
        "reading blocks": message("reading blocks"),
        "reading headers": message("reading headers"),
        "reading answers": message("reading answers"),
        "reading facts": message("reading facts"),
        "reading JSON lines": message("reading JSON lines"),
        "reading which block transactions are of": message("reading which block transactions are of"),
        "fetching transactions": message("fetching transactions"),
        "fetching the history": message("fetching the history"),
        "checking the source": message("checking the source"),
    },
    "file": {
        "upload": message("uploaded file"),
        "trace": message("trace"),
        "sheet": message("saved sheet"),
        "screening": message("screening of addresses"),
        "report": message("report"),
    },
    "claim": {
        "actor": message("actor"),
        "change-overrule": message("change, overruled"),
        "clustering": message("clustering"),
        "hop": message("published step of money"),
        "note": message("note"),
        "sheet": message("saved sheet"),
        "tag": message("tag"),
        "trace": message("trace"),
    },
    "role": {
        "viewer": message("viewer"),
        "analyst": message("analyst"),
        "approver": message("approver"),
        "auditor": message("auditor"),
        "administrator": message("administrator"),
    },
    "step": {
        "expand": message("opened"),
        "collapse": message("folded"),
        "pin": message("pinned"),
        "unpin": message("pin taken off"),
        "least": message("least value set"),
        "boxes": message("number of boxes set"),
        "note": message("note written"),
        "tag": message("tag set"),
        "overrule": message("change overruled"),
        "watch": message("watch set"),
    },
    "case": {
        "open": message("open"),
        "closed": message("closed"),
    },
    "outcome": {
        "done": message("done"),
        "refused": message("refused"),
        "failed": message("failed"),
    },
}
"""By what it is a name of: the program's word, and its name for people."""


def name_in_words(words: Words, what: str, name: str) -> str:
    """What people call a thing of the program; one that has no name in `NAMES` keeps its own.

    Example:
        >>> from shieldwall.model.words import ENGLISH
        >>> name_in_words(ENGLISH, "job", "chain.build"), name_in_words(ENGLISH, "job", "chain.eat")
        ('building a chain store', 'chain.eat')

    Raises:
        KeyError: Nothing of that sort has names.
    """
    text = NAMES[what].get(name)
    return name if text is None else words.say(text)
