"""The HTTP API of an Esplora instance, against a real server on this machine."""

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from chain_support import START, Esplora, build_store, facts_of, random_chain

from shieldwall.chain.readers.esplora_http import EsploraHttpReader, fetch_url
from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.errors import BadInput, BadText, RemoteRefused, ShieldwallError, UsageError, WrongNetwork
from shieldwall.model.address import encode, parse
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import assemble, classify

PAGE = 25


def answer(esplora, path):
    """What an instance says to a path; None for 404."""
    if path == "/block-height/0":
        return REGTEST.genesis
    if path == "/blocks/tip/height":
        return esplora.tip
    match = re.fullmatch(r"/address/(\w+)(/txs/chain(?:/(\w{64}))?)?", path)
    if match:
        script = parse(match[1], REGTEST)
        assert script is not None
        if not match[2]:
            return esplora.counts(assemble(script))
        history = esplora.history(assemble(script))
        first = history.index(match[3]) + 1 if match[3] else 0
        return [esplora.transaction(txid) for txid in history[first : first + PAGE]]
    match = re.fullmatch(r"/tx/(\w{64})(/outspends)?", path)
    if match and match[1] in esplora.where:
        return esplora.outspends(match[1]) if match[2] else esplora.transaction(match[1])
    return None


@pytest.fixture
def instance():
    """Starts servers over what a function answers; a list of the paths asked for comes with each."""
    running = []

    def start(respond):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                found = respond(self.path.removeprefix("/api"))
                if isinstance(found, tuple):
                    status, headers, body = found
                else:
                    status = 404 if found is None else 200
                    body = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                    headers = {}
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/api", asked

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def long():
    """An address with 60 transactions: three pages."""
    maker = BlockMaker(time=START)
    mine = p2wpkh("mine")
    coin = maker.mine(mine)
    for _ in range(59):
        coin = maker.pay([coin], [(mine, coin.value - 10), (p2wpkh("dust"), 5)])[0]
        maker.mine(p2wpkh("miner"))
    return Esplora(maker.blocks), encode(mine, REGTEST)


def test_an_address_is_fetched_page_by_page(tmp_path, instance, long):
    esplora, address = long
    url, asked = instance(lambda path: answer(esplora, path))
    report = build_store(tmp_path / "c", f"{url}/address/{address}")
    assert report.transactions == 60
    assert len([path for path in asked if "/txs/chain" in path]) == 3
    info = facts_of(tmp_path / "c")
    assert (info["unknown_outputs"], info["last_height"]) == (0, 60)
    assert asked[0] == "/api/block-height/0"


def test_a_transaction_is_followed_for_some_hops(tmp_path, instance):
    esplora = Esplora(random_chain(31, blocks=16).blocks)
    url, _ = instance(lambda path: answer(esplora, path))
    first = next(txid for (txid, _) in esplora.spenders)
    reached = {first}
    for hops in range(4):
        build_store(tmp_path / str(hops), f"{url}/tx/{first}", hops=hops)
        info = facts_of(tmp_path / str(hops))
        assert info["transactions"] == len(reached)
        assert info["unknown_outputs"] == 0
        reached |= {esplora.spenders[key][0] for key in esplora.spenders if key[0] in reached}


