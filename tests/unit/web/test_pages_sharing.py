"""Share and Sources on pages: who gets what and why, preview, what is new since the last share, withdrawal, sources."""

from __future__ import annotations

import json

import pytest
from pages_support import follow, look, send
from taxii_support import indicator, taxii_in
from web_support import address_of

from shieldwall.model.access import Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import REGTEST
from shieldwall.node.outbound import Answer
from shieldwall.node.sharing.intake import IntakeRules
from shieldwall.node.sharing.pulling import Remote, pull

GREEN, AMBER = Marking.GREEN, Marking.AMBER


@pytest.fixture(scope="module")
def taxii(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(scope="module")
def people(taxii):
    mara = taxii.site.person("Mara", Role.ANALYST)
    return taxii.site.session(mara), taxii.site.session(taxii._ingrid)


@pytest.fixture
def world(taxii, request):
    name = request.node.name.replace("_", "-")[:50].strip("-")
    taxii.of = taxii.group(name)
    taxii.ally, taxii.client = taxii.partner(f"Ally {name}", taxii.of)
    taxii.low, taxii.low_client = taxii.partner(f"Low {name}", taxii.of, highest=GREEN)
    taxii.mine = taxii.collection(f"Things {name}", taxii.of)
    taxii.path = f"/{name}/collections/{taxii.mine.id}/objects/"
    return taxii


def test_a_case_is_released_previewed_as_two_partners_fetched_and_withdrawn(world, people):
    mara, ingrid = people
    with world.store.act(world.ingrid, "case.open") as work:
        case = work.cases.add("Exercise", marking=GREEN)
    identity = world.ingrid
    subject = Subject("address", REGTEST.caip2, address_of("watched"))
    said = [
        Claim(
            subject=subject, kind="tag", statement={"label": label}, layer=Layer.ATTRIBUTION, source="affidavit",
            made_by="Ingrid", confidence=60, marking=marking, pap=Pap.GREEN,
        )
        for label, marking in (("DarkSide", GREEN), ("In confidence", AMBER))
    ]  # fmt: skip
    with world.store.act(identity, "claim.add") as work:
        work.claims.add(said, case=case.id)
    place = f"/share/collections/{world.mine.id}"
    assert 'action="' not in look(mara, place).text.split('id="objects"')[1].split("</section>")[0]
    done = send(ingrid, f"{place}/release", case=case.id, reason="agreed with the liaison")
    assert "objects are new there" in done.text
    assert "at most TLP:AMBER goes there" not in done.text
    for partner, seen, unseen in (
        (world.ally, "In confidence", "Not of this case"),
        (world.low, "DarkSide", "In confidence"),
    ):
        shown = look(ingrid, f"/share/partners/{partner.id}").text
        assert seen in shown
        assert unseen not in shown
        assert "new since its last fetch" in shown
    assert look(mara, f"/share/partners/{world.ally.id}").status == 403
    fetched = world.low_client.every(world.path)
    assert b"In confidence" not in json.dumps(fetched).encode()
    again = look(ingrid, f"/share/partners/{world.low.id}").text
    assert "0 new since its last fetch" in again
    (note,) = (each["id"] for each in fetched if each["type"] == "note" and "DarkSide" in each["content"])
    page = look(mara, place).text
    assert world.low.name in page
    assert "agreed with the liaison" not in page  # why it went is for whoever decides
    assert "agreed with the liaison" in look(ingrid, place).text
    gone = send(ingrid, f"{place}/withdraw", id=note, reason="wrong person", along="1")
    assert gone.status == 200
    assert world.low.name in gone.text
    assert world.ally.name not in gone.text
    assert "it has, taken out since" in look(ingrid, f"/share/partners/{world.low.id}").text
    assert note not in {each["id"] for each in world.low_client.every(world.path)}


def test_withdrawing_alone_is_refused_where_something_names_it(world, people):
    _, ingrid = people
    world.release(world.mine, [indicator(1), indicator(2, name=f"see {indicator(1)['id']}")], marking=GREEN)
    place = f"/share/collections/{world.mine.id}/withdraw"
    refused = send(ingrid, place, id=indicator(1)["id"], reason="x")
    assert (refused.status, "name it and would tell of it" in refused.text) == (409, True)


def test_who_may_not_decide_decides_nothing(world, people):
    mara, ingrid = people
    world.release(world.mine, [indicator(1)], marking=GREEN)
    place = f"/share/collections/{world.mine.id}"
    for path in ("release", "withdraw"):
        assert send(mara, f"{place}/{path}", id=indicator(1)["id"], ids=indicator(1)["id"], reason="x").status == 403
    assert send(mara, "/share/collections", title="x", group=world.of, highest="TLP:GREEN").status == 403
    made = follow(ingrid, send(ingrid, "/share/collections", title="Another", group=world.of, highest="TLP:GREEN"))
    assert "Another" in made.text
    assert send(ingrid, "/share/collections", title="Open", group="", highest="TLP:GREEN").status == 400


def test_an_object_shows_its_versions_conflicts_and_what_is_said_of_it(world, people):
    mara, _ = people
    world.release(world.mine, [indicator(31), indicator(31, modified="2026-06-01T00:00:00.000Z")], marking=GREEN)
    world.release(world.mine, [indicator(31, name="<script>otherwise")], marking=GREEN)
    place = f"/share/objects/{indicator(31)['id']}"
    page = look(mara, place).text
    assert "contradicted" in page
    assert "<script>otherwise" not in page
    assert "&lt;script&gt;otherwise" in page
    said = send(mara, f"{place}/say", opinion="disagree", text="seen otherwise", marking="TLP:GREEN", pap="PAP:GREEN")
    assert "disagrees" in follow(mara, said).text
    seen = send(mara, f"{place}/say", opinion="", count="3", marking="TLP:GREEN", pap="PAP:GREEN")
    assert "seen 3 times" in follow(mara, seen).text
    assert look(mara, "/share/objects/indicator--00000000-0000-4000-8000-000000000000").status == 404
    assert "url" in look(mara, "/share/find?q=https://31.example").text
    assert indicator(31)["id"][-12:] in look(mara, "/share/find?q=https://31.example").text


def test_sources_say_how_they_are(world, people):
    mara, _ = people
    identity = world.site.identity(mara.person)
    url = "https://partner.example/root/collections/c/"
    given = {
        "kind": "taxii",
        "url": url,
        "token": "swp_secret",
        "minutes": "5",
        "marking": "TLP:GREEN",
        "pap": "PAP:GREEN",
    }
    page = follow(mara, send(mara, "/share/sources", **given)).text
    assert "not asked yet" in page
    assert "swp_secret" not in page
    assert send(mara, "/share/sources", **given | {"url": "http://x/"}).status == 400
    answer = Answer(status=500, body=b"{}")
    pull(world.node, identity, "share.pull", Remote(url=url), IntakeRules(GREEN, Pap.GREEN), ask=lambda *_: answer)
    page = look(mara, "/share/sources").text
    assert "the server answered 500" in page
    with world.store.inside(identity) as work:
        (source,) = (each for each in work.sources.all() if each.handling.owner == mara.person)
    assert "ended" in follow(mara, send(mara, f"/share/sources/{source.id}/end")).text


def test_a_case_shows_what_others_say_of_it(world, people):
    _, ingrid = people
    with world.store.act(world.ingrid, "case.open") as work:
        case = work.cases.add("Waterworks", marking=GREEN)
    subject = Subject("address", REGTEST.caip2, address_of("watched"))
    claim = Claim(
        subject=subject,
        kind="note",
        statement={"text": "ours"},
        layer=Layer.OBSERVATION,
        marking=GREEN,
        source="s",
        made_by="m",
    )
    with world.store.act(world.ingrid, "claim.add") as work:
        work.claims.add([claim], case=case.id)
    pattern = f"[cryptocurrency-wallet:value = '{address_of('watched')}']"
    world.release(world.mine, [indicator(61, name="What a partner says", pattern=pattern)], marking=GREEN)
    page = look(ingrid, f"/cases/{case.id}").text
    assert "Said elsewhere" in page
    assert "What a partner says" in page
