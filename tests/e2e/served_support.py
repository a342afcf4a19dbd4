"""A node as an operator runs it: commands and a server in processes of their own, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-m", "shieldwall")
PATIENCE = 60.0  # seconds


def free_port():
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Operator:
    """Someone at the node's machine: its folder, the credential file that opens it, its port."""

    folder: Path
    key: Path
    port: int

    @property
    def url(self):
        """Where the node is served."""
        return f"http://localhost:{self.port}"

    def run(self, *words, code=0):
        """A command of the node; what it prints, as JSON."""
        command = [*COMMAND, "node", *words, "--node", str(self.folder), "--key-file", str(self.key), "-o", "json"]
        return said(command, code)

    @contextlib.contextmanager
    def served(self, **variables):
        """The node, served until this is left."""
        command = [*COMMAND, "node", "serve", "--node", str(self.folder), "--key-file", str(self.key)]
        log = self.folder.with_suffix(".log")
        with (
            log.open("ab") as told,
            subprocess.Popen(command, stdout=told, stderr=told, env={**os.environ, **variables}) as server,
        ):
            try:
                self._await(server, log)
                yield server
            finally:
                if server.poll() is None:
                    server.send_signal(signal.SIGTERM)
                assert server.wait(timeout=PATIENCE) in (0, -signal.SIGKILL), log.read_text(encoding="utf-8")

    def _await(self, server, log):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if server.poll() is not None:
                raise AssertionError(log.read_text(encoding="utf-8"))
            connection = http.client.HTTPConnection("localhost", self.port, timeout=5)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", "/api/v1/health")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError("the node does not answer")


def said(command, code=0):
    """What a command prints, as JSON; it must end with `code`."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def until(look, seconds=PATIENCE):
    """What `look` gives as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")
