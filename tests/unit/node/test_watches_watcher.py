"""Watches on a chain store that grows: what rings, what is told, and nothing lost or told twice."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from chain_support import build_store, clone, extend, random_chain, scripts, write
from hypothesis import given, settings
from hypothesis import strategies as st
from store_support import ADA, MARA, PAUL, into, verify_log, who
from work_support import fresh_store, identity_of, open_store

from shieldwall.chain.regtest import BlockMaker, p2wpkh, transaction, txid_of
from shieldwall.chain.unconfirmed import Unconfirmed, _pending, write_unconfirmed
from shieldwall.errors import (
    BadText,
    Conflict,
    NotAllowed,
    NotFound,
    ShieldwallError,
    StoreError,
    UnknownAddress,
    UsageError,
)
from shieldwall.intel import Directory, ReadOptions, TagSets
from shieldwall.intel.directory import Entry, EntrySource
from shieldwall.model.access import Handling, Role
from shieldwall.model.address import identity
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import COIN, LITECOIN_REGTEST, REGTEST
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.jobs.context import NODE, Means
from shieldwall.node.jobs.runner import Runner
from shieldwall.node.watches.watcher import Watcher
from shieldwall.node.wiring import build_clusters, open_clustering
from shieldwall.store.watches import Watches
from shieldwall.trace.clusters.rules import ClusterRules

GREEN = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)
ENTRY = Entry(
    id="example",
    name="Example",
    role="exchange",
    actors=(),
    labels=("Example",),
    legal_entity="",
    country="",
    channel="mail desk@example.org",
    requires="a case number",
    assets=(),
    sources=(EntrySource(title="A page", url="", as_of="", stated_by="self"),),
)


def at(name):
    return identity(p2wpkh(name), REGTEST)


class Place:
    """A chain store that grows, a node's store, and a watcher of both."""

    def __init__(self, folder, maker=None, **more):
        self.folder = folder
        self.maker = maker or BlockMaker(1_700_000_000)
        self.store = fresh_store(folder)
        self.chains = Chains((folder / "chain", folder / "further"))
        self.config = Config(folder / "chain", folder / "data", engine="plain")
        self.ticks = 0
        self.watcher = self.another(**more)

    def another(self, store=None, **more):
        given = {"tags": self.tags, "identity_of": identity_of, "directory": lambda: Directory("2026-01-01", (ENTRY,))}
        return Watcher(
            store or self.store,
            self.chains,
            clustering=lambda chain, name: open_clustering(self.config, chain, name),
            monotonic=lambda: self.ticks,
            **{**given, **more},
        )

    def tags(self, _identity, names):
        return TagSets(self.config.tags).select(names)

    def tag(self, address, label, marking=Marking.CLEAR):
        path = self.folder / f"{label}-{marking.name}.csv".lower()
        path.write_text(f"address,label,category\n{address},{label},exchange\n")
        TagSets(self.config.tags).import_files([path], options=ReadOptions(marking=marking, network=REGTEST))

    def mine(self, blocks=1):
        for _ in range(blocks):
            self.maker.mine(p2wpkh("miner"))
        self.build()

    def build(self, blocks=None):
        build_store(self.folder / "chain", write(self.folder / "blk00000.dat", blocks or self.maker.blocks))

    def tick(self, watcher=None):
        self.ticks += 1000
        return (watcher or self.watcher).tick()

    def alarms(self, identity=None, **which):
        with self.store.look(identity or who(MARA), "alarm.page") as work:
            return work.watches.alarms(most=1000, **which)[::-1]

    def events(self, **which):
        return [(alarm.body["event"], alarm.body["txid"]) for alarm in self.alarms(**which)]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    coin = place.maker.mine(p2wpkh("payer"))
    place.coin, place.rest = place.maker.pay(
        [coin], [(p2wpkh("watched"), 5 * COIN), (p2wpkh("payer"), coin.value - 5 * COIN)]
    )
    place.mine()
    yield place
    place.store.close()


