"""What the connection sends along, what it takes, and what it makes of answers that are none."""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
import time

import pytest
from client_support import Script, answer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shieldwall.client import Connection, Limits, NodeClient, Unreachable, Untrusted
from shieldwall.client.question import segment
from shieldwall.errors import BadInput, BadText, NotSignedIn, ShieldwallError, UsageError

HEALTH = answer('{"ok":true,"version":"9"}')
GROUP = answer('{"id":"00","name":"G","people":[]}')
SHOWN = "swt_abc"
PROBLEM = "application/problem+json"


def asked(script: Script, **options):
    """The health of a scripted node; a broken connection is not tried again unless a test says so."""
    limits = options.pop("limits", Limits(tries=1, answer=5))
    with NodeClient(script.url, limits=limits, **options) as client:
        return client.health()


def hasty(script: Script) -> NodeClient:
    """A client that does not rest between two tries."""
    return NodeClient(connection=Connection(script.url, sleep=lambda _: None))


def header(request: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", request, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


# what is sent


def test_a_token_goes_into_its_header_alone():
    with Script([HEALTH]) as script:
        asked(script, token=SHOWN)
    (request,) = script.heard
    assert header(request, "Authorization") == "Bearer swt_abc"
    assert request.count("swt_abc") == 1
    assert request.startswith("GET /api/v1/health HTTP/1.1\r\n")
    assert header(request, "Host") == script.url.partition("://")[2]
    assert not header(request, "Idempotency-Key")


def test_a_write_that_a_broken_connection_swallowed_is_sent_again_with_its_key():
    with Script([None, None, GROUP, GROUP]) as script, NodeClient(script.url, token=SHOWN) as client:
        assert client.add_group(name="G").name == "G"
        client.add_group(name="G")
    keys = [header(request, "Idempotency-Key") for request in script.heard]
    assert len(keys[0]) >= 32
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert {header(request, "Origin") for request in script.heard} == {script.url}
    assert [json.loads(request.partition("\r\n\r\n")[2]) for request in script.heard] == [{"name": "G"}] * 4


def test_what_a_node_keeps_no_keys_for_is_sent_once():
    with Script([None, HEALTH]) as script, NodeClient(script.url) as client:
        with pytest.raises(Unreachable, match="begin_sign_in"):
            client.begin_sign_in()
        assert len(script.heard) == 1


def test_tries_have_an_end():
    with Script([None] * 5) as script, pytest.raises(Unreachable, match="health"):
        asked(script, limits=Limits(tries=2))
    assert len(script.heard) == 2


def test_what_an_answer_was_not_read_of_is_no_answer_to_the_next_question():
    with Script([answer("[1]" * 9, 200, "text/html"), HEALTH]) as script, NodeClient(script.url) as client:
        with pytest.raises(BadText, match="not application/json"):
            client.health()
        assert client.health().version == "9"


def test_nobody_there():
    with Script([]) as script:
        url = script.url
    with pytest.raises(Unreachable, match="no connection"):
        NodeClient(url).health()


def test_a_cookie_is_kept_sent_and_forgotten():
    signed = '{"person":"0","name":"A","node":"n","roles":[],"permissions":[],"highest":"TLP:RED","groups":[],"kind":"person"}'
    begun = answer('{"challenge":"c","options":{}}')
    script = Script(
        [
            begun,
            answer(
                signed,
                200,
                "application/json",
                "Set-Cookie: shieldwall=s3cret; HttpOnly; Path=/",
                "Set-Cookie: other=1",
            ),
            answer('{"done":true}', 200, "application/json", 'Set-Cookie: shieldwall=""; Max-Age=0; Path=/'),
            HEALTH,
        ]
    )
    with script, NodeClient(script.url) as client:
        assert client.sign_in(lambda options: {"was": options}).name == "A"
        assert "s3cret" not in repr(client)
        client.sign_out()
        client.health()
    assert [header(request, "Cookie") for request in script.heard] == ["", "", "shieldwall=s3cret", ""]


@pytest.mark.parametrize(
    "cookie", ["shieldwall=a b", "shieldwall=", "__Host-shieldwall=abc", "session=abc", "shieldwall=é"]
)
def test_a_cookie_that_is_none_of_a_node_is_no_session(cookie):
    signed = '{"person":"0","name":"A","node":"n","roles":[],"permissions":[],"highest":"TLP:RED","groups":[],"kind":"person"}'
    with Script(
        [answer('{"challenge":"c","options":{}}'), answer(signed, 200, "application/json", f"Set-Cookie: {cookie}")]
    ) as script:
        client = NodeClient(script.url)
        with pytest.raises(UsageError, match="no session"):
            client.sign_in(lambda _: {})
        client.close()


@pytest.mark.parametrize("token", ["a b", "a\r\nX: y", "é", "x" * 501])
def test_a_token_that_would_be_more_than_a_header(token):
    with pytest.raises(UsageError, match="no token") as caught:
        NodeClient("http://localhost", token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800"])
def test_a_part_of_a_path_stays_a_part(value):
    with pytest.raises(UsageError):
        segment(value, "show_claim")
    assert segment("../a?b#c%", "show_claim") == "..%2Fa%3Fb%23c%25"


def test_a_body_that_json_cannot_write():
    with pytest.raises(UsageError, match="JSON cannot write"):
        NodeClient("http://localhost:1").add_claim(
            subject=None, kind="x", statement={"when": dt.datetime.now(dt.UTC)}, layer="inference"
        )


# what is answered


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer("<html>"), "not JSON"),
        (answer('{"ok":true,"ok":true,"version":"9"}'), "stands twice"),
        (answer("[" * 100_000), "lie in each other"),
        (answer('{"ok":1,"version":"9"}'), "health.ok is not true or false"),
        (answer('{"ok":true}'), "the field version is missing"),
        (answer('{"ok":true,"version":9}'), "health.version is not text"),
        (answer("[]"), "health is no object"),
        (answer(b'{"ok":true,"version":"\xff"}'), "not UTF-8"),
        (answer("{}", 200, "text/html"), "is that the address"),
        (answer("{}", 200, "application/json", "Content-Encoding: gzip"), "packed"),
        (answer("", 302, "text/html", "Location: https://elsewhere.example"), "sends one elsewhere"),
        (answer("", 304), "sends one elsewhere"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}", "how long it is"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "does not speak HTTP"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_is_none_of_a_node(said, words):
    with Script([said]) as script, pytest.raises(BadText, match=re.escape(words)):
        asked(script)


def test_an_answer_that_is_cut_off():
    with Script([answer('{"ok":true,"version":"9"}', length=500)]) as script, pytest.raises(Unreachable):
        asked(script)
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"
    with Script([chunked]) as script, pytest.raises(Unreachable):
        asked(script)


def test_a_huge_answer_is_not_taken():
    small = Limits(tries=1, most=1000, answer=5)
    with Script([answer(b"x" * 2000)]) as script, pytest.raises(BadText, match="more than 1,000 bytes"):
        asked(script, limits=small)
    chunk = b"200\r\n" + b" " * 512 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Script([head + chunk * 4 + b"0\r\n\r\n"]) as script, pytest.raises(BadText, match="more than 1,000 bytes"):
        asked(script, limits=small)


def test_an_answer_that_never_comes():
    begun = time.monotonic()
    with Script([b"HTTP/1.1 200 OK\r\n", HEALTH]) as script, pytest.raises(Unreachable, match="in time"):
        asked(script, limits=Limits(tries=3, answer=0.3))
    assert time.monotonic() - begun < 3


def test_an_answer_that_drips_is_not_waited_for_byte_by_byte():
    ticks = iter(range(1000))
    drip = answer('{"ok":true,"version":"9"}')
    with Script([drip]) as script:
        connection = Connection(script.url, limits=Limits(answer=1, tries=1), clock=lambda: float(next(ticks)))
        with pytest.raises(Unreachable, match="in time"), NodeClient(connection=connection) as client:
            client.health()


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_a_node_that_says_what_failed_and_hangs_up(ending):
    said = answer('{"type":"urn:shieldwall:problem:not-signed-in","title":"","status":401,"detail":"no"}', 401, PROBLEM)
    with Script([said.replace(b"\r\n", ending)]) as script, pytest.raises(NotSignedIn, match="health: no"):
        asked(script)


# events


def stream(*events: str) -> bytes:
    body = "".join(events).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def job(state: str, done: int) -> str:
    handling = {"marking": "TLP:RED", "pap": "PAP:RED"}
    shape = {"id": "j", "kind": "trace", "state": state, "attempt": 1, "stage": "", "done": done, "total": 2}
    return json.dumps({**shape, "created": "", "handling": handling})


def test_events_are_read_as_they_come():
    said = stream(
        ": hello\n\n", f"event: job\ndata: {job('running', 1)}\n\n", ": still there\n\n", f"data:{job('done', 2)}\n\n"
    )
    with Script([said]) as script, NodeClient(script.url, token=SHOWN) as client:
        assert [(each.state, each.done) for each in client.follow_job("j")] == [("running", 1), ("done", 2)]


def test_a_stream_that_broke_is_taken_up_again():
    running, done = (stream(f"data: {job(state, at)}\n\n") for state, at in (("running", 1), ("done", 2)))
    with Script([None, running, running, done]) as script, hasty(script) as client:
        assert client.wait_for_job("j").done == 2
    with Script([None] * 4) as script, hasty(script) as client, pytest.raises(Unreachable):
        client.wait_for_job("j")
    assert len(script.heard) == 3
    with (
        Script([running] * 9) as script,
        hasty(script) as client,
        pytest.raises(Unreachable, match="before the job"),
    ):
        client.wait_for_job("j")
    assert len(script.heard) == 3


@pytest.mark.parametrize(
    "events", [("data: " + "x" * 300 + "\n\n",), ("data: x\n",) * 100, ("data: {\n\n",), ("data: {}\n\n",)]
)
def test_an_event_that_is_none(events):
    with (
        Script([stream(*events)]) as script,
        NodeClient(script.url, limits=Limits(event=200)) as client,
        pytest.raises(BadText, match="follow_job"),
    ):
        list(client.follow_job("j"))


def test_a_stream_without_a_word():
    said = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        Script([said, HEALTH]) as script,
        NodeClient(script.url, limits=Limits(silence=0.2)) as client,
        pytest.raises(Unreachable, match="in time"),
    ):
        list(client.follow_job("j"))


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that only its own file vouches for, and a server's context with it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def test_a_unit_with_a_ca_of_its_own(certificate):
    path, context = certificate
    with Script([HEALTH], tls=context) as script:
        assert asked(script, authority=path, token=SHOWN).ok


