"""JSON that is too large to hold: the elements of a top-level list one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
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


def _list_elements(buffer: str, read: object, path: Path) -> Iterator[tuple[str, object]]:
    decoder = json.JSONDecoder()
    buffer = buffer.lstrip(_SPACE)[1:]
    more = True
    index = 0
    while True:
        buffer = buffer.lstrip(_SPACE)
        if buffer.startswith("]"):
            _nothing_after(buffer[1:] + read(), path)  # type: ignore[operator]
            return
        if index and buffer:
            if not buffer.startswith(","):
                raise BadText(f"{path}[{index}]: expected a comma or the end of the list")
            body = buffer[1:].lstrip(_SPACE)
        else:
            body = buffer
        try:
            value, used = decoder.raw_decode(body)
            if used == len(body) and more:
                raise ValueError("may go on")  # noqa: TRY301 - a number at the end of the buffer may be longer
        except RecursionError:
            raise BadText(f"{path}[{index}]: nested too deeply") from None
        except ValueError as error:
            chunk = read(_CHUNK) if more else ""  # type: ignore[operator]
            more = bool(chunk)
            if not more and (len(body) == 0 or not _complete(decoder, body)):
                raise BadText(f"{path}[{index}]: not JSON, or cut off ({error})") from None
            if len(buffer) > _MOST_ELEMENT:
                raise BadText(f"{path}[{index}]: one element of more than {_MOST_ELEMENT} characters") from None
            buffer += chunk
            continue
        yield f"{path}[{index}]", value
        buffer = body[used:]
        index += 1


def _complete(decoder: json.JSONDecoder, body: str) -> bool:
    try:
        decoder.raw_decode(body)
    except (ValueError, RecursionError):
        return False
    return True


def _nothing_after(rest: str, path: Path) -> None:
    if rest.strip(_SPACE):
        raise BadText(f"{path}: something follows the end of the list")
