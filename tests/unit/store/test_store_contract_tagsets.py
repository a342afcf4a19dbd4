"""Tag sets as files and in either store: one contract; and in the store, nobody learns of tags that they may not see."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from intel_support import FIRST, HASHED, attribution, pack, subject
from sqlalchemy import select, update
from store_support import ADA, MARA, NORA, PAUL, UNIT, into, verify_log, who

from shieldwall.errors import BadText, NotAllowed, NotFound, PartialData, ShieldwallError, UsageError
from shieldwall.intel import ReadOptions, TagSets, know
from shieldwall.intel.preparing import Source
from shieldwall.intel.setfile import subject_keys
from shieldwall.intel.stored import StoredTagSets
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking
from shieldwall.model.network import MAIN
from shieldwall.store.schema import claims, metadata, tag_set_parts

GREEN = ReadOptions(marking=Marking.GREEN)
SHELVES = ["files", "sqlite", pytest.param("postgresql", marks=[pytest.mark.needs("postgresql")])]


@pytest.fixture(params=SHELVES)
def shelf(request, tmp_path):
    if request.param == "files":
        return TagSets(tmp_path / "tags")
    return StoredTagSets(request.getfixturevalue(f"{request.param}_store"), who(MARA))


def file(folder, name, tags=f"- address: {FIRST}\n"):
    path = folder / name
    path.write_bytes(pack(tags))
    return path


def test_what_an_import_says_of_itself_is_the_same_everywhere(shelf, tmp_path):
    tags = f"- address: {FIRST}\n- {{address: {HASHED}, label: Other}}\n- address: {FIRST}\n- address: {FIRST[:-1]}x\n"
    path = file(tmp_path, "a.yaml", tags)
    (report,) = shelf.import_files([path], options=GREEN)
    (again,) = shelf.import_files([path], options=GREEN)
    (plain,) = TagSets(tmp_path / "plain").import_files([path], options=GREEN)
    assert report == plain
    assert (report.info.tags, report.info.duplicates, report.info.rejected, report.previous) == (2, 1, 1, "")
    assert (again.unchanged, again.previous) == (True, report.info.version)
    assert shelf.sets() == (report.info,)


def test_look_ups(shelf, tmp_path):
    shelf.import_files(
        [
            file(tmp_path, "b.yaml", f"- address: {FIRST}\n- {{address: {FIRST}, label: Also}}\n"),
            file(tmp_path, "a.yaml", f"- {{address: {FIRST}, label: X}}\n- address: {HASHED}\n"),
        ],
        options=GREEN,
    )
    index = shelf.select(None)
    assert list(index.versions) == ["a", "b"]
    found = index.lookup([subject(FIRST), subject("nobody's"), subject(HASHED)])
    assert [(each.set, each.claim.statement["label"]) for each in found[subject(FIRST)]] == [
        ("a", "X"),
        ("b", "Also"),
        ("b", "Somebody"),
    ]
    assert list(found) == [subject(FIRST), subject(HASHED)]
    named = index.lookup_names("address", MAIN.caip2, ["x", FIRST, "y"])
    assert named == {1: found[subject(FIRST)]}
    everything = list(index.everything())
    assert len(everything) == 4
    assert [each.claim.subject for each in everything if each.set == "b"] == [subject(FIRST)] * 2
    glances = list(index.glances())
    assert [(each.subject, each.label, each.set) for each in glances] == [
        (each.claim.subject, each.claim.statement["label"], each.set) for each in everything
    ]
    assert {each.source for each in glances} == {"https://example.org/list"}
    index.verify()
    assert shelf.select([]).lookup([subject(FIRST)]) == {}


def test_older_versions_stay(shelf, tmp_path):
    (old,) = shelf.import_files([file(tmp_path, "a.yaml")], options=GREEN)
    (new,) = shelf.import_files([file(tmp_path, "a.yaml", f"- address: {HASHED}\n")], options=GREEN)
    assert new.previous == old.info.version
    assert list(shelf.select(["a"]).lookup([subject(FIRST), subject(HASHED)])) == [subject(HASHED)]
    index = shelf.select([f"a@{old.info.version}"])
    assert list(index.lookup([subject(FIRST), subject(HASHED)])) == [subject(FIRST)]
    index.verify()
    (back,) = shelf.import_files([file(tmp_path, "a.yaml")], options=GREEN)
    assert (back.info.version, back.previous) == (old.info.version, new.info.version)
    assert [info.version for info in shelf.sets()] == [old.info.version]


def test_what_is_not_there(shelf, tmp_path):
    assert shelf.sets() == ()
    for call in (lambda: shelf.select(["a"]), lambda: shelf.import_files([]), lambda: shelf.compare("a", "b")):
        with pytest.raises(UsageError):
            call()
    shelf.import_files([file(tmp_path, "a.yaml")], options=GREEN)
    for names in (["a@000000000000"], ["a", "a"], ["b"]):
        with pytest.raises(UsageError):
            shelf.select(names)
    with pytest.raises(UsageError):
        shelf.import_files([file(tmp_path, "c.yaml")], set_name="../c")
    with pytest.raises(BadText):
        shelf.import_files([file(tmp_path, "c.yaml"), file(tmp_path, "d.yaml", "  []\n")])
    assert [info.name for info in shelf.sets()] == ["a"]


def test_compare(shelf, tmp_path):
    both = f"- address: {FIRST}\n- address: {HASHED}\n"
    shelf.import_files([file(tmp_path, "a.yaml", both), file(tmp_path, "b.yaml")], options=GREEN)
    found = shelf.compare("a", "b")
    assert (found.common, found.union, found.only_a, found.only_b) == (1, 2, 1, 0)


def test_real_packs_are_looked_up_alike(shelf, tmp_path):
    packs = [
        attribution("tagpacks", name) for name in ("ofac.yaml", "tornado_cash.yaml", "exchange-wallets-kucoin.yaml")
    ]
    plain = TagSets(tmp_path / "plain")
    assert shelf.import_files(packs) == plain.import_files(packs)
    one, other = shelf.select(None), plain.select(None)
    subjects = list(dict.fromkeys(each.claim.subject for each in other.everything()))
    assert one.lookup(subjects) == other.lookup(subjects)
    assert list(one.everything()) == list(other.everything())
    assert list(one.glances()) == list(other.glances())
    assert one.infos == other.infos


# in the store alone

MIXED = [
    Source("mixed.csv", f"address,label\n{FIRST},Open\n".encode(), "mixed.csv"),
    Source("mixed.yaml", pack(f"- {{address: {HASHED}, label: Secret}}\n- address: broken\n"), "mixed.yaml"),
]


def mixed(store, identity=None, **where):
    """A set with one tag that is TLP:GREEN and one that is TLP:AMBER, by two imports of equal subjects."""
    from shieldwall.intel import preparing

    shelf = StoredTagSets(store, identity or who(MARA), **where)
    one, two = (
        preparing.prepare("mixed", [source], ReadOptions(marking=marking, currency="BTC", set_name="mixed", source="s"))
        for source, marking in zip(MIXED, (Marking.GREEN, Marking.AMBER), strict=True)
    )
    together = [*one.claims, *two.claims]
    encoded = preparing.setfile.encode(together)
    info = replace(two.info, tags=2, subjects=2, labels=2, version=encoded.version, digest=encoded.digest)
    return shelf, shelf._keep(replace(two, claims=together, encoded=encoded, info=info))


def test_unmarked_sets_are_their_importers_alone(store, tmp_path):
    StoredTagSets(store, who(MARA)).import_files([file(tmp_path, "a.yaml")])
    for identity in (who(PAUL), who(MARA, highest=Marking.AMBER), who(NORA, Role.ADMINISTRATOR)):
        shelf = StoredTagSets(store, identity)
        assert shelf.sets() == ()
        assert shelf.select(None).lookup([subject(FIRST)]) == {}
        with pytest.raises(UsageError) as hidden:
            shelf.select(["a"])
        with pytest.raises(UsageError) as absent:
            shelf.select(["b"])
        assert str(hidden.value).replace("'a'", "'b'") == str(absent.value)
    assert len(StoredTagSets(store, who(MARA)).sets()) == 1


def test_who_sees_a_part_is_told_of_that_part(store):
    shelf, report = mixed(store)
    assert report.info.tags == 2
    assert shelf.sets() == (report.info,)
    shelf.select(None).verify()
    partly = StoredTagSets(store, who(PAUL, highest=Marking.GREEN))
    (info,) = partly.sets()
    assert (info.tags, info.subjects, info.labels, info.rejected) == (1, 1, 1, 0)
    assert (info.rejected_entries, info.files, info.digest, info.size, info.index) == ((), (), "", 0, "")
    assert info.version == report.info.version
    assert report.info.version != report.info.digest[:12]  # the digest would tell who guesses the rest
    index = partly.select(None)
    assert list(index.lookup([subject(FIRST), subject(HASHED)])) == [subject(FIRST)]
    assert index.lookup_names("address", MAIN.caip2, [FIRST, HASHED]).keys() == {0}
    assert [each.label for each in index.glances()] == ["Open"]
    assert [each.claim.statement["label"] for each in index.everything()] == ["Open"]
    assert index._keys.tolist() == subject_keys("address", MAIN.caip2, [FIRST]).tolist()
    with pytest.raises(PartialData):
        index.verify()


def test_a_set_of_a_case_is_for_its_members(store):
    with store.act(who(MARA), "case.add") as work:
        case = work.cases.add("Case", people=[PAUL]).id
    mara, paul = into(who(MARA), case), into(who(PAUL), case)
    mixed(store, mara, case=case)
    assert [info.name for info in StoredTagSets(store, paul).sets()] == ["mixed"]
    assert StoredTagSets(store, who(PAUL)).sets() == ()
    with pytest.raises(NotFound):
        mixed(store, who(PAUL), case=case)
    with pytest.raises(NotFound):
        mixed(store, who(PAUL), group=UNIT)


def test_two_sets_of_one_name_are_two(store, tmp_path):
    path, other = file(tmp_path, "a.yaml"), file(tmp_path, "other.yaml", f"- address: {HASHED}\n")
    StoredTagSets(store, who(MARA)).import_files([path], set_name="list", options=GREEN)
    StoredTagSets(store, who(PAUL)).import_files([other], set_name="list", options=GREEN)
    for person, own in ((MARA, FIRST), (PAUL, HASHED), (ADA, FIRST)):
        shelf = StoredTagSets(store, who(person))
        one, two = shelf.sets()
        assert one.name == "list"
        assert two.name.startswith("list~")
        assert list(shelf.select(["list"]).lookup([subject(FIRST), subject(HASHED)])) == [subject(own)]
        assert len(shelf.select([one.name, two.name]).lookup([subject(FIRST), subject(HASHED)])) == 2


def test_who_may_only_read_imports_nothing(store, tmp_path):
    with pytest.raises(NotAllowed):
        StoredTagSets(store, who(MARA, Role.VIEWER)).import_files([file(tmp_path, "a.yaml")])


def test_a_tag_that_was_taken_back_counts_as_such(store, tmp_path):
    shelf = StoredTagSets(store, who(MARA))
    shelf.import_files([file(tmp_path, "a.yaml")], options=GREEN)
    (found,) = shelf.select(None).lookup([subject(FIRST)])[subject(FIRST)]
    with store.act(who(MARA), "claim.retract") as work:
        work.claims.retract(found.claim.id, "wrong address")
    index = shelf.select(None)
    assert know(subject(FIRST), index.lookup([subject(FIRST)])[subject(FIRST)]).retracted == 1
    assert [each.retracted for each in index.glances()] == [True]
    index.verify()  # what was imported is still what was imported


def test_choosing_is_in_the_audit_log_and_names_are_not(store, tmp_path):
    shelf = StoredTagSets(store, who(MARA))
    shelf.import_files([file(tmp_path, "kestrel.yaml")], options=GREEN)
    shelf.select(["kestrel"])
    with store.inside(who(NORA)) as work:
        leaves = [leaf.entry for leaf in work.audit.leaves()]
    assert [leaf["verb"] for leaf in leaves[-3:]] == ["tagset.claims", "tagset.import", "tagset.select"]
    assert leaves[-1]["detail"]["sets"] == [leaves[-2]["detail"]["set"]]
    assert "kestrel" not in str(leaves)
    verify_log(store)


@pytest.mark.needs("postgresql")
def test_neither_name_nor_members_can_be_read_on_postgresql(postgresql_store, tmp_path):
    StoredTagSets(postgresql_store, who(MARA)).import_files([file(tmp_path, "kestrel.yaml")])
    with postgresql_store.backend.engine.connect() as connection:
        dump = b"".join(
            value if isinstance(value, bytes) else str(value).encode()
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
        )
    (key,) = subject_keys("address", MAIN.caip2, [FIRST]).tolist()
    for secret in (b"kestrel", FIRST.encode(), b"Somebody", key.to_bytes(8, "big"), str(key).encode()):
        assert secret not in dump


@pytest.mark.parametrize("fault", ["claim", "member", "marking"])
def test_harm_is_found(store, tmp_path, fault):
    shelf = StoredTagSets(store, who(MARA))
    shelf.import_files([file(tmp_path, "a.yaml", f"- address: {FIRST}\n- address: {HASHED}\n")], options=GREEN)
    changes = {
        "claim": lambda raw: update(claims).values(body_sealed=raw[0].replace(b"Somebody", b"Nobody!!")),
        "member": lambda raw: update(tag_set_parts).values(members_sealed=raw[1][: len(raw[1]) // 2]),
        "marking": lambda _: update(claims).values(marking=0),
    }
    with store.upkeep(who(NORA)) as work:
        raw = [
            work.connection.execute(select(column).limit(1)).scalar_one()
            for column in (claims.c.body_sealed, tag_set_parts.c.members_sealed)
        ]
        if fault == "claim" and store.backend.name == "postgresql":
            raw[0] = raw[0][:-1] + bytes([raw[0][-1] ^ 1])
            work.connection.execute(update(claims).values(body_sealed=raw[0]))
        else:
            work.connection.execute(changes[fault](raw))
    with pytest.raises(ShieldwallError):
        look_at_all(shelf)


def look_at_all(shelf):
    index = shelf.select(None)
    list(index.glances())
    index.lookup([subject(FIRST), subject(HASHED)])
    index.verify()


@pytest.mark.full
def test_screening_is_fast(sqlite_store, tmp_path):
    tags = "".join(f"{number:034x},Label {number % 50}\n" for number in range(5_000))
    options = replace(GREEN, currency="XYZ", source="s")
    path = tmp_path / "many.csv"
    path.write_text("address,label\n" + tags)
    shelf = StoredTagSets(sqlite_store, who(MARA))
    (report,) = shelf.import_files([path], options=options)
    index = shelf.select(None)
    kind, chain = next((each.claim.subject.type, each.claim.subject.chain) for each in index.everything())
    names = [f"{number:034x}" for number in range(4_000, 24_000)]
    index.lookup_names(kind, chain, names[:1])
    start = time.process_time()
    found = index.lookup_names(kind, chain, names)
    assert len(found) == report.info.tags - 4_000 == 1_000
    assert time.process_time() - start < 3