def test_a_remote_instance_is_refused_without_a_word(tmp_path):
    for url in (
        "https://blockstream.info/api/tx/" + "ab" * 32,
        "http://127.0.0.1@example.org/tx/" + "ab" * 32,
        "http://10.0.0.1/tx/" + "ab" * 32,
    ):
        with pytest.raises(RemoteRefused, match="would learn"):
            build_store(tmp_path / "c", url)
    asked = []

    def fetch(url):
        asked.append(url)
        raise BadInput("asked")

    with pytest.raises(BadInput, match="asked"):
        build_store(tmp_path / "c", "https://example.org/tx/" + "ab" * 32, allow_remote=True, fetch=fetch)
    assert asked == ["https://example.org/block-height/0"]
    for url in (
        "http://localhost/tx/" + "ab" * 32,
        "http://[::1]:3000/api/address/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "http://127.8.9.1/address/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ):
        EsploraHttpReader(url, MAIN).close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/tx/" + "ab" * 32,
        "http://127.0.0.1/",
        "http://127.0.0.1/tx/xyz",
        "http://127.0.0.1/block/" + "ab" * 32,
        "http://127.0.0.1/address/a?x=1",
        "http://[::1/address/a",
        "http://127.0.0.1:99999999/address/a",
        "http://127.0.0.1:x/address/a",
        "http://127.0.0.1/address/ä",
        "http://127.0.0.1/address/a b",
        "http://127.0.0.1/address/a\nb",
    ],
)
def test_urls_that_name_nothing(tmp_path, url):
    with pytest.raises(UsageError):
        build_store(tmp_path / "c", url)


def test_a_redirect_is_not_followed(tmp_path, instance):
    other, asked = instance(lambda _: REGTEST.genesis)
    url, _ = instance(lambda path: (302, {"Location": other + path}, b""))
    with pytest.raises(BadInput, match="302"):
        build_store(tmp_path / "c", f"{url}/tx/{'ab' * 32}")
    assert asked == []


def test_no_proxy_is_used(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    url, _ = instance(lambda _: REGTEST.genesis)
    assert fetch_url(f"{url}/block-height/0") == REGTEST.genesis.encode()


@pytest.mark.parametrize(
    ("path", "said", "error"),
    [
        ("/block-height/0", MAIN.genesis, WrongNetwork),
        ("/block-height/0", "\x1b[31m" * 99, WrongNetwork),
        ("/block-height/0", (200, {"Content-Length": "900"}, b"00"), BadInput),
        ("/blocks/tip/height", "abc", BadText),
        ("/blocks/tip/height", True, BadText),
        ("/blocks/tip/height", -3, BadText),
        ("/blocks/tip/height", 1 << 40, BadText),
        ("/blocks/tip/height", "[" * 100_000, BadText),
        ("/address/", (500, {}, b"oops"), BadInput),
        ("/address/", [], BadText),
        ("/address/", {"address": 5, "chain_stats": {}}, BadText),
        ("/txs/chain", {"a": 1}, BadText),
        ("/txs/chain", [5], BadText),
        ("/outspends", [{}], BadText),
        ("/outspends", {"spent": True}, BadText),
    ],
)
def test_answers_that_do_not_fit(tmp_path, instance, long, path, said, error):
    esplora, address = long
    url, _ = instance(lambda asked: said if re.search(path + r"(\w*)$", asked) else answer(esplora, asked))
    with pytest.raises(error, match=r"127\.0\.0\.1"):
        build_store(tmp_path / "c", f"{url}/address/{address}")
    assert not (tmp_path / "c" / "manifest.json").exists()


def test_a_server_that_repeats_itself_comes_to_an_end(tmp_path, instance, long):
    esplora, address = long
    waiting = [answer(esplora, f"/address/{address}/txs/chain")[0] | {"status": {"confirmed": False}}] * PAGE
    for page in (waiting, answer(esplora, f"/address/{address}/txs/chain")):
        url, _ = instance(lambda path, page=page: page if "/txs/chain" in path else answer(esplora, path))
        report = build_store(tmp_path / str(len(page[0]["status"])), f"{url}/address/{address}")
        assert report.transactions < 60
        assert any("are here" in note for note in report.notes)


def test_no_server_and_no_http():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(BadInput, match="no answer"):
        fetch_url(f"http://127.0.0.1:{port}/x")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def babble():
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"\x00\x01garbage\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(ShieldwallError, match="no answer"):
            fetch_url(f"http://127.0.0.1:{server.getsockname()[1]}/x")
        thread.join()


def test_kinds_of_the_long_history(long):
    esplora, _ = long
    assert {classify(script).kind.label for _, script in esplora.outputs.values()} == {"p2pk", "p2wpkh"}
