"""Who connects and sends nothing, or drop by drop, makes room for others."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import uvicorn
from hook_support import certificates

from shieldwall.node import connections

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


async def app(scope, receive, send):
    """Reads all, and answers."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def served():
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", http=connections.PatientProtocol, ws="none", timeout_keep_alive=5
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.6)
    monkeypatch.setattr(connections, "HANDSHAKE_SECONDS", 0.3)
    monkeypatch.setattr(connections, "MOST_OF_ONE", 4)


async def talk(port, pieces, pause=0.0):
    """What comes back when pieces are sent with pauses between them, and after how long the connection ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begin = asyncio.get_running_loop().time()
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(4096), 3)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer, asyncio.get_running_loop().time() - begin


def run(pieces, pause=0.0):
    async def once():
        async with served() as port:
            return await talk(port, pieces, pause)

    return asyncio.run(once())


def test_a_request_is_answered():
    assert run([HEAD])[0].startswith(b"HTTP/1.1 200")
    assert run([POST, b"0123456789"])[0].startswith(b"HTTP/1.1 200")


def test_silence_is_ended():
    answer, seconds = run([])
    assert answer == b""
    assert 0.2 < seconds < 2


@pytest.mark.parametrize("pieces", [[bytes([byte]) for byte in HEAD], [POST, *(b"0" for _ in range(9))]])
def test_drops_are_ended(pieces):
    answer, seconds = run(pieces, pause=0.1)
    assert answer == b""
    assert seconds < 6


def test_a_second_request_may_wait_but_not_drip():
    async def twice():
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.6)  # longer than a head may take: nothing was begun
            writer.write(HEAD)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            writer.write(HEAD[:5])
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 3) == b""
            writer.close()

    asyncio.run(twice())


def test_one_address_has_so_many_connections():
    async def many():
        async with served() as port:
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
            answer, _ = await talk(port, [HEAD])
            for _, writer in opened:
                writer.close()
            await asyncio.sleep(0.1)
            return answer, (await talk(port, [HEAD]))[0]

    refused, served_again = asyncio.run(many())
    assert refused == b""
    assert served_again.startswith(b"HTTP/1.1 200")


def test_whoever_never_agrees_on_tls_makes_room(tmp_path):
    """The connection ends before any protocol has seen it."""
    context, _ = certificates(tmp_path)

    async def once():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        try:
            return await talk(server.sockets[0].getsockname()[1], [])
        finally:
            server.close()

    with asyncio.Runner(loop_factory=connections.PatientLoop) as runner:
        answer, seconds = runner.run(once())
    assert (answer, seconds < 2) == (b"", True)
