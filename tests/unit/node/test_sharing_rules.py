"""What goes by itself, by a rule, and what is redacted for those who may have less."""

from __future__ import annotations

import io
import json

import pytest
from taxii_support import indicator, taxii_in

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.sharing.intake import IntakeRules, take_bundle
from shieldwall.node.sharing.redacting import redact
from shieldwall.node.sharing.releasing import release, withdraw
from shieldwall.node.sharing.ruling import Ruler
from shieldwall.sharing.markings import PAP, TLP_2

GREEN, AMBER, RED = Marking.GREEN, Marking.AMBER, Marking.RED


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("rules")) as made:
        yield made


@pytest.fixture
def world(site, request):
    name = request.node.name.replace("_", "-")[:50].strip("-")
    site.of = site.group(name)
    site.ally, site.client = site.partner(f"Ally {name}", site.of)
    site.mine = site.collection("Things", site.of)
    site.path = f"/{name}/collections/{site.mine.id}/objects/"
    yield site
    with site.store.act(site.ingrid, "rule.end") as work:
        for each in work.rules.all(collection=site.mine.id):
            if each.ended_at is None:
                work.rules.end(each.id)


def bring(site, *bodies, marking=GREEN, pap=Pap.GREEN):
    raw = json.dumps({"objects": bodies}).encode()
    return take_bundle(site.node, site.ingrid, "share.import", io.BytesIO(raw), "here", IntakeRules(marking, pap))


def rule(site, *types, highest=GREEN, **more):
    with site.store.act(site.ingrid, "rule.add") as work:
        return work.rules.add(site.mine.id, types or ("indicator",), highest, "agreed", **more)


def ask(site):
    return Ruler(site.node, site.node._identity_of).tick()


def got(site):
    return {each["id"] for each in site.client.get(site.path + "?match[version]=all").json.get("objects", [])}


