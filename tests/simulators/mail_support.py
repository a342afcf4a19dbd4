"""A mail server on loopback that keeps what is handed in (RFC 5321, and STARTTLS of RFC 3207); it sends nothing on."""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from hook_support import running


@dataclass
class Sink:
    """A running mail server.

    Attributes:
        port: On which it listens.
        received: What was handed in.
        users: User and password of each who signed in.
        refuse: A code to answer to every mail with, such as 451; 0 takes it.
        encrypted: Whether each mail came through TLS.
    """

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    users: list[tuple[str, str]] = field(default_factory=list)
    refuse: int = 0
    encrypted: list[bool] = field(default_factory=list)


@contextmanager
def sink(tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """A mail server, until the context is left."""

    class Session(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def finish(self):
            super().finish()
            self.request.close()  # the one of TLS: the server knows of the first alone

        def handle(self):
            secure = False
            self.say("220 sink")
            while line := self.rfile.readline().decode().strip():
                word = line.split(" ")[0].upper()
                if word in ("EHLO", "HELO"):
                    more = ["250-STARTTLS"] if tls and not secure else []
                    for each in ("250-sink", *more, "250-AUTH PLAIN", "250 8BITMIME"):
                        self.say(each)
                elif word == "STARTTLS" and tls:
                    self.say("220 go on")
                    self.request = tls.wrap_socket(self.request, server_side=True)
                    self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
                    secure = True
                elif word == "AUTH":
                    _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                    found.users.append((user, password))
                    self.say("235 welcome")
                elif word == "DATA":
                    self.say("354 go on")
                    raw = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        raw += part.removeprefix(b".").replace(b"\r\n", b"\n")
                    message = email.message_from_bytes(raw, policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    found.received.append(message)
                    found.encrypted.append(secure)
                    self.say("250 kept")
                elif word == "MAIL" and found.refuse:
                    self.say(f"{found.refuse} not now")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 good")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_):
            pass  # who speaks may break off

    with Server(("127.0.0.1", 0), Session) as server:
        found = Sink(server.server_address[1])
        with running(server.serve_forever, server.shutdown):
            yield found
