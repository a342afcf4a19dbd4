"""A day's work with compiled kernels on a small chain, in a process of its own: which kernels were compiled while it ran?

Run as a program: `python compiling_support.py BLOCKS PARQUET FOLDER`; BLOCKS and PARQUET are forms of a simulated chain. The last
line that it prints is JSON: a list of [module, function, types]. Every threshold below which the plain kernels are taken is
put to 0, so that all of them are met.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import sys
from pathlib import Path

RULES = (
    "address_type & optimal & fresh_address",
    "unique(locktime & rbf) | power_of_ten(4) - address_reuse",
    "peeling | client_behaviour | version",
    "consistent(ordered) | consistent(address_types) & spent",
    "consistent(absolute_fee) | consistent(zero_conf) - standard",
    "optimal_with_fee | none",
)


def no_thresholds():
    import shieldwall

    for found in pkgutil.walk_packages(shieldwall.__path__, "shieldwall."):
        if found.name.rpartition(".")[2] != "__main__" and ".compiled." not in found.name:
            module = importlib.import_module(found.name)
            for name in ("COMPILED_FROM", "_COMPILED_FROM"):
                if hasattr(module, name):
                    setattr(module, name, 0)


def work(blocks, parquet, folder):
    store, built, data = folder / "store", folder / "other", folder / "data"
    chain, kept = ["--chain", str(store)], ["--data", str(data)]
    shieldwall("chain", "build", str(blocks), *chain, "--network", "regtest")
    shieldwall("chain", "build", str(parquet), "--chain", str(built), "--network", "regtest")
    shieldwall("chain", "verify", *chain)
    shieldwall("chain", "verify", "--source", *chain)
    addresses = some_addresses(store)
    shieldwall("tags", "import", str(tag_file(folder, addresses)), *kept, "--network", "regtest")
    shieldwall("cluster", "build", *chain, *kept)
    shieldwall("cluster", "build", "--no-tags", "--name", "free", *chain, *kept)
    for number, rule in enumerate(RULES):
        shieldwall("cluster", "build", "--change", rule, "--name", f"rule-{number}", *chain, *kept)
    shieldwall("cluster", "show", addresses[0], *chain, *kept)
    for method in ("poison", "haircut", "fifo", "lifo", "tiho"):
        shieldwall("trace", *addresses[-3:], "--method", method, *chain, *kept)
    for limit in (["--hops", "3"], ["--until", "300"], ["--least", "100000"], ["--backward"], ["--no-tags"]):
        shieldwall("trace", addresses[-1], *limit, *chain, *kept)
    first, second = some_txids(store)
    for words in (["why", *addresses[:2]], ["peel", second], ["change", second], ["coinjoin", second]):
        shieldwall("cluster", *words, *chain, *kept)
    shieldwall("cluster", "compare", first, second, *chain)
    shieldwall("cluster", "fingerprint", second, *chain)
    shieldwall("choke", *addresses[-3:], "--cut", "--to", "ends", *chain, *kept)
    listed = folder / "listed.csv"
    listed.write_text("address\n" + "\n".join(addresses) + "\n", encoding="utf-8")
    shieldwall("screen", str(listed), *chain, *kept)
    shieldwall("screen", str(listed), "--to", str(folder / "rows.csv"), *chain, *kept, "-o", "csv")


def shieldwall(*words):
    from shieldwall.cli import run

    shown, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(errors):
        code = run([*words] if "-o" in words else [*words, "-o", "json"])
    if code not in (0, 1, 3):
        raise SystemExit(f"shieldwall {' '.join(words)}: {code}\n{errors.getvalue()}")


def some_addresses(folder):
    from shieldwall.chain.store import ChainStore

    with ChainStore.open(folder) as store:
        step = max(1, store.rows("holder") // 60)
        names = store.identities(range(0, store.rows("holder"), step))
    return [name for name in names if ":" not in name]


def some_txids(folder):
    from shieldwall.chain.store import ChainStore

    with ChainStore.open(folder) as store:
        return [store.txid(store.rows("tx") - back) for back in (40, 1)]


def tag_file(folder, addresses):
    path = folder / "tags.csv"
    rows = [
        f"{name},service {number},{'exchange' if number % 2 else 'shop'}\n"
        for number, name in enumerate(addresses[::6])
    ]
    path.write_text("address,label,category\n" + "".join(rows), encoding="utf-8")
    return path


def main(blocks, parquet, folder):
    from numba.core.event import install_recorder

    os.environ["SHIELDWALL_ENGINE"] = "compiled"
    no_thresholds()
    with install_recorder("numba:compile") as compiled:
        work(Path(blocks), Path(parquet), Path(folder))
    told = []
    for _, event in compiled.buffer:
        if event.is_start:
            function = event.data["dispatcher"].py_func
            told.append([function.__module__, function.__qualname__, str(event.data["args"])])
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
