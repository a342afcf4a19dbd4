"""bitcoin-etl's JSON lines: what they prove, what they leave unknown, what is refused."""

import copy
import gzip
import json

import pytest
from chain_support import build_store, facts_of, outputs_of, parse_block, random_chain, write
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.etl import write_etl
from shieldwall.chain.readers.etl_json import EtlReader, looks_like_etl
from shieldwall.chain.readers.interface import silent
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadBlock, BadInput, BadText, ShieldwallError
from shieldwall.model.network import REGTEST


@pytest.fixture(scope="module")
def chain():
    return random_chain(71, blocks=24).blocks


@pytest.fixture(scope="module")
def expected(chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    write(folder / "blk00000.dat", chain)
    build_store(folder / "c", folder / "blk00000.dat")
    with ChainStore.open(folder / "c") as store:
        write_etl(store, folder / "etl")
    return facts_of(folder / "c"), *(
        [json.loads(line) for line in (folder / "etl" / name).read_text().splitlines()]
        for name in ("blocks.json", "transactions.json")
    )


@pytest.fixture
def lines(expected):
    return copy.deepcopy(expected[1:])


def save(folder, blocks, transactions):
    folder.mkdir(exist_ok=True)
    for name, rows in (("blocks.json", blocks), ("transactions.json", transactions)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


_OPENED: list[EtlReader] = []


def close_all():
    while _OPENED:
        _OPENED.pop().close()


@pytest.fixture(autouse=True)
def closed():
    yield
    close_all()


def survey(folder):
    reader = EtlReader(sorted(folder.iterdir()), REGTEST)
    _OPENED.append(reader)
    return reader, reader.survey(silent)


def refused(folder, lines, error=BadInput, match=None):
    with pytest.raises(error, match=match) as caught:
        survey(save(folder, *lines))
    return str(caught.value)


def spending(transactions):
    return next(number for number, row in enumerate(transactions) if row["inputs"])


def test_the_store_is_that_of_the_block_files(tmp_path, expected, lines):
    report = build_store(tmp_path / "c", save(tmp_path / "in", *lines))
    assert facts_of(tmp_path / "c") == expected[0]
    assert report.notes == []
    with ChainStore.open(tmp_path / "c") as store:
        assert verify(store, source=True).passed


def test_gzipped_mixed_and_in_any_order(tmp_path, expected, lines):
    blocks, transactions = lines
    rows = [{"type": "transaction", **row} for row in transactions[::-1]] + [{"type": "block", **row} for row in blocks]
    content = "\n\n".join(json.dumps(row) for row in rows).encode()
    (tmp_path / "stream.jsonl.gz").write_bytes(gzip.compress(content))
    report = build_store(tmp_path / "c", tmp_path / "stream.jsonl.gz")
    assert facts_of(tmp_path / "c") == expected[0]
    assert report.duplicates == 0
    (tmp_path / "twice.json").write_bytes(content)
    again = build_store(tmp_path / "d", tmp_path / "stream.jsonl.gz", tmp_path / "twice.json")
    assert again.duplicates == len(rows)


def test_a_later_part_has_no_header_for_its_first_block(tmp_path, lines):
    blocks, transactions = lines
    late = save(tmp_path / "late", blocks[9:], [row for row in transactions if row["block_number"] >= 9])
    _, found = survey(late)
    assert [ref.height for ref in found.blocks if not ref.whole] == [9]
    assert found.notes == [
        "1 blocks have no header, since the block before them is not in these files: inclusion is not proven"
    ]


def test_block_one_knows_the_block_before(tmp_path, lines):
    blocks, transactions = lines
    _, found = survey(save(tmp_path / "in", blocks[1:2], [row for row in transactions if row["block_number"] == 1]))
    assert found.blocks[0].whole


def test_blocks_that_miss_something_are_not_whole(tmp_path, lines):
    blocks, transactions = lines
    lost = transactions.pop(spending(transactions))
    unplaced = next(row for row in transactions if row["block_number"] != lost["block_number"])
    unplaced["index"] = None
    gone = blocks.pop()
    _, found = survey(save(tmp_path / "in", blocks, transactions))
    heights = {lost["block_number"], unplaced["block_number"]}
    assert {ref.height for ref in found.blocks if not ref.whole} - {gone["number"]} == heights
    assert any("coinbases are left aside" in note for note in found.notes)


def test_blocks_without_transactions_are_counted(tmp_path, lines):
    blocks, transactions = lines
    _, found = survey(save(tmp_path / "in", blocks, [row for row in transactions if row["block_number"] != 3]))
    assert "1 blocks have no transactions in these files" in found.notes


def test_what_inputs_bring_is_said_and_zero_is_unknown(tmp_path, chain, lines):
    blocks, transactions = lines
    paid = outputs_of(chain)
    reader, found = survey(save(tmp_path / "in", blocks, transactions))
    kinds = set()
    for ref in found.blocks:
        spent = [entry for each in parse_block(chain[ref.height])[1:] for entry in each.inputs]
        for entry, of in zip(reader.previous_outputs(ref), spent, strict=True):
            value, script = paid[of.txid, of.index]
            kinds.add(entry is not None and entry.script_known)
            if value == 0:
                assert entry is None or entry.value is None
            else:
                assert entry.value == value
            if entry is not None and entry.script_known:
                assert entry.script == script
    assert kinds >= {True, False}


@pytest.mark.parametrize("unknown", [0, None])
def test_unenriched_inputs_are_unknown(tmp_path, lines, unknown):
    blocks, transactions = lines
    for row in transactions:
        for entry in row["inputs"]:
            entry |= {"value": unknown, "type": None, "addresses": [], "required_signatures": None}
    reader, found = survey(save(tmp_path / "in", blocks, transactions))
    assert all(entry is None for ref in found.blocks for entry in reader.previous_outputs(ref))


@pytest.mark.parametrize(
    ("name", "value"),
    [("version", 9), ("lock_time", 1), ("hash", "ab" * 32), ("outputs", [])],
)
def test_a_transaction_that_does_not_hash_to_its_name(tmp_path, lines, name, value):
    lines[1][spending(lines[1])][name] = value
    refused(tmp_path, lines, BadBlock)


def test_an_altered_coinbase(tmp_path, lines):
    lines[1][2]["outputs"][0]["value"] -= 1
    refused(tmp_path, lines, BadBlock, "the coinbase's fields do not hash to the txid")


def test_an_altered_header_is_not_taken(tmp_path, lines):
    lines[0][5]["nonce"] = "1"
    _, found = survey(save(tmp_path / "in", *lines))
    assert [ref.height for ref in found.blocks if ref.header is None] == [5]


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        (0, "nonce", "-1"), (0, "nonce", 7), (0, "nonce", "1" * 9), (0, "bits", "1d00ff"), (0, "number", "5"),
        (0, "coinbase_param", None), (0, "coinbase_param", "00" * 101), (0, "timestamp", 1.5), (0, "hash", None),
        (0, "transaction_count", 0), (1, "version", None), (1, "lock_time", 1 << 32), (1, "block_hash", "x"),
        (1, "block_number", -1), (1, "index", "0"), (1, "inputs", None), (1, "inputs", [3]), (1, "outputs", None),
        (1, "block_timestamp", 5),
    ],
)  # fmt: skip
def test_a_field_that_is_not_what_it_must_be(tmp_path, lines, table, name, value):
    row = 4 if table == 0 else spending(lines[1])
    lines[table][row][name] = value
    text = refused(tmp_path, lines, BadText)
    assert f"{('blocks', 'transactions')[table]}.json, line {row + 1}" in text
    assert name in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("value", 1.5), ("value", -1), ("addresses", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"), ("addresses", [3]),
     ("script_hex", "0"), ("script_hex", None), ("sequence", None), ("spent_output_index", -1)],
)  # fmt: skip
def test_an_input_that_is_not_what_it_must_be(tmp_path, lines, name, value):
    row = spending(lines[1])
    lines[1][row]["inputs"][0][name] = value
    assert f"line {row + 1}.inputs[0].{name}" in refused(tmp_path, lines, BadText)


