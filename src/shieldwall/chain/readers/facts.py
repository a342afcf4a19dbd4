"""Our own file of chain facts: JSON lines with raw transactions (docs/spec/chain-facts.md).

The first line names the format and network; a `block` line gives a block with raw transactions and the outputs that they
spend; a `spend` line states an output's spend as of a height. Every txid is derived from the bytes, never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shieldwall.chain.readers.interface import Previous, Progress, Statement, Survey
from shieldwall.chain.readers.loose import Confirmed, LooseReader, parse_loose
from shieldwall.errors import BadText, WrongNetwork
from shieldwall.model.network import MAX_MONEY, Network, by_name
from shieldwall.model.transaction import internal

FORMAT = "shieldwall-facts/1"


class FactFileReader(LooseReader):
    """Reads fact files."""

    def __init__(self, files: list[Path], network: Network | None) -> None:
        super().__init__()
        self._files = files
        self._network = network

    @property
    def source(self) -> str:
        """The files' names."""
        return ", ".join(path.name for path in self._files)

    def gather(self, found: Survey, progress: Progress) -> None:
        """Read every line."""
        for number, path in enumerate(self._files):
            with path.open(encoding="utf-8", errors="strict") as file:
                try:
                    for line_number, line in enumerate(file, 1):
                        self._line(line, f"{path}, line {line_number}", line_number, found)
                except UnicodeDecodeError as error:
                    raise BadText(f"{path}, byte {error.start}: not UTF-8 text") from None
            progress("reading facts", number + 1, len(self._files))

    def _line(self, line: str, place: str, number: int, found: Survey) -> None:
        try:
            body = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadText(f"{place}: not JSON ({error})") from None
        if not isinstance(body, dict):
            raise BadText(f"{place}: expected an object")
        try:
            if number == 1:
                self._heading(body, place, found)
            elif "block" in body:
                self._block(body, place, found)
            elif "spend" in body:
                found.statements.append(_statement(body["spend"], place))
            else:
                raise BadText(f"{place}: neither a block nor a spend")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadText(f"{place}: does not follow {FORMAT} ({type(error).__name__}: {error})") from None

    def _heading(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        if body.get("format") != FORMAT:
            raise BadText(f"{place}: the first line must name the format {FORMAT}")
        network = by_name(str(body.get("network")))
        if self._network not in (None, network) or found.network not in (None, network):
            raise WrongNetwork(f"{place}: facts of {network.name}", hint="build one store per network")
        found.network = network

    def _block(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        block = body["block"]
        confirmed = Confirmed(
            _number(block["height"], 0xFFFFFFFE), internal(block["hash"]), _number(block["time"], 0xFFFFFFFF)
        )
        if len(confirmed.hash) != 32:
            raise BadText(f"{place}: a block hash has 64 hex digits")
        for position, entry in enumerate(body["transactions"]):
            where = f"{place}, transaction {position}"
            previous = [
                None if spent is None else Previous(_number(spent[0], MAX_MONEY), bytes.fromhex(spent[1]))
                for spent in entry.get("previous", [])
            ]
            transaction = parse_loose(bytes.fromhex(entry["raw"]), previous, where)
            if not self.add(transaction, confirmed, where):
                found.duplicates += 1


def network_of(path: Path) -> Network | None:
    """The network that a fact file's first line names, None when it names none."""
    with path.open("rb") as file:
        try:
            body = json.loads(file.readline(4096))
        except (ValueError, RecursionError):
            return None
    return by_name(str(body["network"])) if isinstance(body, dict) and "network" in body else None


def _statement(body: Mapping[str, Any], place: str) -> Statement:
    txid, _, index = str(body["output"]).partition(":")
    spender = body.get("spender")
    if len(txid) != 64:
        raise BadText(f"{place}: an output is TXID:INDEX")
    return Statement(
        internal(txid),
        _number(int(index), 0xFFFFFFFF),
        _number(body["height"], 0xFFFFFFFE),
        internal(spender) if spender else None,
    )


def _number(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is not a whole number from 0 to {most}")
    return value
