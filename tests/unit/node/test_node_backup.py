"""Backups: the same rows elsewhere, by the node's key or an offline one; and nothing of one that was cut, changed or swapped."""

from __future__ import annotations

import io
import json
import zlib

import pytest
from home_support import CHEAP, KEY, OPERATOR, OTHER, START, Hand, act, made, opened
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText, ShieldwallError, StoreError, Tampered, WrongKey
from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.node.auditing import verify_log
from shieldwall.node.backup import LEFT_OUT, MAGIC, read_header, restore, write_backup
from shieldwall.node.offlinekey import OfflineSecret, read_public, read_secret
from shieldwall.node.people.recovery import first_administrator
from shieldwall.node.sealedfile import MOST_LINES, read_frames, write_frames
from shieldwall.store.dump import dump

OFFLINE = OfflineSecret(bytes(64), bytes(range(32)))
MARA = Identity(kind=Kind.PERSON, person="a" * 32, name="Mara", roles=frozenset((Role.ANALYST,)), highest=Marking.RED)
SUBJECT = Subject("address", "bip122:000000000019d6689c085ae165831e93", "bc1qexample")


def rows_of(home):
    with home.store.inside(OPERATOR) as work:
        return list(dump(work, leave_out=LEFT_OUT))


@pytest.fixture(scope="module")
def backed(tmp_path_factory):
    """A node with something in it, its rows, and a backup of it that an offline key opens as well."""
    folder = tmp_path_factory.mktemp("backed")
    with made(folder / "node", name="Unit 5", port=9000, people={"session_hours": 4}) as home:
        first_administrator(home.store, OPERATOR, "Ada")
        with home.store.act(MARA, "claim.add") as work:
            said = {"label": "Example"}
            work.claims.add(
                [
                    Claim(
                        subject=SUBJECT,
                        kind="tag",
                        statement=said,
                        layer=Layer.ATTRIBUTION,
                        source="s",
                        made_by="Mara",
                        at="",
                    )
                ]
            )
        rows = rows_of(home)
        counts = write_backup(home, folder / "backup", OPERATOR, [OFFLINE.public])
        assert sum(counts.values()) == len(rows)
        home.witness.sign(OPERATOR)
    return folder, rows


def restored(source, path, **options):
    clock = Hand(START + 60_000_000)
    return restore(source, path, **{"key": lambda: KEY, "identity": OPERATOR, "clock": clock, "cost": CHEAP} | options)


def test_the_same_rows_stand_elsewhere_and_the_log_goes_on(backed, tmp_path):
    folder, rows = backed
    done = restored(folder / "backup", tmp_path / "node")
    assert (done.warning, done.leaves) == ("", len([name for name, _ in rows if name == "audit_leaves"]))
    with opened(tmp_path / "node", Hand(START + 90_000_000)) as home:
        after = rows_of(home)
        assert [row for row in rows if row[0] not in {"audit_head"}] == [row for row in after if row in rows]
        with home.store.inside(OPERATOR) as work:
            entry = list(work.audit.leaves())[-1].entry
            assert work.people.by_name("Ada").active
        assert (entry["verb"], entry["detail"]["leaves"]) == ("node.restore", done.leaves)
        with home.store.look(MARA, "claim.find") as work:
            assert work.claims.find(SUBJECT)[0].claim.statement["label"] == "Example"
        assert verify_log(home.store, OPERATOR, home.keys.identity, home.exported).findings == ()
        config = home.config
        assert (config.name, config.port, config.people.session_hours) == ("Unit 5", 9000, 4)
    assert (tmp_path / "node").stat().st_mode & 0o077 == 0


