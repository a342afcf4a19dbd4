"""JSON and JSON Lines -> every string and key, called by its path; Telegram's exports by message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from shieldwall.intel.document import chat
from shieldwall.intel.document.interface import Part, from_cells

_LONGEST_PATH = 120  # characters shown, the last ones
_LONGEST_KEY = 40
_MOST_DIGITS = 20  # of a number that is kept: ids of messages


def parse(text: str, name: str = "") -> list[Part] | None:
    """The parts of a JSON text; None when it is no JSON."""
    values = load(text)
    if values is None:
        return None
    lines = len(values) > 1
    cells = (
        cell for number, value in enumerate(values, 1) for cell in strings(value, f"line {number}: " if lines else "")
    )
    return [from_cells(name, cells)]


def load(text: str) -> list[Any] | None:
    """The value of a JSON text, or those of JSON Lines, without their numbers; None when it is neither."""
    try:
        return [_value(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return [_value(line) for line in text.split("\n") if line.strip()] or None
    except (ValueError, RecursionError):
        return None


def strings(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, string) of every key and string in a JSON value, in order; a message of a chat is one string."""
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        path = path[-_LONGEST_PATH:]
        if isinstance(value, str):
            yield path or "value", value
        elif isinstance(value, list):
            waiting += [(f"{path}[{number}]", inner) for number, inner in enumerate(value)][::-1]
        elif isinstance(value, dict):
            yield f"{path or 'value'} (keys)", "\n\n".join(value)
            inside = path
            rest = value
            if chat.is_message(value):
                inside = chat.call_message(path, value)
                text = chat.said(value["text"])
                if text is not None:
                    yield inside, text
                    # the entities say the same again, in pieces
                    rest = {key: inner for key, inner in value.items() if key not in ("text", "text_entities")}
            elif isinstance(value.get("messages"), list) and isinstance(value.get("name"), str):
                inside = f"chat {value['name'][:_LONGEST_KEY]}"
            waiting += [(_below(inside, key), inner) for key, inner in rest.items()][::-1]


def _below(path: str, key: str) -> str:
    return f"{path}{'.' if path and not path.endswith(': ') else ''}{key[:_LONGEST_KEY]}"


def _value(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text, parse_int=_number, parse_float=_no_number, parse_constant=_no_number)


def _no_number(_: str) -> None:
    """No address is a number, and an overlong one would be refused."""


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) < _MOST_DIGITS else None