def watch(place, kind="address", target=None, handling=GREEN, identity=None, **more):
    target = {"address": at("watched")} if target is None else target
    return place.watcher.add(identity or who(MARA), kind, target, handling, **more)


def test_money_comes_and_goes_and_the_alarm_says_what_to_do(place):
    place.tag(at("exchange"), "Example")
    watch(place, note="Ransom")
    assert place.tick() == 0
    place.maker.pay([place.rest], [(p2wpkh("watched"), COIN), (p2wpkh("payer"), place.rest.value - COIN)])
    place.mine()
    assert place.tick() == 1
    (first,) = place.alarms()
    assert (first.body["event"], first.body["amount"], first.body["confirmations"]) == ("received", COIN, 1)
    assert first.body["watch"] == {
        "kind": "address",
        "target": {"note": "Ransom", "address": at("watched"), "network": "regtest"},
    }
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 4 * COIN), (p2wpkh("watched"), COIN)])
    place.mine(2)
    assert place.tick() == 1
    second = place.alarms()[-1].body
    assert (second["event"], second["amount"], second["returned"], second["confirmations"]) == (
        "spent",
        5 * COIN,
        COIN,
        2,
    )
    assert second["say"].startswith(f"5 BTC left the watched address in transaction {second['txid']} (2 confirmations)")
    assert "(Example)" in second["say"]
    ask, wait, follow = second["do"]
    assert (ask["request"]["to"], ask["request"]["channel"]) == ("Example", "mail desk@example.org")
    assert wait["say"] == "Wait for 6 confirmations before you rely on it: there are 2."
    assert follow["command"] == ["shieldwall", "trace", second["txid"]]
    assert place.tick() == 0
    verify_log(place.store)


def test_nothing_is_looked_at_while_nothing_changed(place, monkeypatch):
    watch(place)
    place.tick()
    looked = []
    monkeypatch.setattr("shieldwall.node.watches.watcher.moves.movements", lambda *given: looked.append(given) or {})
    place.watcher.tick()
    assert looked == []


def test_what_is_gone_after_a_reorganisation_rings(place):
    watch(place)
    base = clone(place.maker)
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    place.tick()
    place.maker = base
    place.maker.time += 7
    place.mine(2)
    assert place.tick() == 1
    spent, gone = place.alarms()
    assert (spent.body["event"], gone.body["event"]) == ("spent", "gone")
    assert gone.body["txid"] == spent.body["txid"]
    assert "no longer part of the chain" in gone.body["say"]


def test_what_waits_for_a_block_rings_once(place):
    watch(place)
    raw = transaction([place.coin], [(p2wpkh("exchange"), 5 * COIN - 1000)])
    other = transaction([place.rest], [(p2wpkh("watched"), COIN)])
    pending = []
    from shieldwall.chain.regtest import txid_of

    for each in (raw, other):
        pending.append(_pending(txid_of(each), each, 1_700_000_000, REGTEST, "test"))
        write_unconfirmed(
            place.folder / "chain", Unconfirmed(REGTEST, "test", 1_700_000_000, 2, "00" * 32, tuple(pending))
        )
        assert place.tick() == 1
        assert place.tick() == 0
    outgoing, incoming = (alarm.body for alarm in place.alarms())
    assert (outgoing["event"], outgoing["amount"], outgoing["to"][0]["to"]) == ("waiting", 5 * COIN, at("exchange"))
    assert (incoming["event"], incoming["amount"], incoming["to"][0]["to"]) == ("waiting", COIN, at("watched"))
    assert outgoing["confirmations"] is None
    again = place.another()
    assert place.tick(again) == 0
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 5 * COIN - 1000)])
    place.mine()
    assert place.tick() == 1
    assert place.events()[-1] == ("spent", outgoing["txid"])


def test_a_damaged_layer_silences_no_watch(place):
    watch(place)
    (place.folder / "chain" / "unconfirmed.json").write_text("{")
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    assert place.tick() == 1


