"""Warming up: every module of kernels is in the list, what cannot be kept is said, and afterwards nothing is compiled."""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from shieldwall.cli import run
from shieldwall.kernels import compiled, warm
from shieldwall.kernels.warm import INLINED, MODULES, NoCacheFolder, cache_folder, tiny_graph, warm_up

needs_parquet = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="the simulated Parquet needs pyarrow"
)


def compiled_modules():
    return {path.stem for path in Path(compiled.__file__).parent.glob("*.py")} - {"__init__"}


def test_every_module_of_kernels_is_warmed():
    assert set(MODULES) | set(INLINED) == compiled_modules()
    assert list(MODULES) == sorted(MODULES)


@pytest.mark.parametrize("name", INLINED)
def test_what_is_left_out_keeps_nothing(name):
    module = importlib.import_module(f"shieldwall.kernels.compiled.{name}")
    assert warm._kept(module) == []


def test_the_tiny_graph_is_one():
    graph = tiny_graph()
    assert not any(array.flags.writeable for array in graph)
    assert len(graph.first_input) == len(graph.first_output) == len(graph.flags) == 2
    assert len(graph.value) == len(graph.holder) == len(graph.spender) == 3
    assert len(graph.link) == len(graph.link_high) == len(graph.payer) == 1


def test_a_module_is_compiled_once(monkeypatch, tmp_path):
    ((first), (second)) = [next(warm_up(("scripts",))) for _ in range(2)]
    assert first.module == second.module == "scripts"
    assert first.kernels == second.kernels > 0
    assert second.compiled == 0


def test_the_command_says_where_and_how_much(monkeypatch, capsys):
    monkeypatch.setattr("shieldwall.cli.warm_up.MODULES", {"scripts": MODULES["scripts"]})
    assert run(["warm-up", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["cache"]).is_dir()
    assert told["kernels"] > 0
    assert told.keys() == {"cache", "kernels", "compiled", "seconds"}


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "cache")
    monkeypatch.setattr(numba.config, "CACHE_DIR", folder)
    with pytest.raises(NoCacheFolder, match="file"):
        cache_folder()
    assert run(["warm-up"]) == 2
    errors = capsys.readouterr().err
    assert folder in errors
    assert "set NUMBA_CACHE_DIR" in errors


def warmed(root, folder):
    """Let a warm-up fill an empty folder, and return what it told; `make warm` may have done so, after the last change."""
    made = root / ".pytest_cache" / "d" / "warmed"
    told = made / "told.json"
    newest = max(path.stat().st_mtime for path in (root / "src" / "shieldwall").rglob("*.py"))
    if told.exists() and told.stat().st_mtime > newest:
        shutil.copytree(made / "numba", folder)
        return json.loads(told.read_text(encoding="utf-8"))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    return json.loads(process(["-m", "shieldwall", "warm-up", "-o", "json"], environment))


@pytest.mark.full
@needs_parquet
def test_after_it_a_new_process_compiles_nothing(tmp_path, root):
    import simulator

    made = simulator.make(tmp_path / "chain", transactions=1000, forms=("blocks", "parquet"), hash="txid")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    assert warmed(root, tmp_path / "numba")["compiled"] > 0
    (tmp_path / "day").mkdir()
    driver = str(Path(__file__).with_name("compiling_support.py"))
    forms = [str(made.folder / "blocks"), str(made.folder / "parquet")]
    told = process([driver, *forms, str(tmp_path / "day")], environment)
    assert json.loads(told.splitlines()[-1]) == []


def process(words, environment):
    done = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
