"""A node that serves partners: a process of its own, TLS with certificates, and the client that others use."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
import taxii2client.v21 as taxii2
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from taxii_support import indicator

from shieldwall.model.access import Role
from shieldwall.model.marking import Marking
from shieldwall.node.home import open_home
from shieldwall.node.keysource import key_source
from shieldwall.node.operators import operator

pytestmark = pytest.mark.full
MEDIA = "application/taxii+json;version=2.1"


class Authority:
    """Issues certificates for a server and a client."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._made("Authority", self.key.public_key(), authority=True)
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _made(self, name, public, *, authority=False):
        now, subject = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if authority else self.certificate.subject
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(self.key, SHA256())
        )

    def issue(self, name):
        """Files of a certificate and its key, and the certificate's fingerprint."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._made(name, key.public_key())
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        return certificate, secret, made.fingerprint(SHA256()).hex(":")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Served:
    """The node, its partner, and ways to ask."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder)
        certificate, key, _ = self.authority.issue("localhost")
        self.client_files = self.authority.issue("ally")
        self.env = {name: text for name, text in os.environ.items() if not name.startswith("SHIELDWALL_")}
        self.env |= {"HOME": str(folder), "SHIELDWALL_NODE": str(folder / "node"), "SHIELDWALL_AS": "Ingrid"}
        self.env |= {"SHIELDWALL_NODE_KEY_FILE": str(folder / "key")}
        self.run("node", "init", folder / "node", "--key-file", folder / "key", "--administrator", "Ada")
        self.port, self.own_port = free_port(), free_port()
        with (folder / "node" / "node.toml").open("a") as file:
            file.write(f'\n[taxii]\ntls_certificate = "{certificate}"\ntls_key = "{key}"\nport = {self.port}\n')
            file.write(f'client_ca = "{folder / "ca.pem"}"\n')
        home = open_home(folder / "node", key_source({}, key_file=folder / "key"))
        with home, home.store.act(operator("test"), "test.people") as work:
            work.people.add("Ingrid", roles=[Role.ANALYST, Role.APPROVER], highest=Marking.RED)
        self.run("peer", "add", "Ally", "--tlp", "TLP:AMBER")
        self.run("peer", "group", "allies")
        self.run("peer", "join", "Ally", "allies")
        self.secret = json.loads(self.run("peer", "secret", "Ally", "-o", "json"))
        self.secret = self.secret[0] if isinstance(self.secret, list) else self.secret
        self.run("peer", "certificate", "Ally", self.client_files[2])
        bundle = folder / "bundle.json"
        bundle.write_text(json.dumps({"type": "bundle", "objects": [indicator(number) for number in range(25)]}))
        self.run("share", "import", bundle, "--tlp", "TLP:GREEN", "--pap", "PAP:GREEN")
        self.run("share", "collection", "High value", "--group", "allies", "--writable", "--unmarked", "TLP:GREEN")
        self.run("share", "release", "High value", "--of", bundle, "--reason", "agreed")
        (found,) = json.loads(self.run("share", "collections", "-o", "json"))
        self.collection = found["id"]
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "shieldwall", "node", "serve", "--port", str(self.own_port)]
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self._wait()

    def run(self, *words):
        done = subprocess.run(
            [sys.executable, "-m", "shieldwall", *map(str, words)],
            env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise AssertionError("it does not serve")

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def objects(self):
        return f"/allies/collections/{self.collection}/objects/"

    def context(self, *, certificate=False):
        made = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if certificate:
            made.load_cert_chain(*self.client_files[:2])
        return made

    def ask(self, path, *, context=None, **headers):
        request = urllib.request.Request(self.url + path, headers={"Accept": MEDIA, **headers})  # noqa: S310 - https
        with urllib.request.urlopen(request, context=context or self.context(), timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("partners"))
    yield made
    made.close()


def test_three_ways_in_and_none_without(served):
    basic = base64.b64encode(f"{served.secret['user']}:{served.secret['password']}".encode()).decode()
    assert len(served.ask(served.objects, Authorization=f"Basic {basic}")["objects"]) == 25
    assert len(served.ask(served.objects, Authorization=f"Bearer {served.secret['bearer']}")["objects"]) == 25
    assert len(served.ask(served.objects, context=served.context(certificate=True))["objects"]) == 25
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.ask(served.objects)
    refused.value.close()
    assert refused.value.code == 401
    assert [text.partition(" ")[0] for text in refused.value.headers.get_all("WWW-Authenticate")] == ["Basic", "Bearer"]


def test_a_certificate_of_a_stranger_opens_nothing(served):
    certificate, key, _ = served.authority.issue("stranger")
    context = served.context()
    context.load_cert_chain(certificate, key)
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.ask(served.objects, context=context)
    refused.value.close()
    assert refused.value.code == 401


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_door_speaks_tls_of_today_alone(served):
    with socket.create_connection(("127.0.0.1", served.port), 5) as plain:
        plain.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(5)
        with contextlib.suppress(ConnectionError):
            assert not plain.recv(100).startswith(b"HTTP/1.1 200")
    for version, good in (
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
        (ssl.TLSVersion.TLSv1_1, False),
    ):
        context = served.context()
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = version
        if good:
            assert handshake(served, context) == version.name.replace("v1_", "v1.")
        else:
            with pytest.raises(ssl.SSLError):
                handshake(served, context)
    weak = served.context()
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256")  # RFC 7540, appendix A
    with pytest.raises(ssl.SSLError):
        handshake(served, weak)


def handshake(served, context):
    """The version of TLS that both sides agree on."""
    with (
        socket.create_connection(("127.0.0.1", served.port), 5) as raw,
        context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=False) as tls,
    ):
        tls.do_handshake()
        return tls.version()