def test_a_cluster_rings_for_all_of_its_addresses(place):
    one, two = place.maker.pay([place.rest], [(p2wpkh("one"), COIN), (p2wpkh("two"), COIN)])
    place.maker.pay([one, two], [(p2wpkh("far"), 2 * COIN)])
    place.mine()
    with place.chains.open() as chain:
        build_clusters(place.config, chain, "co-spend", ClusterRules(constrained=False))
    watch(place, "cluster", {"address": at("one"), "clustering": "co-spend"})
    place.maker.pay([place.coin], [(p2wpkh("two"), 5 * COIN)])
    place.mine()
    assert place.tick() == 1
    assert place.alarms()[0].body["say"].startswith("5 BTC reached the watched cluster")
    with pytest.raises(ShieldwallError):
        watch(place, "cluster", {"address": at("one"), "clustering": "none"})


def test_the_ends_of_a_trace_ring_when_they_move_on(place):
    runner = Runner(Means(store=place.store, config=place.config, chains=place.chains, tags=place.tags), identity_of)
    job, _ = runner.add(
        who(MARA), "trace", {"targets": [at("watched")], "tags": []}, "k", replace(GREEN, marking=Marking.AMBER)
    )
    assert runner.run_one()
    with place.store.look(who(MARA), "job.get") as work:
        outcome = work.jobs.get(job.id).outcome
    found = watch(place, "end", {"file": outcome["file"]})
    assert found.handling.marking is Marking.AMBER
    assert found.target["what"]["outputs"] == [[place.coin.txid, 0]]
    place.maker.pay([place.rest], [(p2wpkh("watched"), COIN)])
    place.mine()
    assert place.tick() == 0  # other money of the address
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 5 * COIN)])
    place.mine()
    assert place.tick() == 1
    body = place.alarms()[0].body
    assert (body["event"], body["amount"], body["to"][0]["to"]) == ("spent", 5 * COIN, at("exchange"))
    with pytest.raises(NotFound):
        watch(place, "end", {"file": outcome["file"]}, replace(GREEN, owner=PAUL), who(PAUL, highest=Marking.GREEN))


@pytest.mark.parametrize(
    ("kind", "target", "error"),
    [
        ("address", {"address": "nonsense"}, UnknownAddress),
        ("address", {"address": 7}, BadText),
        ("address", {}, BadText),
        ("address", {"address": "\ud800"}, BadText),
        ("end", {"file": "\0"}, BadText),
        ("address", {"address": at("x"), "more": "y"}, BadText),
        ("end", {"file": "0" * 32}, NotFound),
        ("moon", {"address": at("x")}, UsageError),
    ],
)
def test_what_cannot_be_watched(place, kind, target, error):
    with pytest.raises(error):
        watch(place, kind, target)


def test_a_file_that_is_no_trace_cannot_be_watched(place):
    for content, kind in (
        (b"{}", "trace"),
        (b'{"network":"regtest","ends":[{"outputs":[7]}]}', "trace"),
        (b"{}", "upload"),
    ):
        with place.store.act(who(MARA), "file.add") as work:
            file = work.files.add("a.json", "application/json", [content], kind, GREEN)
        with pytest.raises(BadText):
            watch(place, "end", {"file": file.id})


def test_an_address_that_nothing_was_paid_to_yet(place):
    watch(place, target={"address": at("new")})
    place.maker.pay([place.rest], [(p2wpkh("new"), COIN)])
    place.mine()
    assert place.tick() == 1


def test_who_sees_an_alarm(place):
    place.tag(at("exchange"), "Example", Marking.AMBER)
    watch(place)
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 5 * COIN)])
    place.mine()
    place.tick()
    (alarm,) = place.alarms()
    assert alarm.handling.marking is Marking.AMBER  # as the tag that it names
    assert place.alarms(who(PAUL, highest=Marking.GREEN)) == []
    assert place.alarms(who(PAUL, Role.ADMINISTRATOR)) == []
    with pytest.raises(NotFound), place.store.look(who(PAUL, highest=Marking.GREEN), "alarm.get") as work:
        work.watches.alarm(alarm.id)


