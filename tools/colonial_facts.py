"""Write the demonstration's Colonial facts from recorded Esplora answers: `python tools/colonial_facts.py ANSWERS OUT`.

ANSWERS holds colonial_ransom_txs.json, colonial_anchor_txs.json and colonial_tip.txt, recorded from a public Esplora
instance (the transactions of addresses 15JFh88F... and bc1qq2eu...). What is written are chain facts in our own format
(docs/spec/chain-facts.md): raw bytes, previous outputs, block heights, and one spend state.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shieldwall.chain.readers import esplora_json
from shieldwall.chain.readers.facts import FORMAT
from shieldwall.model.network import MAIN
from shieldwall.model.transaction import display

DUST = "4a064218c7e699e34c2d4cdf29823d7dc85b756aa0792555771be8d9d1266028"  # pays the anchor address once more, in 2023
ANCHOR = "bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq"


def main(answers: Path, out: Path) -> None:
    """Write the facts."""
    lines: list[dict[str, Any]] = [
        {"format": FORMAT, "network": "main", "source": "Bitcoin; recorded from a public Esplora instance"}
    ]
    blocks: dict[int, dict[str, Any]] = {}
    spend: dict[str, Any] = {}
    height = int((answers / "colonial_tip.txt").read_text())
    for name in ("colonial_ransom_txs.json", "colonial_anchor_txs.json"):
        for number, body in enumerate(json.loads((answers / name).read_text())):
            loose, confirmed = esplora_json.transaction(body, MAIN, f"{name}[{number}]")
            if confirmed is None:
                raise SystemExit(f"{name}[{number}] is not confirmed")
            block = {"height": confirmed.height, "hash": display(confirmed.hash), "time": confirmed.time}
            previous = [[entry.value, entry.script.hex()] for entry in loose.previous if entry is not None]
            entry = {"raw": loose.raw.hex(), "previous": previous}
            blocks.setdefault(confirmed.height, {"block": block, "transactions": []})["transactions"].append(entry)
            if body["txid"] == DUST:
                place = next(i for i, o in enumerate(body["vout"]) if o.get("scriptpubkey_address") == ANCHOR)
                spend = {"output": f"{DUST}:{place}", "height": height, "spender": None}
    lines += [blocks[key] for key in sorted(blocks)]
    lines.append({"spend": spend})
    out.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
