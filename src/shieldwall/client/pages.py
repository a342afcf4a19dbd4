"""What generated calls share: pages one after the other, and the shape in an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from shieldwall.client.reading import Shape
from shieldwall.errors import BadText
from shieldwall.model.strictjson import parse_json


class Page(Protocol):
    """A page of a list."""

    @property
    def next(self) -> str | None:
        """The cursor to what follows; None on the last page."""


PageT = TypeVar("PageT", bound=Page)
ShapeT = TypeVar("ShapeT", bound=Shape)


def every(page: Callable[[str], PageT], place: str) -> Iterator[PageT]:
    """Every page of a list, each asked for when the one before is used up.

    Args:
        page: Asks for the page at a cursor; "" for the first.
        place: What is asked, for errors.

    Raises:
        BadText: A page says that it follows itself.
    """
    cursor = ""
    while True:
        found = page(cursor)
        yield found
        if not found.next:
            return
        if found.next == cursor:
            raise BadText(f"{place}: a page that follows itself")
        cursor = found.next


def shaped(shape: type[ShapeT], data: str, place: str) -> ShapeT:
    """The shape that the data of an event writes.

    Raises:
        BadText: It writes none.
    """
    return shape.from_json(parse_json(data, place), place)
