"""Lists of any length and layout: read in parts of any size, written row by row, gone on with after a stop at any moment."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from document_support import mail
from hypothesis import example, given
from hypothesis import strategies as st
from trace_support import Chain, identity

from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, BadText, UsageError
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.model import address
from shieldwall.model.mention import find_mentions
from shieldwall.model.network import LITECOIN, MAIN, NETWORKS, REGTEST
from shieldwall.model.recognition import recognize
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.screening.answer import screen
from shieldwall.trace.screening.checkpoint import parse_checkpoint
from shieldwall.trace.screening.reading import is_list, read_list
from shieldwall.trace.screening.recognising import recognize_all
from shieldwall.trace.screening.run import ENDING, Lists, is_finished, write_file, write_stream
from shieldwall.trace.screening.screener import Screener

TAGS = "address,label,category,abuse,source\n{},Northwind,exchange,,its page\n{},Robber,user,ransomware,a report\n"
KINDS = {"P2PKH": 20, "P2SH": 20, "P2WPKH": 20, "P2WSH": 32, "P2TR": 32}


def silent(*_):
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    chain = Chain()
    (first,) = chain.fund(10_000)
    (mine,) = chain.pay([first], ("payer", 10_000))
    chain.mine()
    chain.pay([mine], ("desk", 6_000), ("robber", 3_900))
    chain.mine()
    chain.store_in(folder).close()
    (folder / "said.csv").write_text(TAGS.format(identity("desk"), identity("robber")))
    TagSets(folder / "sets").import_files([folder / "said.csv"], options=ReadOptions(network=REGTEST))
    return folder


@pytest.fixture(scope="module")
def screener(folder):
    with ChainStore.open(folder / "chain") as store:
        yield Screener.of(TagSets(folder / "sets").select(None), store, engine="plain", threads=1)


@st.composite
def words(draw):
    """An address on any network, or something that only looks like one."""
    network = draw(st.sampled_from(sorted(NETWORKS)).map(NETWORKS.get))
    kind = draw(st.sampled_from(sorted(KINDS)))
    text = address.encode(
        Script(ScriptKind[kind], draw(st.binary(min_size=KINDS[kind], max_size=KINDS[kind]))), network
    )
    match draw(st.sampled_from(["as it is", "upper", "damaged", "other"])):
        case "upper":
            return text.upper()
        case "damaged":
            return text[:-1] + ("q" if text[-1] != "q" else "p")
        case "other":
            return draw(st.sampled_from(["abc", "x" * 40, "ab" * 32, "1" * 34, "00" * 40]))
        case _:
            return text


@given(st.lists(words(), max_size=6))
def test_words_are_recognized_as_one_by_one(found):
    batch = recognize_all(found)
    expected = [recognize(word) for word in found]
    names = [
        None if not networks else (name, networks) for name, networks in zip(batch.names, batch.networks, strict=True)
    ]
    assert names == [None if each is None else (each[0], tuple(n.name for n in each[1])) for each in expected]
    for place, seen in enumerate(expected):
        for network in seen[1] if seen else ():
            places, called = batch.subjects[network.name]
            script = address.parse(found[place], network)
            assert called[places.tolist().index(place)] == address.encode(script, network)


def test_tags_on_litecoins_new_form_are_found_by_the_old_one():
    script = Script(ScriptKind.P2SH, bytes(range(20)))
    old, new = address.encode(script, MAIN), address.encode(script, LITECOIN)
    batch = recognize_all([old])
    assert batch.networks == [("main", "litecoin")]
    assert (batch.subjects["main"][1], batch.subjects["litecoin"][1]) == ([old], [new])


LAYOUTS = [
    "{}\n",
    "{}\r\n",
    "7;{};note\n",
    '"a, b","{}","c"\n',
    "id\t{}\tx\n",
    '{{"wallet": "{}", "n": 1}}\n',
    "bitcoin:{}?amount=1\n",
    "{},",
    "naïve {} é\n",
    "x,{},{}\n",
    "\\n{}\\u0022\n",
]


@given(st.lists(st.tuples(st.sampled_from(LAYOUTS), words(), words()), max_size=8), st.integers(1, 200))
def test_any_layout_in_parts_of_any_size_says_the_same(lines, part):
    text = "".join(
        layout.format(one, other) if layout.count("{}") == 2 else layout.format(one) for layout, one, other in lines
    )
    raw = text.encode()
    whole = list(read_list(io.BytesIO(raw)))
    parts = list(read_list(io.BytesIO(raw), part=part))
    assert listed(parts) == listed(whole)
    assert misses(parts) == misses(whole)
    assert sum(each.digits for each in parts) == sum(each.digits for each in whole)
    if parts:
        assert parts[-1].end.offset == len(raw)
    for at, each in enumerate(parts):  # from any part on, the rest is the same
        assert listed(read_list(io.BytesIO(raw), each.end, part)) == listed(parts[at + 1 :])
    mentioned = find_mentions(text)
    expected = {mention.name for mention in mentioned.addresses()}
    assert {name for name, *_ in listed(whole)} == expected
    if text.isascii():
        places = [(m.name, place.line, place.column) for m in mentioned.addresses() for place in m.places]
        assert sorted((name, line, column) for name, _, line, column in listed(whole)) == sorted(places)


@given(
    st.lists(words(), max_size=6), st.sampled_from(["utf-16", "utf-16-be", "utf-8-sig", "cp1252"]), st.integers(1, 90)
)
def test_what_excel_saves_is_read(found, encoding, part):
    text = "Größe;Adresse\r\n" + "".join(f"1;{word}\r\n" for word in found)
    raw = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding)
    seen = listed(read_list(io.BytesIO(raw), part=part))
    assert [(name, line) for name, _, line, _ in seen] == [
        (recognize(word)[0], line) for line, word in enumerate(found, 2) if recognize(word)
    ]
    assert all(column == 3 for *_, column in seen)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_garbage_is_no_list_and_no_error(raw, part):
    parts = list(read_list(io.BytesIO(raw), part=part))
    assert listed(parts) == listed(read_list(io.BytesIO(raw)))
    if parts:
        assert parts[-1].end.offset <= len(raw)


def listed(parts):
    return [
        (name, networks, *place)
        for part in parts
        for name, networks, place in zip(part.found.names, part.found.networks, part.places, strict=True)
    ]


def misses(parts):
    return [miss for part in parts for miss in part.near_misses]


def test_other_kinds_of_file_are_no_lists(tmp_path):
    for start, expected in [
        (b"%PDF-1", False),
        (b"PK\x03\x04", False),
        (b" <HTML>", False),
        (b"a;b\n", True),
        (b"", True),
    ]:
        (tmp_path / "file").write_bytes(start + b"x")
        assert is_list(tmp_path / "file") == expected
    (tmp_path / "file").write_bytes(mail().as_bytes())
    assert not is_list(tmp_path / "file")
    (tmp_path / "file").write_text("[12/05/2021, 17:12:57] Ann: hi\n[12/05/2021, 17:13:57] Bob: pay\n")
    assert not is_list(tmp_path / "file")
    with pytest.raises(UsageError):
        is_list(tmp_path)


@pytest.fixture
def wallets(tmp_path):
    """A list in which everything stands: 300 rows, some twice, one nearly an address, one digest."""
    names = [identity(name) for name in ("desk", "robber", "payer", "quiet")]
    draw = random.Random(5)
    lines = [f"{number};{draw.choice(names)};x" for number in range(300)]
    lines[7], lines[9] = f"7;{names[0][:-1] + ('q' if names[0][-1] != 'q' else 'p')};x", f"9;{'ab' * 32};x"
    path = tmp_path / "wallets.csv"
    path.write_text("id;wallet;note\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_rows_are_those_of_the_document_in_the_order_of_the_list(screener, wallets, form):
    out = io.BytesIO()
    tally = write_stream(Lists(screener, [wallets], form, part=500), out, silent)
    text = out.getvalue().decode()
    assert (tally.rows, tally.near_misses, tally.digits) == (298, 1, 1)
    assert tally.counts["abuse"] == tally.findings
    assert len(tally.urgent) == 20
    assert {address for _, address, _, _ in tally.urgent} == {identity("robber")}
    assert tally.near[0].startswith("line 9, column 3: ")
    document = {row["address"]: row for row in screen(find_mentions(wallets.read_text()), screener).rows}
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["first_place"] for row in rows][:2] == ["line 2, column 3", "line 3, column 3"]
    else:
        rows = [json.loads(line) for line in text.splitlines()]
        shared = set(rows[0]) - {"first_place", "row"}
        for row in rows:
            assert {name: row[name] for name in shared} == {name: document[row["address"]][name] for name in shared}
            assert row["row"]["wallet"] == row["address"]
    assert {row["address"] for row in rows} == set(document)
    assert len(rows) == 298


def test_a_stop_at_any_row_loses_and_doubles_nothing(screener, wallets, tmp_path):
    whole = io.BytesIO()
    tally = write_stream(Lists(screener, [wallets, wallets], "jsonl", part=700), whole, silent)
    for stop in range(0, 40, 7):
        target = tmp_path / f"out-{stop}.jsonl"
        calls = iter(range(stop))

        def interrupt(*_, calls=calls):
            if next(calls, None) is None:
                raise KeyboardInterrupt

        lists = Lists(screener, [wallets, wallets], "jsonl", part=700)
        with pytest.raises(KeyboardInterrupt):
            write_file(lists, target, interrupt, every=0)
        with target.open("ab") as file:  # what was written and never counted
            file.write(b'{"half a row')
        assert target.with_name(target.name + ENDING).exists()
        again = write_file(Lists(screener, [wallets, wallets], "jsonl", part=700), target, silent, resume=True)
        assert target.read_bytes() == whole.getvalue()
        assert again == tally
        assert not target.with_name(target.name + ENDING).exists()


KILLED = """
import sys, time
from pathlib import Path
from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagSets
from shieldwall.trace.screening.run import Lists, write_file
from shieldwall.trace.screening.screener import Screener

