import pytest

from shieldwall.errors import UsageError
from shieldwall.kernels import arrays
from shieldwall.model.network import (
    COIN,
    LITECOIN,
    LITECOIN_REGTEST,
    LITECOIN_TESTNET,
    MAIN,
    MAX_MONEY,
    NETWORKS,
    REGTEST,
    SIGNET,
    TESTNET3,
    TESTNET4,
    by_genesis,
    by_magic,
    by_name,
)


@pytest.mark.parametrize(
    ("height", "satoshi"),
    [
        (0, 50 * COIN),
        (209_999, 50 * COIN),
        (210_000, 25 * COIN),
        (420_000, 1_250_000_000),
        (839_999, 625_000_000),
        (840_000, 312_500_000),
        (6_929_999, 1),
        (6_930_000, 0),
        (64 * 210_000 - 1, 0),
        (64 * 210_000, 0),
        (100 * 210_000, 0),
    ],
)
def test_the_subsidy_halves(height, satoshi):
    assert MAIN.subsidy(height) == satoshi


def test_all_subsidies_together_stay_below_the_limit():
    total = sum(210_000 * MAIN.subsidy(era * 210_000) for era in range(70))
    assert total == 2_099_999_997_690_000
    assert total < MAX_MONEY == arrays.MAX_MONEY  # the kernels know nothing of the domain, and keep their own


def test_regtest_halves_early():
    assert [REGTEST.subsidy(height) // COIN for height in (0, 149, 150, 300)] == [50, 50, 25, 12]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_network_is_found_by_its_name_and_magic(network):
    assert by_name(network.name) is network
    assert by_genesis(network.genesis) is network
    assert by_magic(network.magic, network) is network
    assert by_magic(network.magic) is (REGTEST if network is LITECOIN_REGTEST else network)
    assert len(network.magic) == 4
    assert len(bytes.fromhex(network.genesis)) == 32


def test_the_numbers_that_tell_networks_apart_do():
    assert len({network.magic for network in NETWORKS.values()}) == len(NETWORKS) - 1
    assert REGTEST.magic == LITECOIN_REGTEST.magic  # Litecoin kept it: a block file's first block tells them apart
    assert len({network.caip2 for network in NETWORKS.values()}) == len(NETWORKS)
    assert MAIN.caip2 == "bip122:000000000019d6689c085ae165831e93"
    assert (MAIN.p2pkh, MAIN.p2sh, MAIN.hrp) == (0, 5, "bc")
    assert {(n.p2pkh, n.p2sh) for n in (TESTNET3, TESTNET4, SIGNET, REGTEST)} == {(0x6F, 0xC4)}
    assert [n.hrp for n in (TESTNET3, TESTNET4, SIGNET, REGTEST)] == ["tb", "tb", "tb", "bcrt"]


def test_litecoin_differs_where_it_does():
    litecoin = (LITECOIN, LITECOIN_TESTNET, LITECOIN_REGTEST)
    assert {(n.coin, n.work, n.mweb, n.max_money // COIN) for n in litecoin} == {("LTC", "scrypt", True, 84_000_000)}
    bitcoin = [n for n in NETWORKS.values() if n not in litecoin]
    assert {(n.coin, n.work, n.mweb, n.max_money) for n in bitcoin} == {("BTC", "sha256d", False, MAX_MONEY)}
    assert [(n.p2pkh, n.p2sh, n.p2sh_old, n.hrp, n.mweb_hrp) for n in litecoin] == [
        (0x30, 0x32, 0x05, "ltc", "ltcmweb"),
        (0x6F, 0x3A, 0xC4, "tltc", "tmweb"),
        (0x6F, 0x3A, 0xC4, "rltc", "tmweb"),
    ]
    total = sum(840_000 * LITECOIN.subsidy(era * 840_000) for era in range(70))
    assert total == 8_399_999_990_760_000 < LITECOIN.max_money


@pytest.mark.parametrize(
    ("alias", "network"),
    [("mainnet", MAIN), ("bitcoin", MAIN), ("test", TESTNET3), ("testnet", TESTNET3), ("ltc", LITECOIN)],
)
def test_aliases(alias, network):
    assert by_name(alias) is network


@pytest.mark.parametrize("name", ["", "moon", "testnet5", "main "])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(UsageError, match="no network is called") as caught:
        by_name(name)
    assert all(known in caught.value.hint for known in NETWORKS)


@pytest.mark.parametrize("magic", [b"", bytes(4), MAIN.magic[::-1], MAIN.magic + b"\0"])
def test_an_unknown_magic_is_none(magic):
    assert by_magic(magic) is None
