"""An answer over HTTP is read within its bound, whatever it says of its length."""

from __future__ import annotations

import contextlib
import http.client
import io

import pytest

from shieldwall.chain.readers.bounded import read_at_most


class Endless(io.RawIOBase):
    """A connection on which a head comes, and then spaces without end; it counts what is taken."""

    def __init__(self, head: bytes, most: int = 1 << 24) -> None:
        super().__init__()
        self.head, self.left = head, most

    def readable(self):
        return True

    def makefile(self, _):
        return io.BufferedReader(self)

    def readinto(self, buffer):
        if self.head:
            size = min(len(self.head), len(buffer))
            buffer[:size], self.head = self.head[:size], self.head[size:]
            return size
        size = min(len(buffer), self.left)
        buffer[:size] = b" " * size
        self.left -= size
        return size


def answer(head: str, body: bytes = b"", **options):
    raw = Endless(f"HTTP/1.1 200 x\r\n{head}\r\n\r\n".encode() + body, **options)
    response = http.client.HTTPResponse(raw)  # type: ignore[arg-type]
    response.begin()
    return raw, response


@pytest.mark.parametrize(
    "size", ["-1", "-5", "-ffff", "-10000", "-99999999999999999999", "99999999999999999999", "fffffff"]
)
def test_no_size_of_a_chunk_makes_it_read_on(size):
    raw, response = answer("Transfer-Encoding: chunked", f"{size}\r\n".encode())
    with contextlib.suppress(http.client.HTTPException):
        assert len(read_at_most(response, 1000)) <= 1001
    assert raw.left > (1 << 24) - (1 << 18)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 70_000, 200_000])
def test_what_fits_is_read_whole(size):
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    chunks = (
        b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (body[:7], body[7:]) if part) + b"0\r\n\r\n"
    )
    for head, sent in (
        (f"Content-Length: {size}", body),
        ("Transfer-Encoding: chunked", chunks),
        ("Connection: close", body),
    ):
        assert read_at_most(answer(head, sent, most=0)[1], size) == body
        if size:
            assert len(read_at_most(answer(head, sent, most=0)[1], size - 1)) == size


def test_an_answer_cut_off_says_so():
    _, response = answer("Content-Length: 10", b"12345", most=0)
    assert (read_at_most(response, 100), response.length) == (b"12345", 5)
    with pytest.raises(http.client.IncompleteRead):
        read_at_most(answer("Transfer-Encoding: chunked", b"a\r\n12345", most=0)[1], 100)
