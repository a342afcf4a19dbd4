"""A person's own columns: which lists have them, and that a row's fields do not hang on how a list is read."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_support import identity

from shieldwall.trace.screening.own_rows import HEAD, layout_of
from shieldwall.trace.screening.reading import LONGEST_ROW, read_list

DESK = identity("desk")


def read(raw, part=1 << 18):
    layout = layout_of(raw[:HEAD])
    parts = list(read_list(io.BytesIO(raw), part=part, lines=True))
    return [layout.fields(line) for each in parts for line in each.lines], parts, layout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"id;w\n1;{DESK}\n", {"id": "1", "w": DESK}),
        (f"sep=|\nid|w\n1|{DESK}\n", {"id": "1", "w": DESK}),
        (f'id,w\n"a, b",{DESK}\r\n', {"id": "a, b", "w": DESK}),
        (f"1\t{DESK}", {"column 1": "1", "column 2": DESK}),
        (f"w;w;\nx;{DESK};Jörg\n", {"w": "x", "w (2)": DESK, "column 3": "Jörg"}),
        (f'{{"w": "{DESK}", "n": 1.50}}\n', {"w": DESK, "n": "1.50"}),
    ],
)
def test_layouts(text, expected):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        fields, _, _ = read(text.encode(encoding))
        assert fields == [expected], encoding


def test_what_has_no_columns():
    for text in ("", "\n", DESK, f"{DESK}\n{DESK}\n", f"pay to, at once\n{DESK}\n", "[" * 9_000, "{\n"):
        assert layout_of(text.encode()) is None


def test_a_row_that_does_not_fit_the_heading_has_no_fields():
    text = f'id;w\n1;{DESK}\n2;{DESK};x\n"3;{DESK}\n{DESK}\n4;{DESK} {"y" * LONGEST_ROW}\n5;{DESK}'
    fields, _, _ = read(text.encode())
    assert [each and each["id"] for each in fields] == ["1", None, None, None, None, "5"]


ROWS = st.sampled_from(
    [f"1;{DESK}", "2;none", f'"3;{DESK}', "", f"4;{DESK};{DESK}", f"é;{DESK}", f"6;{DESK} " + "z" * 17_000]
)


@given(st.lists(ROWS, max_size=6), st.integers(1, 20_000), st.sampled_from(["utf-8", "utf-16"]))
def test_parts_of_any_size_and_any_beginning_say_the_same(rows, part, encoding):
    raw = "\n".join(["id;w", f"0;{DESK}", *rows]).encode(encoding)
    whole, _, layout = read(raw)
    fields, parts, _ = read(raw, max(part, 300))
    assert fields == whole
    assert fields[0] == {"id": "0", "w": DESK}
    for at, each in enumerate(parts[:3]):
        rest = [
            layout.fields(line) for more in read_list(io.BytesIO(raw), each.end, 700, lines=True) for line in more.lines
        ]
        assert rest == [layout.fields(line) for more in parts[at + 1 :] for line in more.lines]


@given(st.binary(max_size=300) | st.text('{}[];,\t|"\n=spe1\0', max_size=60).map(str.encode))
def test_any_bytes_have_a_layout_or_none(raw):
    layout = layout_of(raw)
    if layout is not None:
        assert len(set(layout.columns)) == len(layout.columns) > 0
        layout.fields(raw.decode("utf-8", "replace"))
