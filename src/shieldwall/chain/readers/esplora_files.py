"""Esplora answers saved as files: transactions, address histories with their counts, outspends, the tip's height.

An address history whose count is complete states the spend of every output paid to that address. As of which height?
The tip's, where a file gives it (`/blocks/tip/height`), else the last block that the history itself reaches.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shieldwall.chain.readers import esplora_json
from shieldwall.chain.readers.interface import Progress, Statement, Survey
from shieldwall.chain.readers.jsonfile import elements
from shieldwall.chain.readers.loose import Confirmed, LooseReader, LooseTransaction
from shieldwall.errors import BadText
from shieldwall.model.address import decode as decode_address
from shieldwall.model.network import Network
from shieldwall.model.script import assemble
from shieldwall.model.transaction import internal

_MOST_DIGITS = 10  # of a height; a longer run of digits is hex of something
_TXID_IN_NAME = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


@dataclass(slots=True)
class History:
    """What has been seen of an address whose counts are known."""

    counts: esplora_json.AddressCounts
    script: bytes
    transactions: set[bytes] = field(default_factory=set)
    paid: dict[tuple[bytes, int], bool] = field(default_factory=dict)  # outpoint -> spent in this history
    spent: int = 0
    last_height: int = 0

    @property
    def complete(self) -> bool:
        """True when every counted transaction and output is here."""
        counts = self.counts
        return (len(self.transactions), len(self.paid), self.spent) == (
            counts.transactions,
            counts.funded,
            counts.spent,
        )


class EsploraFileReader(LooseReader):
    """Reads saved answers, told apart by their form."""

    def __init__(self, files: Sequence[Path], network: Network) -> None:
        super().__init__()
        self._files = list(files)
        self._network = network
        self._histories: dict[bytes, History] = {}
        self._tip: int | None = None

    @property
    def source(self) -> str:
        """The files' names."""
        return ", ".join(path.name for path in self._files[:3]) + (" ..." if len(self._files) > 3 else "")

    def gather(self, found: Survey, progress: Progress) -> None:
        """First the small answers (tip, counts), then transactions and outspends."""
        small, large = _by_size(self._files)
        for path in small:
            self._small(path)
        outspends: list[tuple[str, bytes, list[object]]] = []
        for number, path in enumerate(large):
            pending: list[object] = []
            for place, body in elements(path):
                if isinstance(body, dict) and isinstance(body.get("spent"), bool):
                    pending.append(body)  # first: an outspend has a field `vin`, too
                elif isinstance(body, dict) and "vin" in body:
                    self.take_transaction(body, place, found)
                else:
                    raise BadText(f"{place}: no transaction, outspend or address counts of Esplora")
            if pending:
                outspends.append((str(path), _txid_of_name(path), pending))
            progress("reading answers", number + 1, len(large))
        for name, txid, entries in outspends:
            if self._tip is None:
                raise BadText(
                    f"{name}: outspends say nothing without the height at which they were asked for",
                    hint="save /blocks/tip/height beside them and name that file, too",
                )
            found.statements += esplora_json.outspends(entries, txid, self._tip, name)
        self.state_histories(found)

    def take_transaction(self, body: object, place: str, found: Survey) -> LooseTransaction | None:
        """Keep a transaction of an answer; None when it is not confirmed."""
        transaction, confirmed = esplora_json.transaction(body, self._network, place)
        if confirmed is None:
            found.unconfirmed += 1
            return None
        if not self.add(transaction, confirmed, place):
            found.duplicates += 1
        self._follow_histories(transaction, confirmed, body)
        return transaction

    def know_history(self, counts: esplora_json.AddressCounts) -> None:
        """Take the counts of an address, before its transactions."""
        script = assemble(decode_address(counts.address, self._network))
        self._histories[script] = History(counts, script)

    def know_tip(self, height: object, place: str) -> None:
        """Take the height at which the answers were given; of several the lowest, which holds for all of them.

        Raises:
            BadText: No height.
        """
        if not isinstance(height, int) or isinstance(height, bool) or not 0 <= height <= esplora_json.MOST_HEIGHT:
            raise BadText(f"{place}: no height of a block")
        self._tip = height if self._tip is None else min(height, self._tip)

    def state_histories(self, found: Survey) -> None:
        """Turn complete histories into statements; say which are not complete."""
        for history in self._histories.values():
            if not history.complete:
                seen, counted = len(history.transactions), history.counts.transactions
                found.notes.append(
                    f"{history.counts.address}: {seen} of {counted} transactions are here; "
                    "spends of its outputs are not stated"
                )
                continue
            height = history.last_height if self._tip is None else self._tip
            found.statements += [
                Statement(txid, index, height, None) for (txid, index), spent in history.paid.items() if not spent
            ]

    def _follow_histories(self, transaction: LooseTransaction, confirmed: Confirmed, body: object) -> None:
        if not self._histories or not isinstance(body, dict):
            return
        for index, output in enumerate(body["vout"]):
            history = self._histories.get(bytes.fromhex(output["scriptpubkey"]))
            if history:
                history.paid.setdefault((transaction.txid, index), False)
                self._touch(history, transaction, confirmed)
        for number, (spent, previous) in enumerate(zip(transaction.spends, transaction.previous, strict=True)):
            history = self._histories.get(previous.script) if previous else None
            if history:
                outpoint = (spent, body["vin"][number]["vout"])
                if not history.paid.get(outpoint, False):
                    history.spent += 1
                history.paid[outpoint] = True
                self._touch(history, transaction, confirmed)

    @staticmethod
    def _touch(history: History, transaction: LooseTransaction, confirmed: Confirmed) -> None:
        history.transactions.add(transaction.txid)
        history.last_height = max(history.last_height, confirmed.height)

    def _small(self, path: Path) -> None:
        for place, body in elements(path):
            if isinstance(body, int):
                self.know_tip(body, place)
            else:
                self.know_history(esplora_json.address_counts(body, place))


def is_small_answer(head: str) -> bool:
    """True for a tip height or the counts of one address, by the first characters of a file."""
    text = head.strip()
    return (len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit()) or (
        text.startswith("{") and '"chain_stats"' in text
    )


def looks_like_esplora(head: str) -> bool:
    """True when a file's first characters could be an Esplora answer."""
    text = head.lstrip("\ufeff \t\r\n")
    return is_small_answer(text) or (text[:1] in ("[", "{") and any(f'"{word}"' in text for word in ("vin", "spent")))


def _by_size(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    small: list[Path] = []
    large: list[Path] = []
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as file:
            (small if is_small_answer(file.read(4096)) else large).append(path)
    return small, large


def _txid_of_name(path: Path) -> bytes:
    for part in (path.name, path.parent.name):
        match = _TXID_IN_NAME.search(part)
        if match:
            return internal(match[0])
    raise BadText(
        f"{path}: an outspends answer does not say of which transaction", hint="put the txid into the file's name"
    )
