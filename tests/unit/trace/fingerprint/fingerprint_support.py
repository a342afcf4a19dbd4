"""Stores of transactions made for the purpose: any version, locktime, sequences and scripts."""

import json
from dataclasses import dataclass, field
from hashlib import sha256

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.proof import sha256d
from shieldwall.chain.regtest import p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import REGTEST
from shieldwall.model.script import Script, ScriptKind, assemble
from shieldwall.model.transaction import display, internal

PLAIN = BuildConfig(engine="plain", threads=1)  # as in trace_support
SOMEWHERE = "ab" * 32


def p2pkh(name):
    return Script(ScriptKind.P2PKH, sha256(name.encode()).digest()[:20])


@dataclass
class Loose:
    """A transaction in the old form: inputs ((txid, index), (satoshi, script) or None), outputs (script, satoshi)."""

    inputs: list
    outputs: list
    version: int = 2
    locktime: int = 0
    sequence: int = 0xFFFFFFFF
    height: int = 1
    raw: bytes = field(init=False)

    def __post_init__(self):
        body = (self.version & 0xFFFFFFFF).to_bytes(4, "little") + bytes([len(self.inputs)])
        for (txid, index), _ in self.inputs:
            body += internal(txid) + index.to_bytes(4, "little") + b"\0" + self.sequence.to_bytes(4, "little")
        body += bytes([len(self.outputs)])
        for script, value in self.outputs:
            raw = assemble(script)
            body += value.to_bytes(8, "little") + bytes([len(raw)]) + raw
        self.raw = body + self.locktime.to_bytes(4, "little")

    @property
    def txid(self):
        return display(sha256d(self.raw))


def outside(name, number, value=10_000, kind=p2wpkh):
    """An input that spends what is in no store, of which the source gives value and script."""
    txid = sha256(f"{name} {number}".encode()).hexdigest()
    return (txid, 0), (value, kind(name))


def payment(name, number, **form):
    """One of many payments of a person: one input, one output."""
    kind = form.pop("kind", p2wpkh)
    return Loose([outside(name, number, kind=kind)], [(p2wpkh(f"shop {number}"), 9_000)], **form)


def store_of(folder, transactions):
    """A store of these, from a fact file: the txid is proven, the block is said."""
    folder.mkdir(exist_ok=True)
    lines = [{"format": "shieldwall-facts/1", "network": "regtest"}]
    for height in sorted({one.height for one in transactions}):
        entries = [
            {
                "raw": one.raw.hex(),
                "previous": [
                    None if known is None else [known[0], assemble(known[1]).hex()] for _, known in one.inputs
                ],
            }
            for one in transactions
            if one.height == height
        ]
        block = {"height": height, "hash": f"{height:064x}", "time": 1_600_000_000 + 600 * height}
        lines.append({"block": block, "transactions": entries})
    path = folder / "facts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    build(folder / "chain", [str(path)], network=REGTEST, config=PLAIN)
    return ChainStore.open(folder / "chain")


def number(store, transaction):
    found = store.find_transaction(internal(transaction.txid))
    assert found is not None
    return found
