"""What jobs do: chains, clusterings, traces and screenings, each with no more than the person may use."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from chain_support import build_store, random_chain, write
from hypothesis import given, settings
from hypothesis import strategies as st
from node_support import URL, SimulatedNode
from store_support import MARA, PAUL, into, who
from work_support import fresh_store, identity_of

from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadText, NotFound, ShieldwallError
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.model.access import Handling, Identity
from shieldwall.model.address import identity as address_of
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import COIN, LITECOIN_REGTEST, REGTEST
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.jobs.context import Means, without_login
from shieldwall.node.jobs.kinds import KINDS, parse
from shieldwall.node.jobs.runner import Runner, RunnerConfig
from shieldwall.node.jobs.tracing import Packed
from shieldwall.playbooks.exercise import make_exercise
from shieldwall.store.jobs import State

GREEN = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)


@pytest.fixture(scope="module")
def exercise():
    return make_exercise()


@pytest.fixture(scope="module")
def chain(exercise, tmp_path_factory):
    """A folder of sources with the exercise's blocks, and a chain store built of them."""
    folder = tmp_path_factory.mktemp("exercise")
    (folder / "blocks").mkdir()
    write(folder / "blocks" / "blk00000.dat", exercise.maker.blocks)
    build_store(folder / "store", folder / "blocks")
    return folder


