"""That one leaf is in the log of a signed root, as JSON that anyone checks without the node. Format: docs/spec/audit-log.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shieldwall.errors import BadText, NotFound, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.merkle import consistency_proof, inclusion_proof, is_consistent, is_included, leaf_hash, root_of
from shieldwall.model.strictjson import parse_json
from shieldwall.node.auditing import is_signed
from shieldwall.node.demand import demand
from shieldwall.node.exported import SignedRoot
from shieldwall.node.identity import PublicIdentity
from shieldwall.store import Store

FORMAT = "shieldwall-audit-proof"


def prove(store: Store, identity: Identity, number: int, line: SignedRoot) -> dict[str, Any]:
    """That a leaf is in the log of a signed root, as JSON that `check_proof` reads without the node.

    Args:
        store: Whose log.
        identity: Who asks.
        number: Of the leaf, from 0.
        line: The signed root; the log may have grown since.

    Raises:
        NotFound: There is no such leaf under that root.
    """
    with store.inside(identity) as work:
        hashes = work.audit.hashes(work.audit.head().frontier.size)
        rows = list(work.audit.raw_leaves(number, number + 1))
    if not rows or rows[0].entry is None or not 0 <= number < line.size <= len(hashes):
        raise NotFound(
            f"there is no leaf {number} under a signed root", hint="sign one first: shieldwall node audit export"
        )
    size = len(hashes)
    return {
        "format": FORMAT,
        "version": 1,
        "number": number,
        "entry": parse_json(rows[0].entry, "entry"),
        "inclusion": [step.hex() for step in inclusion_proof(hashes[: line.size], number)],
        "signed": parse_json(line.to_line(), "line"),
        "now": {
            "size": size,
            "root": root_of(hashes).hex(),
            "consistency": [step.hex() for step in consistency_proof(hashes, line.size)],
        },
    }


def check_proof(body: Any, known: PublicIdentity) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON held
    """Hold a proof against a node's public keys, without the node.

    Returns:
        The entry that is proven.

    Raises:
        BadText: It is no proof.
        Tampered: It proves nothing.
    """
    try:
        demand(body["format"] == FORMAT, body["version"] == 1, isinstance(body["entry"], dict))
        line = SignedRoot.from_line(canonical_json(body["signed"]), "the signed root")
        entry, number, now = body["entry"], body["number"], body["now"]
        inclusion = [bytes.fromhex(step) for step in body["inclusion"]]
        consistency = [bytes.fromhex(step) for step in now["consistency"]]
        root, size = bytes.fromhex(now["root"]), now["size"]
        demand(type(number) is int, type(size) is int, entry.get("number") == number)
        leaf = leaf_hash(canonical_json(entry))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadText("that is no proof of a leaf", hint="shieldwall node audit prove NUMBER") from None
    if not is_signed(line, known):
        raise Tampered("the signed root of the proof does not hold")
    if not is_included(leaf, number, line.size, line.root, inclusion):
        raise Tampered(f"the proof does not show that leaf {number} is in the log")
    if not is_consistent(line.size, line.root, size, root, consistency):
        raise Tampered("the proof does not show that the log grew from the signed root")
    return dict(entry)