def test_a_certificate_that_nobody_vouches_for_gets_no_token(certificate):
    _, context = certificate
    with Script([HEALTH], tls=context) as script, pytest.raises(Untrusted, match="not trusted"):
        asked(script, token=SHOWN)
    assert script.heard == []


def test_a_certificate_of_another_name(certificate):
    path, context = certificate
    with Script([HEALTH], tls=context) as script:
        script.url = script.url.replace("localhost", "127.0.0.1")
        with pytest.raises(Untrusted, match="not trusted"):
            asked(script, authority=path)
    assert script.heard == []


def test_a_connection_that_was_closed_comes_up_again_with_tls(certificate):
    path, context = certificate
    bye = answer('{"ok":true,"version":"9"}', 200, "application/json", "Connection: close")
    with Script([bye, HEALTH], tls=context) as script, NodeClient(script.url, authority=path) as client:
        assert client.health().ok
        assert client.health().ok


def test_a_file_without_certificates(tmp_path):
    (tmp_path / "empty.pem").write_text("none")
    for path in ("empty.pem", "absent.pem"):
        with pytest.raises(UsageError, match="no certificates"):
            NodeClient("https://localhost", authority=tmp_path / path)


def test_every_error_is_one_of_ours():
    assert issubclass(Unreachable, BadInput)
    assert issubclass(Untrusted, ShieldwallError)
