"""What is true of a simulated chain, as `.npy` files and one JSON beside its blocks; docs/simulator.md has the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from simulator.kinds import EntityKind, JoinKind, TransactionKind
from simulator.layout import CAMPAIGNS, CHAINS, END, ENTITIES, NOTES, RANSOM
from simulator.plan import Plan

FORMAT = 1


def tables(plan: Plan) -> dict[str, np.ndarray]:
    """The truth by file name; rows of transactions, outputs and inputs are those of the chain in its order."""
    s = plan.state
    tx, out = s.tx[: plan.transactions], s.out[: plan.outputs]
    entity = s.entity[: int(s.counter[ENTITIES])]
    chain, campaign = s.chain[: int(s.counter[CHAINS])], s.campaign[: int(s.counter[CAMPAIGNS])]
    note = s.note[: int(s.counter[NOTES])]
    ransom, end = note[note["what"] == RANSOM], note[note["what"] == END]
    return {
        "tx_kind": tx["kind"].astype(np.uint8),
        "tx_fingerprint": tx["fingerprint"].astype(np.uint16),
        "coinjoin_kind": tx["join"].astype(np.uint8),
        "tx_peel_chain": tx["chain"].astype(np.int32),
        "tx_peel_hop": tx["hop"].astype(np.uint16),
        "output_owner": s.key["owner"][out["key"]].astype(np.uint32),
        "output_is_change": out["change"].astype(np.uint8),
        "output_key": out["key"].astype(np.uint32),
        "input_output": s.inputs[: plan.spends].astype(np.uint32),
        "entity_kind": entity["kind"].astype(np.uint8),
        "entity_fingerprint": entity["fingerprint"].astype(np.uint16),
        "peel_chain": _table(chain, ("owner", "campaign", "start", "coin", "hops", "done")),
        "campaign": _table(campaign, ("actor", "victims", "paid")),
        "ransom": _table(ransom, ("campaign", "output", "entity")),
        "deposit": _table(end, ("campaign", "chain", "output", "entity")),
    }


def _table(rows: Any, names: tuple[str, ...]) -> np.ndarray:
    """int64[n, len(names)]: the named fields side by side."""
    return np.stack([rows[name].astype(np.int64) for name in names], axis=1)


def write_truth(folder: Path, plan: Plan, digest: str, size: int) -> dict[str, Any]:
    """Write the tables and `truth.json` into `folder`; what the JSON says.

    Args:
        folder: Made where it is missing.
        plan: The story.
        digest: SHA-256 of the block files, empty when none were written.
        size: Their bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = tables(plan)
    for name, table in found.items():
        np.save(folder / f"{name}.npy", table)
    said = summary(plan, found)
    said["block_files"] = {"sha256": digest, "bytes": size}
    (folder / "truth.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return said


def summary(plan: Plan, found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Parameters and counts as plain JSON values."""
    kinds = np.bincount(found["tx_kind"], minlength=len(TransactionKind)).tolist()
    joins = np.bincount(found["coinjoin_kind"], minlength=len(JoinKind)).tolist()
    owners = np.bincount(found["entity_kind"], minlength=len(EntityKind)).tolist()
    return {
        "label": "simulator",
        "format": FORMAT,
        "network": "regtest",
        "seed": plan.seed,
        "transactions": plan.transactions,
        "per_block": plan.per_block,
        "blocks": plan.blocks,
        "outputs": plan.outputs,
        "inputs": plan.spends,
        "addresses": len(np.unique(found["output_key"])),
        "transactions_by_kind": dict(zip((kind.name.lower() for kind in TransactionKind), kinds, strict=True)),
        "coinjoins_by_kind": dict(zip((kind.name.lower() for kind in JoinKind), joins, strict=True)),
        "entities_by_kind": dict(zip((kind.name.lower() for kind in EntityKind), owners, strict=True)),
        "peel_chains": len(found["peel_chain"]),
        "campaigns": len(found["campaign"]),
        "ransoms": len(found["ransom"]),
        "deposits": len(found["deposit"]),
    }
