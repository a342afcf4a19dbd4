"""Our own file of chain facts: JSON lines with raw transactions (docs/spec/chain-facts.md).

The first line names the format and network; a `block` line gives a block with raw transactions and the outputs that they
spend; a `spend` line states an output's spend as of a height. Every txid is derived from the bytes, never read.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shieldwall.chain.proof import rules_of
from shieldwall.chain.readers.interface import Previous, Progress, Statement, Survey
from shieldwall.chain.readers.loose import Confirmed, LooseReader, parse_loose
from shieldwall.errors import BadText, UsageError, WrongNetwork
from shieldwall.model.network import MAIN, Network, by_name
from shieldwall.model.transaction import TXID, internal

FORMAT = "shieldwall-facts/1"
_MOST_LINE = 256 << 20  # bytes: a block of 4 MB with what it spends, all as hex
_MOST_HEADING = 4096  # bytes


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
            with path.open("rb") as file:
                for line_number in itertools.count(1):
                    line = file.readline(_MOST_LINE)
                    if not line:
                        break
                    if len(line) == _MOST_LINE:
                        raise BadText(f"{path}, line {line_number}: more than {_MOST_LINE} bytes")
                    self._line(line, f"{path}, line {line_number}", line_number, found)
            progress("reading facts", number + 1, len(self._files))

    def _line(self, line: bytes, place: str, number: int, found: Survey) -> None:
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
        except (KeyError, IndexError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise BadText(f"{place}: does not follow {FORMAT} ({type(error).__name__}: {error})") from None

    def _heading(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        if body.get("format") != FORMAT:
            raise BadText(f"{place}: the first line must name the format {FORMAT}")
        network = _network(body.get("network"), place)
        if self._network not in (None, network) or found.network not in (None, network):
            raise WrongNetwork(f"{place}: facts of {network.name}", hint="build one store per network")
        found.network = network

    def _block(self, body: Mapping[str, Any], place: str, found: Survey) -> None:
        block, network = body["block"], found.network or self._network or MAIN
        confirmed = Confirmed(
            _number(block["height"], 0xFFFFFFFE), _hash(block["hash"]), _number(block["time"], 0xFFFFFFFF)
        )
        for position, entry in enumerate(body["transactions"]):
            where = f"{place}, transaction {position}"
            previous = [
                None if spent is None else Previous(_number(spent[0], network.max_money), bytes.fromhex(spent[1]))
                for spent in entry.get("previous", [])
            ]
            transaction = parse_loose(bytes.fromhex(entry["raw"]), previous, where, rules_of(network))
            if not self.add(transaction, confirmed, where):
                found.duplicates += 1


def network_of(path: Path) -> Network | None:
    """The network that a fact file's first line names, None when it names none.

    Raises:
        BadText: It names one that does not exist.
    """
    with path.open("rb") as file:
        try:
            body = json.loads(file.readline(_MOST_HEADING))
        except (ValueError, RecursionError):
            return None
    return _network(body["network"], str(path)) if isinstance(body, dict) and "network" in body else None


def _network(name: object, place: str) -> Network:
    try:
        return by_name(str(name))
    except UsageError as error:
        raise BadText(f"{place}: {error.message}", hint=error.hint) from None


def _statement(body: Mapping[str, Any], place: str) -> Statement:
    txid, _, index = str(body["output"]).partition(":")
    if not index.isascii() or not index.isdigit():
        raise BadText(f"{place}: an output is TXID:INDEX")
    spender = body.get("spender")
    return Statement(
        _hash(txid),
        _number(int(index), 0xFFFFFFFF),
        _number(body["height"], 0xFFFFFFFE),
        None if spender is None else _hash(spender),
    )


def _hash(text: object) -> bytes:
    if not isinstance(text, str) or not TXID.fullmatch(text):
        raise ValueError(f"{text!r} is not 64 hex digits")
    return internal(text)


def _number(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is not a whole number from 0 to {most}")
    return value
