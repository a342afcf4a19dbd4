"""Write the ransomware groups and their other names out of a MISP galaxy: tools/make_groups.py ransomware.json

What is taken are names and ids (MISP galaxy, CC0): `value`, `meta.synonyms`, `uuid`, and the names of ransom notes. Two entries
that share a name are told as such in `cases/groups.py`, never merged by this tool.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src" / "shieldwall" / "cases" / "data" / "ransomware.jsonl"


def main() -> None:
    """See the module's docstring."""
    galaxy = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rows = [{"galaxy": "misp-galaxy ransomware", "version": galaxy["version"], "uuid": galaxy["uuid"]}]
    for value in sorted(galaxy["values"], key=lambda each: (each["value"].casefold(), each["uuid"])):
        meta = value.get("meta", {})
        row = {
            "name": value["value"].strip(),
            "uuid": value["uuid"],
            "aliases": sorted({each.strip() for each in meta.get("synonyms", []) if each.strip()}, key=str.casefold),
            "notes": sorted({each.strip() for each in meta.get("ransomnotes-filenames", []) if each.strip()}),
        }
        rows.append({name: text for name, text in row.items() if text})
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    OUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
