"""Is everything about a node as it should be? Cryptography, folder, keys, database, every value, audit log, clock, space."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shieldwall.errors import ShieldwallError, StoreError
from shieldwall.model.access import Identity
from shieldwall.node.auditing import verify_log
from shieldwall.node.home import KEYS, OpenHome, database, open_home, refuse_old_clock
from shieldwall.node.keysource import KeySource
from shieldwall.node.nodeconfig import FILE, NodeConfig, is_server, load_node
from shieldwall.node.selftest import must_pass
from shieldwall.store.dump import engine_problems, unsound
from shieldwall.store.engine import Clock, wall_clock

LEAST_FREE = 256 << 20  # bytes
_MOST = 20  # problems of one kind that are named


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at, and what is wrong with it; None where it could not be looked at."""

    name: str
    wrong: tuple[str, ...] | None = ()

    @property
    def passed(self) -> bool:
        """Whether it was looked at and nothing is wrong."""
        return self.wrong == ()


def check_home(
    path: Path,
    source: KeySource,
    *,
    identity: Identity,
    environ: Mapping[str, str] | None = None,
    clock: Clock = wall_clock,
) -> list[Checked]:
    """Look at everything; what fails does not keep the rest from being looked at.

    Args:
        path: The node's folder.
        source: Where the key comes from.
        identity: Who asks.
        environ: Variables over its settings.
        clock: Microseconds of Unix time.
    """
    path = path.absolute()
    results = [_tried("cryptography", must_pass)]
    found: list[NodeConfig] = []
    results.append(_tried("settings", lambda: found.append(load_node(path, environ or {}))))
    if not found:
        return results + [Checked(name, None) for name in ("folder and files", *_OPENED)]
    config = found[0]
    results.append(Checked("folder and files", tuple(file_problems(path, config))))
    results.append(Checked("free space", tuple(space_problems(path, config))))
    try:
        home = open_home(path, source, identity=identity, environ=environ, clock=clock, checked=False)
    except ShieldwallError as error:
        return [
            *results,
            Checked("key and database", (_sentence(error),)),
            *(Checked(name, None) for name in _OPENED[1:]),
        ]
    with home:
        return [*results, Checked("key and database"), *_opened(home, identity)]


_OPENED = ("key and database", "database pages", "values", "audit log", "newest exported root", "clock", "writing")


def _opened(home: OpenHome, identity: Identity) -> list[Checked]:
    store = home.store
    return [
        Checked("database pages", tuple(engine_problems(store)[:_MOST])),
        _listed("values", lambda: _values(home, identity)),
        _listed("audit log", lambda: audit_problems(home, identity)),
        _tried("newest exported root", lambda: home.witness.verify_quickly(identity)),
        _tried("clock", lambda: refuse_old_clock(store, identity)),
        _tried("writing", lambda: store.record(identity, "node.check")),
    ]


def audit_problems(home: OpenHome, identity: Identity) -> list[str]:
    """What is wrong with the audit log, a sentence each, the first leaf first."""
    found = verify_log(home.store, identity, home.keys.identity, home.exported)
    lines = []
    for finding in found.findings:
        which = (
            f"leaf {finding.first}" if finding.first == finding.last else f"leaves {finding.first} to {finding.last}"
        )
        lines.append(f"{which}: {finding.text}")
    return lines


def file_problems(path: Path, config: NodeConfig) -> list[str]:
    """Files of the node that others may use, that are missing, or that stand in the way."""
    wrong = []
    place = database(path, config)
    private = [path, path / FILE, path / KEYS]
    if not is_server(place):
        private += [Path(place), Path(place + "-wal"), Path(place + "-shm")]
    for file in private:
        if not file.exists():
            if not file.name.endswith(("-wal", "-shm")):
                wrong.append(f"{file} is missing")
        elif file.stat().st_mode & 0o077:
            wrong.append(f"{file}: others than its owner may use it (chmod go= {file})")
    named = [("tls_certificate", config.tls_certificate), ("tls_key", config.tls_key), ("chain", config.chain)]
    named += [("further_chains", folder) for folder in config.further_chains]
    wrong += [f"{what} in {FILE}: {there} is missing" for what, there in named if there and not there.exists()]
    if config.tls_key is not None and config.tls_key.exists() and config.tls_key.stat().st_mode & 0o007:
        wrong.append(f"{config.tls_key}: everyone may read it (chmod o= {config.tls_key})")
    if config.audit_roots.exists() and config.audit_roots.stat().st_mode & 0o022:
        wrong.append(f"{config.audit_roots}: others than its owner may write it (chmod go-w {config.audit_roots})")
    return wrong


def space_problems(path: Path, config: NodeConfig) -> list[str]:
    """Places of the node with too little free space."""
    wrong = []
    for place in {path, config.audit_roots.parent}:
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            wrong.append(f"{place}: {error.strerror}")
            continue
        if free < LEAST_FREE:
            wrong.append(f"{place}: {free >> 20} MiB are free, and {LEAST_FREE >> 20} MiB should be")
    return wrong


def _values(home: OpenHome, identity: Identity) -> list[str]:
    wrong: list[str] = []
    with home.store.inside(identity) as work:
        for sentence in unsound(work):
            wrong.append(sentence)
            if len(wrong) >= _MOST:
                break
    return wrong


def _tried(name: str, act: Callable[[], object]) -> Checked:
    try:
        act()
    except ShieldwallError as error:
        return Checked(name, (_sentence(error),))
    return Checked(name)


def _listed(name: str, act: Callable[[], list[str]]) -> Checked:
    try:
        return Checked(name, tuple(act()))
    except StoreError as error:
        return Checked(name, (_sentence(error),))


def _sentence(error: ShieldwallError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
