"""Partners, STIX objects, collections, on either engine: bytes stay, nothing goes to whom it is not for, pages join exactly."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proving_support import CHIEF, new_object
from store_support import MARA, PAUL, UNIT, who

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking
from shieldwall.store.credentials import hash_of
from shieldwall.store.partners import PartnerSecret
from shieldwall.store.served import Asked

ANALYST = who(MARA)
APPROVER = who(MARA, Role.ANALYST, Role.APPROVER)
GREEN = Handling(marking=Marking.GREEN, owner=MARA)
EVERY = Asked(every=True)


def keep(store, *new, by=ANALYST):
    with store.act(by, "stix.add") as work:
        return work.stix.add(new)


def partner_in(store, name="Ally", *, highest=Marking.AMBER, group=True):
    with store.act(CHIEF, "partner.add") as work:
        partner = work.partners.add(name, highest=highest)
        made = work.partners.add_group(f"{name}'s group")
        if group:
            work.partners.join(made.id, partner.id)
        return work.partners.get(partner.id), made.id


def collection_for(store, group, *, highest=Marking.AMBER, **more):
    with store.act(APPROVER, "collection.add") as work:
        return work.collections.add("High value", group=group, highest=highest, **more)


def release(store, collection, numbers, by=APPROVER):
    with store.act(by, "share.release") as work:
        return work.collections.release(collection.id, numbers, "agreed on the phone")


def items(store, collection, partner, asked=EVERY, most=1000):
    with store.inside(CHIEF) as work:
        whole = work.collections.get(collection.id)
        return work.served.items(whole, partner and work.partners.get(partner.id), asked, most=most)


def raws(found):
    return [item.raw for item in found]


# objects


def test_the_same_object_counts_once_and_another_content_is_a_conflict_that_stays(store):
    first, other = new_object(1, GREEN), new_object(1, GREEN, content="otherwise")
    one = keep(store, first, first)
    assert (one.added, one.known, one.conflicts) == (1, 1, ())
    assert one.numbers[0] == one.numbers[1]
    two = keep(store, first, other)
    assert (two.added, two.known, two.conflicts) == (1, 1, (first.id,))
    with store.look(ANALYST, "stix.find") as work:
        assert [kept.raw for kept in work.stix.versions(first.id)] == [first.raw, other.raw]
        assert work.stix.get(first.id).raw == first.raw  # what came first stands until people say otherwise
        assert {kept.raw for kept in work.stix.conflicts(most=9)} == {first.raw, other.raw}
        assert work.stix.count() == (1, 2)


def test_a_conflict_with_what_one_may_not_see_is_not_told(store):
    keep(store, new_object(1, Handling(marking=Marking.RED, owner=PAUL), content="secret"), by=who(PAUL))
    assert keep(store, new_object(1, GREEN)).conflicts == ()
    with store.look(ANALYST, "stix.find") as work:
        assert work.stix.conflicts(most=9) == []
        assert work.stix.count() == (1, 1)
        assert len(work.stix.versions(new_object(1, GREEN).id)) == 1


def test_versions_follow_each_other_and_the_newest_is_given(store):
    new = [new_object(1, GREEN, version=version) for version in (5, 9, 7)]
    keep(store, *new)
    with store.look(ANALYST, "stix.find") as work:
        assert [kept.version for kept in work.stix.versions(new[0].id)] == [5, 7, 9]
        assert work.stix.get(new[0].id).version == 9


def test_an_object_without_versions_has_the_moment_at_which_it_came(store):
    keep(store, new_object(1, GREEN, version=None))
    with store.look(ANALYST, "stix.find") as work:
        (kept,) = work.stix.versions(new_object(1, GREEN).id)
        assert not kept.versioned
        assert kept.version == kept.received_at


def test_nobody_puts_an_object_where_they_are_not(store):
    for handling in (
        Handling(marking=Marking.GREEN, owner=PAUL),
        Handling(marking=Marking.GREEN, owner=MARA, group=UNIT),
        Handling(marking=Marking.GREEN, owner=MARA, case="9" * 32),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            keep(store, new_object(1, handling))


# partners


def test_partners_are_managed_by_whoever_may_manage(store):
    with pytest.raises(NotAllowed), store.act(APPROVER, "partner.add") as work:
        work.partners.add("Ally")
    partner, group = partner_in(store)
    with store.inside(CHIEF) as work:
        assert work.partners.all() == [partner]
        assert partner.groups == {group}
        assert partner.identity.permissions == frozenset()
    for change in (
        lambda work: work.partners.leave(group, partner.id),
        lambda work: work.partners.change(partner.id, 1, ended=True),
        lambda work: work.partners.add_group("x"),
        lambda work: work.partners.join(group, partner.id),
    ):
        with pytest.raises(NotAllowed), store.act(APPROVER, "test") as work:
            change(work)


@pytest.mark.parametrize("highest", [Marking.AMBER_STRICT, Marking.RED])
def test_what_stays_inside_goes_to_no_partner(store, highest):
    with pytest.raises(UsageError, match="no other organisation"):
        partner_in(store, highest=highest)
    _, group = partner_in(store)
    with pytest.raises(UsageError, match="no other organisation"):
        collection_for(store, group, highest=highest)


def test_names_and_secrets_are_of_one_partner(store):
    partner, _ = partner_in(store)
    with pytest.raises(Conflict), store.act(CHIEF, "partner.add") as work:
        work.partners.add("Ally")
    hashed = hash_of(store.secrets, "partner", "s")
    secret = PartnerSecret(id="5" * 32, partner=partner.id, kind="secret", hash=hashed, created_at=1, expires_at=2)
    with store.act(CHIEF, "partner.secret") as work:
        work.partners.add_secret(secret)
        assert work.partners.find_secret(secret.id) == work.partners.find_hash(hashed) == secret
        with pytest.raises(Conflict):
            work.partners.add_secret(secret)
        work.partners.revoke_secret(secret.id)
        assert work.partners.find_secret(secret.id).revoked_at == work.now
        with pytest.raises(NotFound):
            work.partners.revoke_secret(secret.id)


def test_a_partner_that_has_ended_stays_so(store):
    partner, group = partner_in(store)
    with store.act(CHIEF, "partner.end") as work:
        ended = work.partners.change(partner.id, partner.version, ended=True)
        with pytest.raises(Conflict):
            work.partners.change(partner.id, ended.version, highest=Marking.CLEAR)
    collection = collection_for(store, group)
    release(store, collection, keep(store, new_object(1, GREEN)).numbers)
    assert items(store, collection, partner) == []


# collections


def test_a_collection_is_for_its_group_alone(store):
    ally, group = partner_in(store)
    other, _ = partner_in(store, "Other")
    collection = collection_for(store, group)
    new = new_object(1, GREEN)
    release(store, collection, keep(store, new).numbers)
    assert raws(items(store, collection, ally)) == [new.raw]
    assert items(store, collection, other) == items(store, collection, None) == []
    with store.act(CHIEF, "partner.leave") as work:
        work.partners.leave(group, ally.id)
    assert items(store, collection, ally) == []
    with store.act(CHIEF, "partner.join") as work:
        work.partners.join(group, other.id)
    assert raws(items(store, collection, other)) == [new.raw]  # who comes late gets what is theirs


def test_each_object_is_held_to_the_marking_of_partner_and_collection(store):
    ally, group = partner_in(store, highest=Marking.GREEN)
    collection = collection_for(store, group)
    new = [new_object(number, Handling(marking=Marking(number), owner=MARA)) for number in range(5)]
    numbers = keep(store, *new).numbers
    for number in (3, 4):
        with pytest.raises(NotAllowed, match="above"):
            release(store, collection, [numbers[number]])
    release(store, collection, numbers[:3])
    assert raws(items(store, collection, ally)) == [new[0].raw, new[1].raw]


def test_what_anybody_may_read_is_clear(store):
    with pytest.raises(UsageError, match="CLEAR"):
        collection_for(store, None)
    collection = collection_for(store, None, highest=Marking.CLEAR)
    clear = new_object(1, Handling(marking=Marking.CLEAR, owner=MARA))
    release(store, collection, keep(store, clear).numbers)
    with pytest.raises(NotAllowed):
        release(store, collection, keep(store, new_object(2, GREEN)).numbers)
    assert raws(items(store, collection, None)) == [clear.raw]


def test_who_may_not_approve_or_see_releases_nothing(store):
    _, group = partner_in(store)
    collection = collection_for(store, group)
    mine = keep(store, new_object(1, GREEN)).numbers
    secret = keep(store, new_object(2, Handling(marking=Marking.RED, owner=PAUL)), by=who(PAUL)).numbers
    with pytest.raises(NotAllowed):
        release(store, collection, mine, by=ANALYST)
    with pytest.raises(NotFound):
        release(store, collection, secret)
    with pytest.raises(UsageError, match="reason"), store.act(APPROVER, "share.release") as work:
        work.collections.release(collection.id, mine, "  ")
    with pytest.raises(NotFound):
        release(store, collection, [*mine, 999])


def test_no_two_objects_have_the_same_moment_and_filters_hold(store):
    ally, group = partner_in(store)
    collection = collection_for(store, group)
    new = [new_object(number, GREEN, version=version) for number in range(3) for version in (1, 3, 2)]
    release(store, collection, keep(store, *new).numbers)
    found = items(store, collection, ally)
    moments = [item.added_at for item in found]
    assert moments == sorted(set(moments))
    assert raws(found) == [each.raw for each in new]
    assert [item.version for item in items(store, collection, ally, Asked())] == [3, 3, 3]
    assert [item.version for item in items(store, collection, ally, Asked(newest=False, oldest=True))] == [1, 1, 1]
    assert [item.version for item in items(store, collection, ally, Asked(newest=False, versions=(2, 9)))] == [2, 2, 2]
    assert raws(items(store, collection, ally, Asked(ids=(new[3].id,), every=True))) == [each.raw for each in new[3:6]]
    assert (
        items(store, collection, ally, Asked(types=("malware",)))
        == items(store, collection, ally, Asked(specs=("2.0",)))
        == []
    )
    assert raws(items(store, collection, ally, Asked(after=moments[6], every=True))) == [new[7].raw, new[8].raw]


def test_the_same_version_that_says_otherwise_stays_out_of_the_collection(store):
    ally, group = partner_in(store)
    collection = collection_for(store, group)
    first, other = new_object(1, GREEN), new_object(1, GREEN, content="otherwise")
    a, b = keep(store, first, other).numbers
    assert release(store, collection, [a]).added == (a,)
    placed = release(store, collection, [a, b])
    assert (placed.added, placed.known, dict(placed.contradicted)) == ((), (a,), {b: Marking.GREEN})
    assert raws(items(store, collection, ally)) == [first.raw]


def test_what_is_withdrawn_is_gone_and_it_is_said_who_may_have_it(store):
    ally, group = partner_in(store)
    other, _ = partner_in(store, "Other", group=False)
    with store.act(CHIEF, "partner.join") as work:
        work.partners.join(group, other.id)
    collection = collection_for(store, group)
    new = [new_object(1, GREEN, version=1), new_object(1, GREEN, version=2), new_object(2, GREEN)]
    release(store, collection, keep(store, *new).numbers)
    found = items(store, collection, ally)
    with store.act(ally.identity, "taxii.objects") as work:
        work.served.fetched(ally, collection, found[0].added_at, found[1].added_at)
        work.served.fetched(ally, collection, found[0].added_at, found[0].added_at)  # a retry takes nothing back
    with store.act(APPROVER, "share.withdraw") as work:
        assert len(work.collections.withdraw(collection.id, new[1].id, "wrong", version=2)) == 1
        assert [each.partner for each in work.served.who_has(collection.id, new[1].id)] == [ally.id]
    with store.act(APPROVER, "share.withdraw") as work:
        work.collections.withdraw(collection.id, new[2].id, "wrong as well")
        assert work.served.who_has(collection.id, new[2].id) == []
        with pytest.raises(NotFound):
            work.collections.withdraw(collection.id, new[2].id, "twice")
    assert raws(items(store, collection, ally, Asked())) == [new[0].raw]  # the newest that is left
    with store.look(APPROVER, "share.decisions") as work:
        decided = work.collections.decisions(collection.id, most=9)
        assert [each.deed for each in decided] == ["withdraw", "withdraw", "release"]
        assert decided[1].reason == "wrong"


def test_partners_add_and_delete_where_they_may(store):
    ally, group = partner_in(store)
    stranger, _ = partner_in(store, "Stranger")
    closed, open_ = collection_for(store, group), collection_for(store, group, writable=True, alias="inbox")
    handling = Handling(marking=Marking.AMBER, owner=MARA)
    with store.act(ally.identity, "taxii.add") as work:
        with pytest.raises(NotAllowed):
            work.collections.must_write(ally, closed.id)
        taken = work.stix.add_for_partner([new_object(1, handling)])
        added = work.collections.put_for_partner(ally, open_.id, dict.fromkeys(taken.numbers, Marking.CLEAR)).added
        assert added == taken.numbers
    with store.act(stranger.identity, "taxii.add") as work, pytest.raises(NotFound):
        work.collections.put_for_partner(stranger, open_.id, dict.fromkeys(taken.numbers, Marking.CLEAR))
    with store.act(ally.identity, "taxii.delete") as work:
        work.collections.delete_for_partner(ally, open_.id, new_object(1, handling).id, EVERY)
        with pytest.raises(NotFound):
            work.collections.delete_for_partner(ally, open_.id, new_object(1, handling).id, EVERY)
    with store.look(ANALYST, "stix.find") as work:
        assert work.stix.get(new_object(1, handling).id).handling.owner == MARA  # it stays with us
    with pytest.raises(Conflict):
        collection_for(store, group, alias="inbox")


def test_moments_stay_apart_when_two_release_at_once(store):
    ally, group = partner_in(store)
    collection = collection_for(store, group)
    numbers = keep(store, *[new_object(number, GREEN) for number in range(40)]).numbers
    failed = []

    def work_off(part):
        try:
            for number in part:
                release(store, collection, [number])
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=work_off, args=(numbers[start::2],)) for start in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    moments = [item.added_at for item in items(store, collection, ally)]
    assert len(set(moments)) == 40


STEPS = st.lists(
    st.tuples(st.sampled_from(["release", "release", "withdraw", "page"]), st.integers(0, 3), st.integers(0, 3)),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, most=st.integers(1, 3))
def test_whoever_goes_on_from_where_they_were_misses_nothing(sqlite_store, steps, most):
    """Whatever is released and withdrawn between pages: each object that stays is given once, and none that is gone."""
    store = sqlite_store
    with store.inside(CHIEF) as work:
        name = f"Ally {len(work.partners.all())}"
    ally, group = partner_in(store, name)
    collection = collection_for(store, group)
    there, seen, cursor = {}, [], -1
    for deed, number, version in steps:
        new = new_object(number, GREEN, version=version)
        if deed == "release":
            if release(store, collection, keep(store, new).numbers).added:
                there[number, version] = new.raw
        elif deed == "withdraw":
            gone = [key for key in there if key[0] == number]
            if gone:
                with store.act(APPROVER, "share.withdraw") as work:
                    work.collections.withdraw(collection.id, new.id, "no")
                for key in gone:
                    there.pop(key)
        else:
            page = items(store, collection, ally, Asked(after=cursor, every=True), most=most)
            seen += raws(page)
            cursor = page[-1].added_at if page else cursor
    while page := items(store, collection, ally, Asked(after=cursor, every=True), most=most):
        seen += raws(page)
        cursor = page[-1].added_at
    assert set(there.values()) <= set(seen)
    whole = items(store, collection, ally)
    assert sorted(raws(whole)) == sorted(there.values())
    newest = {number: max(v for n, v in there if n == number) for number, _ in there}
    assert sorted(raws(items(store, collection, ally, Asked()))) == sorted(there[key] for key in newest.items())


def test_nobody_sees_a_later_moment_before_an_earlier_one(store):
    """Whoever goes on from the last moment that they saw misses nothing that was released meanwhile."""
    ally, group = partner_in(store)
    collection = collection_for(store, group)
    numbers = keep(store, *[new_object(number, GREEN) for number in range(60)]).numbers
    seen, failed, done = [], [], threading.Event()

    def release_some(part):
        try:
            for number in part:
                release(store, collection, [number])
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    def read_on():
        cursor = -1
        while True:
            last = done.is_set()
            for item in items(store, collection, ally, Asked(after=cursor, every=True)):
                seen.append(item.raw)
                cursor = item.added_at
            if last:
                return

    writers = [threading.Thread(target=release_some, args=(numbers[start::3],)) for start in range(3)]
    reader = threading.Thread(target=read_on)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not failed
    assert sorted(seen) == sorted(new_object(number, GREEN).raw for number in range(60))
