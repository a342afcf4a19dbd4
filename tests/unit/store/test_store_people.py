"""People and groups in the store, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_support import ADA, DESK, MARA, NAMES, NORA, PAUL, UNIT, into, who

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Identity, Kind, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.store.people import People
from shieldwall.store.sessions import Session, Token

CHIEF = who(NORA, Role.ADMINISTRATOR)
SECOND = 1_000_000


def act(store, call, identity=CHIEF):
    with store.act(identity, "test.people") as work:
        return call(work.people)


def administrators(store, *ids):
    for each in ids:
        act(store, lambda people, each=each: people.change(each, 1, roles=[Role.ADMINISTRATOR]))


def test_a_person_comes_back_as_they_were_added(store):
    roles = [Role.ANALYST, Role.APPROVER]
    made = act(
        store,
        lambda people: people.add(
            "Zoë Åkesson", roles=roles, organisation="Unit 7", highest=Marking.AMBER, mail="zoe@example.org"
        ),
    )
    found = act(store, lambda people: people.get(made.id))
    assert found == made == act(store, lambda people: people.by_name("Zoë Åkesson"))
    assert (found.roles, found.highest, found.version, found.active) == (frozenset(roles), Marking.AMBER, 1, True)


def test_a_new_person_sees_what_is_clear_alone_unless_said_otherwise(sqlite_store):
    assert act(sqlite_store, lambda people: people.add("New", roles=[])).highest == Marking.CLEAR


@pytest.mark.parametrize("identity", [who(MARA), who(MARA, Role.AUDITOR), who(MARA, Role.APPROVER, Role.VIEWER)])
def test_only_who_manages_changes_people_and_groups(sqlite_store, identity):
    changes = [
        lambda people: people.add("New", roles=[]),
        lambda people: people.change(MARA, 1, roles=[Role.ADMINISTRATOR]),
        lambda people: people.disable(PAUL, 1),
        lambda people: people.enable(PAUL, 1),
        lambda people: people.add_group("wolf"),
        lambda people: people.rename_group(UNIT, "wolf"),
        lambda people: people.join(UNIT, MARA),
        lambda people: people.leave(UNIT, ADA),
    ]
    for change in changes:
        with pytest.raises(NotAllowed):
            act(sqlite_store, change, identity)


def test_an_analyst_knows_themselves_and_colleagues_names_alone(sqlite_store):
    mara = who(MARA)
    assert act(sqlite_store, lambda people: people.get(MARA), mara).name == "Mara"
    assert act(sqlite_store, lambda people: people.names([PAUL, ADA, "0" * 32]), mara) == {PAUL: "Paul", ADA: "Ada"}
    for absent in (PAUL, "0" * 32, "", "x"):
        with pytest.raises(NotFound, match="there is no such person"):
            act(sqlite_store, lambda people, absent=absent: people.get(absent), mara)
    with pytest.raises(NotFound):
        act(sqlite_store, lambda people: people.by_name("Paul"), mara)
    with pytest.raises(NotAllowed):
        act(sqlite_store, lambda people: people.page(most=9), mara)


def test_pages_follow_each_other_and_have_everybody_once(sqlite_store):
    auditor = who(PAUL, Role.AUDITOR)
    seen, after = [], ""
    while page := act(sqlite_store, lambda people: people.page(after=after, most=3), auditor):  # noqa: B023
        seen += [person.id for person in page]
        after = seen[-1]
    assert seen == sorted(NAMES)


@pytest.mark.parametrize("name", ["", " ", " x", "x ", "x\n", "a\u202eb", "x" * 101, "\x00"])
def test_a_name_that_cannot_stand_in_a_log_is_refused(sqlite_store, name):
    for call in (
        lambda people: people.add(name, roles=[]),
        lambda people: people.add_group(name),
        lambda people: people.change(MARA, 1, name=name),
    ):
        with pytest.raises(UsageError):
            act(sqlite_store, call)


@pytest.mark.parametrize(
    "mail", ["x", "a@b@c", "a b@c.de", "a@b\r\nBcc: x@y.z", "@x", "x@", "ü@x.de", "x@" + "y" * 300]
)
def test_a_mail_address_that_could_say_more_is_refused(sqlite_store, mail):
    with pytest.raises(UsageError):
        act(sqlite_store, lambda people: people.change(MARA, 1, mail=mail))


def test_names_are_unique(store):
    with pytest.raises(Conflict):
        act(store, lambda people: people.add("Mara", roles=[]))
    with pytest.raises(Conflict):
        act(store, lambda people: people.change(PAUL, 1, name="Mara"))
    with pytest.raises(Conflict):
        act(store, lambda people: people.add_group("unit"))
    with pytest.raises(Conflict):
        act(store, lambda people: people.rename_group(DESK, "unit"))
    assert act(store, lambda people: people.change(PAUL, 1, name="Paul")).version == 2
    assert act(store, lambda people: people.rename_group(DESK, "desk")).name == "desk"


def test_a_change_from_an_old_version_is_a_conflict(store):
    changed = act(store, lambda people: people.change(MARA, 1, roles=[Role.VIEWER], highest=Marking.GREEN))
    assert (changed.version, changed.roles, changed.highest) == (2, {Role.VIEWER}, Marking.GREEN)
    for call in (lambda people: people.change(MARA, 1, mail=""), lambda people: people.disable(MARA, 1)):
        with pytest.raises(Conflict):
            act(store, call)
    assert act(store, lambda people: people.get(MARA)) == changed


def test_the_last_administrator_stays_one(store):
    administrators(store, MARA, PAUL)
    act(store, lambda people: people.change(MARA, 2, roles=[Role.ANALYST]))
    with pytest.raises(Conflict):
        act(store, lambda people: people.change(PAUL, 2, roles=[Role.ANALYST]))
    with pytest.raises(Conflict):
        act(store, lambda people: people.disable(PAUL, 2))
    act(store, lambda people: people.change(PAUL, 2, roles=[Role.ANALYST, Role.ADMINISTRATOR]))
    administrators(store, ADA)
    act(store, lambda people: people.disable(PAUL, 3))
    with pytest.raises(Conflict):
        act(store, lambda people: people.disable(ADA, 2))


def test_two_administrators_who_shut_each_other_out_at_once_leave_one(store, again):
    administrators(store, MARA, PAUL)
    other = again()

    def out(which):
        target, at = which
        try:
            act(at, lambda people: people.disable(target, 2), who(NORA, Role.ADMINISTRATOR))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(out, [(MARA, store), (PAUL, other)])) == [False, True]


def test_shutting_out_ends_sessions_tokens_invitations_and_ceremonies(store):
    with store.act(CHIEF, "test.setup") as work:
        now = work.now
        later = now + 10_000 * SECOND
        times = {"created_at": now, "seen_at": now, "confirmed_at": now, "expires_at": later}
        work.sessions.begin(Session(hash=b"s" * 32, person=MARA, way="passkey", **times))
        work.sessions.begin(Session(hash=b"o" * 32, person=PAUL, way="passkey", **times))
        work.tokens.add(
            Token(
                id="7" * 32,
                person=MARA,
                hash=b"t" * 32,
                name="t",
                scopes=frozenset([Permission.READ]),
                highest=Marking.GREEN,
                created_at=now,
                expires_at=later,
            )
        )
        work.credentials.invite(MARA, "first", b"i" * 32, later)
        begun = work.credentials.begin("make", MARA, {"challenge": "00"}, 300)
    administrators(store, ADA)
    act(store, lambda people: people.disable(MARA, 1))
    with store.act(CHIEF, "test.look") as work:
        assert work.sessions.of(MARA) == []
        assert len(work.sessions.of(PAUL)) == 1
        assert work.tokens.of(MARA)[0].revoked_at
        assert work.credentials.invitation(b"i" * 32) is None
        assert work.credentials.take(begun.id, "make") is None
        person = work.people.find(MARA)
        with pytest.raises(NotAllowed):
            work.people.identity_of(person)
    assert act(store, lambda people: people.enable(MARA, 2)).active
    with store.inside(CHIEF) as work:
        assert work.sessions.of(MARA) == []
        assert work.tokens.of(MARA)[0].revoked_at


def test_groups_are_known_to_members_and_overseers(store):
    group = act(store, lambda people: people.add_group("wolf"))
    act(store, lambda people: people.join(group.id, MARA))
    act(store, lambda people: people.join(group.id, MARA))
    act(store, lambda people: people.join(group.id, PAUL))
    member = who(MARA, groups=[group.id])
    assert act(store, lambda people: people.members(group.id), member) == sorted([MARA, PAUL])
    assert act(store, lambda people: people.groups(), member) == [group]
    assert act(store, lambda people: people.groups(), who(PAUL, Role.AUDITOR))[-1:] != []
    with pytest.raises(NotFound):
        act(store, lambda people: people.members(group.id), who(ADA))
    act(store, lambda people: people.leave(group.id, PAUL))
    act(store, lambda people: people.leave(group.id, PAUL))
    assert act(store, lambda people: people.members(group.id)) == [MARA]
    for call in (
        lambda people: people.join("0" * 32, MARA),
        lambda people: people.join(group.id, "0" * 32),
        lambda people: people.leave("0" * 32, MARA),
        lambda people: people.rename_group("0" * 32, "x"),
    ):
        with pytest.raises(NotFound):
            act(store, call)


def test_identity_has_groups_and_the_cases_of_person_and_groups(store):
    with store.act(who(MARA), "case.add") as work:
        mine = work.cases.add("Mine")
    with store.act(into(who(PAUL), "x"), "case.add") as work:
        theirs = work.cases.add("Unit's", groups=[UNIT])
        hidden = work.cases.add("Paul's")
    with store.inside(CHIEF) as work:
        people: People = work.people
        ada = people.identity_of(people.find(ADA))
        mara = people.identity_of(people.find(MARA))
        paul = people.identity_of(people.find(PAUL))
    assert (ada.groups, ada.cases) == ({UNIT}, {theirs.id})
    assert (mara.groups, mara.cases) == (frozenset(), {mine.id})
    assert paul.cases == {theirs.id, hidden.id}


def test_identity_of_a_token_is_never_above_the_person(sqlite_store):
    act(sqlite_store, lambda people: people.change(MARA, 1, highest=Marking.GREEN))
    with sqlite_store.inside(CHIEF) as work:
        person = work.people.find(MARA)
        for highest in Marking:
            identity = work.people.identity_of(
                person, Kind.TOKEN, token="7" * 32, scopes=frozenset([Permission.READ]), highest=highest
            )
            assert identity.highest == min(highest, Marking.GREEN)
            assert identity.permissions == {Permission.READ}
        whole = work.people.identity_of(person)
    assert isinstance(whole, Identity)
    assert (whole.kind, whole.scopes, whole.token) == (Kind.PERSON, None, "")
