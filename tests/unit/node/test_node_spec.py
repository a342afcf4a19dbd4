"""The vectors in docs/spec say what the program does."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from shieldwall.model.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash
from shieldwall.node.sealedfile import read_frames

SPEC = Path(__file__).resolve().parents[3] / "docs" / "spec"


def vector(name):
    return (SPEC / name).read_text(encoding="utf-8").split("## Vector")[1]


def test_the_audit_log():
    text = vector("audit-log.md")
    entries = re.findall(r"^    (\{.*\})$", text, re.MULTILINE)
    rows = re.findall(r"^\| (\d) \| `(\w{64})` \| `(\w{64})` \|$", text, re.MULTILINE)
    edge, leaves = Frontier(), []
    for entry, (size, leaf, root) in zip(entries, rows, strict=True):
        leaves.append(leaf_hash(entry.encode()))
        edge = edge.append(leaves[-1])
        assert (edge.size, leaves[-1].hex(), edge.root.hex()) == (int(size), leaf, root)
    proofs = re.findall(r"`(\w{64})`", text.split("Inclusion proof")[1])
    assert proofs == [step.hex() for step in (*inclusion_proof(leaves, 1), *consistency_proof(leaves, 2))]


def test_the_backup():
    (raw,) = re.findall(r"^    (\w+)$", vector("backup.md"), re.MULTILINE)
    lines = read_frames(io.BytesIO(bytes.fromhex(raw)), bytes(32), bytes(7), b"", "vector")
    assert list(lines) == [b'{"settings":{}}', b'{"end":{}}']


@pytest.mark.parametrize("name", ["audit-log.md", "backup.md", "node-keys.md"])
def test_each_page_has_a_vector(name):
    assert vector(name).strip()
