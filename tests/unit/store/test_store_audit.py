"""The audit log: one leaf for each act, in the transaction of the act, with the root that it makes; and no answer without it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete, insert, update
from store_support import MARA, NORA, claim, verify_log, who

from shieldwall.errors import AuditFailed, NotAllowed, StoreError, Tampered, UsageError
from shieldwall.model.access import Permission, Role
from shieldwall.model.merkle import EMPTY, leaf_hash
from shieldwall.store.audit import Root
from shieldwall.store.schema import audit_head, audit_leaves, meta


def last(store):
    with store.inside(who(NORA)) as work:
        return next(work.audit.leaves(work.audit.head().frontier.size - 1))


def refuse_after(_):
    raise UsageError("no")


def test_every_act_and_look_is_a_leaf_and_says_who_what_and_how_it_ended(store):
    before = store.audit_size()
    with store.act(who(MARA), "claim.add", case="c1") as work:
        work.note(added=work.claims.add([claim()]).added)
    leaf = last(store)
    assert (leaf.number, leaf.entry["verb"], leaf.entry["outcome"]) == (before, "claim.add", "done")
    assert leaf.entry["who"] == {"kind": "person", "name": "Mara", "person": MARA, "token": ""}
    assert leaf.entry["detail"] == {"case": "c1", "added": 1}
    with store.look(who(MARA), "claim.find"):
        pass
    assert last(store).entry["verb"] == "claim.find"
    assert verify_log(store) == before + 2


def test_what_is_refused_or_fails_is_a_leaf_as_well_and_leaves_nothing_else(store):
    with pytest.raises(NotAllowed), store.act(who(MARA, Role.VIEWER), "person.add") as work:
        work.must(Permission.MANAGE)
    assert (last(store).entry["outcome"], last(store).entry["detail"]) == ("refused", {"error": "NotAllowed"})
    with pytest.raises(UsageError), store.act(who(MARA), "claim.add") as work:
        refuse_after(work.claims.add([claim()]))
    assert last(store).entry["outcome"] == "refused"
    with pytest.raises(ZeroDivisionError), store.act(who(MARA), "claim.add"):
        _ = 1 // 0
    assert last(store).entry["outcome"] == "failed"
    with store.inside(who(MARA)) as work:
        assert work.claims.count() == 0
    verify_log(store)


def test_no_audit_no_act(store, monkeypatch):
    """Where the leaf cannot be written, what was asked for is not done, and nobody is answered."""
    with store._writing() as connection:
        connection.execute(delete(audit_head))
    with pytest.raises(AuditFailed), store.act(who(MARA), "claim.add") as work:
        work.claims.add([claim()])
    with store.inside(who(MARA)) as work:
        assert work.claims.count() == 0
    with pytest.raises(AuditFailed), store.look(who(MARA), "claim.find"):
        pass
    with pytest.raises(AuditFailed):
        store.record(who(MARA), "node.start")


def test_detail_that_has_no_one_form_is_no_detail(store):
    before = store.audit_size()
    with pytest.raises(AuditFailed), store.act(who(MARA), "claim.add", share=0.5):
        pass
    assert store.audit_size() == before  # not even the failure can say such a thing


def test_upkeep_and_inside_are_no_acts(store):
    before = store.audit_size()
    with store.upkeep(who(MARA)) as work:
        work.connection.execute(insert(meta).values(name="x", value=b"y"))
    with store.inside(who(MARA)):
        pass
    assert store.audit_size() == before


def test_a_clock_that_is_set_back_never_orders_the_log_anew(store):
    store.record(who(MARA), "a.first")
    at = last(store).entry["at"]
    store.clock = lambda: at - 3_600_000_000
    store.record(who(MARA), "a.second")
    assert last(store).entry["at"] == at
    assert last(store).entry["clock_back"] == 3_600_000_000
    assert store.now() == at


def test_acts_of_many_threads_make_one_log(store):
    def write():
        for _ in range(5):
            store.record(who(MARA), "a.thing")

    before = store.audit_size()
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify_log(store) == before + 20


def test_an_entry_has_a_salt_so_that_equal_acts_have_unequal_hashes(store):
    store.clock = lambda: 2_000_000_000_000_000
    store.record(who(MARA), "a.thing")
    first = last(store)
    store.record(who(MARA), "a.thing")
    assert first.leaf != last(store).leaf
    assert first.entry["salt"] != last(store).entry["salt"]


def test_leaves_in_pieces_roots_and_hashes(store):
    for _ in range(3):
        store.record(who(MARA), "a.thing")
    with store.inside(who(NORA)) as work:
        size = work.audit.head().frontier.size
        assert [leaf.number for leaf in work.audit.leaves(1, 3)] == [1, 2]
        assert list(work.audit.leaves(size)) == []
        assert work.audit.count() == size == len(work.audit.hashes(size))
        assert work.audit.root_at(0) == EMPTY
        assert work.audit.root_at(size) == work.audit.head().frontier.root
        assert work.audit.root_at(size + 1) is None
        assert [row.number for row in work.audit.raw_leaves(1, 2)] == [1]
        assert all(row.entry is not None and leaf_hash(row.entry) == row.leaf for row in work.audit.raw_leaves())


def test_an_entry_that_was_changed_does_not_read(store):
    store.record(who(MARA), "a.thing")
    number = last(store).number
    with store._writing() as connection:
        connection.execute(update(audit_leaves).where(audit_leaves.c.number == number).values(entry_sealed=b"{}}"))
    with store.inside(who(NORA)) as work, pytest.raises(Tampered, match=f"leaf {number}"):
        list(work.audit.leaves(number))


def test_a_head_that_is_broken_is_said_to_be(store):
    with store._writing() as connection:
        connection.execute(update(audit_head).values(frontier=b"short"))
    with store.inside(who(NORA)) as work, pytest.raises(Tampered, match="head"):
        work.audit.head()
    with pytest.raises(StoreError):
        store.record(who(MARA), "a.thing")


def test_signed_roots_are_kept_once(store):
    root = Root(1, 5, EMPTY, b"signature")
    with store.upkeep(who(NORA)) as work:
        work.audit.keep_root(root)
        work.audit.keep_root(Root(1, 6, EMPTY, b"another"))
    with store.inside(who(NORA)) as work:
        assert work.audit.roots() == [root]
