"""The pages about a node tell what the program does: faults are made again by their commands, settings and paths are there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from passkey_support import Authenticator

from documents_support import FENCE, PROMPT, Example, fits
from shieldwall.client import NodeClient
from shieldwall.node.nodeconfig import MailConfig, NodeConfig, OidcConfig, PeopleSettings, TaxiiConfig, WebhookConfig

HOME = "/home/mara"  # where the page says that it was run
QUICK = ("Wrong key", "A node that must not start")
SLOW = (
    "An older copy put back",
    "Backups: cut, changed, too old",
    "A flipped byte",
    "Disk full",
    "Read-only",
    "The clock",
    "An edited log",
)
SERVED = "What is sent in"
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # a superuser may write everywhere

CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "HEX"),
    (re.compile(r"^(bytes +)\d+$", re.MULTILINE), r"\1BYTES"),
    (re.compile(r"^.*ERROR CORE .*\n", re.MULTILINE), ""),  # SQLCipher's own
    (re.compile(r"(?<=\S) {2,}|-{3,}"), "  "),  # columns are as wide as what stands in them
)


def section(root, title):
    text = (root / "docs" / "node-faults.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return body


def examples(body):
    """Every command of a part's console blocks, with what stands below it."""
    found = []
    for match in FENCE.finditer(body):
        if not match[0].startswith("```console"):
            continue
        for number, line in enumerate(match["body"].splitlines()):
            if line.startswith(PROMPT):
                found.append(Example(number, line.removeprefix(PROMPT), ()))
            else:
                found.append(dataclasses.replace(last := found.pop(), shown=(*last.shown, line)))
    return found


