"""Holders of a store in batches: the same answers as one by one, over several runs and rows that no run covers yet."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from chain_support import build_store, random_chain, scripts, write
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain import finding_many
from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.model import address
from shieldwall.model.network import MAIN, REGTEST


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with several runs, and some keys that were paid by key and by its hash."""
    folder = tmp_path_factory.mktemp("many")
    chain = random_chain(7, blocks=33)
    for name in "0123456":
        chain.mine(address.key_hash(scripts(name)[5].payload))
    for count in (33, 38, 39, 40):
        build_store(folder / "chain", write(folder / "blocks.dat", chain.blocks[: count + 1]))
    return folder / "chain"


@pytest.fixture(scope="module", params=["all runs", "a run is missing", "no run"])
def store(folder, request):
    with ChainStore.open(folder) as whole:
        runs = whole.manifest.runs
        assert len(runs) > 1
        kept = {"all runs": runs, "a run is missing": runs[:-1], "no run": ()}[request.param]
        with ChainStore(folder, dataclasses.replace(whole.manifest, runs=kept)) as store:
            yield store


@pytest.fixture(params=["plain", "compiled"])
def kernels(request, monkeypatch):
    if request.param == "compiled":
        monkeypatch.setattr(finding_many, "COMPILED_FROM", 0)


def asked(store):
    """Addresses that are in the store, that are not, of another network, and none at all."""
    known = [store.identity(number) for number in range(store.rows("holder"))]
    strange = [address.encode(script, REGTEST) or "" for script in scripts("nobody")]
    foreign = [address.encode(script, MAIN) or "" for script in scripts("0")]
    return [*known, *strange, *foreign, "", "é" * 20, known[0][:-1]]


def expected(store, text):
    script = address.parse(text, store.network)
    number = None if script is None else store.find_holder(script)
    return NO_HOLDER if number is None else number


def test_addresses_are_found_as_one_by_one(store, kernels):
    texts = asked(store)
    found = store.find_addresses(texts)
    assert found.dtype == np.uint32
    assert found.tolist() == [expected(store, text) for text in texts]
    assert store.find_addresses([]).tolist() == []


def test_scripts_of_every_kind_are_found(store, kernels):
    known = [store.holder(number) for number in range(store.rows("holder"))]
    wanted = [*known, *scripts("nobody")]
    data = np.frombuffer(b"".join(script.payload for script in wanted), np.uint8)
    size = np.array([len(script.payload) for script in wanted])
    found = store.find_holders(np.array([s.kind for s in wanted], np.uint8), data, np.cumsum(size) - size, size)
    assert found[: len(known)].tolist() == list(range(len(known)))
    assert set(found[len(known) :].tolist()) == {NO_HOLDER}


def test_names_are_those_of_one_by_one(store, kernels):
    numbers = np.arange(store.rows("holder"))[::-1]
    assert store.identities(numbers) == [store.identity(int(number)) for number in numbers]
    assert store.identities([]) == []


def test_keys_in_their_other_form_are_found_as_one_by_one(store, kernels):
    numbers = list(range(store.rows("holder")))
    one_by_one = [store.twin(number) for number in numbers]
    assert any(twin is not None for twin in one_by_one)
    assert store.twins(numbers).tolist() == [NO_HOLDER if twin is None else twin for twin in one_by_one]
    wanted = [script for name in "0123456789" for script in scripts(name)] + scripts("nobody")
    data = np.frombuffer(b"".join(script.payload for script in wanted), np.uint8)
    size = np.array([len(script.payload) for script in wanted])
    found = store.find_same_keys(np.array([s.kind for s in wanted], np.uint8), data, np.cumsum(size) - size, size)
    others = [store.same_key(script) for script in wanted]
    assert found.tolist() == [NO_HOLDER if other is None else other for other in others]


@given(st.data())
def test_any_batch_is_found(folder, data):
    with ChainStore.open(folder) as store:
        texts = asked(store)
        chosen = data.draw(st.lists(st.sampled_from(range(len(texts))), max_size=12))
        found = store.find_addresses([texts[place] for place in chosen])
        assert found.tolist() == [expected(store, texts[place]) for place in chosen]
