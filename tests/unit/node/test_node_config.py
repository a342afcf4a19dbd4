"""Where a setting comes from: default, file, variable, option, in rising order; and what is no configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import ShieldwallError, UsageError
from shieldwall.model.network import REGTEST
from shieldwall.node.config import SETTINGS, config_file, load
from shieldwall.node.wiring import chain_folder, labels, open_chain


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path)}


def write(home, text):
    path = Path(home["HOME"]) / ".config" / "shieldwall" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults(home):
    found = load(home)
    assert (found.chain, found.directory, found.engine) == (None, None, "auto")
    assert found.data == Path(home["HOME"]) / ".local/share/shieldwall"
    assert found.tags == found.data / "tags"
    assert found.origins == {"data": "default", "engine": "default"}


def test_rising_precedence_for_every_setting(home):
    values = {"chain": "/a", "data": "/b", "directory": "/c.toml", "engine": "plain", "node": "/d"}
    assert set(values) == set(SETTINGS)
    path = write(home, "".join(f'{name} = "{value}"\n' for name, value in values.items()))
    found = load(home)
    assert {name: str(getattr(found, name)) for name in SETTINGS} == values
    assert found.origins == dict.fromkeys(SETTINGS, str(path))
    for name in SETTINGS:
        variable = f"SHIELDWALL_{name.upper()}"
        other = "compiled" if name == "engine" else "/other"
        over = load({**home, variable: other})
        assert (str(getattr(over, name)), over.origins[name]) == (other, variable)
        last = load({**home, variable: other}, {name: "auto" if name == "engine" else "/last"})
        assert last.origins[name] == f"--{name}"
        assert load({**home, variable: ""}, {name: None}).origins[name] == str(path)


def test_where_the_file_is(home, tmp_path):
    assert config_file(home) == tmp_path / ".config/shieldwall/config.toml"
    assert config_file({**home, "XDG_CONFIG_HOME": "/x"}) == Path("/x/shieldwall/config.toml")
    assert config_file({**home, "SHIELDWALL_CONFIG": "/y.toml"}) == Path("/y.toml")
    assert load({**home, "XDG_DATA_HOME": "/data"}).data == Path("/data/shieldwall")


def test_home_is_expanded_and_empty_says_nothing(home, monkeypatch):
    monkeypatch.setenv("HOME", home["HOME"])
    write(home, 'chain = "~/chain"\ndata = ""\n')
    found = load(home)
    assert found.chain == Path(home["HOME"]) / "chain"
    assert found.origins["data"] == "default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chain = ", "not readable as TOML"),
        ("chain = 5", "'chain' is no setting"),
        ('[chain]\nx = "y"', "'chain' is no setting"),
        ('chian = "x"', "'chian' is no setting"),
        ('engine = "fast"', "engine 'fast'"),
        ('chain = "~nobody-of-this-name/x"', "no such user's home"),
        ("a = " + "[" * 5000, "not readable as TOML"),
    ],
)
def test_what_is_no_configuration_names_the_file(home, text, words):
    path = write(home, text)
    with pytest.raises(UsageError, match=words) as caught:
        load(home)
    assert str(path) in caught.value.message


def test_a_file_that_is_no_text(home):
    path = write(home, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not readable as TOML"):
        load(home)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="not readable as TOML"):
        load(home)


def outcome(home):
    try:
        load(home)
    except UsageError as error:
        return str(error)
    return "read"


TOML = st.text(max_size=60) | st.sampled_from(SETTINGS).flatmap(
    lambda name: st.text(max_size=20).map(lambda value: f'{name} = "{value}"')
)


@given(TOML)
def test_any_file_is_read_or_refused_in_words(tmp_path_factory, text):
    home = {"HOME": str(tmp_path_factory.getbasetemp())}
    write(home, text.encode("utf-8", "replace").decode())
    assert outcome(home)


def test_wiring_says_what_is_missing(home, tmp_path):
    with pytest.raises(UsageError, match="no chain store is named"):
        chain_folder(load(home))
    with pytest.raises(ShieldwallError) as caught:
        open_chain(load(home, {"chain": str(tmp_path / "none")}))
    assert caught.value.exit_code == 4
    found = labels(load(home), REGTEST)
    assert [entry["set"] for entry in found.versions] == ["freeze-directory"]


def test_wiring_lays_a_directory_of_ones_own_over_the_shipped_one(home, tmp_path):
    (tmp_path / "own.toml").write_text('dated = "2020-01-01"\n')
    own = labels(load(home, {"directory": str(tmp_path / "own.toml")}), REGTEST)
    assert own.versions[-1] == {"set": "freeze-directory", "version": "2020-01-01"}
    with pytest.raises(UsageError):
        labels(load(home, {"directory": str(tmp_path / "none.toml")}), REGTEST)
    with pytest.raises(UsageError, match="no tag set is called"):
        labels(load(home), REGTEST, ["none"])
