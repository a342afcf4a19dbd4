import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_support import FIRST, HASHED, HEADER, pack, subject, tag, tags

from shieldwall.errors import BadText, StoreError, UsageError
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.intel.manifest import MANIFEST, read_manifest
from shieldwall.intel.preparing import distinct
from shieldwall.model.canonical import canonical_json


@pytest.fixture
def sets(tmp_path):
    return TagSets(tmp_path / "data" / "tags")


def file(tmp_path, name, tags=f"- address: {FIRST}\n", header=HEADER):
    path = tmp_path / name
    path.write_bytes(pack(tags, header))
    return path


def all_bytes(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_becomes_a_set_of_its_name(sets, tmp_path):
    (report,) = sets.import_files([file(tmp_path, "some.pack.yaml", f"- address: {FIRST}\n- address: {HASHED}\n")])
    info = report.info
    assert (info.name, info.tags, info.subjects, info.labels) == ("some.pack", 2, 2, 1)
    assert (report.unchanged, report.previous, info.lastmod) == (False, "", "2021-11-14")
    assert (info.files[0].name, info.files[0].reader, info.files[0].title) == ("some.pack.yaml", "tagpack", "A pack")
    assert sets.sets() == (info,)
    assert canonical_json(report.as_dict())


def test_the_same_file_again_changes_nothing(sets, tmp_path):
    path = file(tmp_path, "a.yaml")
    (first,) = sets.import_files([path])
    before = all_bytes(sets.folder)
    (second,) = sets.import_files([path])
    assert (second.unchanged, second.previous, second.info) == (True, first.info.version, first.info)
    assert all_bytes(sets.folder) == before


def test_the_same_input_gives_the_same_bytes_elsewhere(tmp_path):
    path = file(tmp_path, "a.yaml")
    one, two = TagSets(tmp_path / "one"), TagSets(tmp_path / "two")
    for each in (one, two):
        each.import_files([path])
    assert all_bytes(one.folder) == all_bytes(two.folder)


def test_older_versions_are_kept_and_can_be_chosen(sets, tmp_path):
    (old,) = sets.import_files([file(tmp_path, "a.yaml")])
    (new,) = sets.import_files([file(tmp_path, "a.yaml", f"- address: {HASHED}\n")])
    assert (new.unchanged, new.previous) == (False, old.info.version)
    assert sets.select().versions == {"a": new.info.version}
    before = sets.select([f"a@{old.info.version}"])
    assert before.versions == {"a": old.info.version}
    assert set(before.lookup([subject(FIRST), subject(HASHED)])) == {subject(FIRST)}
    (again,) = sets.import_files([file(tmp_path, "a.yaml")])
    assert (again.unchanged, again.previous, again.info.version) == (False, new.info.version, old.info.version)


def test_several_files_make_one_set_in_any_order(tmp_path):
    paths = [file(tmp_path, "a.yaml"), file(tmp_path, "b.yaml", f"- address: {HASHED}\n")]
    one, two = TagSets(tmp_path / "one"), TagSets(tmp_path / "two")
    (first,) = one.import_files(paths, set_name="both")
    (second,) = two.import_files(reversed(paths), set_name="both")
    assert first.info == second.info
    assert [each.name for each in first.info.files] == ["a.yaml", "b.yaml"]


def test_duplicates_in_a_file_are_kept_once_and_counted(sets, tmp_path):
    same = f"- address: {FIRST}\n"
    (report,) = sets.import_files([file(tmp_path, "a.yaml", same + same + f"- {{address: {FIRST}, source: other}}\n")])
    assert (report.info.tags, report.info.duplicates, report.info.subjects) == (2, 1, 1)


def test_rejected_entries_are_listed_in_report_and_manifest(sets, tmp_path):
    (report,) = sets.import_files([file(tmp_path, "a.yaml", f"- address: {FIRST}\n- address: {FIRST[:-1]}x\n")])
    (entry,) = report.rejected
    assert (entry.place, entry.nearest) == ("a.yaml: tag 2", (FIRST,))
    assert report.info.rejected == 1
    assert sets.sets()[0].rejected_entries == (entry,)


def test_a_file_without_anything_usable_is_refused_and_writes_nothing(sets, tmp_path):
    good, bad = file(tmp_path, "a.yaml"), file(tmp_path, "b.yaml", f"- address: {FIRST[:-1]}x\n")
    with pytest.raises(BadText, match=r"b\.yaml: nothing to import, and 1 entries were rejected"):
        sets.import_files([good, bad])
    with pytest.raises(BadText, match="nothing to import"):
        sets.import_files([file(tmp_path, "c.yaml", "  []\n")])
    assert not sets.folder.exists()
    with pytest.raises(UsageError, match="no files"):
        sets.import_files([])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a", "a\\b", ".a", "a..b", "a b", "ä", "x" * 65, "a."])
def test_names_that_are_no_folder_names_are_refused(sets, tmp_path, name):
    with pytest.raises(UsageError, match="no name for a tag set"):
        sets.import_files([file(tmp_path, "a.yaml")], set_name=name)


def test_names_that_differ_by_case_are_refused(sets, tmp_path):
    sets.import_files([file(tmp_path, "a.yaml")])
    with pytest.raises(UsageError, match="differ only by case"):
        sets.import_files([file(tmp_path, "a.yaml")], set_name="A")


def test_options_reach_the_reader(sets, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(FIRST)
    sets.import_files([path], set_name="leak")
    assert [each.claim.statement["label"] for each in sets.select().everything()] == ["leak"]
    sets.import_files([path], set_name="leak", options=ReadOptions(label="LockBit", abuse="ransomware"))
    assert [each.claim.statement["label"] for each in sets.select().everything()] == ["LockBit"]


def test_look_up_goes_through_all_chosen_sets(sets, tmp_path):
    sets.import_files([file(tmp_path, "b.yaml"), file(tmp_path, "a.yaml", f"- address: {FIRST}\n  label: X\n")])
    index = sets.select()
    found = index.lookup([subject(FIRST), subject("absent"), subject(FIRST)])
    assert list(found) == [subject(FIRST)]
    assert [(each.set, each.claim.statement["label"]) for each in found[subject(FIRST)]] == [
        ("a", "X"),
        ("b", "Somebody"),
    ]
    assert all(index.versions[each.set] == each.version for each in found[subject(FIRST)])
    assert sets.select([]).lookup([subject(FIRST)]) == {}
    assert [info.name for info in sets.select(["b"]).infos] == ["b"]
    index.verify()
    by_place = index.lookup_names("address", subject(FIRST).chain, ["absent", FIRST, "absent", FIRST])
    assert by_place == {1: found[subject(FIRST)], 3: found[subject(FIRST)]}
    assert sets.select([]).lookup_names("address", subject(FIRST).chain, [FIRST]) == {}
    assert [glance.subject for glance in index.glances()] == [each.claim.subject for each in index.everything()]


def test_no_sets_yet_is_no_error(sets):
    assert sets.sets() == ()
    assert sets.select().versions == {}
    with pytest.raises(UsageError, match="no tag set is called 'x'"):
        sets.select(["x"])


def test_wrong_choices_are_the_callers(sets, tmp_path):
    sets.import_files([file(tmp_path, "a.yaml")])
    for names, what in (
        (["b"], "known: a"),
        (["a", "a"], "twice"),
        (["a@000000000000"], "no version"),
        (["../a"], "no tag set"),
    ):
        with pytest.raises(UsageError, match=what):
            sets.select(names)


def test_compare_counts_subjects(sets, tmp_path):
    sets.import_files(
        [
            file(tmp_path, "a.yaml", f"- address: {FIRST}\n- address: {HASHED}\n"),
            file(tmp_path, "b.yaml", f"- address: {FIRST}\n  label: other\n"),
        ]
    )
    one, other = sets.compare("a", "b"), sets.compare("b", "a")
    assert (one.common, one.union, one.only_a, one.only_b) == (1, 2, 1, 0)
    assert (other.common, other.only_a, other.only_b) == (1, 0, 1)


@pytest.mark.parametrize(
    "harm",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1, "current": "x", "versions": {}}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_broken_manifest_is_named(sets, tmp_path, harm):
    sets.import_files([file(tmp_path, "a.yaml")])
    manifest = sets.folder / "a" / MANIFEST
    manifest.write_bytes(harm)
    for call in (sets.sets, sets.select):
        with pytest.raises(StoreError, match=MANIFEST) as caught:
            call()
        assert str(manifest) in str(caught.value)


def test_a_manifest_cannot_point_out_of_its_folder(sets, tmp_path):
    sets.import_files([file(tmp_path, "a.yaml")])
    manifest = sets.folder / "a" / MANIFEST
    plain = json.loads(manifest.read_bytes())
    (version,) = plain["versions"]
    plain["versions"][version]["version"] = "../../../x"
    manifest.write_text(json.dumps(plain))
    with pytest.raises(StoreError):
        sets.select()


def test_harm_to_the_claims_is_found_by_verify_and_mended_by_import(sets, tmp_path):
    path = file(tmp_path, "a.yaml")
    (report,) = sets.import_files([path])
    claims = sets.folder / "a" / report.info.version / "claims.jsonl"
    claims.write_bytes(claims.read_bytes().replace(b"Somebody", b"Everybody"[:8]))
    index = sets.select()
    with pytest.raises(StoreError, match="SHA-256"):
        index.verify()
    with pytest.raises(StoreError, match="not what the index says"):
        index.lookup([subject(FIRST)])
    sets.import_files([path])
    sets.select().verify()


def test_a_stop_before_the_manifest_leaves_the_old_version_current(sets, tmp_path, monkeypatch):
    (old,) = sets.import_files([file(tmp_path, "a.yaml")])

    def stop(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shieldwall.intel.tagset.write_manifest", stop)
    with pytest.raises(StoreError, match="No space left"):
        sets.import_files([file(tmp_path, "a.yaml", f"- address: {HASHED}\n")])
    monkeypatch.undo()
    assert sets.select().versions == {"a": old.info.version}
    (new,) = sets.import_files([file(tmp_path, "a.yaml", f"- address: {HASHED}\n")])
    assert sets.select().versions == {"a": new.info.version}
    assert read_manifest(sets.folder / "a").current == new.info.version


def test_a_version_that_is_gone_is_said(sets, tmp_path):
    (report,) = sets.import_files([file(tmp_path, "a.yaml")])
    shutil.rmtree(sets.folder / "a" / report.info.version)
    with pytest.raises(StoreError, match="cannot be opened"):
        sets.select()


@settings(max_examples=50)
@given(st.lists(tags(), max_size=10), st.randoms())
def test_distinct_keeps_one_of_equals_whatever_the_order(claims, random):
    kept, dropped = distinct(claims)
    shuffled = list(claims)
    random.shuffle(shuffled)
    again, dropped_again = distinct(shuffled)
    assert {each.id for each in kept} == {each.id for each in again}
    assert dropped == dropped_again == len(claims) - len(kept)
    assert distinct(kept)[1] == 0


def test_distinct_keeps_two_sources_apart():
    assert distinct([tag(source="a"), tag(source="b"), tag(source="a")])[1] == 1
