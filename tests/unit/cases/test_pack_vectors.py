"""The vectors of the format's page: the good package holds, each hostile one is refused by its name; and the page is true."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib

import pytest

from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.writing import single_verifier


@pytest.fixture(scope="module")
def vectors(root):
    return json.loads((root / "docs" / "spec" / "pack-vectors.json").read_text(encoding="utf-8"))


def raw(text):
    return zlib.decompress(base64.b64decode(text))


def test_the_good_one_holds(vectors):
    report = verifier.verify(raw(vectors["good"]["zip"]), vectors["good"]["report"]["fingerprint"])
    told = vectors["good"]["report"]
    assert (report.states, report.asserted, report.files) == (told["states"], told["asserted"], told["files"])
    assert set(report.states) == {"inclusion proven", "txid proven", "not proven"}


def test_each_hostile_one_is_refused_by_its_name(vectors):
    assert len(vectors["hostile"]) >= 16
    for vector in vectors["hostile"]:
        with pytest.raises(verifier.NotGood) as caught:
            verifier.verify(raw(vector["zip"]))
        assert caught.value.name == vector["refused"], vector["what"]


def test_the_page_has_the_digest_of_the_verifier_and_all_refusals(root):
    page = (root / "docs" / "spec" / "pack.md").read_text(encoding="utf-8")
    assert hashlib.sha256(single_verifier()).hexdigest() in page
    assert all(f"`{name}`" in page for name in verifier.NAMES)
    assert all(f"{since}: {least:.3g}" in page for rows in verifier.LEAST.values() for since, least in rows)
