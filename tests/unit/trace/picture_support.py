"""What must hold of any picture of a trace."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from shieldwall.trace.arrangement import MOST_BOXES
from shieldwall.trace.layout import MOST_COLUMNS, lay_out
from shieldwall.trace.picture import lanes

SVG = "{http://www.w3.org/2000/svg}"


def check(body, clusters=None):
    """Everything that must hold of any picture; returns its width and height."""
    columns = lay_out(body, clusters=clusters)
    check_sums(body, columns)
    picture = ET.fromstring(lanes(body, clusters=clusters))  # noqa: S314 - our own text
    width, height = (int(part) for part in picture.get("viewBox").split()[2:])
    rectangles = [
        tuple(int(entry.get(name)) for name in ("x", "y", "width", "height")) for entry in picture.iter(SVG + "rect")
    ]
    assert len(rectangles) == sum(len(column.boxes) for column in columns)
    for number, (x, y, wide, high) in enumerate(rectangles):
        assert x >= 0
        assert x + wide <= width
        assert y >= 0
        assert y + high <= height
        for other_x, other_y, other_wide, other_high in rectangles[:number]:
            apart = x + wide <= other_x or other_x + other_wide <= x or y + high <= other_y or other_y + other_high <= y
            assert apart
    assert len(rectangles) <= MOST_BOXES + len(columns)
    assert len(columns) <= MOST_COLUMNS + 1
    assert lanes(body) == lanes(body)
    return width, height


def check_sums(body, columns):
    """What comes in makes what goes out and the fee; what is left at the end are the ends."""
    boxes = {box.key: box for column in columns for box in column.boxes}
    left = {key: box.amount for key, box in boxes.items()}
    conserved = body["conserved"]
    for number, column in enumerate(columns):
        for key, amount in column.incoming:
            left[key] -= amount
            assert boxes[key].column < number
        if conserved and column.txids and body["returned_amount"] == 0:
            made = sum(box.amount for box in column.boxes) + column.fee
            brought = sum(amount for _, amount in column.incoming)
            assert made == brought or any("starts here" in box.words for box in column.boxes) or len(column.txids) > 1
    assert all(amount >= 0 for amount in left.values())
    fees = sum(
        output["amount"]
        for end in body["ends"]
        for output in end["outputs"]
        if output["index"] is None and end["kind"] == "fee"
    )
    if conserved:
        assert sum(left.values()) + fees == body["seed_amount"]
        assert sum(column.fee for column in columns) == fees
    assert sum(len(column.txids) for column in columns) == len(body["transfers"])
