"""The README's Python runs as it stands, on the store that its commands build."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from shieldwall.chain.build import build


def test_python(root, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    build(tmp_path / "colonial", [str(root / "src/shieldwall/playbooks/data/colonial/facts.jsonl")])
    environ = os.environ | {"SHIELDWALL_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True, env=environ
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Of 75.0005 BTC, ")
