"""tools/fill_readme.py keeps what an ellipsis left out, and writes nothing where it cannot."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents_support import fits


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("fill_readme", root / "tools" / "fill_readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("shown", "printed", "filled"),
    [
        (["old"], "new\nnewer\n", ["new", "newer"]),
        (["a", "...", "z", ""], "a\nb\nz\n", ["a", "...", "z"]),
        (["a 1", "b", "...", "z"], "a 2\nb\nc\nd\nz\n", ["a 2", "b", "...", "z"]),
        (["...", "y", "z 1"], "a\nx\ny\nz 2\n", ["...", "y", "z 2"]),
        (["a", "b", "..."], "a\nb\nc\n", ["a", "b", "..."]),
        (
            ["a", "...", "m", "n 1", "o", "...", "z"],
            "a\nb\nm\nn 2\no\np\nz\n",
            ["a", "...", "m", "n 2", "o", "...", "z"],
        ),
    ],
)
def test_ellipses_go_on_standing_for_what_they_stood_for(tool, shown, printed, filled):
    assert tool.refill(shown, printed) == filled
    assert tool.refill(filled, printed) == filled
    assert fits(tuple(filled), printed)


@pytest.mark.parametrize("printed", ["a\nb\n", "a\nz\nz\n"], ids=["not there", "there twice"])
def test_a_line_beside_an_ellipsis_must_be_there_once(tool, printed):
    with pytest.raises(tool.Misfit, match=r"instead of once: 'z'"):
        tool.refill(["a", "...", "z"], printed)


@given(lines=st.lists(st.sampled_from("abcdef"), min_size=3, unique=True), cuts=st.data())
def test_what_was_filled_in_once_stays(tool, lines, cuts):
    first = cuts.draw(st.integers(1, len(lines) - 2))
    last = cuts.draw(st.integers(first, len(lines) - 2))
    shown = [*lines[:first], "...", *lines[last + 1 :]]
    assert tool.refill(shown, "\n".join(lines)) == shown


def document(*commands):
    return "\n".join(["# Page", "", "```console", *commands, "```", "", "The end."]) + "\n"


def test_a_document_is_filled_in_and_then_stays(tool, tmp_path):
    before = document(
        "$ shieldwall --version", "old", "$ printf 'one\\ntwo\\nthree\\n'", "one", "...", "three", "$ true"
    )
    (tmp_path / "once").mkdir()
    (tmp_path / "again").mkdir()
    after = tool.fill(before, tmp_path / "once")
    assert after.splitlines()[4].startswith("shieldwall")
    assert after.replace(after.splitlines()[4], "old") == before
    assert tool.fill(after, tmp_path / "again") == after


def test_an_example_that_fails_is_named(tool, tmp_path):
    with pytest.raises(tool.Misfit, match=r"README.md:5: false\nexit code 1"):
        tool.fill(document("$ shieldwall --version", "$ false"), tmp_path)
