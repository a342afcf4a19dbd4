"""JSON-RPC over HTTP: credentials, URLs, and servers that misbehave."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.readers import rpc_client
from shieldwall.chain.readers.rpc_client import NodeAway, RpcClient, is_rpc_url, login_of
from shieldwall.errors import BadInput, BadText, RemoteRefused, ShieldwallError, UsageError


class Server:
    """An HTTP server whose answers are set by the test."""

    def __init__(self):
        outer = self
        self.status, self.body, self.length, self.close = 200, None, None, False
        self.user = None
        self.seen = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append((self.headers.get("Authorization"), json.loads(asked)))
                allowed = outer.user is None or self.headers.get("Authorization") == basic(outer.user)
                answer = outer.body
                if answer is None:
                    answer = json.dumps(
                        [{"id": call["id"], "result": call["method"], "error": None} for call in outer.seen[-1][1]]
                    ).encode()
                self.send_response(outer.status if allowed else 401)
                self.send_header("Content-Length", str(outer.length or len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                self.close_connection = outer.close or outer.length is not None

            def log_message(self, *_words):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"rpc://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def basic(login):
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def ask(server):
    clients = []

    def make(url=None, **more):
        clients.append(RpcClient(url or server.url, **more))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_calls_and_their_answers(server, ask):
    client = ask()
    assert client.call("getblockcount") == "getblockcount"
    assert client.batch([("one", (1,)), ("two", ())]) == ["one", "two"]
    assert client.batch([]) == []
    assert server.seen[-1][1] == [
        {"jsonrpc": "1.0", "id": 0, "method": "one", "params": [1]},
        {"jsonrpc": "1.0", "id": 1, "method": "two", "params": []},
    ]
    assert server.seen[-1][0] is None


def test_a_connection_that_the_node_has_closed_is_made_again(server, ask):
    client = ask()
    server.close = True
    assert [client.call("a"), client.call("b")] == ["a", "b"]


def test_credentials_of_the_url_come_before_others(server, ask, tmp_path):
    server.user = ("al ice", "se:cret/")
    url = server.url.replace("rpc://", "rpc://al%20ice:se%3Acret%2F@")
    client = ask(url, login=lambda: ("someone", "else"))
    assert client.call("a") == "a"
    assert "cret" not in client.name


def test_a_cookie_is_read_again_when_the_node_has_a_new_one(server, ask, tmp_path):
    cookie = tmp_path / ".cookie"
    cookie.write_text("__cookie__:one\n")
    server.user = ("__cookie__", "one")
    client = ask(login=login_of(cookie, {}))
    assert client.call("a") == "a"
    cookie.write_text("__cookie__:two")
    server.user = ("__cookie__", "two")
    assert client.call("b") == "b"


def test_where_credentials_come_from(tmp_path):
    cookie = tmp_path / ".cookie"
    cookie.write_text("u:p")
    both = {"SHIELDWALL_RPC_COOKIE": str(cookie), "SHIELDWALL_RPC_USER": "x"}
    assert login_of(None, {})() is None
    assert login_of(None, {"SHIELDWALL_RPC_USER": "x", "SHIELDWALL_RPC_PASSWORD": "y:z"})() == ("x", "y:z")
    assert login_of(None, both)() == login_of(cookie, {})() == ("u", "p")
    with pytest.raises(NodeAway, match="no such file"):
        login_of(tmp_path / "none", {})()
    with pytest.raises(UsageError, match="not readable"):
        login_of(tmp_path, {})()
    cookie.write_text("secret words")
    with pytest.raises(UsageError, match="holds no USER:PASSWORD") as caught:
        login_of(cookie, {})()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, UsageError, "does not take these credentials"),
        (403, UsageError, "does not let this machine"),
        (503, NodeAway, "too much to do"),
        (404, BadInput, "answered 404"),
        (302, BadInput, "answered 302"),
    ],
)
def test_what_the_server_refuses(server, ask, status, kind, words):
    server.status = status
    with pytest.raises(kind, match=words) as caught:
        ask(login=lambda: ("user", "se-cret")).call("a")
    assert "se-cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "not JSON"),
        (b"{}", "no JSON-RPC answer"),
        (b"[]", "no JSON-RPC answer"),
        (b"[1]", "no JSON-RPC answer"),
        (b'[{"id": 7, "result": 1}]', "other questions"),
        (b'[{"id": 0, "error": "no"}]', "no JSON-RPC answer"),
        (b'[{"id": 0, "result": NaN}]', "not JSON"),
    ],
)
def test_what_is_no_answer(server, ask, body, words):
    server.body = body
    with pytest.raises(BadText, match=words):
        ask().call("a")


def test_errors_of_the_node(server, ask):
    server.body = b'[{"id": 0, "result": null, "error": {"code": -5, "message": "Block not found"}}]'
    with pytest.raises(BadInput, match=r"getblock was refused: Block not found \(code -5\)"):
        ask().call("getblock")
    server.body = server.body.replace(b"-5", b"-28")
    with pytest.raises(NodeAway, match="the node is starting"):
        ask().call("getblock")


def test_an_answer_that_is_cut_off_or_endless(server, ask, monkeypatch):
    server.length = 1000
    server.body = b"[" + b" " * 20
    with pytest.raises(NodeAway, match="no answer"):
        ask().call("a")
    server.length = None
    monkeypatch.setattr(rpc_client, "_MOST_BYTES", 10)
    with pytest.raises(BadInput, match="more than 10 bytes"):
        ask().call("a")


def test_nobody_there():
    with pytest.raises(NodeAway, match="no answer"):
        RpcClient("rpc://127.0.0.1:1").call("a")


@pytest.mark.parametrize("url", ["rpc://10.0.0.1:8332", "rpc://node.example", "rpcs://[2001:db8::1]:1"])
def test_a_node_elsewhere_is_refused(url):
    with pytest.raises(RemoteRefused, match="is not this machine") as caught:
        RpcClient(url)
    assert "--allow-remote" in caught.value.hint
    assert RpcClient(url, allow_remote=True).name


@pytest.mark.parametrize(
    "url", ["rpc://", "rpc://:8332", "rpc://127.0.0.1:x", "rpc://a:secret@127.0.0.1/wallet", "rpc://127.0.0.1?x=1", "http://127.0.0.1",
            "rpc://127.0.0.1:99999", "rpc://[::1", "rpc://127.0.0.1/#x", "rpc://127.0.0.1:1\n"]
)  # fmt: skip
def test_what_is_no_url(url):
    with pytest.raises(UsageError) as caught:
        RpcClient(url)
    assert "secret" not in str(caught.value)


def test_names_and_ports():
    assert RpcClient("rpc://u:p@127.0.0.1").name == "rpc://127.0.0.1:8332"
    assert RpcClient("rpcs://[::1]/", port=9332).name == "rpcs://[::1]:9332"
    assert [is_rpc_url(text) for text in ("rpc://x", "RPCS://x", "http://x", "rpc", "C:/x")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@given(st.text(max_size=40))
def test_no_url_brings_it_down(text):
    for url in (text, f"rpc://{text}", f"rpc://{text}@127.0.0.1"):
        with contextlib.suppress(ShieldwallError):
            RpcClient(url, allow_remote=True)
