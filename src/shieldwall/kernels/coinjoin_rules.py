"""The figures of the CoinJoin rules, which the plain and the compiled kernel share.

GSL is graphsense-lib 2.16 to 2.18 (`db/asynchronous/services/heuristics_service.py`), whose rules for the named programs
follow Schnoering and Vazirgiannis, "Heuristics for Detecting CoinJoin Transactions on the Bitcoin Blockchain"
(arXiv 2311.12491, 2023). All amounts are satoshi.
"""

from __future__ import annotations

DATA_KIND = 9  # holder_kind of OP_RETURN (model.script.ScriptKind), which is no payment

# generic (BlockSci, `isCoinjoin`): an equal value that is dust of an asset protocol says nothing
GENERIC_DUST = (546, 2730)

# Whirlpool (GSL): amounts of the pools, and what the coordinator takes in a tx0
POOLS = (100_000, 1_000_000, 5_000_000, 50_000_000)
POOL_FEES = (5_000, 50_000, 175_000, 1_750_000)
MIX_LEAST, MIX_MOST = 5, 8  # inputs, and as many outputs
ENTRANTS_MOST = 4  # inputs that bring more than the pool's amount; at least one does
EXTRA_LEAST, EXTRA_MOST = 100, 110_000  # how much more
PREMIX_MOST = 70  # equal outputs of a tx0
OTHERS_MOST = 2  # its other payments: the fee, and perhaps change

# Wasabi 1.0 and 1.1 (GSL)
BASE, BASE_SLACK = 10_000_000, 500_000  # 0.1 BTC, within 5 %
WASABI_1_INPUTS = 10
WASABI_1_PEOPLE = 3
COINS_EACH_MOST = 7  # distinct input holders for each participant
SMALL_ROUND = 20  # inputs; a smaller round must not be one amount split n times
SPLIT_PARTS = 10_000  # ... to within one part of so many
SHARE_PARTS = 10  # no holder brings more than one part of so many of the inputs
LEVELS = 29  # 2^28 times 0.1 BTC is more than there is

# WabiSabi, which is Wasabi 2.0 (GSL)
WABISABI_INPUTS = 20
WABISABI_LEAST = 5_000  # each payment
WABISABI_AMOUNTS = 3  # different values that repeat

# JoinMarket, after GSL
JOINMARKET_DUST = 2_730  # an equal value is more than this
JOINMARKET_PEOPLE = 3
LARGE_ROUND = 50  # inputs; from here on ...
COINS_MOST = 20  # ... at most so many inputs for each participant
PAYMENTS_LEAST_TENTHS = 17  # ... and at least 1.7 payments

# Stonewall (GSL): one wallet that pays itself a decoy of the paid amount
STONEWALL_LEAST = 5_000
STONEWALL_PAYMENTS = (3, 4)
