"""docs/choke.md: its commands run as they stand on the chain that its Python makes, and print what stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from documents_support import blocks, fits, run, stage


def test_the_worked_example(root, tmp_path):
    text = (root / "docs" / "choke.md").read_text(encoding="utf-8")
    clone = stage(root, tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=clone, check=True, env=os.environ)
    (examples,) = blocks(text)
    shown = 0
    for example in examples:
        done = run(example.command, clone)
        assert done.returncode == 0, done.stderr
        assert fits(example.shown, done.stdout), f"line {example.line}\n{done.stdout}"
        shown += bool(example.shown)
    assert shown >= 3
