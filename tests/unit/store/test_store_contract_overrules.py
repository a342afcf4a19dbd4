"""What people say of change, in a file and in either store: one contract."""

from __future__ import annotations

import pytest
from store_support import MARA, PAUL, who

from shieldwall.errors import Conflict, NotAllowed, UsageError
from shieldwall.model.access import Role
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.trace.change.overrule import Overrules, overrule_of
from shieldwall.trace.change.stored import StoredOverrules

TXID = "ab" * 32
BOOKS = ["file", "sqlite", pytest.param("postgresql", marks=[pytest.mark.needs("postgresql")])]


def say(output, txid=TXID, *, by="Mara", minute=0, network=REGTEST):
    return overrule_of(network, txid, output, why="seen on the phone", by=by, at=f"2026-01-02T03:{minute:02}:00Z")


@pytest.fixture(params=BOOKS)
def book(request, tmp_path):
    if request.param == "file":
        return Overrules(tmp_path / "claims" / "change.jsonl")
    return StoredOverrules(request.getfixturevalue(f"{request.param}_store"), who(MARA))


def test_the_last_word_wins_and_every_word_is_kept(book):
    assert book.standing(REGTEST) == {}
    assert book.versions() == ()
    for each in (say(1), say(None, by="Tomas"), say(3, "cd" * 32), say(0, network=MAIN)):
        book.add(each)
    assert {txid: found.output for txid, found in book.standing(REGTEST).items()} == {TXID: None, "cd" * 32: 3}
    with pytest.raises(UsageError, match="Tomas said it"):
        book.retract(REGTEST, TXID, by="Mara", at="2026-02-01T00:00:00Z")
    taken_back = book.retract(REGTEST, TXID, by="Tomas", at="2026-02-01T00:00:00Z")
    assert taken_back.retracted == "2026-02-01T00:00:00Z"
    assert list(book.standing(REGTEST)) == ["cd" * 32]
    with pytest.raises(UsageError, match="no overrule"):
        book.retract(REGTEST, TXID, by="Tomas", at="2026-02-01T00:00:00Z")
    book.add(say(2, minute=9))
    assert book.standing(REGTEST)[TXID].output == 2
    assert [claim.statement.get("output") for claim in book.versions()] == [1, None, 3, 0, None, 2]


def test_in_the_store_each_sees_what_they_may(store):
    mine = StoredOverrules(store, who(MARA))
    mine.add(say(1))
    assert StoredOverrules(store, who(PAUL)).versions() == ()
    with pytest.raises(Conflict):
        mine.add(say(1))
    with pytest.raises(NotAllowed):
        StoredOverrules(store, who(MARA, Role.VIEWER)).add(say(2))