@pytest.mark.needs("postgresql")
def test_from_sqlite_to_a_server_and_back(backed, tmp_path, postgresql):
    folder, rows = backed
    url = postgresql.url(postgresql.database())
    restored(folder / "backup", tmp_path / "team", settings={"database": url})
    assert not (tmp_path / "team" / "node.db").exists()
    with opened(tmp_path / "team", Hand(START + 90_000_000)) as home:
        assert home.store.backend.name == "postgresql"
        assert [row for row in rows_of(home) if row in rows] == [row for row in rows if row[0] != "audit_head"]
        act(home)
        write_backup(home, tmp_path / "backup", OPERATOR)
        there = [row for row in rows_of(home) if row[0] == "claims"]
    restored(tmp_path / "backup", tmp_path / "alone", clock=Hand(START + 99_000_000))
    with opened(tmp_path / "alone", Hand(START + 120_000_000)) as home:
        assert home.store.backend.name == "sqlite"
        assert [row for row in rows_of(home) if row[0] == "claims"] == there
        assert verify_log(home.store, OPERATOR, home.keys.identity, home.exported).findings == ()
    with pytest.raises(StoreError, match="database already"):
        restored(folder / "backup", tmp_path / "again", settings={"database": url})


def test_who_was_signed_in_or_invited_is_not_there(backed):
    _, rows = backed
    assert {"people", "claims", "node_keys", "audit_leaves"} <= {name for name, _ in rows}
    assert {"answers", "sessions", "challenges", "invitations"} == LEFT_OUT


