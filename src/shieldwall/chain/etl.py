"""Write a chain store as bitcoin-etl 1.5.2 writes a chain: `blocks.json` and `transactions.json`, one object a line.

Field names, their order and types are bitcoin-etl's (its mappers and `blocks_and_transactions_item_exporter`). What a
store does not know is null; bitcoin-etl itself writes sums in which an unknown value counts as zero, and so does this in a
compatibility mode only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.chain.asm import asm
from shieldwall.chain.columns import HEADER, NO_HEIGHT, WHOLE
from shieldwall.chain.etl_names import NOBODY, EtlForm, holder_fields
from shieldwall.chain.proof import HEADER_SIZE, parse_header
from shieldwall.chain.rawform import RawForm, RawForms
from shieldwall.chain.readers.esplora_json import compact_size
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.model.script import classify
from shieldwall.model.transaction import display

__all__ = ["EtlForm", "EtlReport", "write_etl"]

Line = dict[str, Any]


@dataclass(slots=True)
class EtlReport:
    """What was written.

    Attributes:
        blocks: Lines of blocks.
        transactions: Lines of transactions.
        unknown_values: Inputs whose value is not known.
        unknown_sizes: Transactions whose witness the store's source did not have, so that their size is not known.
    """

    blocks: int = 0
    transactions: int = 0
    unknown_values: int = 0
    unknown_sizes: int = 0


def write_etl(
    store: ChainStore, folder: Path, *, form: EtlForm | None = None, blocks: Iterable[int] | None = None
) -> EtlReport:
    """Write `blocks.json` and `transactions.json` into `folder`; files of these names are replaced when all is written.

    Args:
        store: A store with the transactions' raw bytes, or whose source files are where they were.
        folder: Is made where it is missing.
        form: How to write it.
        blocks: Numbers of blocks in the store; None writes all.

    Raises:
        StoreError: The store has no raw bytes, or its source files are gone.
        UsageError: The folder cannot be written, or a block is not in the store.
    """
    report = EtlReport()
    writer = _Lines(store, form or EtlForm(), report)
    chosen = range(store.rows("block")) if blocks is None else blocks
    paths = [folder / name for name in ("blocks.json", "transactions.json")]
    drafts = [path.with_name(path.name + ".part") for path in paths]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            files = [opened.enter_context(draft.open("w", encoding="utf-8")) for draft in drafts]
            for number in chosen:
                block, transactions = writer.block(number)
                files[0].write(json.dumps(block) + "\n")
                files[1].writelines(json.dumps(line) + "\n" for line in transactions)
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be written ({error.strerror or error})", hint="name another folder"
        ) from None
    finally:
        for draft in drafts:
            with suppress(OSError):  # none there, or no folder to hold one
                draft.unlink()
    return report


class _Lines:
    """Makes the lines of blocks and their transactions."""

    def __init__(self, store: ChainStore, form: EtlForm, report: EtlReport) -> None:
        self._store = store
        self._form = form
        self._report = report
        self._forms = RawForms(store)

    def block(self, number: int) -> tuple[Line, list[Line]]:
        """A block's line, and its transactions' lines in order.

        Raises:
            UsageError: No such block.
        """
        store = self._store
        if not 0 <= number < store.rows("block"):
            raise UsageError(f"the store has blocks 0 to {store.rows('block') - 1}, not {number}")
        firsts = store.column("block_first_tx")
        last = int(firsts[number + 1]) if number + 1 < len(firsts) else store.rows("tx")
        numbers = range(int(firsts[number]), last)
        height = int(store.column("block_height")[number])
        flags = int(store.column("block_flags")[number])
        place: Line = {
            "block_number": None if height == NO_HEIGHT else height,
            "block_hash": display(store.column("block_hash")[number].tobytes()),
            "block_timestamp": int(store.column("block_time")[number]),
        }
        whole = bool(flags & WHOLE)
        parsed = [self._forms.of(transaction) for transaction in numbers]
        lines = [
            self._transaction(transaction, body, place, index if whole else None)
            for index, (transaction, body) in enumerate(zip(numbers, parsed, strict=True))
        ]
        header = store.column("block_header")[number].tobytes() if flags & HEADER else None
        script = parsed[0].inputs[0][0] if parsed and store.is_coinbase(numbers[0]) else None
        self._report.blocks += 1
        return {
            "hash": place["block_hash"],
            **_sizes(parsed, whole=whole),
            "number": place["block_number"],
            **_before_time(header),
            "timestamp": place["block_timestamp"],
            **_after_time(header),
            "coinbase_param": None if script is None else script.hex(),
            "transaction_count": len(parsed) if whole else None,
        }, lines

    def _transaction(self, number: int, body: RawForm, place: Line, index: int | None) -> Line:
        store, report = self._store, self._report
        coinbase = store.is_coinbase(number)
        inputs: list[Line] = []
        known = total = 0
        for order, (entry, (script, sequence)) in enumerate(
            zip(store.inputs(number), body.inputs, strict=True) if not coinbase else ()
        ):
            spent = None if entry.holder is None else store.holder(entry.holder)
            known += entry.value is not None
            total += entry.value or 0
            inputs.append(
                {
                    "index": order,
                    "spent_transaction_hash": entry.txid,
                    "spent_output_index": entry.index,
                    "script_asm": asm(script, signatures=True),
                    "script_hex": script.hex(),
                    "sequence": sequence,
                    **(holder_fields(spent, store.network, self._form) if spent else NOBODY),
                    "value": entry.value,
                }
            )
        outputs = [
            {
                "index": order,
                "script_asm": asm(script),
                "script_hex": script.hex(),
                **holder_fields(classify(script), store.network, self._form),
                "value": value,
            }
            for order, (value, script) in enumerate(body.outputs)
        ]
        paid = sum(value for value, _ in body.outputs)
        told = known == len(inputs) or self._form.zero_for_unknown
        report.transactions += 1
        report.unknown_values += len(inputs) - known
        report.unknown_sizes += body.size is None
        return {
            "hash": store.txid(number),
            "size": body.size,
            "virtual_size": body.virtual_size,
            "version": body.version,
            "lock_time": body.lock_time,
            **place,
            "is_coinbase": coinbase,
            "index": index,
            "inputs": inputs,
            "outputs": outputs,
            "input_count": len(inputs),
            "output_count": len(outputs),
            "input_value": total if told else None,
            "output_value": paid,
            "fee": 0 if coinbase else total - paid if told else None,
        }


def _sizes(transactions: Sequence[RawForm], *, whole: bool) -> Line:
    if not whole:
        return {"size": None, "stripped_size": None, "weight": None}
    frame = HEADER_SIZE + len(compact_size(len(transactions)))
    stripped = frame + sum(body.stripped for body in transactions)
    sizes = [body.size for body in transactions if body.size is not None]
    size = frame + sum(sizes) if len(sizes) == len(transactions) else None
    return {"size": size, "stripped_size": stripped, "weight": None if size is None else 3 * stripped + size}


def _before_time(header: bytes | None) -> Line:
    if header is None:
        return {"version": None, "merkle_root": None}
    fields = parse_header(header)
    return {"version": fields.version, "merkle_root": display(fields.merkle_root)}


def _after_time(header: bytes | None) -> Line:
    if header is None:
        return {"nonce": None, "bits": None}
    return {"nonce": f"{int.from_bytes(header[76:80], 'little'):x}", "bits": header[72:76][::-1].hex()}
