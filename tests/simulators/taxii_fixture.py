"""Data of other servers' tests in ours, with the identifiers and the dates that it has, and served over HTTP for their suites.

    PYTHONPATH=tests/simulators:tests/unit/node .venv/bin/python tests/simulators/taxii_fixture.py DATA.json PORT

DATA is of medallion's form: API roots with collections, each with objects and a manifest. A partner `admin` is in the groups of
all roots; its user and password for Basic are written out, for the client of the suite. Equal dates are a microsecond apart here.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from taxii_support import Client, TaxiiSite, taxii_in

from shieldwall.model.marking import Marking
from shieldwall.sharing.stix.instant import read_instant


def load(site: TaxiiSite, data: Mapping[str, Any]) -> Client:
    """Put the data into a site; returns the client of the partner."""
    roots = {name: root for name, root in data.items() if not name.startswith("/")}
    groups = {name: site.group(name) for name in roots}
    _, client = site.partner("admin", *groups.values())
    for name, root in roots.items():
        for given in root.get("collections", []):
            _collection(site, groups[name], given)
    return client


def _collection(site: TaxiiSite, group: str, given: Mapping[str, Any]) -> None:
    with mock.patch("uuid.uuid4", return_value=uuid.UUID(given["id"])):
        collection = site.collection(
            given["title"],
            group,
            alias=given.get("alias", ""),
            readable=given["can_read"],
            writable=given["can_write"],
            unmarked=Marking.GREEN,
        )
    dates = {
        (entry["id"], read_instant(entry["version"], "manifest")): read_instant(entry["date_added"], "manifest")
        for entry in given.get("manifest", [])
    }
    dated = []
    for body in given.get("objects", []):
        version = read_instant(body.get("modified", body.get("created", "")), body["id"])
        dated.append((dates[body["id"], version], body))
    last = 0
    for at, body in sorted(dated, key=lambda pair: pair[0]):
        last = max(at, last + 1)
        site.release(collection, [body], marking=Marking.GREEN, at=last)


def main() -> None:
    """See the module's docstring."""
    import anyio.to_thread
    import uvicorn

    from shieldwall.web.taxii.server import create_taxii

    in_a_thread = anyio.to_thread.run_sync
    path, port = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, taxii_in(Path(folder)) as site:
        client = load(site, json.loads(Path(path).read_text(encoding="utf-8")))
        _, user, password = client.headers["authorization"].removeprefix("Bearer ").split("_")
        sys.stdout.write(f"http://127.0.0.1:{port}/taxii2/ user {user} password {password}\n")
        sys.stdout.flush()
        anyio.to_thread.run_sync = in_a_thread
        uvicorn.run(create_taxii(site.node), port=int(port), log_level="warning", http="h11", lifespan="off")


if __name__ == "__main__":
    main()
