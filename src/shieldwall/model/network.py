"""The networks of Bitcoin and Litecoin: the numbers that tell them apart.

Sources: Bitcoin Core, `kernel/chainparams.cpp`; Litecoin Core 0.21, `chainparams.cpp`. Litecoin's regtest took over the
magic of Bitcoin's: its block files are told apart by their genesis block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shieldwall.errors import UsageError

COIN = 100_000_000  # satoshi in one bitcoin, and in one litecoin
MAX_MONEY = 21_000_000 * COIN  # satoshi; no valid amount of Bitcoin is larger (Bitcoin Core, `consensus/amount.h`)
MAX_LITECOIN = 84_000_000 * COIN  # likewise (Litecoin Core, `amount.h`)

Work = Literal["sha256d", "scrypt"]
"""The hash of a header that must lie below its target; a block is named by its SHA-256d either way."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network's identity.

    Attributes:
        name: The word used on the command line and in results.
        magic: Four bytes before each block in `blk*.dat`.
        genesis: Hash of block 0 in display order (hex).
        p2pkh: Base58 version byte of a pay-to-public-key-hash address.
        p2sh: Base58 version byte of a pay-to-script-hash address.
        hrp: Human-readable part of a bech32 address (BIP 173).
        halving: Blocks between two halvings of the subsidy.
        bip34: First height whose coinbase must carry its height (BIP 34).
        overwritten: (height of a coinbase, height of the later one with the same txid that overwrote it) (BIP 30).
        hard: (height, expected hashes): from that height on every block took at least so many; a block with less is of
            another network, since raw blocks do not name theirs.
        coin: The currency's sign, such as in "0.5 BTC".
        max_money: Satoshi; no valid amount is larger.
        work: Which hash carries the work.
        p2sh_old: A second version byte that is read, and no longer written, for pay-to-script-hash addresses.
        mweb_hrp: Human-readable part of an address inside Litecoin's extension block (LIP 3); "" where there is none.
        rpc_port: Where a node answers JSON-RPC by default.
    """

    name: str
    magic: bytes
    genesis: str
    p2pkh: int
    p2sh: int
    hrp: str
    halving: int
    bip34: int
    overwritten: tuple[tuple[int, int], ...] = ()
    hard: tuple[int, int] | None = None
    coin: str = "BTC"
    max_money: int = MAX_MONEY
    work: Work = "sha256d"
    p2sh_old: int | None = None
    mweb_hrp: str = ""
    rpc_port: int = 8332

    @property
    def mweb(self) -> bool:
        """True where blocks may carry an extension block of confidential transactions (Litecoin, LIP 3)."""
        return bool(self.mweb_hrp)

    @property
    def caip2(self) -> str:
        """The chain id of CAIP-2, namespace bip122: the first 32 hex digits of the genesis hash."""
        return f"bip122:{self.genesis[:32]}"

    def subsidy(self, height: int) -> int:
        """Satoshi that a block at `height` may create."""
        halvings = height // self.halving
        return 0 if halvings >= 64 else (50 * COIN) >> halvings


MAIN = Network(
    "main", bytes.fromhex("f9beb4d9"), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    0x00, 0x05, "bc", 210_000, 227_931, ((91_722, 91_880), (91_812, 91_842)),
    (200_000, 2_000_000 << 32),  # difficulty 2,864,140 at height 200,000, and never below 2 million since
)  # fmt: skip
TESTNET3 = Network(
    "testnet3", bytes.fromhex("0b110907"), "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    0x6F, 0xC4, "tb", 210_000, 21_111, rpc_port=18_332,
)  # fmt: skip
TESTNET4 = Network(
    "testnet4", bytes.fromhex("1c163f28"), "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    0x6F, 0xC4, "tb", 210_000, 1, rpc_port=48_332,
)  # fmt: skip
SIGNET = Network(
    "signet", bytes.fromhex("0a03cf40"), "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    0x6F, 0xC4, "tb", 210_000, 1, rpc_port=38_332,
)  # fmt: skip
REGTEST = Network(
    "regtest", bytes.fromhex("fabfb5da"), "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    0x6F, 0xC4, "bcrt", 150, 1, rpc_port=18_443,
)  # fmt: skip

LITECOIN = Network(
    "litecoin", bytes.fromhex("fbc0b6db"), "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
    0x30, 0x32, "ltc", 840_000, 710_000,
    coin="LTC", max_money=MAX_LITECOIN, work="scrypt", p2sh_old=0x05, mweb_hrp="ltcmweb", rpc_port=9332,
)  # fmt: skip
LITECOIN_TESTNET = Network(
    "litecoin-testnet", bytes.fromhex("fdd2c8f1"), "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0",
    0x6F, 0x3A, "tltc", 840_000, 76,
    coin="LTC", max_money=MAX_LITECOIN, work="scrypt", p2sh_old=0xC4, mweb_hrp="tmweb", rpc_port=19_332,
)  # fmt: skip
LITECOIN_REGTEST = Network(
    "litecoin-regtest", REGTEST.magic, "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
    0x6F, 0x3A, "rltc", 150, 500,
    coin="LTC", max_money=MAX_LITECOIN, work="scrypt", p2sh_old=0xC4, mweb_hrp="tmweb", rpc_port=19_443,
)  # fmt: skip

NETWORKS = {
    network.name: network
    for network in (MAIN, TESTNET3, TESTNET4, SIGNET, REGTEST, LITECOIN, LITECOIN_TESTNET, LITECOIN_REGTEST)
}
_ALIASES = {"mainnet": "main", "bitcoin": "main", "test": "testnet3", "testnet": "testnet3", "ltc": "litecoin"}


def by_name(name: str) -> Network:
    """The network called `name`.

    Raises:
        UsageError: No such network.
    """
    try:
        return NETWORKS[_ALIASES.get(name, name)]
    except KeyError:
        raise UsageError(f"no network is called {name!r}", hint=f"use one of: {', '.join(NETWORKS)}") from None


def by_magic(magic: bytes, wanted: Network | None = None) -> Network | None:
    """The network whose block files carry `magic`: the wanted one if it does, else the first that does, or None."""
    if wanted is not None and wanted.magic == magic:
        return wanted
    return next((network for network in NETWORKS.values() if network.magic == magic), None)


def by_genesis(genesis: str) -> Network | None:
    """The network whose block 0 has this hash (display form), or None."""
    return next((network for network in NETWORKS.values() if network.genesis == genesis), None)