def test_a_tag_of_the_owner_alone_stays_out_of_the_alarm_of_a_team(place):
    with place.store.act(who(MARA), "case.add") as work:
        case = work.cases.add("Northwind", people=[PAUL]).id
    place.tag(at("exchange"), "Example", Marking.RED)
    member = into(who(MARA), case)
    watch(place, handling=replace(GREEN, case=case), identity=member)
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 5 * COIN)])
    place.mine()
    place.tick()
    (alarm,) = place.alarms(into(who(PAUL), case))
    assert (alarm.handling.marking, alarm.body["to"][0]["tags"]) == (Marking.GREEN, [])
    assert place.alarms(who(ADA)) == []


def test_a_watch_of_someone_who_is_gone_rings_on_without_their_tags(place):
    def nobody(person):
        raise NotAllowed("that person is disabled")

    place.tag(at("exchange"), "Example")
    watch(place)
    place.maker.pay([place.coin], [(p2wpkh("exchange"), 5 * COIN)])
    place.mine()
    assert place.tick(place.another(identity_of=nobody)) == 1
    assert place.alarms(who(PAUL))[0].body["to"][0]["tags"] == []


def test_answering_and_stopping(place):
    found = watch(place)
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    place.tick()
    (alarm,) = place.alarms(answered=False)
    with place.store.act(who(PAUL), "alarm.answer") as work:
        assert work.watches.unanswered() == 1
        assert work.watches.answer(alarm.id).answered_by == PAUL
        assert work.watches.unanswered() == 0
    with pytest.raises(Conflict), place.store.act(who(MARA), "alarm.answer") as work:
        work.watches.answer(alarm.id)
    with pytest.raises(NotAllowed), place.store.act(who(MARA, Role.VIEWER), "alarm.answer") as work:
        work.watches.answer(alarm.id)
    with place.store.act(who(MARA), "watch.stop") as work:
        assert not work.watches.stop(found.id).active
    place.maker.pay([place.rest], [(p2wpkh("watched"), COIN)])
    place.mine()
    assert place.tick() == 0


def test_a_watch_that_cannot_be_looked_at_does_not_keep_the_others(place, monkeypatch):
    watch(place, target={"address": at("payer")})
    watch(place)
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    whole = Watcher._watched

    def broken(self, chain, kind, plain):
        if plain["address"] == at("payer"):
            raise ShieldwallError("broken")
        return whole(self, chain, kind, plain)

    monkeypatch.setattr(Watcher, "_watched", broken)
    assert place.tick() == 1
    monkeypatch.setattr(Watcher, "_watched", whole)
    place.maker.pay([place.rest], [(p2wpkh("else"), COIN)])
    place.mine()
    assert place.tick() == 1


def test_two_processes_ring_once(place):
    watch(place)
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    with open_store(place.folder) as other:
        second = place.another(other)
        assert place.tick() + place.tick(second) == 1


def test_channels_and_notes_are_checked(place):
    for more in ({"channels": ["pigeon"]}, {"note": "x" * 201}, {"note": "\ud800"}):
        with pytest.raises(BadText):
            watch(place, **more)


class Crash(Exception):
    """The process ends here."""


SLICES = {
    "seed": st.integers(0, 5),
    "which": st.integers(0, 3),
    "cuts": st.lists(st.integers(3, 10), max_size=4),
    "crashes": st.lists(st.booleans(), min_size=5, max_size=5),
}


@settings(max_examples=3)
@given(**SLICES)
def test_any_slicing_of_a_real_chain_rings_the_same(tmp_path_factory, seed, which, cuts, crashes):
    check_slices(tmp_path_factory, seed, which, cuts, crashes)