def test_what_fits_a_rule_goes_by_itself_from_then_on(world):
    bring(world, indicator(1))
    rule(world)
    assert ask(world) == 0  # that was there before
    secret, other = (
        indicator(3, object_marking_refs=[TLP_2[AMBER]]),
        indicator(4, object_marking_refs=[TLP_2[GREEN], PAP[Pap.RED]]),
    )
    url = {"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "value": "x"}
    bring(world, indicator(2), secret, other, url)
    assert ask(world) == 1
    assert got(world) == {indicator(2)["id"]}
    assert ask(world) == 0
    with world.store.look(world.ingrid, "share.decisions") as work:
        (decision,) = work.collections.decisions(world.mine.id, most=9)
    assert (decision.reason, decision.by) == ("rule: agreed", world.ingrid.person)


def test_what_names_something_that_does_not_go_stays(world):
    rule(world, "indicator")
    bring(world, indicator(11, name=f"see {indicator(12)['id']}"))
    bring(world, indicator(12), marking=RED)
    bring(world, indicator(13))
    assert ask(world) == 1
    assert got(world) == {indicator(13)["id"]}


def test_what_was_withdrawn_comes_back_by_no_rule(world):
    rule(world)
    bring(world, indicator(21))
    assert ask(world) == 1
    withdraw(world.node, world.ingrid, "share.withdraw", world.mine.id, indicator(21)["id"], "wrong")
    bring(world, indicator(21, modified="2026-06-01T00:00:00.000Z"))
    assert ask(world) == 0
    release(world.node, world.ingrid, "share.release", world.mine.id, [indicator(21)["id"]], "right after all")
    bring(world, indicator(21, modified="2026-07-01T00:00:00.000Z"))
    assert ask(world) == 1


def test_what_was_withdrawn_is_carried_back_by_no_rule_either(world):
    rule(world)
    maker = {
        "type": "identity", "spec_version": "2.1", "id": "identity--11111111-1111-4111-8111-000000000041",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "name": "With a phone number",
    }  # fmt: skip
    bring(world, maker, indicator(91, created_by_ref=maker["id"]))
    assert ask(world) == 2
    assert got(world) == {maker["id"], indicator(91)["id"]}
    withdraw(world.node, world.ingrid, "share.withdraw", world.mine.id, maker["id"], "wrong", along=True)
    bring(world, indicator(92, created_by_ref=maker["id"]))
    ask(world)
    assert got(world) == set()


def test_an_older_version_goes_by_no_rule_where_a_newer_one_is_marked_stricter(world):
    rule(world)
    marked = {level: [TLP_2[level], PAP[Pap.GREEN]] for level in (GREEN, Marking.RED)}
    older = indicator(93, modified="2026-01-01T00:00:00.000Z", object_marking_refs=marked[GREEN])
    bring(world, older, indicator(93, modified="2026-02-01T00:00:00.000Z", object_marking_refs=marked[Marking.RED]))
    assert ask(world) == 0
    assert got(world) == set()


def test_a_rule_has_the_rights_of_its_maker_and_ends(world):
    person = world.site.person("Approver for a while", Role.APPROVER, Role.ANALYST)
    identity = world.site.identity(person)
    with world.store.act(identity, "rule.add") as work:
        made = work.rules.add(world.mine.id, ["indicator"], GREEN, "agreed")
    with world.store.act(world.ada, "person.disable") as work:
        work.people.disable(person, 1)
    bring(world, indicator(31))
    assert ask(world) == 0
    assert got(world) == set()
    with world.store.act(world.ingrid, "rule.end") as work:
        work.rules.end(made.id)
        with pytest.raises(Conflict):
            work.rules.end(made.id)
        with pytest.raises(NotFound):
            work.rules.end("0" * 32)


def test_a_rule_that_cannot_be_is_refused(world):
    for types, highest in (([], GREEN), (["indicator"], Marking.AMBER_STRICT)):
        with pytest.raises(UsageError), world.store.act(world.ingrid, "rule.add") as work:
            work.rules.add(world.mine.id, types, highest, "agreed")
    mara = world.site.identity(world.site.person(f"Mara {world.mine.id}", Role.ANALYST))
    with pytest.raises(NotAllowed), world.store.act(mara, "rule.add") as work:
        work.rules.add(world.mine.id, ["indicator"], GREEN, "agreed")


def granular(number, **more):
    marks = [
        {"marking_ref": TLP_2[AMBER], "selectors": ["description", "labels.[1]"]},
        {"marking_ref": TLP_2[GREEN], "selectors": ["name"]},
    ]
    return indicator(
        number,
        name="n",
        description="secret source",
        labels=["a", "secret label", "c"],
        object_marking_refs=[TLP_2[GREEN], PAP[Pap.GREEN]],
        granular_markings=marks,
        **more,
    )


def test_a_redacted_object_is_another_one_and_tells_nothing_of_the_whole(world):
    whole = granular(41)
    bring(world, whole)
    assert release(world.node, world.ingrid, "share.release", world.mine.id, [whole["id"]], "agreed").added
    withdraw(world.node, world.ingrid, "share.withdraw", world.mine.id, whole["id"], "redacted instead")
    made = redact(world.node, world.ingrid, "share.redact", whole["id"], GREEN)
    assert made != whole["id"]
    assert release(world.node, world.ingrid, "share.release", world.mine.id, [made], "agreed").added[-1] == made
    body, maker = world.client.get(world.path + "?match[type]=indicator,identity").json["objects"][::-1]
    assert body["created_by_ref"] == maker["id"]
    assert (body["id"], body["labels"], body["pattern"], body["name"]) == (made, ["a", "c"], whole["pattern"], "n")
    assert whole["id"] not in json.dumps(body)
    assert "secret" not in json.dumps(body)
    assert "granular_markings" not in body
    with world.store.inside(world.ingrid) as work:
        assert json.loads(work.stix.get(whole["id"]).raw) == whole  # never changed
        (derived,) = (each for each in work.stix.page(most=999, kind="relationship") if made.encode() in each.raw)
        assert json.loads(derived.raw)["relationship_type"] == "derived-from"
        assert derived.handling.marking is AMBER


def test_what_cannot_be_redacted_says_so(world):
    bring(world, indicator(51), granular(52), indicator(53, object_marking_refs=[TLP_2[AMBER], PAP[Pap.CLEAR]]))
    whole = indicator(
        54, object_marking_refs=[TLP_2[GREEN]], granular_markings=[{"marking_ref": TLP_2[RED], "selectors": ["id"]}]
    )
    bring(world, whole)
    node, ingrid = world.node, world.ingrid
    with pytest.raises(NotAllowed, match="as a whole"):
        redact(node, ingrid, "share.redact", indicator(51)["id"], GREEN)  # it carries no marking of its own
    with pytest.raises(NotAllowed, match="AMBER"):
        redact(node, ingrid, "share.redact", indicator(53)["id"], GREEN)
    with pytest.raises(Conflict, match="no part"):
        redact(node, ingrid, "share.redact", granular(52)["id"], AMBER)
    with pytest.raises(Conflict, match="nothing sensible"):
        redact(node, ingrid, "share.redact", whole["id"], GREEN)
    mara = world.site.identity(world.site.person(f"Mara {world.mine.id}", Role.ANALYST))
    with pytest.raises(NotAllowed):
        redact(node, mara, "share.redact", granular(52)["id"], GREEN)