@pytest.fixture
def reader(served, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would take the place of what is given
        monkeypatch.delenv(name, raising=False)
    how = {
        "user": served.secret["user"],
        "password": served.secret["password"],
        "verify": str(served.folder / "ca.pem"),
    }
    with contextlib.closing(taxii2.Server(f"{served.url}/taxii2/", **how)) as server:
        yield server


def test_the_client_of_oasis_reads_and_writes(served, reader):
    assert reader.default.title == "allies"
    (collection,) = reader.default.collections
    assert (collection.title, collection.can_read, collection.can_write) == ("High value", True, True)
    pages = [page["objects"] for page in taxii2.as_pages(collection.get_objects, per_request=10)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [each for page in pages for each in page] == [indicator(number) for number in range(25)]
    manifest = [entry for page in taxii2.as_pages(collection.get_manifest, per_request=7) for entry in page["objects"]]
    assert len({entry["date_added"] for entry in manifest}) == 25
    one = indicator(3)["id"]
    assert collection.get_object(one)["objects"] == [indicator(3)]
    assert len(collection.object_versions(one)["versions"]) == 1
    status = collection.add_objects({"objects": [indicator(100)]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 0)
    after = collection.get_objects(added_after=manifest[-1]["date_added"])
    assert after["objects"] == [indicator(100)]
    collection.delete_object(indicator(100)["id"])
    assert collection.get_objects(added_after=manifest[-1]["date_added"]) == {"more": False}


def test_what_was_fetched_is_said_when_it_is_withdrawn(served, reader):
    reader.default.collections[0].get_objects(limit=10)
    told = served.run("share", "withdraw", "High value", indicator(5)["id"], "--reason", "wrong", "-o", "json")
    assert [row["partner"] for row in json.loads(told)] == ["Ally"]


def test_a_second_node_pulls_it_from_where_it_was_left(served, tmp_path):
    other = tmp_path / "other"
    served.run("node", "init", other, "--key-file", tmp_path / "key", "--administrator", "Ada")
    home = open_home(other, key_source({}, key_file=tmp_path / "key"))
    with home, home.store.act(operator("test"), "test.people") as work:
        work.people.add("Nora", roles=[Role.ANALYST], highest=Marking.RED)
    token = tmp_path / "token"
    token.write_text(served.secret["bearer"])
    there = ("--node", other, "--key-file", tmp_path / "key", "--as", "Nora")
    url = f"{served.url}/allies/collections/{served.collection}/"
    words = ("share", "pull", url, "--token-file", token, "--ca", served.folder / "ca.pem", "--allow-private", *there)
    first = json.loads(served.run(*words, "-o", "json"))
    again = json.loads(served.run(*words, "-o", "json"))
    first, again = (each[0] if isinstance(each, list) else each for each in (first, again))
    assert first["added"] == first["objects"] >= 24
    assert (again["objects"], again["began"]) == (0, first["reached"])
    listed = [json.loads(line) for line in served.run("share", "list", *there, "-o", "jsonl").splitlines()]
    assert {row["marking"] for row in listed} == {"TLP:RED"}  # they carry none
    (shown,) = served.run("share", "show", indicator(3)["id"], *there).splitlines()
    assert shown == json.dumps(indicator(3))
    served.run("share", "subscribe", url, "--token-file", token, "--ca", served.folder / "ca.pem", "--allow-private",
               "--every", "1", "--tlp", "TLP:GREEN", *there)  # fmt: skip
    newer = indicator(7, modified="2026-06-01T00:00:00.000Z", revoked=True)
    correction = served.folder / "correction.json"
    correction.write_text(json.dumps({"type": "bundle", "objects": [newer]}))
    served.run("share", "import", correction, "--tlp", "TLP:GREEN", "--pap", "PAP:GREEN")
    served.run("share", "release", "High value", newer["id"], "--reason", "it was wrong")
    with subscribed(served, other, tmp_path) as log:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            (source,) = json.loads(served.run("share", "sources", *there, "-o", "json"))
            if source["objects"] == 1:  # not those of the pull by hand
                break
            time.sleep(0.5)
    assert (source["problem"], source["objects"]) == ("", 1), log.read_text()
    versions = served.run("share", "show", newer["id"], *there).splitlines()
    assert [json.loads(line) for line in versions] == [indicator(7), newer]


@contextlib.contextmanager
def subscribed(served, node, folder):
    """The second node, served: it pulls by itself."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "shieldwall", "node", "serve", "--port", str(free_port())]
    command += ["--node", str(node), "--key-file", str(folder / "key")]
    with log.open("w") as told, subprocess.Popen(command, env=served.env, stdout=told, stderr=told) as process:
        yield log
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
