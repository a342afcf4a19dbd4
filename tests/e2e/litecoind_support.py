"""A real node to test against: Debian's litecoind on regtest, in a folder and on ports of its own.

Asked here by a client of its own, and not by the program's. Two traps: its extension block (MWEB) becomes active at height
432, where a block must hold a peg-in; and a wallet takes a fifth of a second to send.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from shieldwall.chain.readers.rpc_client import login_of
from shieldwall.chain.sources import SourceOptions

COIN = 100_000_000  # base units
MATURITY = 100  # blocks until a coinbase can be spent


class RefusedByNodeError(Exception):
    """The node's error, as it words it."""


class LitecoinNode:
    """litecoind -regtest; start it with `start`, and stop it with `stop`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._wallet = ""

    @property
    def url(self) -> str:
        """For `shieldwall chain build` and `follow`."""
        return f"rpc://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> Path:
        """The node's credentials."""
        return self.folder / "regtest" / ".cookie"

    @property
    def blocks(self) -> Path:
        """The node's block files."""
        return self.folder / "regtest" / "blocks"

    def source(self, **more: Any) -> SourceOptions:
        """What the program is told to ask this node."""
        return SourceOptions(login=login_of(self.cookie, {}), **more)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = ["litecoind", "-regtest", f"-datadir={self.folder}", f"-rpcport={self.port}", "-listen=0", "-dnsseed=0",
                 "-fallbackfee=0.0001", "-printtoconsole=0", *self._options]  # fmt: skip
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.call("getblockchaininfo")
            except (OSError, RefusedByNodeError, http.client.HTTPException):
                if self._process.poll() is not None:
                    raise AssertionError("litecoind ended at its start") from None
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise AssertionError("litecoind does not answer")

    def stop(self) -> None:
        """Stop it as its operator would."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def call(self, method: str, *params: object, wallet: str | None = None) -> Any:
        """The result of a call; amounts are decimal numbers."""
        name = self._wallet if wallet is None else wallet
        login = base64.b64encode(self.cookie.read_bytes()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = json.dumps({"id": 0, "method": method, "params": list(params)}, default=str)
            connection.request("POST", f"/wallet/{name}" if name else "/", body, {"Authorization": f"Basic {login}"})
            answer = json.loads(connection.getresponse().read(), parse_float=Decimal)
        finally:
            connection.close()
        if answer["error"]:
            raise RefusedByNodeError(answer["error"]["message"])
        return answer["result"]

    def make_wallet(self, name: str) -> None:
        """Make a wallet, and use it from now on."""
        self.call("createwallet", name, wallet="")
        self._wallet = name

    def address(self, kind: str = "bech32", wallet: str | None = None) -> str:
        """A new address of the wallet: legacy, p2sh-segwit, bech32 or mweb."""
        address: str = self.call("getnewaddress", "", kind, wallet=wallet)
        return address

    def mine(self, blocks: int, to: str | None = None) -> list[str]:
        """Mine blocks; their hashes."""
        hashes: list[str] = self.call("generatetoaddress", blocks, to or self.address())
        return hashes

    def pay(self, to: str, amount: str, wallet: str | None = None) -> str:
        """Send from the wallet; the txid."""
        txid: str = self.call("sendtoaddress", to, amount, wallet=wallet)
        return txid

    def spend(self, outputs: Sequence[dict[str, Any]], payments: Sequence[dict[str, str]]) -> str:
        """Spend chosen outputs of `listunspent` into payments ({address: amount} or {"data": hex}); the txid."""
        inputs = [{"txid": output["txid"], "vout": output["vout"]} for output in outputs]
        raw = self.call("createrawtransaction", inputs, list(payments))
        signed = self.call("signrawtransactionwithwallet", raw)
        assert signed["complete"]
        txid: str = self.call("sendrawtransaction", signed["hex"], 0)
        return txid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def base_units(amount: Decimal | int) -> int:
    """An amount of the node in whole base units."""
    whole = Decimal(amount) * COIN
    assert whole == int(whole)
    return int(whole)