@pytest.mark.full
@settings(max_examples=20)
@given(**SLICES)
def test_any_slicing_of_many_real_chains_rings_the_same(tmp_path_factory, seed, which, cuts, crashes):
    check_slices(tmp_path_factory, seed, which, cuts, crashes)


def check_slices(tmp_path_factory, seed, which, cuts, crashes):
    """The same alarms as one look gives, with the process ending within the act, and looks made twice."""
    import random

    folder = tmp_path_factory.mktemp("slices")
    maker = random_chain(seed, blocks=3, transactions=3)
    extend(maker, random.Random(seed), 7, 4)
    texts = [identity(script, REGTEST) for number in range(8) for script in scripts(str(number))[:4]]
    place = Place(folder, maker)
    place.build(maker.blocks[:3])
    ids = [watch(place, target={"address": text}).id for text in texts[which * 8 : which * 8 + 8]]
    whole = Watches.ring

    def ring_and_die(self, *given):
        whole(self, *given)
        raise Crash

    for cut, crash in zip([*sorted(cuts), len(maker.blocks)], [*crashes[: len(cuts)], False], strict=True):
        place.build(maker.blocks[:cut])
        if crash:
            Watches.ring = ring_and_die
            with contextlib.suppress(Crash):
                place.tick(place.another())
            Watches.ring = whole
        place.tick(place.another())
        place.tick()
    sliced = {each: place.events(watch=each) for each in ids}
    for rang in sliced.values():
        assert len(rang) == len(set(rang))
    once = Place(tmp_path_factory.mktemp("once"), maker)
    once.build(maker.blocks[:3])
    others = [watch(once, target={"address": text}).id for text in texts[which * 8 : which * 8 + 8]]
    once.build()
    once.tick()
    assert [set(sliced[each]) for each in ids] == [set(once.events(watch=each)) for each in others]
    verify_log(place.store)
    for each in (place, once):
        each.store.close()


def test_only_the_node_rings(place):
    found = watch(place)
    for call in (
        lambda w: w.active(),
        lambda w: w.due(1),
        lambda w: w.see(found, {}),
        lambda w: w.ring(found, {}, [], []),
    ):
        with pytest.raises(NotAllowed), place.store.act(who(MARA), "test") as work:
            call(work.watches)
    with place.store.inside(NODE) as work:
        assert json.dumps(work.watches.active()[0].seen)


class Beside:
    """A second chain store of the place, of another network, that grows on its own."""

    def __init__(self, place):
        self.place = place
        self.maker = BlockMaker(1_700_000_000, network=LITECOIN_REGTEST)
        first = self.maker.mine(p2wpkh("litecoin payer"))
        self.coin, self.rest = self.maker.pay(
            [first], [(p2wpkh("litecoin watched"), COIN), (p2wpkh("litecoin payer"), first.value - COIN)]
        )
        (place.folder / "litecoin").mkdir()
        self.mine()

    def mine(self):
        self.maker.mine(p2wpkh("litecoin miner"))
        source = write(self.place.folder / "litecoin" / "blk00000.dat", self.maker.blocks)
        build_store(self.place.folder / "further", source, network=LITECOIN_REGTEST)


def litecoin(name):
    return identity(p2wpkh(name), LITECOIN_REGTEST)


