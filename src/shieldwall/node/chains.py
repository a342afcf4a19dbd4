"""The chain stores as a server reads them: of each an open snapshot, opened again when the store has grown."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path

from shieldwall.chain.manifest import MANIFEST, read_manifest
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import FILE, Unconfirmed, read_unconfirmed
from shieldwall.errors import StoreError, UsageError
from shieldwall.model import address
from shieldwall.model.network import Network, by_name
from shieldwall.model.script import Script, from_identity
from shieldwall.model.transaction import TXID, internal

_Stamp = tuple[int, int, int]
_NOT, _ALIKE, _VALID, _WAITS, _HELD = range(5)  # how well a text fits a store, in rising order


class ChainShelf:
    """One chain store for many readers.

    Args:
        folder: The store's folder; None where the node has none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._store: ChainStore | None = None
        self._named: tuple[_Stamp | None, str] = (None, "")
        self._layer_stamp: _Stamp | None = None
        self._layer: Unconfirmed | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a store to open."""
        return self.folder is not None and (self.folder / MANIFEST).is_file()

    def stamp(self) -> _Stamp | None:
        """Changes whenever the store was committed; None where there is none."""
        return None if self.folder is None else _stamp_of(self.folder / MANIFEST)

    def network(self) -> str:
        """Name of the store's network, without opening it; "" where there is no store.

        Raises:
            StoreError: Its manifest is damaged.
        """
        with self._lock:
            stamp = self.stamp()
            if self.folder is None or stamp is None:
                return ""
            if stamp != self._named[0]:
                self._named = (stamp, read_manifest(self.folder).network)
            return self._named[1]

    def open(self) -> ChainStore:
        """A snapshot of the store as it stands; close it after use, it costs nothing.

        Raises:
            UsageError: The node has none.
            StoreError: It is damaged, or not there yet.
        """
        if self.folder is None:
            raise UsageError("this node has no chain store", hint='write chain = "DIR" into node.toml')
        with self._lock:
            stamp = self.stamp()
            if self._store is None or stamp != self._stamp:
                if stamp is None:
                    raise StoreError("the node's chain store is not there yet", hint="build it: shieldwall chain build")
                self._store, self._stamp = ChainStore.open(self.folder), stamp
            return self._store.kept()

    def layer_stamp(self) -> _Stamp | None:
        """Changes whenever what waits for a block was written anew; None where no node is followed."""
        return None if self.folder is None else _stamp_of(self.folder / FILE)

    def layer(self) -> Unconfirmed | None:
        """What waits for a block; None where no node is followed."""
        if self.folder is None:
            return None
        with self._lock:
            stamp = _stamp_of(self.folder / FILE)
            if stamp != self._layer_stamp:
                self._layer, self._layer_stamp = read_unconfirmed(self.folder), stamp
            return self._layer


class Chains:
    """The node's chain stores, one for each network, in the order in which its settings name them.

    Args:
        folders: Of the stores; whether there is one in each is looked at anew each time, since jobs build them.
    """

    def __init__(self, folders: Iterable[Path | None]) -> None:
        named = tuple(ChainShelf(folder) for folder in folders if folder is not None)
        self.shelves: tuple[ChainShelf, ...] = named or (ChainShelf(None),)

    @property
    def first(self) -> ChainShelf:
        """The one that is meant where no network is named."""
        return self.shelves[0]

    def there(self) -> dict[str, ChainShelf]:
        """By network, and in order, the shelves that hold a store; one whose manifest is damaged is left out.

        Raises:
            StoreError: Two hold one network: a look-up would depend on which of them was asked.
        """
        found: dict[str, ChainShelf] = {}
        for shelf in self.shelves:
            name = ""
            with contextlib.suppress(StoreError):  # whoever opens it is told; the other stores can be read nevertheless
                name = shelf.network()
            if name in found:
                raise StoreError(
                    f"two chain stores of this node are of {name}: {found[name].folder} and {shelf.folder}",
                    hint="leave one of them out of `chain` and `further_chains` in node.toml",
                )
            if name:
                found[name] = shelf
        return found

    def networks(self) -> tuple[str, ...]:
        """Names of the networks of which there is a store.

        Raises:
            StoreError: As `there`.
        """
        return tuple(self.there())

    def shelf(self, network: str = "") -> ChainShelf:
        """The shelf of a network; of the first store where none is named.

        Raises:
            UsageError: There is no store of that network.
            StoreError: As `there`; or the store that it may be in is damaged.
        """
        there = self.there()
        if not network:
            return self.first
        if network not in there:
            self._refuse_damaged()
            has = f"it has: {', '.join(there)}" if there else 'write chain = "DIR" into node.toml, and build one'
            raise UsageError("this node has no chain store of that network", hint=has)
        return there[network]

    def open(self, network: str = "") -> ChainStore:
        """A snapshot of the store of a network, to be closed after use; of the first where none is named.

        Raises:
            UsageError: The node has none; the hint names those that it has.
            StoreError: It is damaged, or not there yet; or two stores are of one network.
        """
        return self.shelf(network).open()

    def layer(self, network: str = "") -> Unconfirmed | None:
        """What waits for a block of a network; see `ChainShelf.layer`.

        Raises:
            UsageError: As `open`.
            StoreError: As `shelf`.
        """
        return self.shelf(network).layer()

    def holding(self, text: str) -> ChainStore:
        """A snapshot of the store that a text is about, to be closed after use; whether it holds it is for the caller to see.

        Args:
            text: An address: the first store of whose network it is one, those that hold it before the others.
                `KIND:HEX`, TXID, `TXID:N` or `TXID:in:N`: the first store that holds it. Else the first of all.

        Raises:
            UsageError: The node has none.
            StoreError: It is damaged, or not there yet; or two stores are of one network.
        """
        word, best, chosen = text.strip(), _NOT, self.first
        for name, shelf in self.there().items():
            fit = _fit(word, by_name(name), shelf)
            if fit > best:
                best, chosen = fit, shelf
            if best == _HELD:
                break
        if best == _NOT:
            self._refuse_damaged()
        return chosen.open()

    def folder_for(self, network: str = "") -> Path:
        """Where a store of a network is built or extended: where one is, else the first folder that holds no store yet.

        Args:
            network: Its name; "" for the first folder, whatever it holds.

        Raises:
            UsageError: The node has no folder for it.
            StoreError: As `shelf`.
        """
        there = self.there()
        if not network:
            shelf = self.first
        elif network in there:
            shelf = there[network]
        else:
            self._refuse_damaged()
            shelf = next((shelf for shelf in self.shelves if not shelf.is_there), ChainShelf(None))
        if shelf.folder is None:
            raise UsageError(
                "this node has no folder for that chain store",
                hint="name a folder in `chain` or `further_chains` in node.toml, one for each network",
            )
        return shelf.folder

    def _refuse_damaged(self) -> None:
        """What was not found may be in a store that cannot be read.

        Raises:
            StoreError: There is one.
        """
        for shelf in self.shelves:
            shelf.network()


def _fit(word: str, network: Network, shelf: ChainShelf) -> int:
    """How well a text fits a store."""
    txid = word.partition(":")[0].lower()
    layer = _layer(shelf, network)
    if TXID.fullmatch(txid):
        with shelf.open() as store:
            held = store.find_transaction(internal(txid)) is not None
        return _HELD if held else _WAITS if layer and layer.find(txid) else _NOT
    script = _script(word, network)
    if script is None:  # a slip, or inside the extension block: the store of its network says so best
        alike = word.lower().startswith(f"{network.hrp}1") or address.is_mweb_address(word, network)
        return _ALIKE if alike else _NOT
    with shelf.open() as store:
        held = store.find_holder(script) is not None or store.same_key(script) is not None
    return _HELD if held else _WAITS if layer and layer.paying(script) else _VALID


def _script(word: str, network: Network) -> Script | None:
    if ":" not in word:
        return address.parse(word, network)
    try:
        return from_identity(word)
    except UsageError:
        return None


def _layer(shelf: ChainShelf, network: Network) -> Unconfirmed | None:
    """What waits for a block; a damaged layer chooses no store."""
    try:
        layer = shelf.layer()
    except StoreError:
        return None
    return layer if layer is not None and layer.network == network else None


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
