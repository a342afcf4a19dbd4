import pytest
from intel_support import attribution

from shieldwall.errors import BadText
from shieldwall.intel import ACTOR, ReadOptions, actorpack
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking

PACK = b"""\
title: Actors
creator: A desk
lastmod: '2023-02-17'
is_public: true
actors:
- id: okex
  label: OKX
  jurisdictions: [SC, BS]
  categories: [exchange, Mining Service]
  uri: okx.com
  aliases: [okx]
  context: {legal_name: OKX Ltd, images: [x.png]}
"""


def test_an_actor_is_a_claim_on_its_id():
    result = actorpack.parse(PACK, "actors.yaml", ReadOptions())
    (claim,) = result.claims
    assert claim.subject == Subject("actor", "", "okex")
    assert claim.kind == ACTOR.name
    assert dict(claim.statement) == {
        "label": "OKX",
        "categories": ["exchange", "mining_service"],
        "jurisdictions": ["SC", "BS"],
        "uri": "okx.com",
        "aliases": ["okx"],
        "legal_name": "OKX Ltd",
    }
    assert (claim.at, claim.source, claim.marking) == ("2023-02-17", "Actors", Marking.CLEAR)
    assert result.further == {"context.images": 1}


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"title: a\ntags: []", "no list of 'actors'"),
        (b"actors: []", "no creator"),
        (b"creator: a\nactors: [x]", "actor 1 is no mapping"),
        (b"creator: a\nactors: [{label: x}]", "actor 1: an actor needs an id"),
        (b"creator: a\nactors: [{id: x}]", "actor 1: a actor needs 'label'"),
        (b"creator: a\nactors: [{id: x, label: y, categories: [[z]]}]", "'categories' must be text"),
    ],
)
def test_what_breaks_the_schema_names_file_and_actor(raw, what):
    with pytest.raises(BadText, match=what):
        actorpack.parse(raw, "actors.yaml", ReadOptions())


def test_the_real_pack_has_3813_actors():
    path = attribution("tagpacks", "graphsense.actorpack.yaml")
    claims = actorpack.parse(path.read_bytes(), str(path), ReadOptions()).claims
    assert len({claim.subject for claim in claims}) == len(claims) == 3813
    by_id = {claim.subject.name: claim.statement for claim in claims}
    assert by_id["huobi"]["aliases"] == ["htx"]
    assert by_id["kraken"]["legal_name"] == "Payward, Inc."
