import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, pack, refused

from shieldwall.errors import UsageError
from shieldwall.intel import ReadOptions, read
from shieldwall.intel.readers import READERS, choose


@pytest.mark.parametrize(
    ("name", "raw", "reader"),
    [
        ("a.yaml", b"title: x\ntags:\n", "tagpack"),
        ("a.yml", b"title: x\nactors:\n", "actorpack"),
        ("a.CSV", b"", "csvtags"),
        ("a.tsv", b"", "csvtags"),
        ("a.txt", b"address,label", "addresslist"),
        ("a", b"title: x\ntags:\n- address: y", "tagpack"),
        ("a", b"creator: x\nactors:\n", "actorpack"),
        ("a", b"label;Address\r\n", "csvtags"),
        ("a.dat", FIRST.encode(), "addresslist"),
    ],
)
def test_the_reader_follows_from_the_ending_else_from_the_content(name, raw, reader):
    assert choose(name, raw) == reader


def test_a_file_is_read_by_its_reader(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(pack(f"- address: {FIRST}\n"))
    found, raw = read(path, ReadOptions())
    assert (found.reader, raw) == ("tagpack", path.read_bytes())
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "b.yaml", ReadOptions())


@given(st.binary(max_size=150), st.sampled_from(sorted(READERS)))
def test_no_bytes_make_a_reader_fail_otherwise_than_by_bad_text(raw, reader):
    message = refused(lambda: READERS[reader](raw, "x", ReadOptions(set_name="s")))
    assert not message or message.startswith("x")