def test_a_watch_on_the_second_chain_rings_when_that_one_grows(place, monkeypatch):
    beside = Beside(place)
    ours = watch(place)
    found = watch(place, target={"address": litecoin("litecoin watched")}, note="LTC")
    assert (ours.target["what"]["network"], found.target["what"]["network"]) == ("regtest", "litecoin-regtest")
    assert place.tick() == 0
    looked = []
    original = Watcher._look_from
    monkeypatch.setattr(
        Watcher,
        "_look_from",
        lambda self, post, some: looked.append(post.shelf.network()) or original(self, post, some),
    )
    beside.maker.pay([beside.coin], [(p2wpkh("litecoin thief"), COIN)])
    beside.mine()
    assert place.watcher.tick() == 1
    assert looked == ["litecoin-regtest"]  # the other did not grow
    (alarm,) = place.alarms(watch=found.id)
    assert (alarm.body["event"], alarm.body["coin"], alarm.body["amount"]) == ("spent", "LTC", COIN)
    assert alarm.body["watch"]["target"]["network"] == "litecoin-regtest"
    assert alarm.body["to"][0]["to"] == litecoin("litecoin thief")
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    assert place.watcher.tick() == 1
    assert looked == ["litecoin-regtest", "regtest"]
    assert [alarm.body["coin"] for alarm in place.alarms()] == ["LTC", "BTC"]


def test_what_waits_on_the_second_chain_rings_there(place):
    beside = Beside(place)
    watch(place)
    found = watch(place, target={"address": litecoin("litecoin watched")}, network="litecoin-regtest")
    raw = transaction([beside.coin], [(p2wpkh("litecoin thief"), COIN)])
    pending = _pending(txid_of(raw), raw, 1, LITECOIN_REGTEST, "test")
    layer = Unconfirmed(LITECOIN_REGTEST, "rpc://node", 1, 2, "00" * 32, (pending,))
    write_unconfirmed(place.folder / "further", layer)
    assert place.tick() == 1
    assert place.events() == [("waiting", pending.txid)]
    assert place.alarms()[0].watch == found.id


def test_a_watch_from_before_there_were_several_chains_is_on_the_first(place):
    Beside(place)
    new = watch(place)
    with place.store.act(who(MARA), "watch.add", kind="address") as work:
        old = {"what": {"address": at("watched")}, "channels": [], "note": ""}
        work.watches.add("address", old, new.seen, Subject("address", REGTEST.caip2, at("watched")), GREEN)
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    assert place.tick() == 2


def test_the_ends_of_a_trace_are_watched_on_its_chain(place):
    beside = Beside(place)
    runner = Runner(Means(store=place.store, config=place.config, chains=place.chains, tags=place.tags), identity_of)
    job, _ = runner.add(who(MARA), "trace", {"targets": [beside.coin.txid], "tags": []}, "k", GREEN)
    assert runner.run_one()
    with place.store.look(who(MARA), "job.get") as work:
        outcome = work.jobs.get(job.id).outcome
    found = watch(place, "end", {"file": outcome["file"]})
    assert found.target["what"]["network"] == "litecoin-regtest"
    with pytest.raises(BadText, match="that trace is of litecoin-regtest, and the chain is regtest"):
        watch(place, "end", {"file": outcome["file"]}, network="regtest")
    beside.maker.pay([beside.coin], [(p2wpkh("litecoin thief"), COIN)])
    beside.mine()
    assert place.tick() == 1
    with pytest.raises(UsageError, match="no chain store of that network"):
        watch(place, network="litecoin")
    with pytest.raises(UnknownAddress):
        watch(place, network="litecoin-regtest")  # an address of the other


def test_a_chain_that_cannot_be_read_silences_no_other(place, caplog):
    beside = Beside(place)
    watch(place)
    watch(place, target={"address": litecoin("litecoin watched")})
    manifest = place.folder / "further" / "manifest.json"
    sound = manifest.read_text(encoding="utf-8")
    manifest.write_text("{", encoding="utf-8")
    place.maker.pay([place.coin], [(p2wpkh("thief"), 5 * COIN)])
    place.mine()
    for _ in range(2):  # it is told as long as it is so
        with pytest.raises(StoreError):
            place.tick()
    assert len(place.alarms()) == 1
    assert caplog.text.count("watches on litecoin-regtest are not looked at") == 1
    manifest.write_text(sound, encoding="utf-8")
    beside.maker.pay([beside.coin], [(p2wpkh("litecoin thief"), COIN)])
    beside.mine()
    assert place.tick() == 1
