"""The node's folder and its settings: made for its owner alone, opened by its key alone, and refused where something is off."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from home_support import CHEAP, OPERATOR, OTHER, START, Hand, act, made, opened
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import Conflict, ShieldwallError, StoreError, Tampered, UsageError, WrongKey
from shieldwall.model.marking import Marking
from shieldwall.node.home import change_slots, make_home, read_slots
from shieldwall.node.nodeconfig import (
    MailConfig,
    NodeConfig,
    PeopleSettings,
    WebhookConfig,
    explain,
    load_node,
    node_toml,
    without_password,
)
from shieldwall.node.slots import Passphrase

WORDS = Passphrase("correct horse battery staple")


@pytest.fixture
def path(tmp_path):
    made(tmp_path / "node", name="Unit 5").close()
    return tmp_path / "node"


def test_everything_in_it_is_for_its_owner_alone(path):
    assert {file.name for file in path.iterdir()} >= {"node.toml", "keys.json", "node.db", "audit-roots.jsonl"}
    for file in (path, *path.iterdir()):
        assert file.stat().st_mode & 0o077 == 0, file


def test_it_opens_by_its_key_and_is_the_same_node(path):
    with opened(path) as home:
        node, key = home.slots.node, home.keys.public
        assert home.config.name == "Unit 5"
        assert home.secrets.master.hex() not in repr(home)
        act(home)
    with opened(path) as home:
        assert (home.slots.node, home.keys.public) == (node, key)
        with home.store.inside(OPERATOR) as work:
            verbs = [leaf.entry["verb"] for leaf in work.audit.leaves()]
        assert verbs == ["node.init", "node-key.begin", "test.act"]
    with pytest.raises(WrongKey):
        opened(path, key=OTHER)


def test_the_database_is_ciphertext(path):
    raw = (path / "node.db").read_bytes()
    assert not raw.startswith(b"SQLite format 3")
    assert b"node.init" not in raw
    assert b"CREATE TABLE" not in raw
    (path / "node.db").write_bytes(b"SQLite format 3\x00" + raw[16:])
    with pytest.raises(Tampered, match="not encrypted"):
        opened(path)


def test_a_folder_that_is_not_empty_or_no_node_is_refused(path, tmp_path):
    with pytest.raises(StoreError, match="not empty"):
        made(path)
    with pytest.raises(UsageError, match="no node's folder"):
        opened(tmp_path / "nothing")


def test_a_setting_that_does_not_fit_leaves_nothing_behind(tmp_path):
    with pytest.raises(UsageError, match="no domain name"):
        made(tmp_path / "node", host="127.0.0.1")
    assert not (tmp_path / "node").exists()
    with pytest.raises(StoreError):  # nobody listens there
        made(tmp_path / "node", database="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    assert not (tmp_path / "node").exists()
    made(tmp_path / "node").close()


def test_a_short_passphrase_makes_no_node(tmp_path):
    with pytest.raises(UsageError, match="at least 12"):
        make_home(tmp_path / "node", Passphrase("short"), identity=OPERATOR, cost=CHEAP)
    assert not (tmp_path / "node").exists()


def test_keys_or_a_folder_that_others_may_read_are_refused(path):
    for file in (path / "keys.json", path):
        mode = file.stat().st_mode
        file.chmod(mode | 0o040)
        with pytest.raises(StoreError, match="others than its owner"):
            opened(path)
        file.chmod(mode)


@pytest.mark.parametrize("name", ["keys.json", "node.toml", "node.db"])
def test_a_missing_file_is_named(path, name):
    (path / name).unlink()
    with pytest.raises(ShieldwallError):
        opened(path)


def test_slots_change_as_acts(path):
    with opened(path) as home:
        master = home.secrets.master
        changed = change_slots(
            home, lambda slots: slots.with_slot(master, WORDS, name="Ada", at=1, cost=CHEAP), OPERATOR, "key-slot.add"
        )
        first, second = (slot.id for slot in changed.slots.slots)
        change_slots(home, lambda slots: slots.without(first), OPERATOR, "key-slot.remove")
        with pytest.raises(Conflict):
            change_slots(home, lambda slots: slots.without(second), OPERATOR, "key-slot.remove")
    assert [slot.name for slot in read_slots(path).slots] == ["Ada"]
    with opened(path, key=WORDS) as home, home.store.inside(OPERATOR) as work:
        found = [(leaf.entry["verb"], leaf.entry["detail"]) for leaf in work.audit.leaves()][-2:]
    assert found == [("key-slot.add", {"slots": [second]}), ("key-slot.remove", {"slots": [first]})]
    with pytest.raises(WrongKey):
        opened(path)
    assert not [file for file in path.iterdir() if file.name.startswith(".")]


def test_a_clock_before_the_last_entry_is_refused_until_it_is_accepted(path):
    with opened(path, Hand(START + 10**12)) as home:
        act(home)
    opened(path, Hand(START + 10**12 - 50_000_000)).close()  # a minute is nothing
    with pytest.raises(StoreError, match="the clock says"):
        opened(path, Hand(START))
    with opened(path, Hand(START), accept_clock=True) as home, home.store.inside(OPERATOR) as work:
        entry = list(work.audit.leaves())[-1].entry
        assert entry["verb"] == "node.clock"
        assert entry["at"] > START + 10**11  # the log goes forward all the same
        assert entry["clock_back"] > 0
    with opened(path, Hand(START + 10_000_000)) as home:  # once accepted, until the clock has passed that time
        act(home)
    with opened(path, Hand(START + 2 * 10**12)) as home:
        act(home)
    with pytest.raises(StoreError, match="the clock says"):
        opened(path, Hand(START))


# settings


def test_defaults_and_what_init_writes(tmp_path):
    text = node_toml({"name": "Unit 5", "people": {"session_hours": 4}})
    assert tomllib.loads(text) == {"name": "Unit 5", "people": {"session_hours": 4}}
    (tmp_path / "node.toml").write_text(text, encoding="utf-8")
    config = load_node(tmp_path, {})
    assert (config.name, config.host, config.port, config.database) == ("Unit 5", "localhost", 8420, "node.db")
    assert config.audit_roots == tmp_path / "audit-roots.jsonl"
    assert config.people == PeopleSettings(session_hours=4)
    assert config.origin == "http://localhost:8420"


def test_what_stands_there_as_comments_can_be_taken_in(tmp_path):
    lines = [line.removeprefix("#").removeprefix(" ") for line in node_toml({}).splitlines()[1:]]
    (tmp_path / "node.toml").write_text("\n".join(lines), encoding="utf-8")
    config = load_node(tmp_path, {})
    assert config.mail is not None
    assert len(config.webhook) == 1
    assert config.chain == tmp_path / "chain"


EVERYTHING = """
name = "Unit 5"
host = "node.example.org"
port = 443
tls_certificate = "c.pem"
tls_key = "/etc/k.pem"
sources = ["/data/blocks", "rpc://localhost"]
chain = "chain"
further_chains = ["litecoin", "/data/testnet4"]
[mail]
host = "mail.example.org"
sender = "node@example.org"
starttls = false
password_file = "mail-password"
highest = "TLP:GREEN"
[[webhook]]
url = "https://example.org/secret-path"
[[webhook]]
url = "http://localhost:1/"
allow_private = true
highest = "TLP:AMBER"
[people]
idle_minutes = 5
[oidc]
issuer = "https://id.example.org"
client_id = "node"
"""


def test_every_setting_is_read_and_explained(tmp_path):
    (tmp_path / "node.toml").write_text(EVERYTHING, encoding="utf-8")
    environ = {
        "SHIELDWALL_NODE_PORT": "8443",
        "SHIELDWALL_NODE_SOURCES": "/a:/b",
        "SHIELDWALL_NODE_PASSPHRASE_FILE": "x",
    }
    config = load_node(tmp_path, environ)
    assert (config.port, config.sources) == (8443, ("/a", "/b"))
    assert config.further_chains == (tmp_path / "litecoin", Path("/data/testnet4"))
    assert (str(config.tls_certificate), str(config.tls_key)) == (str(tmp_path / "c.pem"), "/etc/k.pem")
    assert config.origin == "https://node.example.org:8443"
    assert config.mail == MailConfig(
        host="mail.example.org",
        sender="node@example.org",
        starttls=False,
        password_file=tmp_path / "mail-password",
        highest=Marking.GREEN,
    )
    assert config.webhook[0] == WebhookConfig(url="https://example.org/secret-path")
    assert config.webhook[1].allow_private
    rows = {row["setting"]: row for row in explain(config)}
    assert rows["port"] == {"setting": "port", "value": "8443", "from": "SHIELDWALL_NODE_PORT"}
    assert rows["workers"]["from"] == "default"
    assert rows["further_chains"]["value"] == f"{tmp_path / 'litecoin'}, /data/testnet4"
    over = load_node(tmp_path, {"SHIELDWALL_NODE_FURTHER_CHAINS": "a:/b"})
    assert over.further_chains == (tmp_path / "a", Path("/b"))
    assert over.origins["further_chains"] == "SHIELDWALL_NODE_FURTHER_CHAINS"
    assert rows["webhook"]["value"] == "2 endpoints"
    assert "secret-path" not in str(rows)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour = 1", "no setting of a node"),
        ("port = 0", "from 1 to 65535"),
        ("port = true", "whole number"),
        ("port = '1'", "whole number"),
        ("name = ''", "1 to 100"),
        ("name = 5", "a text"),
        ("host = 'LOCALHOST'", "no domain name"),
        ("host = '::1'", "no domain name"),
        ("host = ''", "no domain name"),
        ("tls_key = 'k.pem'", "go together"),
        ("sources = 'x'", "list of texts"),
        ("chain = 'x'\nfurther_chains = 'y'", "list of texts"),
        ("chain = 'x'\nfurther_chains = ['']", "name of a folder"),
        ("chain = 'x'\nfurther_chains = [\"\\u0000\"]", "name of a folder"),
        ("chain = 'x'\nfurther_chains = ['y', 'x']", "named twice"),
        ("further_chains = ['y']", "by `chain`"),
        ("audit_roots = ''", "file's name"),
        ("database = ''", "database"),
        ("mail = 1", "is a table"),
        ("[mail]\nhost = 'x'", "needs sender"),
        ("[mail]\nhost='x'\nsender='y'\nstarttls='no'", "true or false"),
        ("[mail]\nhost='x'\nsender='y'\nhighest='TLP:PURPLE'", "no TLP"),
        ("[webhook]\nurl = 'x'", "two brackets"),
        ("[people]\nsession_weeks = 1", "no setting of"),
        ("x = ", "not readable"),
        ("x = 1\nx = 2", "not readable"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, text, told):
    (tmp_path / "node.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        load_node(tmp_path, {})


@given(
    st.dictionaries(st.sampled_from([entry.upper() for entry in NodeConfig.__dataclass_fields__]), st.text(min_size=1))
)
def test_whatever_variables_say_there_are_settings_or_a_typed_error(tmp_path_factory, values):
    folder = tmp_path_factory.getbasetemp() / "settings"
    folder.mkdir(exist_ok=True)
    (folder / "node.toml").touch()
    environ = {f"SHIELDWALL_NODE_{name}": value for name, value in values.items()}
    try:
        config = load_node(folder, environ)
    except ShieldwallError:
        return
    assert explain(config)


def test_a_database_is_shown_without_its_password():
    assert without_password("postgresql://node:secret@db/name?password=x") == "postgresql://node@db/name"
    assert without_password("postgresql:///name") == "postgresql:///name"
    assert without_password("node.db") == "node.db"