def printed_by(command, folder, before=()):
    env = {name: value for name, value in os.environ.items() if not name.startswith("SHIELDWALL_")}
    env |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}", "TZ": "UTC", "NO_COLOR": "1"}
    env |= {"SHIELDWALL_NODE": "unit", "SHIELDWALL_NODE_KEY_FILE": "unit.key", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    env |= {"LOGNAME": "mara"}
    done = subprocess.run(
        [*before, "sh", "-c", command],
        cwd=folder,
        env=env,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout.replace(str(folder), HOME)


def normal(text):
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A node as the page makes it."""
    folder = tmp_path_factory.mktemp("fresh").resolve()
    printed_by("shieldwall node init unit --key-file unit.key > init.json", folder)
    return folder


def prepared(title, fresh, folder, body):
    """A copy of the node, the files that the page shows, and what its commands are to be run by."""
    shutil.copytree(fresh, folder, dirs_exist_ok=True)
    for code in re.findall(r"```python\n(.*?)```", body, re.DOTALL):
        (folder / "edit.py").write_text(code, encoding="utf-8")
    if title != "Read-only" or os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("a superuser may write everywhere")
    return WITHOUT_RIGHTS


def marks_of(title):
    needs = [pytest.mark.needs("faketime")] if title == "The clock" else []
    return needs if title in QUICK else [pytest.mark.full, *needs]


@pytest.mark.parametrize("title", [pytest.param(title, marks=marks_of(title)) for title in (*QUICK, *SLOW)])
def test_faults_are_what_the_page_says(root, fresh, tmp_path, title):
    body, folder = section(root, title), tmp_path.resolve() / "mara"
    before = prepared(title, fresh, folder, body)
    for example in examples(body):
        printed = printed_by(example.command, folder, before)
        shown = normal("\n".join(example.shown)).splitlines()
        assert fits(tuple(shown), normal(printed)), f"{example.command}\n{printed}"


@contextlib.contextmanager
def served(folder, port):
    """The node, served until this is left."""
    log = folder / "serve.log"
    env = {name: value for name, value in os.environ.items() if not name.startswith("SHIELDWALL_")}
    command = [sys.executable, "-m", "shieldwall", "node", "serve", "--node", "unit", "--key-file", "unit.key"]
    with (
        log.open("wb") as told,
        subprocess.Popen([*command, "--port", str(port)], cwd=folder, stdout=told, stderr=told, env=env) as server,
    ):
        try:
            wait_for(port, server, log)
            yield
        finally:
            server.terminate()


def wait_for(port, server, log):
    for _ in range(600):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the node does not answer")


def entered(origin, secret):
    """Someone who has just made their passkey by a link, signed in."""
    key, client = Authenticator(origin=origin), NodeClient(origin)
    client.register(secret, key.register)
    client.sign_in(key.sign_in)
    return client


def token_of_an_analyst(origin, secret):
    with contextlib.ExitStack() as opened:
        administrator = opened.enter_context(entered(origin, secret))
        mara = administrator.add_person(name="Mara", roles=["analyst"], highest="TLP:AMBER")
        link = administrator.invite_person(mara.id).url
        analyst = opened.enter_context(entered(origin, link.partition("#")[2]))
        return analyst.issue_token(name="feed", scopes=["read", "write"], highest="TLP:AMBER").token


@pytest.fixture(scope="module")
def served_node(fresh, tmp_path_factory):
    """A folder with a node, a token of an analyst, and its port; how to run a line of the page there."""
    folder = tmp_path_factory.mktemp("served").resolve() / "mara"
    shutil.copytree(fresh, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = json.loads((folder / "init.json").read_text(encoding="utf-8"))["sign_in"].partition("#")[2]
    with served(folder, port):
        token = token_of_an_analyst(f"http://localhost:{port}", secret)
    (folder / "token.header").write_text(f"Authorization: Bearer {token}\n", encoding="utf-8")
    return folder, port


@pytest.mark.full
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks by curl")
def test_what_is_sent_in_is_answered_as_the_page_says(root, served_node):
    folder, port = served_node
    body = section(root, SERVED)
    (shell,) = re.findall(r"```sh\n(.*?)```", body, re.DOTALL)
    with served(folder, port):
        for example in examples(body):
            command = f"{shell}\n{example.command}".replace(":8420", f":{port}")
            printed = printed_by(command, folder)
            shown = normal("\n".join(example.shown)).splitlines()
            assert fits(tuple(shown), normal(printed)), f"{example.command}\n{printed}"


@pytest.mark.full
@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="the page uses curl and bash")
def test_what_was_acknowledged_outlives_kill(root, served_node):
    folder, port = served_node
    (code,) = re.findall(r"```sh\n(.*?)```", section(root, "kill -9"), re.DOTALL)
    (folder / "kill.sh").write_text(code.replace("node serve", f"node serve --port {port}"), encoding="utf-8")
    address = f"N=http://localhost:{port}/api/v1"
    said = int(printed_by(f"{address} bash kill.sh", folder).split()[0])
    assert said > 0
    assert re.search(r"^findings +0$", printed_by("shieldwall node audit verify -o table", folder), re.MULTILINE)
    with served(folder, port), NodeClient(f"http://localhost:{port}", token=token_in(folder)) as client:
        names = {claim.claim["subject"]["name"] for claim in client.every_claim(kind="tag")}
    assert names >= {f"{number}.example" for number in range(1, said + 1)}


def token_in(folder):
    return (folder / "token.header").read_text(encoding="utf-8").split()[-1]


def test_every_part_with_commands_is_run(root):
    text = (root / "docs" / "node-faults.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [title for title in titles if examples(section(root, title))] == [*QUICK, *SLOW, SERVED]


def test_every_setting_is_in_the_table(root):
    page = (root / "docs" / "node.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))
    kinds = (NodeConfig, PeopleSettings, OidcConfig, MailConfig, WebhookConfig, TaxiiConfig)
    real = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert real - named == {"people", "oidc", "mail", "webhook", "taxii", "origins"}
    for table in ("[people]", "[oidc]", "[mail]", "[[webhook]]", "[taxii]"):
        assert f"| `{table}` |" in page


def test_the_defaults_in_the_table_are_those_of_the_program(root):
    page = (root / "docs" / "node.md").read_text(encoding="utf-8")
    for name, kind in (("port", NodeConfig), ("workers", NodeConfig), ("idle_minutes", PeopleSettings)):
        default = next(field.default for field in dataclasses.fields(kind) if field.name == name)
        assert re.search(rf"`{name}` \| {default} \|", page), name


def test_the_threat_model_names_tests_that_exist(root):
    page = (root / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = [line.split("|")[-2] for line in page.splitlines() if line.startswith("| ") and line.count("|") == 5]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 20
    for name in named:
        found = list((root / "tests").rglob(name if "/" not in name else f"{name}*"))
        assert found or (root / "tests" / name).exists(), name


def test_what_the_unit_runs_is_a_command(root):
    unit = (root / "deploy" / "shieldwall-node.service").read_text(encoding="utf-8")
    (words,) = re.findall(r"^ExecStart=\S+ (.*)$", unit, re.MULTILINE)
    help_text = subprocess.run(
        [sys.executable, "-m", "shieldwall", *words.split(" --")[0].split(), "--help"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert all(f"--{option.split()[0]}" in help_text for option in words.split(" --")[1:])
    assert "NoNewPrivileges=yes" in unit
    assert "\nMemoryDenyWriteExecute" not in unit  # numba compiles while the node runs


def test_variables_of_the_containers_are_settings(root):
    compose = (root / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    given = {name.lower() for name in re.findall(r"^ +SHIELDWALL_NODE_([A-Z_]+):", compose, re.MULTILINE)}
    assert given - {field.name for field in dataclasses.fields(NodeConfig)} == {"key_file"}
