"""JSON that is too large to hold: the elements of a top-level list one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from shieldwall.errors import BadText

_CHUNK = 1 << 20  # characters
_MOST_ELEMENT = 64 << 20  # characters that one element may take: a transaction of 4 MB is 8 MB of hex
_SPACE = " \t\r\n"


def elements(path: Path) -> Iterator[tuple[str, object]]:
    """The elements of a file's top-level list with their places, or its single value.

    Raises:
        BadText: Not JSON, cut off, or an element that is too large; the place is named.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(_CHUNK)
            if not head.lstrip(_SPACE).startswith("["):
                if len(head) == _CHUNK:
                    head += file.read(_MOST_ELEMENT)
                yield str(path), _whole(head, path)
                return
            yield from _list_elements(head, file.read, path)
    except UnicodeDecodeError as error:
        raise BadText(f"{path}, byte {error.start}: not UTF-8 text") from None


def _whole(text: str, path: Path) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadText(f"{path}: not JSON ({error})") from None


def _list_elements(buffer: str, read: Callable[[int], str], path: Path) -> Iterator[tuple[str, object]]:
    decoder = json.JSONDecoder()
    place = _past_space(buffer, 0) + 1
    index = 0
    more = True
    while True:
        place = _past_space(buffer, place)
        mark = buffer[place : place + 1]
        if mark == "]":
            _nothing_after(buffer[place + 1 :], read, path)
            return
        if index and mark not in ("", ","):
            raise BadText(f"{path}[{index}]: expected a comma or the end of the list")
        begin = _past_space(buffer, place + 1) if index and mark else place
        try:
            value, end = decoder.raw_decode(buffer, begin)
            whole = end < len(buffer) or not more  # a number at the end of the buffer may go on behind it
            fault = "it is cut off"
        except RecursionError:
            raise BadText(f"{path}[{index}]: nested too deeply") from None
        except ValueError as error:
            whole, fault = False, str(error)
        if whole:
            yield f"{path}[{index}]", value
            place = end
            index += 1
            continue
        if not more:
            raise BadText(f"{path}[{index}]: not JSON, or cut off ({fault})")
        if len(buffer) - place > _MOST_ELEMENT:
            raise BadText(f"{path}[{index}]: one element of more than {_MOST_ELEMENT} characters")
        chunk = read(max(_CHUNK, len(buffer) - place))  # twice as much each time: no byte is looked at too often
        more = bool(chunk)
        buffer, place = buffer[place:] + chunk, 0


def _past_space(text: str, place: int) -> int:
    while text[place : place + 1] in _SPACE and place < len(text):
        place += 1
    return place


def _nothing_after(rest: str, read: Callable[[int], str], path: Path) -> None:
    while rest:
        if rest.strip(_SPACE):
            raise BadText(f"{path}: something follows the end of the list")
        rest = read(_CHUNK)