class Tags:
    """Tag sets in a folder, of which everybody sees those with markings that they may see."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        for marking in (Marking.CLEAR, Marking.AMBER):
            path = folder / f"{marking.name.lower()}.csv"
            path.write_text(f"address,label,category\n{address},Example {marking.name},exchange\n")
            TagSets(folder / "sets").import_files([path], options=ReadOptions(marking=marking, network=REGTEST))

    def __call__(self, identity: Identity, names):
        sets = TagSets(self.folder / "sets")
        may = ["clear", "amber"] if identity.highest >= Marking.AMBER else ["clear"]
        return sets.select([name for name in may if names is None or name in names])


class Desk:
    """A runner, and what is needed to ask it."""

    def __init__(
        self, folder: Path, store, chain: Path | None, tags=None, people=identity_of, chains=None, **means
    ) -> None:
        self.store = store
        self.people = people
        self.config = Config(chain, folder / "data", engine="plain")
        given = Means(
            store=store,
            config=self.config,
            chains=chains or Chains((chain,)),
            tags=tags or (lambda _who, _names: TagSets(folder / "no").select(())),
            **means,
        )
        self.runner = Runner(given, people, RunnerConfig(told=0.0, idle=0.01))

    def run(self, kind, params, handling=GREEN, identity=None, endless=False):
        job, _ = self.runner.add(identity or who(MARA), kind, params, os.urandom(8).hex(), handling)
        assert self.runner.run_one(endless=endless)
        return self.get(job.id)

    def get(self, job_id, identity=None):
        with self.store.look(identity or self.people(MARA), "job.get") as work:
            return work.jobs.get(job_id)

    def read(self, file_id, identity=None):
        with self.store.look(identity or who(MARA), "file.read") as work:
            return work.files.read(file_id)


@pytest.fixture
def store(tmp_path):
    with fresh_store(tmp_path) as store:
        yield store


@pytest.fixture
def desk(tmp_path, store, chain, exercise):
    return Desk(tmp_path, store, chain / "store", Tags(tmp_path, exercise.deposit_address))


def test_a_chain_is_built_from_declared_sources_alone(tmp_path, store, chain):
    desk = Desk(tmp_path, store, tmp_path / "chain", sources=(str(chain / "blocks"),))
    done = desk.run("chain.build", {"sources": [str(chain / "blocks" / "blk00000.dat")], "network": "regtest"})
    assert done.state is State.DONE
    with ChainStore.open(tmp_path / "chain") as built:
        assert done.outcome["blocks"] == built.rows("block")
    outside = tmp_path / "outside.dat"
    outside.write_bytes((chain / "blocks" / "blk00000.dat").read_bytes())
    link = chain / "blocks" / "link.dat"
    link.symlink_to(outside)
    for source in (outside, link, chain / "blocks" / ".." / "store", tmp_path / "none", "https://example.org/", URL):
        refused = desk.run("chain.build", {"sources": [str(source)]})
        assert refused.state is State.FAILED
        assert refused.outcome["message"].startswith("that source is not among those")
    link.unlink()


def test_a_node_is_followed_until_it_is_cancelled(tmp_path, store):
    maker = random_chain(5, blocks=4)
    node = SimulatedNode(list(maker.blocks))
    desk = Desk(tmp_path, store, tmp_path / "chain", sources=(URL.replace("//", "//mara:secret@"),), post=node.post)
    job, _ = desk.runner.add(who(MARA), "chain.follow", {"source": URL, "every": 1}, "k", GREEN)

    def stop_when_built(method):
        if node.calls["getrawmempool"]:
            desk.runner.cancel(who(MARA), job.id)
            node.before_call = lambda _: None

    node.before_call = stop_when_built
    assert desk.runner.run_one(endless=True)
    found = desk.get(job.id)
    assert found.state is State.CANCELLED
    assert "secret" not in str(found)
    with ChainStore.open(tmp_path / "chain") as built:
        assert built.tip_height == maker.height


def test_a_trace_is_a_file_and_a_claim_on_what_it_started_from(desk, exercise):
    done = desk.run("trace", {"targets": [exercise.ransom_address], "tags": ["clear"]})
    assert done.state is State.DONE, done.outcome
    body = json.loads(desk.read(done.outcome["file"]))
    assert body["digest"] == done.outcome["digest"]
    assert "Example CLEAR" in done.outcome["sentence"]
    subject = Subject("address", REGTEST.caip2, exercise.ransom_address)
    with desk.store.look(who(PAUL), "claim.find") as work:
        (kept,) = work.claims.find(subject)
    assert kept.claim.kind == "trace"
    assert kept.claim.statement["file"] == done.outcome["file"]
    assert kept.handling == replace(GREEN, pap=Pap.RED)  # as the tag of the exchange, which names no PAP


def test_a_trace_with_a_stricter_tag_is_as_strict(desk, exercise):
    done = desk.run("trace", {"targets": [exercise.ransom_address]})
    assert done.state is State.DONE, done.outcome
    assert done.handling.marking is Marking.AMBER
    few = who(PAUL, highest=Marking.GREEN)
    for ask in (lambda: desk.get(done.id, few), lambda: desk.read(done.outcome["file"], few)):
        with pytest.raises(NotFound):
            ask()
    with desk.store.look(few, "claim.find") as work:
        assert work.claims.find(Subject("address", REGTEST.caip2, exercise.ransom_address)) == []


def test_a_trace_sees_no_more_than_whoever_asked(desk, exercise):
    done = desk.run("trace", {"targets": [exercise.ransom_address]}, identity=who(MARA, highest=Marking.GREEN))
    assert done.handling.marking is Marking.GREEN
    assert "AMBER" not in desk.read(done.outcome["file"]).decode()


def test_what_one_person_sees_is_not_kept_for_the_next(desk, exercise):
    first = desk.run("trace", {"targets": [exercise.ransom_address], "tags": ["amber"]})
    assert first.handling.marking is Marking.AMBER
    again = desk.run("trace", {"targets": [exercise.ransom_address], "tags": ["amber"]})
    assert again.handling.marking is Marking.AMBER


def test_a_tag_of_a_case_makes_a_result_that_leaves_it_for_its_owner_alone(tmp_path, store, chain, exercise):
    with store.act(who(MARA), "case.add") as work:
        case = work.cases.add("Northwind").id
    tags = Tags(tmp_path, exercise.deposit_address)
    (sourced,) = tags(who(MARA), ["clear"]).everything()
    member = into(who(MARA), case)
    with store.act(member, "claim.add") as work:
        work.claims.add([sourced.claim], case=case)
    desk = Desk(tmp_path, store, chain / "store", tags, people=lambda _: member)
    question = {"targets": [exercise.ransom_address], "tags": ["clear"]}
    done = desk.run("trace", question, identity=member)
    assert (done.handling.marking, done.handling.case) == (Marking.RED, None)
    inside = desk.run("trace", question, replace(GREEN, case=case), identity=member)
    assert (inside.handling.marking, inside.handling.case) == (Marking.GREEN, case)
    with store.act(who(MARA), "claim.add") as work:
        work.claims.add([sourced.claim])
    assert desk.run("trace", question, identity=member).handling.marking is Marking.GREEN


@pytest.mark.parametrize("target", ["/etc/hostname", "-", "pyproject.toml", "README", ".", "a b", "1" * 500, "é"])
def test_a_target_is_no_file_of_the_server(desk, target):
    found = desk.run("trace", {"targets": [target]})
    assert found.state is State.FAILED
    assert found.outcome["error"] in ("BadText", "UnknownAddress")


def test_a_screening_reads_a_stored_file_and_is_one(desk, exercise):
    listed = f"{exercise.deposit_address}\n{exercise.ransom_address}\n".encode()
    with desk.store.act(who(MARA), "file.add") as work:
        file = work.files.add("list.txt", "text/plain", [listed], "upload", GREEN)
    done = desk.run("screening", {"file": file.id, "form": "jsonl", "tags": ["clear"], "hops": 0})
    assert done.state is State.DONE, done.outcome
    rows = [json.loads(line) for line in desk.read(done.outcome["file"]).splitlines()]
    assert [row["address"] for row in rows] == [exercise.deposit_address, exercise.ransom_address]
    assert (done.outcome["rows"], done.handling) == (2, replace(GREEN, pap=Pap.RED))
    strict = desk.run("screening", {"file": file.id, "hops": 0})
    assert strict.handling.marking is Marking.AMBER
    assert b"Example AMBER" in desk.read(strict.outcome["file"])


def test_a_tag_some_hops_away_counts_as_well(desk, exercise):
    with desk.store.act(who(MARA), "file.add") as work:
        file = work.files.add("list.txt", "text/plain", [exercise.ransom_address.encode()], "upload", GREEN)
    near = desk.run("screening", {"file": file.id, "hops": 0})
    assert near.handling == GREEN
    far = desk.run("screening", {"file": file.id, "hops": 5, "tags": ["amber"]})
    assert b"Example AMBER" in desk.read(far.outcome["file"])
    assert far.handling.marking is Marking.AMBER


def test_a_screening_is_at_least_as_strict_as_its_file(desk, exercise):
    red = Handling(owner=MARA)
    with desk.store.act(who(MARA), "file.add") as work:
        file = work.files.add("list.txt", "text/plain", [exercise.ransom_address.encode()], "upload", red)
    done = desk.run("screening", {"file": file.id, "tags": []})
    assert done.handling == red
    hidden = desk.run("screening", {"file": "0" * 32})
    assert hidden.outcome["error"] == "NotFound"


def test_a_clustering_is_constrained_by_tags_that_anybody_may_see(desk):
    done = desk.run("cluster.build", {})
    assert done.state is State.DONE, done.outcome
    from shieldwall.node.wiring import open_chain, open_clustering

    with open_chain(desk.config) as chain, open_clustering(desk.config, chain) as clustering:
        assert clustering.digest == done.outcome["digest"]
        assert [each["set"] for each in clustering.body["parameters"]["tag_sets"]] == ["clear"]
    traced = desk.run("trace", {"targets": [make_exercise().ransom_address], "cluster": "co-spend", "tags": []})
    assert traced.state is State.DONE, traced.outcome


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["targets", "method", "tags", "hops", "file", "sources", "since", "source", "every", "again", "least", "clustering"]
)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(KINDS)), params=st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_parameters_give_a_job_or_a_typed_error(kind, params):
    try:
        found = parse(kind, params)
    except ShieldwallError:
        return
    assert parse(kind, params) == found


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_packed_rows_come_out_as_they_went_in(parts):
    packed = Packed()
    for part in parts:
        packed.write(part)
    assert b"".join(packed.pieces()) == b"".join(parts) == b"".join(packed.pieces())
    assert packed.size == sum(map(len, parts))


def test_no_login_is_shown():
    assert without_login("rpc://a:b@c:1") == "rpc://c:1"


@pytest.fixture(scope="module")
def litecoin(tmp_path_factory):
    """A folder with a small chain of another network, not built yet, and a coin in it."""
    folder = tmp_path_factory.mktemp("litecoin")
    maker = BlockMaker(1_600_000_000, network=LITECOIN_REGTEST)
    first = maker.mine(p2wpkh("litecoin payer"))
    coins = maker.pay([first], [(p2wpkh("litecoin one"), COIN), (p2wpkh("litecoin two"), COIN)])
    maker.pay(coins, [(p2wpkh("litecoin far"), 2 * COIN)])
    maker.mine(p2wpkh("litecoin miner"))
    write(folder / "blk00000.dat", maker.blocks)
    return folder, coins[0]


def test_jobs_know_the_chain_that_they_are_about(tmp_path, store, chain, litecoin, exercise):
    folder, coin = litecoin
    chains = Chains((chain / "store", tmp_path / "further"))
    desk = Desk(tmp_path, store, None, chains=chains, sources=(str(folder),))
    network = LITECOIN_REGTEST.name
    own = Handling(owner=MARA)  # whose errors are told in full
    absent = desk.run("trace", {"targets": [exercise.ransom_address], "tags": [], "network": network}, own)
    assert absent.outcome["error"] == "UsageError"
    assert "no chain store of that network" in str(absent.outcome)

    built = desk.run("chain.build", {"sources": [str(folder)], "network": network})
    assert built.state is State.DONE, built.outcome
    assert chains.networks() == (REGTEST.name, network)
    with chains.open(network) as further:
        assert further.folder == tmp_path / "further"
    full = desk.run("chain.build", {"sources": [str(folder)], "network": "litecoin"}, own)
    assert "no folder" in str(full.outcome)

    target = address_of(p2wpkh("litecoin one"), LITECOIN_REGTEST)
    for params, expected in (
        ({"targets": [exercise.ransom_address]}, REGTEST.name),
        ({"targets": [target]}, network),
        ({"targets": [f" {coin.txid}:0"]}, network),
        ({"targets": [target], "network": network}, network),
    ):
        done = desk.run("trace", params | {"tags": []})
        assert done.state is State.DONE, done.outcome
        assert json.loads(desk.read(done.outcome["file"]))["network"] == expected
    with store.look(who(MARA), "claim.find") as work:
        assert work.claims.find(Subject("address", LITECOIN_REGTEST.caip2, target))
    mixed = desk.run("trace", {"targets": [target, exercise.ransom_address], "tags": []})
    assert mixed.outcome["error"] == "UnknownAddress"  # one trace is of one chain
    wrong = desk.run("trace", {"targets": [target], "tags": [], "network": REGTEST.name})
    assert wrong.outcome["error"] == "UnknownAddress"

    digests = {}
    for name in ("", network):
        clustered = desk.run("cluster.build", {"network": name, "tags": []})
        assert clustered.state is State.DONE, clustered.outcome
        digests[name] = clustered.outcome["digest"]
    assert digests[""] != digests[network]
    grouped = desk.run("trace", {"targets": [target], "cluster": "co-spend", "tags": []})
    assert json.loads(desk.read(grouped.outcome["file"]))["targets"][0]["members"] == 2

    with store.act(who(MARA), "file.add") as work:
        file = work.files.add("list.txt", "text/plain", [target.encode()], "upload", GREEN)
    rows = {}
    for name in ("", network):
        screened = desk.run("screening", {"file": file.id, "form": "jsonl", "tags": [], "network": name})
        assert screened.state is State.DONE, screened.outcome
        (rows[name],) = map(json.loads, desk.read(screened.outcome["file"]).splitlines())
    assert (rows[""]["in_store"], rows[network]["in_store"]) == (None, True)


@pytest.mark.parametrize("kind", ["trace", "screening", "chain.build", "chain.follow", "cluster.build"])
def test_a_network_of_which_nobody_knows_is_refused_at_once(kind):
    given = {"trace": {"targets": ["x"]}, "screening": {"file": "x"}, "chain.build": {"sources": ["x"]}}
    given["chain.follow"] = {"source": "x"}
    with pytest.raises(BadText, match="'network' must be one of"):
        parse(kind, {**given.get(kind, {}), "network": "dogecoin"})
    assert parse(kind, {**given.get(kind, {}), "network": "litecoin"}).network == "litecoin"
