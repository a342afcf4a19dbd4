"""Families and choke points on the simulator's chain, held to its truth. Its figures say nothing about the world."""

from __future__ import annotations

import numpy as np
import pytest
from simulator_support import small_folder

import simulator
from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.store import ChainStore
from shieldwall.model.address import decode
from shieldwall.model.network import REGTEST
from shieldwall.model.script import from_identity
from shieldwall.trace.choke.find import Question, find_choke_points
from shieldwall.trace.families.family import Family, is_own, locate
from shieldwall.trace.families.payments import receipts, targets_of
from shieldwall.trace.families.services import services_by_inflow
from shieldwall.trace.families.statistics import payment_statistics
from shieldwall.trace.follow import follow
from shieldwall.trace.labels import Label
from shieldwall.trace.limits import Limits

EXCHANGE = 1  # `entity_kind`


class World:
    """A simulated chain and what is true of it."""

    def __init__(self, folder, chain, engine="plain"):
        build(chain, [str(folder / "blocks")], network=REGTEST, config=BuildConfig(engine=engine))
        self.store = ChainStore.open(chain)
        self.truth = {path.stem: np.load(path) for path in (folder / "truth").glob("*.npy")}
        self.values = np.asarray(self.store.column("output_value"))
        self.holders = np.asarray(self.store.column("output_holder"))

    def families(self):
        """One family for each actor that was paid, its ransom addresses tagged; and their true payments."""
        found = []
        for campaign in np.unique(self.truth["ransom"][:, 0]).tolist():
            outputs = self.truth["ransom"][self.truth["ransom"][:, 0] == campaign, 1]
            addresses = {self.store.identity(number) for number in self.holders[outputs].tolist()}
            name = f"actor {self.truth['campaign'][campaign, 0]}"
            family = Family(name, name.replace(" ", ""), tuple(sorted(addresses)), ("truth",))
            found.append((family, sorted(self.values[outputs].tolist())))
        return found


class Exchanges:
    """Labels that name every exchange, from the truth; every second one can freeze."""

    versions = ()
    stop = ("exchange",)

    def __init__(self, world, further=()):
        self.world = world
        self.further = frozenset(further)

    def of(self, identity):
        if identity in self.further:
            return Label((), f"chosen {identity}", "exchange")
        store, truth = self.world.store, self.world.truth
        holder = store.find_holder(from_identity(identity) if ":" in identity else decode(identity, REGTEST))
        if holder is None:
            return Label()
        owner = int(truth["output_owner"][store.outputs_of(holder)[0]])
        if truth["entity_kind"][owner] != EXCHANGE:
            return Label()
        freezer = {"id": f"x{owner}", "name": f"Exchange {owner}", "because": []}
        return Label((), f"Exchange {owner}", "exchange", (freezer,) if owner % 2 else ())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(small_folder(), tmp_path_factory.mktemp("world") / "chain")
    yield made
    made.store.close()


def check_statistics(world):
    expected = world.families()
    body = payment_statistics(world.store, [family for family, _ in expected], {}).body
    rows = {row["family"]: row for row in body["families"]}
    assert len(rows) == len(expected) > 0
    for family, amounts in expected:
        row = rows[family.name]
        assert (row["payments"], row["amount"]) == (len(amounts), sum(amounts))
        assert row["median_amount"] == (amounts[(len(amounts) - 1) // 2] + amounts[len(amounts) // 2]) // 2
        assert (row["least_amount"], row["most_amount"]) == (amounts[0], amounts[-1])
        assert sum(month["amount"] for month in row["months"]) == row["amount"]
        assert row["addresses_here"] == row["addresses"]
    assert body["all"]["payments"] == len(world.truth["ransom"])
    assert body["all"]["amount"] == sum(sum(amounts) for _, amounts in expected)
    assert body["whole_chain"]


def test_statistics_are_the_truth(world):
    check_statistics(world)


def payments_to(world, family):
    located = locate(world.store, family)
    return targets_of(world.store, located, receipts(world.store, located.holders, is_own([located])))


@pytest.mark.parametrize("method", ["fifo", "haircut"])
def test_chosen_points_stop_what_is_claimed(world, method):
    labels = Exchanges(world)
    family, _ = max(world.families(), key=lambda entry: len(entry[1]))
    targets = payments_to(world, family)
    question = Question(most=3, by="address", cut=True)
    body = find_choke_points(world.store, targets, question, method=method, labels=labels).body
    chosen = {point["name"] for point in body["points"]}
    again = follow(world.store, targets, method, Limits(), labels=Exchanges(world, chosen)).body
    ended = sum(end["amount"] for end in again["ends"] if end["kind"] == "service" and end["address"] in chosen)
    assert not body["returned_amount"]
    assert abs(ended - body["stopped_amount"]) <= (0 if method == "fifo" else len(again["transfers"]))
    assert body["stopped_amount"] > 0
    amounts = [entry["amount"] for entry in body["curve"]]
    assert amounts == sorted(amounts, reverse=True)
    cut = {point["name"] for point in body["cut"]["points"]}
    passed = follow(world.store, targets, method, Limits(), labels=Exchanges(world, cut)).body
    assert {end["address"] for end in passed["ends"] if end["kind"] == "service"} <= cut


def test_services_add_up(world):
    families = [family for family, _ in world.families()]
    body = services_by_inflow(world.store, families, Exchanges(world)).body
    assert sum(row["amount"] for row in body["services"]) == body["ends"]["service"]
    assert (
        sum(body["ends"].values())
        == body["seed_amount"]
        == body["ends"]["service"] + sum(amount for kind, amount in body["ends"].items() if kind != "service")
    )
    assert body["services"] == sorted(body["services"], key=lambda row: (-row["amount"], row["service"]))
    true_deposits = {f"Exchange {row[3]}" for row in world.truth["deposit"].tolist() if row[0] >= 0}
    if true_deposits:
        assert true_deposits & {row["service"] for row in body["services"]}


@pytest.mark.full
def test_statistics_are_the_truth_of_a_million(tmp_path):
    simulator.make(tmp_path / "simulated", transactions=1_000_000)
    check_statistics(World(tmp_path / "simulated", tmp_path / "chain", engine="auto"))