folder, wallets, target = map(Path, sys.argv[1:])
with ChainStore.open(folder / "chain") as store:
    screener = Screener.of(TagSets(folder / "sets").select(None), store, engine="plain", threads=1)
    print("ready", flush=True)
    lists = Lists(screener, [wallets], "csv", part=300)
    write_file(lists, target, lambda *_: time.sleep(0.004), resume=True, every=0.02)
"""


LIVES = 30


def test_a_run_that_is_killed_goes_on(screener, folder, wallets, tmp_path):
    whole = io.BytesIO()
    write_stream(Lists(screener, [wallets], "csv", part=300), whole, silent)
    target, draw, kills = tmp_path / "out.csv", random.Random(3), 0
    for life in range(LIVES):
        words = [sys.executable, "-c", KILLED, str(folder), str(wallets), str(target)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": ""}) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(draw.uniform(0, 0.2 * life))
            process.send_signal(signal.SIGKILL)
        if is_finished(target):  # killed or not: its last act was to delete the checkpoint
            break
        kills += 1
    assert kills
    assert write_file(Lists(screener, [wallets], "csv", part=300), target, silent, resume=True).rows == 298
    assert target.read_bytes() == whole.getvalue()
    assert not Path(f"{target}{ENDING}").exists()


def test_only_the_same_run_goes_on(screener, wallets, tmp_path):
    target = tmp_path / "out.jsonl"

    def interrupt(*_):
        raise KeyboardInterrupt

    def run(lists, **more):
        return write_file(lists, target, silent, **more)

    with pytest.raises(KeyboardInterrupt):
        write_file(Lists(screener, [wallets], "jsonl", part=500), target, interrupt, every=0)
    write = Lists(screener, [wallets], "jsonl", part=500)
    with pytest.raises(UsageError, match="a run that was stopped"):
        run(write)
    with pytest.raises(UsageError, match="had other form"):
        run(Lists(screener, [wallets], "csv", part=500), resume=True)
    direct = Screener(screener.index, screener.store)
    with pytest.raises(UsageError, match="had other hops"):
        run(Lists(direct, [wallets], "jsonl", part=500), resume=True)
    before = wallets.read_bytes()
    wallets.write_bytes(b"x" + before[1:])
    if json.loads((tmp_path / f"out.jsonl{ENDING}").read_text())["position"]["offset"]:
        with pytest.raises(UsageError, match="had other lists"):
            run(write, resume=True)
    wallets.write_bytes(before + b"\n")
    with pytest.raises(UsageError, match="had other lists"):
        run(write, resume=True)
    wallets.write_bytes(before)
    kept = (tmp_path / f"out.jsonl{ENDING}").read_bytes()
    for broken in (
        b"",
        b"{}",
        kept[:-9],
        kept.replace(b"shieldwall-screening/1", b"shieldwall-screening/9"),
        b"[" * 9_000,
    ):
        (tmp_path / f"out.jsonl{ENDING}").write_bytes(broken)
        with pytest.raises(BadInput, match="no checkpoint"):
            run(write, resume=True)
    (tmp_path / f"out.jsonl{ENDING}").write_bytes(kept)
    run(write, resume=True)
    with pytest.raises(UsageError, match="there already, and finished"):
        run(write)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_to_go_on_with_a_finished_run_changes_nothing_and_says_the_same(screener, wallets, tmp_path, form):
    target = tmp_path / f"out.{form}"
    lists = Lists(screener, [wallets, wallets], form, part=500)
    tally = write_file(lists, target, silent)
    before = target.read_bytes(), target.stat().st_mtime_ns
    again = write_file(lists, target, silent, resume=True)
    assert again == tally
    assert tally.counts["exposed"]
    assert tally.counts["abuse"]
    assert (target.read_bytes(), target.stat().st_mtime_ns) == before
    assert not target.with_name(target.name + ENDING).exists()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_that_no_run_finished_is_not_called_finished(screener, wallets, tmp_path, form):
    target = tmp_path / f"out.{form}"
    lists = Lists(screener, [wallets], form, part=500)
    write_file(lists, target, silent)
    kept = target.read_bytes()
    others = {
        b"my notes\n": "no finished screening",
        b'{"address": 3}\n': "no finished screening",
        b"\xff\xfe\n": "no finished screening",
        kept[:-1]: "not whole",
        kept[:-1].rsplit(b"\n", 1)[0] + b"\n": "297 rows",
        kept.replace(b"in store, no tag", b"clean"): "not a row",
    }
    for other, match in others.items():
        target.write_bytes(other)
        with pytest.raises(UsageError, match=match):
            write_file(lists, target, silent, resume=True)
        assert target.read_bytes() == other


def test_standard_input_is_not_gone_on_with(screener, tmp_path):
    lists = Lists(screener, [], "jsonl", opened=io.BytesIO(b"x"))
    with pytest.raises(UsageError, match="read once"):
        write_file(lists, tmp_path / "out.jsonl", silent, resume=True)
    assert not list(tmp_path.iterdir())


SAVED = {
    "format": "shieldwall-screening/1",
    "run": {"form": "csv"},
    "written": 9,
    "source": 0,
    "position": {"offset": 5, "line": 2, "column": 0},
    "read": "ab" * 32,
    "tally": {
        "counts": dict.fromkeys(
            ("sanctioned", "abuse", "exposed", "tagged", "in store, no tag", "unknown", "no_store_of_its_network"), 1
        ),
        "near_misses": 0,
        "digits": 1,
        "urgent": [[[True, False, True, 0], "an address", "a label", "line 1, column 1"]],
        "near": ["line 2, column 1: x"],
    },
}
LEAVES = [
    ("format",), ("run",), ("written",), ("source",), ("position",), ("position", "offset"), ("position", "line"),
    ("position", "column"), ("read",), ("tally",), ("tally", "counts"), ("tally", "counts", "abuse"), ("tally", "near_misses"),
    ("tally", "digits"), ("tally", "urgent"), ("tally", "urgent", 0), ("tally", "urgent", 0, 0), ("tally", "urgent", 0, 1),
    ("tally", "urgent", 0, 0, 3), ("tally", "near"), ("tally", "near", 0),
]  # fmt: skip
WRONG = [None, -1, 1.5, 1 << 70, [3], [[1, 2], "a", "b", "c"], {"a": 1}, "yes" * 9]
FITTING = {
    ("run",): [{"a": 1}],
    ("tally", "urgent", 0, 1): ["yes" * 9],
    ("tally", "near", 0): ["yes" * 9],
}


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_each_field_of_a_checkpoint_is_checked(leaf):
    assert parse_checkpoint(json.dumps(SAVED).encode()).tally == SAVED["tally"]
    for wrong in WRONG:
        body = json.loads(json.dumps(SAVED))
        inner = body
        for name in leaf[:-1]:
            inner = inner[name]
        inner[leaf[-1]] = wrong
        if wrong in FITTING.get(leaf, []):
            parse_checkpoint(json.dumps(body).encode())
        else:
            with pytest.raises(ValueError, match=r"\w"):
                parse_checkpoint(json.dumps(body).encode())
    if isinstance(leaf[-1], str) and leaf != ("format",):
        body = json.loads(json.dumps(SAVED))
        inner = body
        for name in leaf[:-1]:
            inner = inner[name]
        del inner[leaf[-1]]
        with pytest.raises(ValueError, match="too much, or too little"):
            parse_checkpoint(json.dumps(body).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def checkpoints(draw):
    """The bytes of a checkpoint with one field changed, or with some bytes changed, or of anything."""
    body = json.loads(json.dumps(SAVED))
    leaf = inner = None
    if draw(st.booleans()):
        leaf, inner = draw(st.sampled_from(LEAVES)), body
        for name in leaf[:-1]:
            inner = inner[name]
        inner[leaf[-1]] = draw(VALUES)
    raw = bytearray(json.dumps(body).encode())
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=3)):
        raw[place] = byte
    return bytes(raw[: draw(st.integers(0, len(raw)) | st.integers(len(raw), len(raw)))])


@given(checkpoints() | st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b"9" * 10_000)
def test_any_bytes_are_a_checkpoint_or_refused(raw):
    try:
        saved = parse_checkpoint(raw)
    except (ValueError, RecursionError):
        return
    assert min(saved.written, saved.source, saved.position.offset, saved.position.column) >= 0
    assert saved.position.line >= 1
    assert len(saved.read) == 64
    assert all(type(number) is int and number >= 0 for number in saved.tally["counts"].values())
    sorted(saved.tally["urgent"], key=lambda row: row[0])


def test_a_checkpoint_with_a_field_of_another_type_is_refused_by_name(screener, wallets, tmp_path):
    target = tmp_path / "out.jsonl"

    def interrupt(*_):
        raise KeyboardInterrupt

    lists = Lists(screener, [wallets], "jsonl", part=500)
    with pytest.raises(KeyboardInterrupt):
        write_file(lists, target, interrupt, every=0)
    beside = tmp_path / f"out.jsonl{ENDING}"
    body = json.loads(beside.read_bytes())
    for changed in ({"tally": {**body["tally"], "counts": [1]}}, {"source": 1}, {"written": "9"}):
        beside.write_text(json.dumps({**body, **changed}))
        with pytest.raises(BadText, match=f"out.jsonl{ENDING}: no checkpoint"):
            write_file(lists, target, silent, resume=True)


def test_one_address_a_line_is_all_that_constant_memory_holds(screener):
    """What is waiting to be written is a few parts, however long the list."""
    line = identity("quiet").encode() + b"\n"
    taken = []

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, room):
            taken.append(len(room))
            piece = (line * (len(room) // len(line) + 1))[: len(room)]
            room[:] = piece
            return len(room)

    lists = Lists(screener, [], "jsonl", part=5_000, opened=io.BufferedReader(Endless(), 5_000))
    blocks = lists.blocks()
    rows = sum(next(blocks).tally.rows for _ in range(20))
    blocks.close()
    assert rows > 2_000
    assert sum(taken) < 40 * 5_000
