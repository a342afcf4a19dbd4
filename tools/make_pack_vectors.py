"""Write docs/spec/pack-vectors.json: a good evidence package and hostile ones, each with what a verifier must say of it.

    .venv/bin/python tools/make_pack_vectors.py

They are made by the helpers of the tests, of invented data and keys that are drawn from numbers. ML-DSA-65 draws each signature
anew, so a second run writes other bytes that mean the same.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "unit" / "cases"))

from pack_support import OTHER, changed, contents, packed, resigned  # type: ignore[import-not-found]  # noqa: E402 - the path first

from shieldwall.cases.pack import verifier  # noqa: E402
from shieldwall.cases.pack.contents import ChainProof  # noqa: E402
from shieldwall.cases.pack.proving import prove  # noqa: E402
from shieldwall.chain.build import build  # noqa: E402
from shieldwall.chain.regtest import BlockMaker, p2wpkh  # noqa: E402
from shieldwall.chain.store import ChainStore  # noqa: E402
from shieldwall.model.network import REGTEST  # noqa: E402

PATH = ROOT / "docs" / "spec" / "pack-vectors.json"


def proofs(folder: Path) -> list[ChainProof]:
    """Of the last block of a small chain: whole ones, one of bytes alone, and one of nothing."""
    maker = BlockMaker(1_700_000_000)
    miners = [maker.mine(p2wpkh(f"m{number}")) for number in range(103)]
    for number in range(3):
        maker.pay([miners[number]], [(p2wpkh("x"), miners[number].value - 1000)])
    maker.mine(p2wpkh("last"))
    (folder / "blk00000.dat").write_bytes(maker.block_file())
    build(folder / "store", [str(folder / "blk00000.dat")], network=REGTEST)
    with ChainStore.open(folder / "store") as chain:
        first = int(chain.column("block_first_tx")[chain.rows("block") - 1])
        found = prove(chain, [chain.txid(number) for number in range(first, chain.rows("tx"))])
    found[0] = replace(found[0], header=b"", block="", branch=(), place=0)
    return [*found, ChainProof(txid="f" * 64, network="regtest")]


def hostile(good: bytes) -> Iterator[tuple[str, bytes]]:
    """What is wrong, in words, and the package."""
    files = verifier.unpack(good)
    proof = next(name for name in files if name.startswith("data/chain/") and b"branch" in files[name])

    def with_json(name: str, change: Callable[[Any], Any]) -> bytes:
        return bytes(changed(good, name, change))

    def without(name: str) -> bytes:
        return verifier.bundle({each: content for each, content in files.items() if each != name})

    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    yield "one bit of one byte is another", bytes(flipped)
    yield "a file is another, and its manifest is not", verifier.bundle({**files, "data/timeline.json": b"[]\n"})
    yield "a file more", verifier.bundle({**files, "more.txt": b"x"})
    yield "a file fewer", without("data/methods.json")
    yield "a name that leaves the folder", verifier.bundle({**files, "../../evil": b"x"})
    yield "the signature is stripped", without(verifier.SIGNATURE)
    envelope = json.loads(files[verifier.SIGNATURE])
    turned = verifier.canonical({**envelope, "signatures": envelope["signatures"][::-1]}) + b"\n"
    yield "the two signatures are swapped", verifier.bundle({**files, verifier.SIGNATURE: turned})
    theirs = verifier.unpack(resigned(files, OTHER))[verifier.SIGNATURE]
    yield "another's signature", verifier.bundle({**files, verifier.SIGNATURE: theirs})
    yield "a wrong branch, signed", with_json(proof, lambda body: {**body, "branch": body["branch"][::-1]})
    yield "a wrong place in the block, signed", with_json(proof, lambda body: {**body, "place": body["place"] ^ 1})
    yield "a block of a test network as one of the main network, signed", with_json("data/pack.json", _as_main)
    yield "bytes of another txid, signed", with_json(proof, lambda body: {**body, "raw": body["raw"][:-2] + "ff"})
    yield "an entry of a custody log is another, signed", with_json("data/pack.json", _other_custody)
    yield (
        "a claim in another layer, signed",
        resigned({**files, "data/claims/observation.json": files["data/claims/attribution.json"]}),
    )
    yield "a file that nothing accounts for, signed", resigned({**files, "data/evidence/0009-planted.txt": b"x"})
    yield "JSON with a key twice, signed", resigned({**files, "data/pack.json": b'{"a": 1, "a": 2}'})


def _as_main(body: dict[str, Any]) -> dict[str, Any]:
    body["network"] = ["main"]
    for each in body["transactions"]:
        each["network"] = "main"
    return body


def _other_custody(body: dict[str, Any]) -> dict[str, Any]:
    body["evidence"][0]["custody"][0]["who"] = "Eve"
    return body


def main(folder: Path) -> None:
    """Write the file."""
    good = packed(contents(proofs(folder)))
    report = verifier.verify(good)
    vectors: list[dict[str, Any]] = []
    for words, raw in hostile(good):
        try:
            verifier.verify(raw)
        except verifier.NotGood as error:
            vectors.append({"what": words, "refused": error.name, "zip": _text(raw)})
        else:
            raise AssertionError(words)
    told = {
        "states": report.states,
        "asserted": report.asserted,
        "fingerprint": report.fingerprint,
        "files": report.files,
    }
    body = {"format": verifier.FORMAT, "good": {"zip": _text(good), "report": told}, "hostile": vectors}
    PATH.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def _text(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw, 9)).decode()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch))
