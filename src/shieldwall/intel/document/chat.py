"""Exports of chats: Telegram's JSON, and the text that WhatsApp, Signal and others write, cut into messages.

A message is called by its number, its moment and its sender as the export writes them, so that a place in a chat can be
found again in the program that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from shieldwall.intel.document.interface import Part, from_cells

_HEAD = re.compile(  # [12/05/2021, 17:12:57] Name: ... | 12.05.21, 17:12 - Name: ... | 2021-05-12 17:12 Name: ...
    r"^[\u200e\u200f]?\[?(?P<moment>\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?[ T\u202f]\d{1,2}[:.]\d{2}(?:[:.]\d{2})?"
    r"(?:[ \u202f]?[AaPp]\.?[Mm]\.?)?)\]?(?: -|:)?[ ]+(?P<sender>[^:\n]{1,80}):[ ]",
    re.MULTILINE,
)
_ENOUGH = 2  # messages that make a chat of a text
_LONGEST_NAME = 60  # characters shown


def parse(text: str, name: str = "") -> list[Part] | None:
    """The messages of a chat written as text; None when it is no chat."""
    heads = list(_HEAD.finditer(text))
    if len(heads) < _ENOUGH or text[: heads[0].start()].count("\n") > _ENOUGH:
        return None
    ends = [*(head.start() for head in heads[1:]), len(text)]
    preface = [("before the first message", text[: heads[0].start()])] if heads[0].start() else []
    messages = (
        (_called(str(number), head["moment"], head["sender"]), text[head.end() : end])
        for number, (head, end) in enumerate(zip(heads, ends, strict=True), 1)
    )
    return [from_cells(name, [*preface, *messages])]


def is_message(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a message as Telegram Desktop exports it."""
    return value.get("type") in ("message", "service") and "date" in value and "text" in value


def call_message(path: str, message: Mapping[str, Any]) -> str:
    """How an exported message is called: by its chat, its own number, its moment and its sender."""
    sender = str(message.get("from") or message.get("actor") or "")
    called = _called(str(message.get("id", "")), str(message["date"] or ""), sender)
    chat = path.rpartition(".messages")[0] or path.removesuffix("messages").partition("[")[0]
    return f"{chat}, {called}" if chat else called


def said(text: object) -> str | None:
    """What a message's text says: a string, or pieces of it, some with the target of a link; None for something else."""
    if isinstance(text, str):
        return text
    pieces = [piece if isinstance(piece, dict) else {"text": piece} for piece in text] if isinstance(text, list) else []
    if not all(isinstance(piece.get(field, ""), str) for piece in pieces for field in ("text", "href")) or not pieces:
        return None
    texts = [piece.get("text", "") for piece in pieces]
    # an address may go on in the next piece, or end where a word begins without a space
    alone = texts if any(a[-1:].isalnum() and b[:1].isalnum() for a, b in pairwise(texts)) else []
    links = (piece["href"] for piece in pieces if "href" in piece)
    return "\n\n".join(["".join(texts), *links, *alone])


def _called(number: str, moment: str, sender: str) -> str:
    who = f" by {sender[:_LONGEST_NAME]}" if sender else ""
    when = f" of {moment[:_LONGEST_NAME]}" if moment else ""
    return f"message {number[:_LONGEST_NAME]}{when}{who}"
