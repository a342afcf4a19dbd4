"""One chain is one store, whatever form it came in: block files, Parquet, a node's answers, bitcoin-etl's lines."""

import pytest

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.etl import write_etl
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.model.network import REGTEST
from simulator import make

FORMS = ("blocks", "parquet", "rpc", "etl")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    make(folder, transactions=1500, per_block=60, forms=FORMS)
    return folder


def store_of(folder, source):
    config = BuildConfig(engine="plain", epoch_transactions=400)
    report = build(folder, [str(source)], network=REGTEST, config=config)
    assert not report.missing
    assert not report.unresolved
    with ChainStore.open(folder) as store:
        # Parquet and the lines hold no witness, and what they give has no place in a file: the rest is proven alike
        assert verify(store, source=True).passed
        return store.digest, store.manifest.epochs


def test_every_form_gives_one_digest_and_the_same_epochs(tmp_path, chain):
    stores = {form: store_of(tmp_path / form, chain / form) for form in FORMS}
    assert len(stores["blocks"][1]) > 2
    assert {form: stores[form] == stores["blocks"] for form in FORMS} == dict.fromkeys(FORMS, True)


def test_what_is_written_as_lines_is_read_as_the_same_chain(tmp_path, chain):
    wanted = store_of(tmp_path / "blocks", chain / "blocks")
    with ChainStore.open(tmp_path / "blocks") as store:
        write_etl(store, tmp_path / "lines")
    assert store_of(tmp_path / "again", tmp_path / "lines") == wanted
