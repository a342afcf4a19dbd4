"""A PostgreSQL server of the tests' own, from Debian's package: made, started and thrown away, reached by a socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from memory_support import memory

PACKAGES = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"  # neither initdb nor the server runs as root
_WAIT = 60  # seconds


def programs() -> Path | None:
    """The folder of the newest server's programs; None where there is none, or no account to run it."""
    found = sorted(PACKAGES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found or (os.getuid() == 0 and _account() is None):
        return None
    return found[-1].parent


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        return None


@dataclass
class Server:
    """A running server.

    Attributes:
        folder: Its socket and its data.
    """

    folder: Path
    made: int = field(default=0)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{_ACCOUNT}@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Run a statement that stands outside of a transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def database(self, template: str = "template1") -> str:
        """Make a database, as a copy of another one, and return its name."""
        self.made += 1
        name = f"test_{os.getpid()}_{self.made}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return name

    def drop(self, database: str) -> None:
        """Throw a database away, with whoever is in it."""
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextmanager
def running() -> Iterator[Server]:
    """A new server with sync on, as the node would have it, until the context is left."""
    binaries = programs()
    assert binaries is not None, "no server of PostgreSQL"
    # In memory where there is room, since a database for each test is much to sync; pytest's own folders let no other account in.
    folder = Path(tempfile.mkdtemp(prefix="shieldwall-pg-", dir=memory()))
    account = _account() if os.getuid() == 0 else None
    as_account: list[str] = []
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_account = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups"]
    data = folder / "data"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    make = ["--auth=trust", f"--username={_ACCOUNT}", "--encoding=UTF8", "--no-sync", "--no-instructions"]
    try:
        subprocess.run(
            [*as_account, binaries / "initdb", *make, f"--pgdata={data}"],
            check=True, capture_output=True, env=environment, cwd=folder, timeout=_WAIT,
        )  # fmt: skip
        options = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=on", "max_connections=60"]
        flags = [word for option in options for word in ("-c", option)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_account, binaries / "postgres", "-D", data, *flags],
                stdout=log, stderr=log, env=environment, cwd=folder,
            )  # fmt: skip
        try:
            _await(Server(folder), server)
            yield Server(folder)
        finally:
            server.terminate()  # a smart stop; the tests' connections are let go of first
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)  # at once
                server.wait(_WAIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _WAIT
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
