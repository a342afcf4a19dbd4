"""Server-sent events, read as they come (WHATWG HTML, 9.2.6), as far as a node sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shieldwall.errors import BadText


def read_events(line: Callable[[int], bytes], most: int, place: str) -> Iterator[tuple[str, str]]:
    """The name and data of each event, until the stream ends; comments, which say that it still stands, are left out.

    Args:
        line: Gives the next line with its end, at most so many bytes of it; b"" at the end.
        most: Bytes of one event.
        place: What is read, for errors.

    Raises:
        BadText: An event is too long, or no UTF-8.
    """
    name, data, size = "", list[str](), 0
    while raw := line(most + 1):
        size += len(raw)
        if size > most:
            raise BadText(f"{place}: an event of more than {most:,} bytes")
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise BadText(f"{place}: an event that is not UTF-8") from None
        if not text:
            if data:
                yield name, "\n".join(data)
            name, data, size = "", [], 0
            continue
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        else:
            size -= len(raw)  # a comment or a field of no use is not kept
