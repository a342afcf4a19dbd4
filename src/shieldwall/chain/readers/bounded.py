"""Read an answer over HTTP within a bound, whatever it says of its own length."""

from __future__ import annotations

import http.client

_PIECE = 1 << 16


def read_at_most(answer: http.client.HTTPResponse, most: int) -> bytes:
    """The body of an answer; one byte more than `most` where it is longer.

    `HTTPResponse.read(n)` is no bound: where a chunk gives its size as negative, it reads to the end of the connection.
    A buffer is one.

    Args:
        answer: Whose head was read.
        most: Bytes.

    Raises:
        OSError: The connection broke.
        http.client.HTTPException: The chunks do not fit.
    """
    body, buffer = bytearray(), memoryview(bytearray(_PIECE))
    while len(body) <= most and (size := answer.readinto(buffer[: most + 1 - len(body)])):
        body += buffer[:size]
    return bytes(body)
