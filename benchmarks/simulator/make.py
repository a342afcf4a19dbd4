"""Make a chain: tell the story, write its blocks in the forms wanted, and the truth beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shieldwall.errors import BadInput, UsageError
from simulator.blocks import BlockFiles, Form, make_blocks
from simulator.plan import Plan, make_plan
from simulator.truth import write_truth

FORMS = ("blocks", "parquet", "rpc", "etl")
HashName = Literal["wtxid", "txid"]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was made.

    Attributes:
        folder: Holds `blocks/`, `parquet/`, `rpc/`, `etl/` as far as they were wanted, and `truth/`.
        blocks: Number of blocks, block 0 included.
        transactions: Number of transactions, coinbases included.
        digest: SHA-256 of the block files, one after the other; empty when none were wanted.
        truth: What `truth/truth.json` says.
    """

    folder: Path
    blocks: int
    transactions: int
    digest: str
    truth: dict[str, Any]


def make(
    folder: Path,
    *,
    transactions: int,
    seed: int = 7,
    per_block: int = 2000,
    forms: Sequence[str] = ("blocks",),
    hash: HashName = "wtxid",  # noqa: A002  (the column's own name)
    prevout: bool = False,
) -> Simulated:
    """Make a chain and write it into `folder`, which is made where it is missing and must be empty.

    Args:
        folder: Where to.
        transactions: Coinbases included; from 1,000.
        seed: The same seed gives the same bytes.
        per_block: Most transactions of a block; small chains have smaller blocks.
        forms: Of "blocks" (`blk*.dat`), "parquet" (AWS public blockchain data), "rpc" (`getblock`) and "etl" (bitcoin-etl).
        hash: What the Parquet column `hash` holds; AWS's holds the wtxid, as far as can be told.
        prevout: RPC answers of verbosity 3, with the previous output of each input, instead of 2.

    Raises:
        UsageError: A number out of range, an unknown form, a folder with something in it, or pyarrow is missing.
        BadInput: The folder cannot be written.
    """
    unknown = [form for form in forms if form not in FORMS]
    if unknown or not forms:
        raise UsageError(f"{', '.join(unknown) or 'nothing'} is no form of a chain", hint=f"use {', '.join(FORMS)}")
    if hash not in ("wtxid", "txid"):
        raise UsageError(f"hash {hash!r}", hint="use wtxid or txid")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder", hint="name another one, or empty it")
    plan = make_plan(transactions, seed=seed, per_block=per_block)
    try:
        return _write(folder, plan, forms, hash, prevout)
    except OSError as error:
        hint = "make room or give permission, empty the folder, and run it again"
        raise BadInput(f"{error.filename or folder}: {error.strerror or error}", hint=hint) from error


def _write(folder: Path, plan: Plan, forms: Sequence[str], hash_name: HashName, prevout: bool) -> Simulated:
    writers: list[Form] = []
    files = BlockFiles(folder / "blocks") if "blocks" in forms else None
    with contextlib.ExitStack() as opened:
        if files is not None:
            writers.append(files)
        if "parquet" in forms:
            from simulator.parquet import ParquetFiles  # noqa: PLC0415 - what is not wanted is not loaded

            writers.append(ParquetFiles(folder / "parquet", plan, hash_name))
        if "rpc" in forms:
            from simulator.rpc import RpcFiles  # noqa: PLC0415 - what is not wanted is not loaded

            writers.append(RpcFiles(folder / "rpc", plan, prevout=prevout))
        if "etl" in forms:
            from simulator.etl import EtlFiles  # noqa: PLC0415 - what is not wanted is not loaded

            writers.append(EtlFiles(folder / "etl", plan))
        for writer in writers:
            opened.callback(writer.close)
        for block in make_blocks(plan, wtxids=len(writers) > (files is not None)):
            for writer in writers:
                writer.take(block)
    digest, size = (files.digest, files.size) if files is not None else ("", 0)
    truth = write_truth(folder / "truth", plan, digest, size)
    return Simulated(folder, plan.blocks, plan.transactions, digest, truth)
