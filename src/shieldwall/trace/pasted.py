"""From what a person gives to the things to look for: a word, a list of them, or whatever a document mentions.

A file whose every line is a target (`#` begins a comment) is a list, and each of its lines must hold. Anything else is
a document: what it mentions on the store's network is taken, and what is left aside is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from shieldwall.errors import BadInput, BadText, UsageError
from shieldwall.intel.document import Document, bytes_of, parse_document, parse_text
from shieldwall.intel.document.encoding import text_of
from shieldwall.intel.document.words import PASTED, check_is_text
from shieldwall.model.mention import ADDRESS, BLOCK_HASH, Mention, Mentions, find_mentions
from shieldwall.model.network import Network

TRANSACTION = re.compile(r"([0-9a-fA-F]{64})(?::(in:)?([0-9]{1,18}))?")
IDENTITY = re.compile(r"[a-z0-9_]+:[0-9a-fA-F]+")
MOST_TARGETS = 100_000  # in one file
_WORD = re.compile(r"[0-9A-Za-z]{14,100}")  # what an address is made of, a mistyped one too
_LONGEST_PATH = 4096  # characters of a word that may name a file (Linux, PATH_MAX)
_MOST_TOLD = 20  # near misses and unread parts of one document

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing to look for.

    Attributes:
        text: An address, TXID, TXID:N, TXID:in:N or KIND:HEX, as it was given or in its normal form.
        place: Where it stands; "" for a word itself.
        sure: True where a person named it; False where a document mentions it, which may be about something else.
    """

    text: str
    place: str = ""
    sure: bool = True


def silence(line: str) -> None:
    """Tell nobody."""


def read_words(
    words: Sequence[str], network: Network, standard_input: TextIO | None = None, tell: Tell = silence
) -> list[Asked]:
    """What `words` ask for, each thing once.

    Args:
        words: Targets, names of files, `-` for standard input, or pasted text.
        network: That of the chain store.
        standard_input: What `-` reads.
        tell: Is told, a line at a time, what documents mention, what is left aside, and what is nearly an address.

    Raises:
        UsageError: `-` where there is no standard input, the name of a file that is not there, or of a directory.
        BadInput: A list of more than 100,000 targets, a document that cannot be read or mentions nothing of `network`.
    """
    asked: dict[str, Asked] = {}
    for word in words:
        given = bytes_of(word, standard_input)
        for one in _of_text(word, network, tell) if given is None else _of_file(*given, network, tell):
            if one.text not in asked or (one.sure and not asked[one.text].sure):
                asked[one.text] = one
    return list(asked.values())


def _of_text(word: str, network: Network, tell: Tell) -> list[Asked]:
    bare = word.strip()
    _check_is_no_folder(bare)
    if _is_target(bare):
        return [Asked(bare)]
    check_is_text(bare)
    document = parse_text(word, PASTED)
    mentions = document.mentions()
    if not mentions.mentions and len(bare.split()) < 2:
        return [Asked(bare)]  # one word that is nothing: the look-up says what is wrong with it
    return _chosen(document, mentions, network, tell)


def _check_is_no_folder(word: str) -> None:
    """Refuse what names a directory, or something else there that is no file; an address or a txid is what it says."""
    if not word or len(word) > _LONGEST_PATH or TRANSACTION.fullmatch(word) or IDENTITY.fullmatch(word):
        return
    try:
        path = Path(word)
        directory = path.is_dir()
        there = directory or (path.exists() and not path.is_file())
    except (OSError, ValueError):
        return  # a text that no system takes for a path
    if not there or find_mentions(word).mentions:
        return
    if directory:
        raise UsageError(f"{word}: a directory, not a file", hint=f"name the files in it: {word.rstrip('/')}/NAME")
    raise UsageError(f"{word}: not a regular file", hint="give what it holds on standard input, and - for its name")


def _of_file(raw: bytes, name: str, network: Network, tell: Tell) -> list[Asked]:
    listed = _as_list(raw, name)
    if listed is not None:
        return listed
    document = parse_document(raw, name)
    return _chosen(document, document.mentions(), network, tell)


def _as_list(raw: bytes, name: str) -> list[Asked] | None:
    """The targets of a list; None where a line is something else."""
    try:
        lines = text_of(raw, name).split("\n")
    except BadText:
        return None  # no plain text: a PDF, perhaps
    entries = []
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        if not _is_target(entry):
            return None
        entries.append(Asked(entry, f"{name}, line {number}"))
    _check_number(len(entries), name)
    return entries


def _is_target(text: str) -> bool:
    return any(form.fullmatch(text) for form in (TRANSACTION, IDENTITY, _WORD))


def _check_number(targets: int, name: str) -> None:
    if targets > MOST_TARGETS:
        raise BadInput(f"{name}: more than {MOST_TARGETS} targets", hint="split the file")


def _chosen(document: Document, mentions: Mentions, network: Network, tell: Tell) -> list[Asked]:
    """The mentions that the store may know; the others are told."""
    chosen = [mention for mention in mentions.mentions if _fits(mention, network)]
    aside = Counter(_called(mention) for mention in mentions.mentions if not _fits(mention, network))
    left = ", ".join(f"{count} {what}" for what, count in aside.items())
    near = [f"near miss: {miss}" for miss in mentions.near_misses[:_MOST_TOLD]]
    more = len(mentions.near_misses) + mentions.left_out - len(near)
    if not chosen:
        other = f"; left aside: {left}" if left else ""
        hint = "; ".join(near[:3]) or f"give an address of {network.name}, a txid, or a text that holds one"
        raise BadInput(f"{document.name}: no address of {network.name} and no txid in it{other}", hint=hint)
    _check_number(len(chosen), document.name)
    addresses = sum(mention.kind == ADDRESS for mention in chosen)
    digits = len(chosen) - addresses
    tell(f"{document.name} ({document.kind}): addresses of {network.name}: {addresses}; perhaps txids: {digits}")
    if left:
        tell(f"left aside: {left}")
    for line in near:
        tell(line)
    if more:
        tell(f"+ {more} other near misses")
    for what in document.unread[:_MOST_TOLD]:
        tell(f"not read: {what}")
    if document.unread[_MOST_TOLD:]:
        tell(f"+ {len(document.unread) - _MOST_TOLD} other parts not read")
    return [Asked(mention.name, f"{document.name}, {mention.places[0]}", sure=False) for mention in chosen]


def _fits(mention: Mention, network: Network) -> bool:
    return network.name in mention.networks if mention.kind == ADDRESS else mention.kind != BLOCK_HASH


def _called(mention: Mention) -> str:
    return f"of {' or '.join(mention.networks)}" if mention.networks else mention.kind
