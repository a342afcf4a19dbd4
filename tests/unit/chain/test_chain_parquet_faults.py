"""Parquet that is broken: refused with file, row and column, and never a traceback."""

import copy
from functools import cache

import pytest
from chain_support import build_store, random_chain
from hypothesis import given
from hypothesis import strategies as st
from tables_support import schemas, tables, write_table, write_tables

from shieldwall.chain.readers.interface import silent
from shieldwall.chain.readers.parquet import ParquetOptions, ParquetReader
from shieldwall.errors import BadBlock, BadInput, ShieldwallError
from shieldwall.model.network import REGTEST

pa = pytest.importorskip("pyarrow", reason="missing: the extra parquet")


@cache
def both_tables():
    """Both tables, the second without the coinbases' first rows being special: row 1 on spend something."""
    return tables(random_chain(62, blocks=30).blocks)


@pytest.fixture(scope="module")
def rows():
    return both_tables()


@pytest.fixture
def broken(rows):
    return copy.deepcopy(rows)


def load(folder, **options):
    reader = ParquetReader(sorted(folder.rglob("*.parquet")), REGTEST, ParquetOptions(**{"engine": "plain", **options}))
    found = reader.survey(silent)
    blocks = list(reader.load(found.blocks))
    for ref in found.blocks:
        reader.previous_outputs(ref)
    return blocks


def written(folder, tables_):
    blocks, transactions = schemas()
    write_table(folder / "b.parquet", tables_[0], blocks)
    write_table(folder / "t.parquet", tables_[1], transactions)
    return folder


def spending(transactions):
    return next(number for number, row in enumerate(transactions) if row["inputs"])