def test_an_offline_key_opens_it_when_every_passphrase_is_lost(backed, tmp_path):
    folder, _ = backed
    restored(folder / "backup", tmp_path / "node", key=None, offline=OFFLINE, new_slot=OTHER)
    opened(tmp_path / "node", Hand(START + 90_000_000), OTHER).close()
    with pytest.raises(WrongKey):
        opened(tmp_path / "node")  # the slots of before are gone
    for options in (
        {"key": None, "offline": OfflineSecret.generate(), "new_slot": OTHER},
        {"key": None, "offline": OFFLINE},
        {"key": None},
        {"key": lambda: OTHER},
    ):
        with pytest.raises(WrongKey):
            restored(folder / "backup", tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_a_backup_older_than_an_exported_root_says_so(backed, tmp_path):
    folder, _ = backed
    roots = folder / "node" / "audit-roots.jsonl"
    before = roots.read_bytes()
    done = restored(folder / "backup", tmp_path / "node", settings={"audit_roots": str(roots)})
    assert "older copy" in done.warning
    assert roots.read_bytes() == before
    with pytest.raises(Tampered):
        opened(tmp_path / "node", Hand(START + 90_000_000))


def test_it_runs_while_others_write_and_is_of_one_moment(backed, tmp_path):
    folder, _ = backed
    with opened(folder / "node") as home, opened(folder / "node") as other:
        with home.store.look(OPERATOR, "test.reading") as work:
            rows = dump(work, leave_out=LEFT_OUT)
            first = next(rows)
            act(other, 5)
            seen = [first, *rows]
        size = next(row["size"] for name, row in seen if name == "audit_head")
        assert size == len([1 for name, _ in seen if name == "audit_leaves"]) < other.store.audit_size()


def test_a_target_that_is_there_or_cannot_be_written(backed, tmp_path):
    folder, _ = backed
    with opened(folder / "node") as home:
        for target in (folder / "backup", tmp_path / "no" / "folder"):
            with pytest.raises(StoreError):
                write_backup(home, target, OPERATOR)
    assert [file.name for file in folder.iterdir() if file.name.startswith(".")] == []


def test_the_file_is_ciphertext_and_names_no_place(backed):
    folder, _ = backed
    raw = (folder / "backup").read_bytes()
    for word in (b"Ada", b"Example", b"bc1qexample", b"node.init", str(folder).encode()):
        assert word not in raw
    assert (folder / "backup").stat().st_mode & 0o077 == 0


def test_any_flipped_byte_is_refused_and_leaves_no_folder(backed, tmp_path):
    folder, _ = backed
    raw = (folder / "backup").read_bytes()
    for place in [*range(24), *range(24, len(raw), max(1, len(raw) // 60)), len(raw) - 1]:
        changed = bytearray(raw)
        changed[place] ^= 0x01
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises(ShieldwallError):
            restored(tmp_path / "changed", tmp_path / "node")
        assert not (tmp_path / "node").exists(), place


def test_a_cut_or_continued_backup_is_refused(backed, tmp_path):
    folder, _ = backed
    raw = (folder / "backup").read_bytes()
    for changed in (raw[:-1], raw[: len(raw) // 2], raw + b"x", b"", MAGIC, raw[:30]):
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises(ShieldwallError):
            restored(tmp_path / "changed", tmp_path / "node")
        assert not (tmp_path / "node").exists()


def test_a_folder_in_use_is_not_touched(backed):
    folder, _ = backed
    with pytest.raises(StoreError, match="not empty"):
        restored(folder / "backup", folder / "node")
    opened(folder / "node").close()


def test_a_form_that_this_program_does_not_know_is_named(backed, tmp_path, monkeypatch):
    from shieldwall.store import migrate

    folder, _ = backed
    monkeypatch.setattr(migrate, "known", lambda: ["9999"])
    with pytest.raises(StoreError, match="form that this program does not know"):
        restored(folder / "backup", tmp_path / "node")


# frames

FILE_KEY, PREFIX = bytes(32), bytes(7)


def frames(lines, bound=b""):
    file = io.BytesIO()
    write_frames(file, FILE_KEY, PREFIX, bound, lines)
    return file.getvalue()


def split(raw):
    parts = []
    while raw:
        size = 4 + int.from_bytes(raw[:4], "big")
        parts.append(raw[:size])
        raw = raw[size:]
    return parts


def lines_in(raw, bound=b""):
    return list(read_frames(io.BytesIO(raw), FILE_KEY, PREFIX, bound, "here"))


@given(
    st.lists(
        st.binary(max_size=50).filter(lambda line: not set(line) & set(b"\n\r\x0b\x0c\x1c\x1d\x1e\x85")), max_size=20
    )
)
def test_lines_come_back(lines):
    assert lines_in(frames(lines)) == lines


BIG = frames([bytes([65 + number]) * 700_000 for number in range(4)])


def test_frames_reordered_left_out_repeated_or_moved_are_refused():
    parts = split(BIG)
    assert len(parts) == 4
    for changed in (
        [parts[1], parts[0], *parts[2:]], parts[:-1], parts[1:], [parts[0], *parts], [*parts, parts[-1]], [parts[-1]], [],
    ):  # fmt: skip
        with pytest.raises(Tampered):
            lines_in(b"".join(changed))
    with pytest.raises(Tampered):
        lines_in(BIG, b"another header")


def test_a_line_that_no_frame_takes_is_not_written():
    with pytest.raises(StoreError, match="too large"):
        frames([bytes(MOST_LINES)])


def test_a_frame_that_would_grow_without_end_is_inert():
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    bomb = zlib.compress(bytes(MOST_LINES + 1), 9)
    sealed = AESGCM(FILE_KEY).encrypt(PREFIX + bytes(4) + b"\x01", bomb, b"")
    with pytest.raises(Tampered, match="bound"):
        lines_in(len(sealed).to_bytes(4, "big") + sealed)
    with pytest.raises(Tampered):
        lines_in((1 << 31).to_bytes(4, "big") + bytes(100))


@given(st.binary(max_size=400))
def test_no_front_breaks_the_reader(raw):
    for text in (raw, MAGIC + len(raw).to_bytes(4, "big") + raw):
        with pytest.raises(BadText):
            read_header(io.BytesIO(text), "here")


# offline keys


def test_offline_keys_are_read_as_they_were_written():
    public, secret = (json.dumps(half.as_dict()).encode() for half in (OFFLINE.public, OFFLINE))
    assert read_public(public, "here") == read_public(secret, "here") == OFFLINE.public
    assert read_secret(secret, "here") == OFFLINE
    with pytest.raises(BadText):
        read_secret(public, "here")
    sealed = OFFLINE.public.seal(b"plain", b"info")
    assert OFFLINE.open(sealed, b"info") == b"plain"
    for key, text, info in (
        (OFFLINE, sealed, b"other"),
        (OfflineSecret.generate(), sealed, b"info"),
        (OFFLINE, b"", b"info"),
    ):
        with pytest.raises(WrongKey):
            key.open(text, info)
    for bad in (b"", b"[]", b"{}", public.replace(b'"version": 1', b'"version": 2'), b" " * (1 << 17)):
        with pytest.raises(BadText):
            read_public(bad, "here")
