"""Our own extension definitions of STIX (section 7.3), each with its JSON schema, and those of others that are read.

Whoever gets an object of ours gets the definitions that it uses along with it: nobody could resolve them otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

ADDRESS = "extension-definition--844c3130-c0c2-4b50-9ef0-7d059652d433"
TRANSACTION = "extension-definition--857376fb-7b9c-4ae5-bd7f-fd8c45be97f9"
MISP_EVENT = "extension-definition--72116ee7-f979-42a5-a339-ada0c7f489fe"
CLUSTER = "extension-definition--f8cbd788-aaac-4aa0-addb-fd71d7d620d1"
FLOW = "extension-definition--2767d9ef-1d2a-4701-a9b0-371579cd4115"
REQUEST = "extension-definition--095d32cc-1aa8-428e-8213-bb8b4d7f162d"
CASE = "extension-definition--81e93911-a7f2-4fc3-a04b-85e226fadcf2"
CLAIM = "extension-definition--b25e08c3-c8e1-4ea1-8a62-3e3fccd2dd4b"

WALLET = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7"
"""`cryptocurrency-wallet` of dogesec's stix2extensions, which OpenCTI has under the same type."""

TASK = "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030"
"""`task` of the incident extension suite (OASIS CTI common object repository); a core type from STIX 2.2 on."""

AUTHORS = "identity--788e429d-bcde-448d-8c09-bfce00439ca9"
"""Who made the definitions."""

_MADE = "2026-12-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Definition:
    """An extension definition of ours: its id, its name, of which kind it is, and the file of its schema."""

    id: str
    name: str
    kind: str
    file: str


DEFINITIONS = (
    Definition(ADDRESS, "Blockchain address", "new-sco", "address.json"),
    Definition(TRANSACTION, "Blockchain transaction", "new-sco", "transaction.json"),
    Definition(CLAIM, "Claim", "property-extension", "claim.json"),
    Definition(MISP_EVENT, "MISP event", "property-extension", "misp-event.json"),
    Definition(CLUSTER, "Cluster of addresses", "new-sdo", "cluster.json"),
    Definition(FLOW, "Flow of money", "new-sdo", "flow.json"),
    Definition(REQUEST, "Request", "property-extension", "request.json"),
    Definition(CASE, "Case", "property-extension", "case.json"),
)


def schema_of(definition: Definition) -> dict[str, Any]:
    """The JSON schema of a definition: of the whole object, or of the extension where it only adds properties."""
    text = (resources.files("shieldwall.sharing") / "data" / definition.file).read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _objects() -> dict[str, dict[str, Any]]:
    authors: dict[str, Any] = {
        "type": "identity",
        "spec_version": "2.1",
        "id": AUTHORS,
        "created": _MADE,
        "modified": _MADE,
        "name": "The Shieldwall founders",
        "identity_class": "organization",
    }
    found: dict[str, dict[str, Any]] = {AUTHORS: authors}
    for definition in DEFINITIONS:
        found[definition.id] = {
            "type": "extension-definition",
            "spec_version": "2.1",
            "id": definition.id,
            "created_by_ref": AUTHORS,
            "created": _MADE,
            "modified": _MADE,
            "name": definition.name,
            "schema": json.dumps(schema_of(definition), ensure_ascii=False, sort_keys=True),
            "version": "1.0.0",
            "extension_types": [definition.kind],
        }
    return found


def definitions_for(bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The definitions of ours that objects use, and who made them; in the order of their ids."""
    used = {name for body in bodies for name in body.get("extensions", {})} & _objects().keys()
    return [_objects()[name] for name in sorted({*used, AUTHORS} if used else ())]
