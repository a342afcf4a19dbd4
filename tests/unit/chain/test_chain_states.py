"""What an output can be: of every kind of script, and spent, unspent, unknown or never spendable."""

from dataclasses import replace

import pytest
from chain_support import KEY, LONG_KEY, START, build_store, facts_of, parse_block, random_chain, scripts, write

from shieldwall.chain.proof import merkle_root, parse_header
from shieldwall.chain.regtest import GENESIS, BlockMaker, p2wpkh, seal, transaction
from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.chain.verify import verify
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock
from shieldwall.model import network as networks
from shieldwall.model.address import encode, key_hash
from shieldwall.model.network import REGTEST
from shieldwall.model.script import Script, ScriptKind, classify


@pytest.fixture
def maker():
    made = BlockMaker(time=START)
    made.mine(p2wpkh("first"))
    return made


def only_coin(maker):
    return next(iter(maker.unspent.values()))


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_every_kind_of_script_keeps_its_holder(tmp_path, maker, engine):
    wanted = [*scripts("a"), Script(ScriptKind.P2PK, LONG_KEY), Script(ScriptKind.WITNESS, b"\x51\x02\x4e\x73")]
    wanted += [
        Script(ScriptKind.OTHER, b""),
        Script(ScriptKind.OTHER, bytes(10_000)),
        Script(ScriptKind.OTHER, bytes(70_000)),
    ]
    first = only_coin(maker)
    maker.pay([first], [(script, 1000 + number) for number, script in enumerate(wanted)])
    maker.mine(p2wpkh("second"))
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), engine=engine)
    with ChainStore.open(tmp_path / "c") as store:
        number = store.rows("tx") - 1
        for output, script in zip(store.output_range(number), wanted, strict=True):
            holder = store.find_holder(script)
            assert holder is not None
            assert store.holder(holder) == script
            assert store.outputs_of(holder) == [output]
            never = script.kind == ScriptKind.OP_RETURN or len(script.payload) > 10_000
            assert store.spend(output).state == (SpendState.UNSPENDABLE if never else SpendState.UNSPENT)
            assert store.identity(holder) == (encode(script, REGTEST) or f"{script.kind.label}:{script.payload.hex()}")
        assert verify(store, source=True).passed


def test_a_public_key_and_its_hash_are_linked_whichever_comes_first(tmp_path, maker):
    first = only_coin(maker)
    keys = [KEY, LONG_KEY]
    early, late = (Script(ScriptKind.P2PK, key) for key in keys)
    coins = maker.pay([first], [(key_hash(LONG_KEY), 5000), (early, 6000), (p2wpkh("rest"), 90_000)])
    maker.mine(p2wpkh("miner"))
    maker.pay([coins[2]], [(key_hash(KEY), 100), (late, 200)])
    maker.mine(p2wpkh("miner"))
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), batch=1)
    with ChainStore.open(tmp_path / "c") as store:
        for key in keys:
            mine, hashed = store.find_holder(Script(ScriptKind.P2PK, key)), store.find_holder(key_hash(key))
            assert mine is not None
            assert hashed is not None
            assert (store.twin(mine), store.twin(hashed)) == (hashed, mine)
        alone = store.find_holder(p2wpkh("rest"))
        assert alone is not None
        assert store.twin(alone) is None


def test_the_genesis_output_counts_as_unspent(tmp_path):
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", [GENESIS]))
    info = facts_of(tmp_path / "c")
    assert (info["unspent_outputs"], info["unspent_value"]) == (1, 50 * 10**8)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_five_thousand_inputs_and_zero_values(tmp_path, maker, engine):
    first = only_coin(maker)
    coins = maker.pay([first], [(p2wpkh(str(number)), number % 3) for number in range(5000)])
    maker.pay(coins, [(p2wpkh("all"), 0), (p2wpkh("none"), 0)])
    maker.mine(p2wpkh("miner"))
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), engine=engine)
    with ChainStore.open(tmp_path / "c") as store:
        number = store.rows("tx") - 1
        outputs, values = store.links(number)
        assert len(values) == 5000
        assert sum(value or 0 for value in values) == sum(number % 3 for number in range(5000))
        assert outputs == [entry.output for entry in store.inputs(number)]
        assert store.values(number) == [0, 0]
        assert verify(store, source=True).passed


def overwriting_chain():
    """Block 3 has the coinbase of block 1 again: the same txid, as happened twice on the main chain (BIP 30)."""
    maker = BlockMaker(time=START)
    maker.mine(p2wpkh("a"))
    maker.mine(p2wpkh("b"))
    raw = parse_block(maker.blocks[1])[0].raw
    last = parse_header(maker.blocks[2][:80])
    root = merkle_root_of(maker.blocks[1])
    head = (1).to_bytes(4, "little") + last.hash + root + (START + 9000).to_bytes(4, "little")
    maker.blocks.append(seal(head) + b"\1" + raw)
    return maker


def merkle_root_of(block):
    import numpy as np

    txids = b"".join(bytes.fromhex(entry.txid)[::-1] for entry in parse_block(block))
    return merkle_root(np.frombuffer(txids, np.uint8).reshape(-1, 32))