def test_two_lines_that_differ_on_a_block(tmp_path, lines):
    lines[0].append({**lines[0][3], "coinbase_param": "00"})
    assert "differs from" in refused(tmp_path, lines, BadText)


NO_LINES = [b'{"hash": 1}', b"{", b"[]", b'{"merkle_root"\xff', b"\x1f\x8b\x08junk", b"[" * 100_000]


@pytest.mark.parametrize("content", NO_LINES)
def test_lines_that_are_no_lines(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BadText, match=r"x\.json, line 1"):
        survey(tmp_path)


def test_a_cut_gzip(tmp_path, lines):
    content = gzip.compress("\n".join(json.dumps(row) for row in lines[0]).encode())
    (tmp_path / "x.json.gz").write_bytes(content[:-9])
    with pytest.raises(BadText, match="damaged or cut off"):
        survey(tmp_path)


def test_only_such_files_look_like_it(tmp_path, lines):
    for rows in lines:
        text = json.dumps(rows[0]).encode()
        assert looks_like_etl(text)
        assert looks_like_etl(gzip.compress(text))
    for other in (b"", b"[]", b"\x1f\x8b", b'{"merkle_root": 1}', b'{"vin": []}'):
        assert not looks_like_etl(other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.just("00" * 32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def refusal(folder):
    """What reading a folder whole is refused with; None when it is read."""
    try:
        reader, found = survey(folder)
        for block in reader.load(found.blocks):
            assert block.count
            reader.previous_outputs(block.ref)
    except ShieldwallError as error:
        return str(error)
    finally:
        close_all()
    return None


@given(st.data())
def test_lines_of_anything_are_refused_or_read(tmp_path_factory, expected, data):
    blocks = copy.deepcopy(expected[1][:6])
    transactions = [copy.deepcopy(row) for row in expected[2] if row["block_number"] < 6]
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.sampled_from(blocks + transactions))
        if isinstance(row.get("outputs"), list) and isinstance(row["inputs"], list) and data.draw(st.booleans()):
            row = data.draw(st.sampled_from([row, *row["outputs"], *row["inputs"]]))
        if isinstance(row, dict):
            row[data.draw(st.sampled_from([*row, "more"]))] = data.draw(JSON)
    folder = tmp_path_factory.mktemp("anything")
    text = refusal(save(folder / "in", blocks, transactions))
    assert text is None or str(folder) in text


BYTES = st.binary(max_size=200)


@given(BYTES | BYTES.map(gzip.compress) | BYTES.map(lambda content: b"\x1f\x8b" + content))
def test_bytes_of_anything_are_refused_or_empty(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "x.json").write_bytes(content)
    looks_like_etl(content)
    text = refusal(folder)
    assert text is None or str(folder) in text