COLUMNS = [
    (0, "hash"), (0, "number"), (0, "version"), (0, "merkle_root"), (0, "timestamp"), (0, "nonce"), (0, "bits"),
    (0, "coinbase_param"), (0, "transaction_count"), (1, "hash"), (1, "version"), (1, "lock_time"), (1, "block_hash"),
    (1, "index"), (1, "inputs"), (1, "outputs"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_missing_column(tmp_path, rows, table, column):
    kept = list(schemas())
    kept[table] = kept[table].remove(kept[table].get_field_index(column))
    for name, some, schema in zip("bt", rows, kept, strict=True):
        write_table(
            tmp_path / f"{name}.parquet", [{k: v for k, v in r.items() if k in schema.names} for r in some], schema
        )
    with pytest.raises(BadInput, match=f"{'bt'[table]}.parquet: no column {column}"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["spent_transaction_hash", "spent_output_index", "script_hex", "sequence"])
def test_a_missing_key_of_inputs(tmp_path, rows, key):
    blocks, transactions = schemas()
    number = transactions.get_field_index("inputs")
    kept = [field for field in transactions.field(number).type.value_type if field.name != key]
    changed = transactions.set(number, pa.field("inputs", pa.list_(pa.struct(kept))))
    write_table(tmp_path / "b.parquet", rows[0], blocks)
    write_table(tmp_path / "t.parquet", rows[1], changed)
    with pytest.raises(BadInput, match=f"no column inputs.{key}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("table", "column", "kind", "change"),
    [
        (0, "nonce", pa.string(), str),
        (0, "timestamp", pa.int64(), lambda when: int(when.timestamp())),
        (0, "merkle_root", pa.binary(), str.encode),
        (1, "version", pa.float64(), float),
        (1, "index", pa.string(), str),
        (1, "outputs", pa.string(), str),
    ],
)
def test_a_column_of_another_type(tmp_path, broken, table, column, kind, change):
    kept = list(schemas())
    kept[table] = kept[table].set(kept[table].get_field_index(column), pa.field(column, kind))
    for row in broken[table]:
        row[column] = change(row[column])
    for name, some, schema in zip("bt", broken, kept, strict=True):
        write_table(tmp_path / f"{name}.parquet", some, schema)
    with pytest.raises(BadInput, match=rf"{column}"):
        load(tmp_path)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_null(tmp_path, broken, table, column):
    place = spending(broken[1]) if table else 7
    broken[table][place][column] = None
    with pytest.raises(BadInput) as caught:
        load(written(tmp_path, broken))
    text = str(caught.value)
    assert f"{'bt'[table]}.parquet, row {place}" in text
    assert column in text


@pytest.mark.parametrize("key", ["spent_transaction_hash", "spent_output_index", "script_hex", "sequence", "index"])
def test_a_null_in_an_input(tmp_path, broken, key):
    place = spending(broken[1])
    broken[1][place]["inputs"][0][key] = None
    with pytest.raises(BadInput, match=rf"t.parquet, row {place}, column inputs.{key}: null"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize("key", ["value", "script_hex"])
def test_a_null_in_an_output(tmp_path, broken, key):
    broken[1][5]["outputs"][0][key] = None
    with pytest.raises(BadInput, match=rf"t.parquet, row 5, column outputs.{key}: null"):
        load(written(tmp_path, broken))


def test_null_addresses_do_not_matter(tmp_path, broken):
    for row in broken[1]:
        for entry in [*(row["inputs"] or ()), *row["outputs"]]:
            entry["address"] = None
    assert len(load(written(tmp_path, broken))) == len(broken[0])


def test_a_null_input(tmp_path, broken):
    place = spending(broken[1])
    broken[1][place]["inputs"][0] = None
    with pytest.raises(BadInput, match=rf"row {place}, column inputs: null"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize("value", [0.000000005, 1.000000001, -1.0, 21_000_001.0, float("nan"), float("inf")])
def test_a_double_that_is_no_satoshi(tmp_path, broken, value):
    broken[1][6]["outputs"][0]["value"] = value
    with pytest.raises(BadInput, match=rf"row 6, column outputs\[0\].value: expected bitcoins.*found {value}"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize(
    ("column", "key", "value"),
    [
        ("inputs", "spent_transaction_hash", "ab"),
        ("inputs", "spent_output_index", -1),
        ("inputs", "script_hex", "0x00"),
        ("inputs", "sequence", 1 << 32),
        ("outputs", "script_hex", "abc"),
    ],
)
def test_an_entry_that_no_transaction_has(tmp_path, broken, column, key, value):
    place = spending(broken[1])
    broken[1][place][column][0][key] = value
    with pytest.raises(BadInput, match=rf"row {place}, column {column}\[0\].{key}: expected .*found"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize(("column", "value"), [("version", 1 << 40), ("lock_time", -1), ("outputs", [])])
def test_a_row_that_no_transaction_has(tmp_path, broken, column, value):
    broken[1][9][column] = value
    with pytest.raises(BadInput, match=rf"row 9, column {column}: expected .*found"):
        load(written(tmp_path, broken))


def test_entries_out_of_order(tmp_path, broken):
    place = next(number for number, row in enumerate(broken[1]) if len(row["outputs"]) > 1)
    broken[1][place]["outputs"].reverse()
    with pytest.raises(BadInput, match=rf"row {place}, column outputs.index: expected 0, found"):
        load(written(tmp_path, broken))


def test_an_empty_list_of_inputs_beyond_the_coinbase(tmp_path, broken):
    broken[1][spending(broken[1])]["inputs"] = []
    with pytest.raises(BadInput, match="in a transaction that is not the first of its block"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize(
    ("column", "value"),
    [("nonce", 1), ("version", 5), ("merkle_root", "00" * 32), ("previousblockhash", "11" * 32), ("bits", "207ffffe")],
)
def test_a_header_that_does_not_hash_to_its_name(tmp_path, broken, column, value):
    assert broken[0][4][column] != value
    broken[0][4][column] = value
    with pytest.raises(BadBlock, match=r"b.parquet, row 4: the fields of the header hash to"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize(
    ("column", "value"),
    [("bits", "xyz"), ("nonce", -1), ("hash", "ab"), ("coinbase_param", "0g"), ("coinbase_param", "00" * 101),
     ("transaction_count", 0)],
)  # fmt: skip
def test_a_field_that_no_header_has(tmp_path, broken, column, value):
    broken[0][4][column] = value
    with pytest.raises(BadInput, match=rf"b.parquet, row 4, column {column}: expected"):
        load(written(tmp_path, broken))


@pytest.mark.parametrize("change", ["value", "script", "sequence", "coinbase"])
def test_an_altered_transaction_does_not_make_the_root(tmp_path, broken, change):
    place = spending(broken[1])
    row = broken[1][place]
    if change == "value":
        row["outputs"][0]["value"] += 1
    elif change == "script":
        row["outputs"][0]["script_hex"] = "51"
    elif change == "sequence":
        row["inputs"][0]["sequence"] = 5
    else:
        broken[1][place]["outputs"][0]["value"] = 1.5
    source = write_tables(tmp_path / "aws", *broken)
    with pytest.raises(BadBlock, match="merkle root"):
        build_store(tmp_path / "c", source)


def test_a_file_that_is_neither_table(tmp_path, rows):
    written(tmp_path, rows)
    write_table(tmp_path / "x.parquet", [{"token": "a"}], pa.schema([("token", pa.string())]))
    with pytest.raises(BadInput, match="neither a file of blocks nor one of transactions"):
        load(tmp_path)


@pytest.mark.parametrize("table", [0, 1])
def test_one_table_alone(tmp_path, rows, table):
    write_table(tmp_path / "x.parquet", rows[table], schemas()[table])
    with pytest.raises(BadInput, match=f"no Parquet file of {('transactions', 'blocks')[table]}"):
        load(tmp_path)


def test_too_many_rows_that_wait_for_others(tmp_path, rows, monkeypatch):
    monkeypatch.setattr("shieldwall.chain.readers.parquet_pass._MOST_WAITING", 3)
    with pytest.raises(BadInput, match="wait for the other rows of their blocks") as caught:
        load(written(tmp_path, rows))
    assert "block_number" in caught.value.hint


def test_a_file_that_changes_while_it_is_read(tmp_path, rows):
    folder = written(tmp_path, rows)
    reader = ParquetReader(sorted(folder.iterdir()), REGTEST, ParquetOptions(engine="plain"))
    found = reader.survey(silent)
    write_table(folder / "t.parquet", rows[1][:5], schemas()[1])
    with pytest.raises(BadInput, match="the file changed while it was read"):
        list(reader.load(found.blocks))


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory, rows):
    """The folder of two good files; the bytes themselves are too long to be an argument that a failure prints."""
    folder = tmp_path_factory.mktemp("whole")
    written(folder, (rows[0][:6], [row for row in rows[1] if row["block_number"] < 6]))
    return folder


@given(st.sampled_from(["b.parquet", "t.parquet"]), st.integers(0, 1 << 20), st.binary(max_size=6), st.integers(0, 6))
def test_damaged_bytes_are_refused_or_make_no_difference(tmp_path_factory, undamaged, name, at, piece, left_out):
    folder = tmp_path_factory.mktemp("damaged")
    whole = (undamaged / name).read_bytes()
    place = at % len(whole)
    for other in undamaged.iterdir():
        (folder / other.name).write_bytes(other.read_bytes())
    (folder / name).write_bytes(whole[:place] + piece + whole[place + left_out :])
    text = refusal(folder)
    assert text is None or str(folder) in text


def refusal(folder, **options):
    """What reading a folder whole is refused with; None when it is read."""
    try:
        load(folder, **options)
    except ShieldwallError as error:
        return str(error)
    return None


VALUES = st.none() | st.text(max_size=70) | st.just("00" * 32) | st.just("")
NUMBERS = st.none() | st.integers(-(1 << 63), (1 << 63) - 1)


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 100),
        VALUES,
        NUMBERS,
        st.none() | st.floats(),
        st.sampled_from([None, (), (None,)]),
    ),
    min_size=1,
    max_size=3,
)


@given(CHANGES, st.sampled_from(["check", "skip"]), st.sampled_from(["recompute", "given"]))
def test_rows_of_anything_are_refused_or_read(tmp_path_factory, changes, roots, txids):
    folder = tmp_path_factory.mktemp("anything")
    rows = both_tables()  # no argument: a failure would print it whole
    some = copy.deepcopy((rows[0][:5], [row for row in rows[1] if row["block_number"] < 5]))
    for place, column, text, number, double, entries in changes:
        every = [*some[0], *some[1], *(entry for row in some[1] for entry in row["outputs"] or () if entry)]
        row = every[place % len(every)]
        name = sorted(row)[column % len(row)]
        value = row[name]
        if isinstance(value, float):
            row[name] = double
        elif isinstance(value, int) and not isinstance(value, bool):
            row[name] = number
        elif isinstance(value, list):
            row[name] = entries
        elif isinstance(value, str) or value is None:
            row[name] = text
    try:
        written(folder, some)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return  # a text in a column of numbers
    text = refusal(folder, roots=roots, txids=txids)
    assert text is None or str(folder) in text
