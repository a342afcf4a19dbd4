"""Files: kept in parts, held to their digest, with names that do nothing."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from store_support import MARA, NORA, PAUL, into, who

from shieldwall.errors import NotAllowed, NotFound, Tampered, TooMany, UsageError
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking
from shieldwall.store.files import PART, inert_name, plain_media_type
from shieldwall.store.schema import file_parts, files

MINE = Handling(marking=Marking.AMBER, owner=MARA)


def keep(store, content=b"content", name="list.csv", handling=MINE, **more):
    with store.act(who(handling.owner), "file.add") as work:
        return work.files.add(name, "text/csv", [content], "upload", handling, **more)


def read(store, file_id, identity=None, method="read"):
    with store.look(identity or who(MARA), "file.read") as work:
        got = getattr(work.files, method)(file_id)
        return got if method == "read" else b"".join(got)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART + 7])
def test_what_was_kept_is_read_again(store, size):
    content = bytes(number % 251 for number in range(size))
    with store.act(who(MARA), "file.add") as work:
        pieces = [content[start : start + 70_001] for start in range(0, size, 70_001)]
        file = work.files.add("a.bin", "text/csv; charset=utf-8", pieces, "upload", MINE)
    assert (file.size, file.sha256, file.media_type) == (size, hashlib.sha256(content).hexdigest(), "text/csv")
    assert read(store, file.id) == read(store, file.id, method="parts") == content
    with store.look(who(PAUL), "file.get") as work:
        assert work.files.get(file.id) == file


def test_only_who_may_see_it_reads_it(store):
    red = keep(store, handling=Handling(owner=MARA))
    assert read(store, red.id) == b"content"
    for stranger in (who(PAUL), who(MARA, Role.ADMINISTRATOR), who(MARA, highest=Marking.GREEN)):
        for method in ("read", "parts"):
            with pytest.raises(NotFound):
                read(store, red.id, stranger, method)
        with store.look(stranger, "file.page") as work:
            assert work.files.page(most=9) == []


def test_nobody_adds_for_another_or_into_a_strange_case(store):
    with pytest.raises(NotAllowed), store.act(who(PAUL), "file.add") as work:
        work.files.add("a", "", [b""], "upload", MINE)
    with pytest.raises(NotAllowed), store.act(who(MARA, Role.VIEWER), "file.add") as work:
        work.files.add("a", "", [b""], "upload", MINE)
    for handling in (Handling(owner=MARA, case="9" * 32), Handling(owner=MARA, group="9" * 32)):
        with pytest.raises(NotFound):
            keep(store, handling=handling)
    with pytest.raises(NotFound), store.act(into(who(MARA), "9" * 32), "file.add") as work:
        work.files.add("a", "", [b""], "upload", Handling(owner=MARA, case="9" * 32))
    with pytest.raises(UsageError), store.act(who(MARA), "file.add") as work:
        work.files.add("a", "", [b""], "else", MINE)


def test_one_that_is_too_large_leaves_nothing(store):
    with pytest.raises(TooMany):
        keep(store, bytes(2 * PART + 1), most_bytes=2 * PART)
    with store.look(who(MARA), "file.page") as work:
        assert work.files.page(most=9) == []
        assert work.connection.execute(select(file_parts.c.number)).all() == []


@pytest.mark.parametrize("fault", ["lost", "swapped", "cut", "grown"])
def test_a_changed_content_is_refused_before_any_of_it_is_given(store, fault):
    file = keep(store, bytes(PART) + b"tail")
    first, last = ((file_parts.c.file_id == file.id) & (file_parts.c.number == number) for number in (0, 1))
    with store.upkeep(who(NORA)) as work:
        one, two = (
            work.connection.execute(select(file_parts.c.content_sealed).where(place)).scalar_one()
            for place in (first, last)
        )
        changes = {
            "lost": [delete(file_parts).where(last)],
            "swapped": [
                update(file_parts).where(first).values(content_sealed=two),
                update(file_parts).where(last).values(content_sealed=one),
            ],
            "cut": [update(file_parts).where(last).values(content_sealed=two[:-1])],
            "grown": [update(files).values(size=files.c.size + 1)],
        }
        for change in changes[fault]:
            work.connection.execute(change)
    for method in ("read", "parts"):
        with pytest.raises(Tampered):
            read(store, file.id, method=method)


def test_pages_and_kinds(store):
    made = [keep(store, name=f"{number}.csv").id for number in range(4)]
    with store.look(who(MARA), "file.page") as work:
        first = work.files.page(most=3)
        assert [file.id for file in (*first, *work.files.page(most=3, after=first[-1].id))] == made[::-1]
        assert work.files.page(most=9, kind="trace") == work.files.page(most=9, case="9" * 32) == []


@pytest.mark.parametrize(
    ("name", "inert"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\system32\\a.dll", "a.dll"),
        ("/", "file"),
        ("..", "file"),
        (".hidden", "hidden"),
        ("a\x00b\nc\u202ed.txt", "abcd.txt"),
        ("list  of   addresses.csv ", "list of addresses.csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("<b>.csv", "<b>.csv"),  # inert for files; whoever shows it escapes it
    ],
)
def test_names(name, inert):
    assert inert_name(name) == inert


@given(st.text())
def test_any_name_is_inert_and_stays_what_it_is(name):
    inert = inert_name(name)
    assert 0 < len(inert) <= 200
    assert not set(inert) & set("/\\\0\r\n")
    assert inert not in {".", ".."}
    assert inert.isprintable()
    assert inert_name(inert) == inert


@given(st.text())
def test_any_media_type_is_one(text):
    assert plain_media_type(plain_media_type(text)) == plain_media_type(text)
    assert plain_media_type(text).count("/") == 1