@pytest.fixture
def lenient(monkeypatch):
    """A network on which that is history, and heights are not binding."""
    changed = replace(REGTEST, overwritten=((1, 3),), bip34=1000)
    monkeypatch.setitem(networks.NETWORKS, "regtest", changed)
    return changed


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize(("batch", "commit"), [(1 << 20, 1 << 30), (1, 1 << 30), (1, 1)])
def test_an_overwritten_coinbase_is_never_unspent(tmp_path, lenient, engine, batch, commit):
    chain = overwriting_chain()
    source = write(tmp_path / "blk00000.dat", chain.blocks)
    build_store(tmp_path / "c", source, engine=engine, batch=batch, commit=commit, network=lenient)
    with ChainStore.open(tmp_path / "c") as store:
        states = [store.spend(output).state.value for output in range(4)]
        assert states == ["unspent", "unspendable", "unspent", "unspent"]
        assert store.find_transaction(store.column("tx_txid")[1].tobytes()) == 3
        assert verify(store, source=True).passed


def test_an_overwritten_coinbase_is_open_again_when_its_twin_is_taken_out(tmp_path, lenient):
    chain = overwriting_chain()
    build_store(tmp_path / "short", write(tmp_path / "x.dat", chain.blocks[:3]), network=lenient)
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", chain.blocks), network=lenient)
    with ChainWriter(tmp_path / "c", lenient) as writer:
        writer.cut(3)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "short")


def test_such_a_coinbase_elsewhere_is_refused(tmp_path, monkeypatch):
    changed = replace(REGTEST, bip34=1000)
    monkeypatch.setitem(networks.NETWORKS, "regtest", changed)
    with pytest.raises(BadBlock, match="again"):
        build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", overwriting_chain().blocks), network=changed)


def remake(maker, raws):
    """A block on top of `maker` of these transactions behind a coinbase, whatever they say."""
    import numpy as np

    from shieldwall.chain.regtest import txid_of

    scratch = BlockMaker(time=maker.time)
    scratch.blocks = list(maker.blocks)
    scratch.mine(p2wpkh("scratch"))
    coinbase = parse_block(scratch.blocks[-1])[0].raw
    raws = [coinbase, *raws]
    txids = b"".join(bytes.fromhex(txid_of(raw))[::-1] for raw in raws)
    root = merkle_root(np.frombuffer(txids, np.uint8).reshape(-1, 32))
    head = scratch.blocks[-1][:36] + root + scratch.blocks[-1][68:72]
    return seal(head) + bytes([len(raws)]) + b"".join(raws)


@pytest.mark.parametrize("whole", [True, False])
def test_a_second_spend_is_refused_and_nothing_of_it_stays(tmp_path, whole):
    chain = random_chain(4, blocks=6)
    spent_tx = next(t for block in chain.blocks for t in parse_block(block)[1:])
    entry = spent_tx.inputs[0]
    value, script = next(
        t.outputs[entry.index] for block in chain.blocks for t in parse_block(block) if t.txid == entry.txid
    )
    from shieldwall.chain.regtest import Coin

    twice = transaction([Coin(entry.txid, entry.index, value, classify(script))], [(p2wpkh("thief"), value)])
    block = remake(chain, [twice])
    blocks = chain.blocks if whole else chain.blocks[1:]
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", blocks))
    before = facts_of(tmp_path / "c")
    bad = write(tmp_path / "blk00001.dat", [block])
    for commit in (1, 1 << 30):
        with pytest.raises(BadBlock, match="spen"):
            build_store(tmp_path / "c", bad, batch=1, commit=commit)
        assert facts_of(tmp_path / "c") == before
    payer_late = [transaction([Coin("ab" * 32, 0, 5, p2wpkh("x"))], [(p2wpkh("y"), 4)])]
    if whole:  # every block is here, so nobody can have paid that
        with pytest.raises(BadBlock, match="does not exist"):
            build_store(tmp_path / "c", write(tmp_path / "blk00002.dat", [remake(chain, payer_late)]))


def test_a_transaction_twice_in_a_block_is_refused(tmp_path):
    chain = random_chain(9, blocks=5)
    coin = next(coin for coin in chain.unspent.values() if coin.value)
    raw = transaction([coin], [(p2wpkh("x"), coin.value)])
    with pytest.raises(BadBlock, match="twice"):
        build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", [*chain.blocks, remake(chain, [raw, raw])]))


def test_miners_may_take_less_and_not_more(tmp_path):
    less, more = BlockMaker(time=START), BlockMaker(time=START)
    less.mine(p2wpkh("a"), claim=REGTEST.subsidy(1) - 1_000_001)
    less.mine(p2wpkh("b"))
    more.mine(p2wpkh("a"), claim=REGTEST.subsidy(1) + 1)
    build_store(tmp_path / "less", write(tmp_path / "less.dat", less.blocks))
    build_store(tmp_path / "more", write(tmp_path / "more.dat", more.blocks))
    with ChainStore.open(tmp_path / "less") as store:
        report = verify(store)
    assert report.passed
    assert report.as_dict()["unclaimed_blocks"] == [{"height": 1, "unclaimed": 1_000_001}]
    assert report.as_dict()["unclaimed_subsidy"] == 1_000_001
    with ChainStore.open(tmp_path / "more") as store:
        report = verify(store)
    assert [check.name for check in report.checks if not check.passed] == ["block values"]
