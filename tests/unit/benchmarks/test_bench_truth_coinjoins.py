"""What the benchmark says of the CoinJoin rules on a small simulated chain."""

import json

from simulator_support import TRANSACTIONS, small_folder, truth

from bench.accuracy import hold_to_form
from bench.data import Chain
from bench.truth_coinjoins import measure
from shieldwall.chain.build import BuildConfig, build


def test_counts_are_the_truths(tmp_path):
    folder = small_folder()
    for name in ("blocks", "truth"):
        (tmp_path / name).symlink_to(folder / name)
    chain = Chain(tmp_path, TRANSACTIONS)
    build(chain.store, [str(path) for path in chain.blocks], config=BuildConfig(engine="plain"))
    said = measure(chain)
    hold_to_form("coinjoins", json.loads(json.dumps(said)))
    without, with_tags, by_kind, apart = said["tables"]
    expected = {name: count for name, count in truth()[1]["coinjoins_by_kind"].items() if name != "none"}
    assert {row[0]: row[1] for row in without["rows"] if row[0] in expected} == expected
    for table in (without, with_tags):
        assert sum(row[1] for row in table["rows"]) == TRANSACTIONS
        assert all(sum(row[2:]) == row[1] for row in table["rows"])
    assert [row[0] for row in by_kind["rows"]] == [
        "generic", "whirlpool", "whirlpool_tx0", "wasabi_1_0", "wasabi_1_1", "wabisabi", "joinmarket",
    ]  # fmt: skip
    for _, total, found, wrong, recall, precision in apart["rows"]:
        assert total == sum(expected.values()) - expected["whirlpool_tx0"]
        assert found <= total
        assert recall == found / total
        assert precision == found / (found + wrong)
