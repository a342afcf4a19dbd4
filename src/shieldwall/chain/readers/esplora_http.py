"""The Esplora HTTP API of the member's own instance.

Asking tells the other side what is being looked at, so an address beyond this machine is refused unless the caller says
that it may learn the target. No proxy is used, and no redirect followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from shieldwall.chain.readers import esplora_json
from shieldwall.chain.readers.bounded import read_at_most
from shieldwall.chain.readers.esplora_files import EsploraFileReader
from shieldwall.chain.readers.interface import Progress, Survey
from shieldwall.errors import BadInput, BadText, RemoteRefused, UsageError, WrongNetwork
from shieldwall.model.address import decode as decode_address
from shieldwall.model.network import Network
from shieldwall.model.transaction import TXID, display, internal

Fetch = Callable[[str], bytes]
"""Gets a URL's body; raises BadInput with the reason when it cannot."""

TIMEOUT = 30  # seconds for one answer
_MOST_BYTES = 64 << 20  # of one answer
_PAGE = 25  # confirmed transactions that `/txs/chain` gives at once
MOST_TRANSACTIONS = 5_000  # that one build fetches


class EsploraHttpReader(EsploraFileReader):
    """Fetches one address's history or one transaction, and the transactions that spend from it for some hops.

    Args:
        url: The instance's URL with what to fetch: `http://127.0.0.1:3000/address/ADDRESS` or `.../tx/TXID`.
        network: The network that the instance must serve; its genesis block is checked.
        hops: How many spends onward to fetch.
        allow_remote: Ask an instance beyond this machine, which then learns the target.
        fetch: The transport.
    """

    def __init__(
        self, url: str, network: Network, *, hops: int = 0, allow_remote: bool = False, fetch: Fetch | None = None
    ) -> None:
        super().__init__([], network)
        self._base, self._wanted, self._name = _split(url)
        if not allow_remote and not is_here(url):
            raise RemoteRefused(
                f"{urlsplit(url).hostname} is not this machine: it would learn which address or transaction "
                "you are looking at",
                hint="ask your own instance on this machine, or say --allow-remote if that server may know",
            )
        if self._wanted == "address":
            decode_address(self._name, network)  # before anyone is asked about it
        self._hops = hops
        self._fetch = fetch or fetch_url

    @property
    def source(self) -> str:
        """The instance's URL."""
        return self._base

    def gather(self, found: Survey, progress: Progress) -> None:
        """The tip first, so that what is asked after it holds at least as of its height."""
        genesis = self._fetch(f"{self._base}/block-height/0")[:80].decode("ascii", "replace").strip()
        if genesis != self._network.genesis:
            raise WrongNetwork(
                f"{self._base} serves another network than {self._network.name} (block 0 is {genesis!r})"
            )
        tip = self._json("/blocks/tip/height")
        self.know_tip(tip, f"{self._base}/blocks/tip/height")
        frontier = self._history(found, progress) if self._wanted == "address" else [internal(self._name)]
        seen: set[bytes] = set(frontier) if self._wanted == "address" else set()
        for hop in range(self._hops + 1):
            onward: list[bytes] = []
            for txid in frontier:
                if len(seen) > MOST_TRANSACTIONS:
                    found.notes.append(f"stopped after {MOST_TRANSACTIONS} transactions; the rest is not fetched")
                    break
                path = f"/tx/{display(txid)}"
                if self._wanted == "tx" or hop:
                    seen.add(txid)
                    self.take_transaction(self._json(path), self._base + path, found)
                statements = esplora_json.outspends(self._json(f"{path}/outspends"), txid, tip, self._base + path)
                found.statements += statements
                onward += [entry.spender for entry in statements if entry.spender and entry.spender not in seen]
                progress("fetching transactions", len(seen), 0)
            frontier = list(dict.fromkeys(onward))
        self.state_histories(found)

    def _history(self, found: Survey, progress: Progress) -> list[bytes]:
        path = f"/address/{self._name}"
        self.know_history(esplora_json.address_counts(self._json(path), self._base + path))
        txids: list[bytes] = []
        last = ""
        while len(txids) < MOST_TRANSACTIONS:
            where = f"{path}/txs/chain" + (f"/{last}" if last else "")
            page = self._json(where)
            if not isinstance(page, list):
                raise BadText(f"{self._base}{where}: expected a list of transactions")
            for number, body in enumerate(page):
                taken = self.take_transaction(body, f"{self._base}{where}[{number}]", found)
                if taken:
                    txids.append(taken.txid)
            progress("fetching the history", len(txids), 0)
            if len(page) < _PAGE or not txids or display(txids[-1]) == last:
                break
            last = display(txids[-1])
        return txids

    def _json(self, path: str) -> Any:  # noqa: ANN401
        try:
            return json.loads(self._fetch(self._base + path))
        except (ValueError, RecursionError) as error:
            raise BadText(f"{self._base}{path}: not JSON ({error})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
        return None


def fetch_url(url: str) -> bytes:
    """GET a URL, past no proxy and through no redirect.

    Raises:
        BadInput: No answer, not 200, or more than 64 MB.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:  # http and https only: `_split` saw to it
            body: bytes = read_at_most(answer, _MOST_BYTES)
            rest: int | None = answer.length  # what the header promised and did not come
    except urllib.error.HTTPError as error:
        raise BadInput(f"{url}: the server answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BadInput(f"{url}: no answer ({error})", hint="is the instance running?") from None
    if rest and len(body) <= _MOST_BYTES:
        raise BadInput(f"{url}: the answer was cut off after {len(body)} bytes", hint="ask again")
    if len(body) > _MOST_BYTES:
        raise BadInput(f"{url}: an answer of more than {_MOST_BYTES} bytes")
    return body


def _split(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no URL ({error})") from None
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is no URL: write what is not ASCII in its %-form")
    pieces = parts.path.rstrip("/").split("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or len(pieces) < 3 or parts.query or parts.fragment:
        raise UsageError(
            f"{url!r} names nothing to fetch", hint="write http://127.0.0.1:3000/address/ADDRESS or .../tx/TXID"
        )
    kind, name = pieces[-2], pieces[-1]
    if kind not in ("address", "tx") or (kind == "tx" and not TXID.fullmatch(name)):
        raise UsageError(f"{url!r}: only .../address/ADDRESS and .../tx/TXID can be fetched")
    return f"{parts.scheme}://{parts.netloc}{'/'.join(pieces[:-2])}", kind, name


def is_here(url: str) -> bool:
    """True when a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
