"""What somebody could try who sends objects, definitions and requests on purpose: nothing opens, and nothing is told."""

from __future__ import annotations

import io
import json
import time

import pytest
from taxii_support import DAYS, indicator, new_of, taxii_in

from shieldwall.errors import Conflict, NotAllowed
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.sharing.intake import IntakeRules, take_bundle
from shieldwall.node.sharing.pulling import Remote
from shieldwall.node.sharing.releasing import preview, push, release, withdraw
from shieldwall.sharing.markings import PAP, TLP_2, TLP_EXTENSION

CLEAR, GREEN, AMBER, RED = Marking.CLEAR, Marking.GREEN, Marking.AMBER, Marking.RED
OWN = "marking-definition--aaaaaaaa-0000-4000-8000-{:012x}"
OLDER, NEWER = "2026-01-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("probes")) as made:
        yield made


class World:
    """A group with a partner that may have all and one that may have GREEN, and a collection of it."""

    numbers = iter(range(1, 10**6))

    def __init__(self, site, **more):
        self.site, self.number = site, next(self.numbers)
        self.name = f"probe-{self.number}"
        self.group = site.group(self.name)
        self.ally, self.client = site.partner(f"Ally {self.number}", self.group)
        self.low, self.low_client = site.partner(f"Low {self.number}", self.group, highest=GREEN)
        self.collection = site.collection(f"Collection {self.number}", self.group, **more)
        self.path = f"/{self.name}/collections/{self.collection.id}/objects/"

    def object(self, number, **more):
        return indicator(self.number * 1000 + number, **more)

    def note(self, number, **more):
        return note(self.number * 1000 + number, **more)

    def bring(self, *bodies, marking=GREEN, pap=Pap.CLEAR, by=None):
        raw = json.dumps({"type": "bundle", "objects": bodies}).encode()
        rules = IntakeRules(marking=marking, pap=pap)
        return take_bundle(self.site.node, by or self.site.ingrid, "share.import", io.BytesIO(raw), "here", rules)

    def release(self, *bodies, **more):
        ids = [body["id"] for body in bodies]
        return release(self.site.node, self.site.ingrid, "share.release", self.collection.id, ids, "agreed", **more)

    def withdraw(self, body, **more):
        node, ingrid = self.site.node, self.site.ingrid
        return withdraw(node, ingrid, "share.withdraw", self.collection.id, body["id"], "wrong", **more)

    def got(self, client, query=""):
        return [(each["id"], each.get("modified")) for each in client.get(self.path + query).json.get("objects", [])]

    def kept(self, body):
        with self.site.store.inside(self.site.ingrid) as work:
            return work.stix.versions(body["id"])


@pytest.fixture
def world(whole):
    return World(whole)


def note(number, **more):
    return {
        "type": "note",
        "spec_version": "2.1",
        "id": f"note--{number:08x}-0000-4000-8000-000000000000",
        "created": OLDER,
        "modified": OLDER,
        "content": "x",
        "object_refs": ["malware--99999999-2222-4333-8444-555555555555"],
        **more,
    }


def definition(ref, word, *, created=OLDER, **more):
    extension = {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": word}}
    body = {"type": "marking-definition", "spec_version": "2.1", "id": ref, "created": created}
    return body | {"extensions": extension, "object_marking_refs": [TLP_2[CLEAR], PAP[Pap.CLEAR]], **more}


# definitions of markings


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_of_two_definitions_of_one_marking_in_a_bundle_the_strictest_holds(world, order):
    ref = OWN.format(world.number)
    secret = world.object(1, object_marking_refs=[ref, PAP[Pap.CLEAR]])
    three = (definition(ref, "clear"), secret, definition(ref, "red", created=NEWER))
    world.bring(*(three[place] for place in order))
    assert [kept.handling.marking for kept in world.kept(secret)] == [RED]


def test_a_definition_that_is_kept_opens_nothing_that_a_bundle_defines_otherwise(world):
    ref = OWN.format(world.number)
    mara = world.site.site.identity(world.site.site.person(f"Mara {world.number}", Role.ANALYST))
    world.bring(definition(ref, "clear"), by=mara)
    secret = world.object(1, object_marking_refs=[ref, PAP[Pap.CLEAR]])
    world.bring(secret, definition(ref, "red", created=NEWER))
    assert [kept.handling.marking for kept in world.kept(secret)] == [RED]


def test_a_definition_that_a_partner_planted_says_nothing_of_what_others_bring(whole):
    world = World(whole, writable=True, unmarked=GREEN)
    ref = OWN.format(world.number)
    planted = definition(ref, "clear")
    assert world.client.post(world.path, {"objects": [planted]}).json["success_count"] == 1
    secret, mine = (world.object(number, object_marking_refs=[ref, PAP[Pap.CLEAR]]) for number in (1, 2))
    assert list(world.bring(secret).unknown) == [ref]
    assert [kept.handling.marking for kept in world.kept(secret)] == [RED]
    world.client.post(world.path, {"objects": [mine]})  # of its own things it may say it
    assert [kept.handling.marking for kept in world.kept(mine)] == [CLEAR]


# what is newest, and when it was added


def test_a_newer_version_that_somebody_may_not_have_changes_nothing_for_them(world):
    first, second = world.object(1), world.object(1, modified=NEWER)
    world.bring(first, marking=GREEN)
    world.release(first)
    world.site.release(world.collection, [second], marking=AMBER)
    assert world.got(world.client) == [(first["id"], NEWER)]
    for path in (world.path, f"{world.path}{first['id']}/"):
        assert world.low_client.get(path).json["objects"] == [first]
    assert world.got(world.low_client, "?match[version]=last") == [(first["id"], OLDER)]
    versions = world.low_client.get(f"{world.path}{first['id']}/versions/").json["versions"]
    assert versions == ["2026-01-01T00:00:00.000000Z"]


def test_a_partner_takes_nobody_s_objects_away_by_a_newer_version(whole):
    world = World(whole, writable=True)  # what comes without a marking is TLP:RED
    theirs = world.object(1)
    world.bring(theirs)
    world.release(theirs)
    newer = world.object(1, modified="2099-01-01T00:00:00.000Z")
    assert world.low_client.post(world.path, {"objects": [newer]}).status == 202
    assert world.got(world.client) == [(theirs["id"], OLDER)]


def test_moments_do_not_count_what_lies_between(world):
    levels = [GREEN, AMBER, GREEN, AMBER, AMBER, GREEN]
    ingrid = world.site.ingrid
    new = [
        new_of(world.object(place), Handling(marking=level, pap=Pap.CLEAR, owner=ingrid.person))
        for place, level in enumerate(levels)
    ]
    with world.site.store.act(ingrid, "stix.add") as work:
        numbers = work.stix.add(new).numbers
    with world.site.store.act(ingrid, "share.release") as work:
        work.collections.release(world.collection.id, numbers, "agreed")
    manifest = world.low_client.get(world.path.replace("/objects/", "/manifest/")).json["objects"]
    moments = [each["date_added"] for each in manifest]
    assert len(moments) == 3
    assert len({moment[:19] for moment in moments}) == 1
    figures = [int(moment[20:26]) for moment in moments]
    assert [figure - figures[0] for figure in figures] == [0, 1, 2]


# what becomes of what a partner adds


def test_a_contradiction_is_told_only_of_what_the_partner_may_have(whole):
    world = World(whole, writable=True, unmarked=GREEN)
    open_one, hidden = world.object(1), world.object(2)
    world.site.release(world.collection, [open_one], marking=GREEN)
    world.site.release(world.collection, [hidden], marking=AMBER)
    for body, failures in ((open_one, 1), (hidden, 0), (world.object(3), 0)):
        status = world.low_client.post(world.path, {"objects": [body | {"name": "probe"}]}).json
        assert status["failure_count"] == failures
    assert len(world.kept(hidden)) == 2  # whoever answers for the collection sees the conflict
    inbox = World(whole, readable=False, writable=True, unmarked=GREEN)
    inbox.site.release(inbox.collection, [inbox.object(1)], marking=GREEN)
    assert inbox.client.post(inbox.path, {"objects": [inbox.object(1, name="probe")]}).json["failure_count"] == 0


def test_what_a_partner_adds_goes_no_further_than_its_markings_say(whole):
    world = World(whole, writable=True, highest=GREEN)
    bodies = [
        world.object(1, object_marking_refs=[TLP_2[GREEN]]),
        world.object(2, object_marking_refs=[TLP_2[GREEN], PAP[Pap.RED]]),
        world.object(3, object_marking_refs=[TLP_2[AMBER]]),
        world.note(4, object_marking_refs=[TLP_2[GREEN]], object_refs=[world.object(3)["id"]]),
        world.note(5, object_marking_refs=[TLP_2[GREEN]], object_refs=[world.note(4)["id"]]),
    ]
    status = world.client.post(world.path, {"objects": bodies}).json
    assert (status["success_count"], status["failure_count"]) == (5, 0)
    assert [each["id"] for each in status["successes"] if "passed on to nobody" in each.get("message", "")] == [
        body["id"] for body in bodies[1:]
    ]
    assert [stix_id for stix_id, _ in world.got(world.client)] == [bodies[0]["id"]]


def test_what_names_something_stricter_of_the_same_partner_goes_to_those_alone_who_may_have_both(whole):
    world = World(whole, writable=True)
    secret = world.object(1, object_marking_refs=[TLP_2[AMBER]])
    telling = world.note(2, object_marking_refs=[TLP_2[GREEN]], content=f"see {secret['id']}")
    world.client.post(world.path, {"objects": [secret]})
    world.client.post(world.path, {"objects": [telling]})
    assert world.got(world.low_client) == []
    assert {stix_id for stix_id, _ in world.got(world.client)} == {secret["id"], telling["id"]}


def test_every_one_of_many_contents_is_told_of_as_it_is(whole):
    """The second of two contents stays out however far it stands from the first, and of two markings the open one holds."""
    world = World(whole, writable=True, unmarked=GREEN)
    bodies = [world.object(number) for number in range(600)]
    status = world.client.post(world.path, {"objects": [*bodies, bodies[0] | {"name": "other"}]}).json
    assert (status["success_count"], status["failure_count"]) == (600, 1)
    assert len(world.client.every(world.path)) == 600


# references


@pytest.mark.parametrize(
    "telling",
    [
        lambda secret: {"x_related": [secret]},
        lambda secret: {"external_references": [{"source_name": "x", "external_id": secret}]},
        lambda secret: {"object_refs": [[secret]]},
        lambda secret: {"content": f"see {secret}"},
        lambda secret: {"content": f"seeindicator{secret.removeprefix('indicator')}"},
        lambda secret: {"x_refs": secret},
        lambda secret: {"object_refs": [secret.upper().replace("INDICATOR", "indicator")]},
        lambda secret: {"x_map_refs": {"a": secret}},
        lambda secret: {"x_map": {secret: 1}},
        lambda secret: {"x_REF": secret},
        lambda secret: {"x_ref": f" {secret}"},
    ],
)
def test_a_name_tells_wherever_it_stands(world, telling):
    secret = world.object(1)
    world.bring(secret, marking=RED, pap=Pap.RED)
    body = world.note(2, **telling(secret["id"]))
    world.bring(body)
    assert world.release(body).added == ()
    raw = json.dumps(world.note(3, content="ESCAPED")).replace("ESCAPED", secret["id"].replace("i", "\\u0069"))
    world.bring(json.loads(raw))
    assert world.release(world.note(3)).added == ()


def test_the_definition_of_an_extension_is_named_by_its_use(world):
    ref = f"extension-definition--{world.number:08x}-0000-4000-8000-000000000000"
    extension = {
        "type": "extension-definition", "spec_version": "2.1", "id": ref, "created": OLDER, "modified": OLDER,
        "name": "secret", "schema": "s", "version": "1.0.0", "extension_types": ["property-extension"],
    }  # fmt: skip
    world.bring(extension, marking=RED, pap=Pap.RED)
    body = world.note(1, extensions={ref: {"extension_type": "property-extension"}})
    world.bring(body)
    assert world.release(body).added == ()


def test_a_chain_of_names_is_decided_at_once(world):
    secret = world.object(1)
    world.bring(secret, marking=RED)
    chain = [world.note(place, object_refs=[world.note(place + 1)["id"]]) for place in range(900)]
    chain[-1]["object_refs"] = [secret["id"]]
    world.bring(*chain)
    began = time.perf_counter()
    assert world.release(*chain).added == ()
    assert time.perf_counter() - began < 5


def test_thousands_of_markings_on_one_object_are_refused(whole):
    world = World(whole, writable=True, unmarked=GREEN)
    refs = [f"marking-definition--{place:08x}-0000-4000-8000-000000000000" for place in range(5000)]
    began = time.perf_counter()
    status = world.client.post(world.path, {"objects": [world.object(1, object_marking_refs=refs)]}).json
    assert status["failure_count"] == 1
    assert time.perf_counter() - began < 2


# taking back


def test_what_names_something_withdrawn_goes_with_it(world):
    about = world.object(1)
    telling, further = world.note(2, object_refs=[about["id"]]), world.note(3, object_refs=[world.note(2)["id"]])
    world.bring(about, telling, further)
    world.release(about, telling, further)
    with pytest.raises(Conflict, match="2 more objects"):
        world.withdraw(about)
    assert len(world.got(world.client)) == 3
    done = world.withdraw(about, along=True)
    assert set(done.ids) == {about["id"], telling["id"], further["id"]}
    assert [partner.id for partner, _ in done.had] == [world.ally.id]
    assert world.got(world.client) == []


def test_a_newer_version_that_is_marked_stricter_takes_the_older_one_back(world):
    first = world.object(1, object_marking_refs=[TLP_2[GREEN], PAP[Pap.CLEAR]])
    world.bring(first)
    world.release(first)
    assert world.bring(world.object(1, modified=NEWER), marking=RED).recalled == 0  # nobody said that it is stricter
    second = world.object(1, modified="2026-07-01T00:00:00.000Z", object_marking_refs=[TLP_2[RED]])
    assert world.bring(second).recalled == 1
    assert world.got(world.client, "?match[version]=all") == []
    assert world.release(first, every_version=True).added == ()
    with world.site.store.look(world.site.ingrid, "share.decisions") as work:
        assert [each.deed for each in work.collections.decisions(world.collection.id, most=9)][:2] == [
            "release",
            "recall",
        ]


def test_who_has_it_is_known_however_often_it_came_and_went(world):
    body = world.object(1)
    world.site.release(world.collection, [body], marking=AMBER)
    assert world.got(world.client)
    world.site.release(world.collection, [body], marking=GREEN)  # at another moment, for more of them
    assert [partner.id for partner, _ in world.withdraw(body).had] == [world.ally.id]
    world.site.release(world.collection, [body], marking=GREEN)
    assert [partner.id for partner, _ in world.withdraw(body).had] == [world.ally.id]
    assert world.got(world.low_client) == []  # it came too late, and is not named
    assert [partner.id for partner, _ in withdrawn_again(world, body)] == [world.ally.id]


def withdrawn_again(world, body):
    world.site.release(world.collection, [body], marking=AMBER)
    assert world.got(world.low_client) == []
    return world.withdraw(body).had


def test_thousands_of_versions_are_taken_back_at_once(world):
    bodies = [world.object(1, modified=f"2026-01-01T00:{place // 60:02}:{place % 60:02}.000Z") for place in range(1100)]
    world.site.release(world.collection, bodies, marking=GREEN)
    assert len(world.client.every(world.path + "?match[version]=all")) == 1100
    assert [partner.id for partner, _ in world.withdraw(bodies[0]).had] == [world.ally.id]
    assert world.got(world.client, "?match[version]=all") == []


def test_a_partner_opens_nothing_of_ours_by_adding_it_again(whole):
    world = World(whole, writable=True, unmarked=GREEN)
    body = world.object(1)
    world.site.release(world.collection, [body], marking=AMBER)
    assert world.client.post(world.path, {"objects": [body]}).json["status"] == "complete"
    assert world.got(world.low_client) == []
    assert world.got(world.client) == [(body["id"], body["modified"])]


def test_a_partner_takes_out_only_what_it_added(whole):
    world = World(whole, writable=True, unmarked=GREEN)
    ours, theirs, own = (world.object(number) for number in range(3))
    world.site.release(world.collection, [ours], marking=GREEN)
    world.client.post(world.path, {"objects": [theirs]})
    world.low_client.post(world.path, {"objects": [own]})
    asked = [world.low_client.ask("DELETE", f"{world.path}{body['id']}/").status for body in (ours, theirs, own)]
    assert asked == [403, 403, 200]
    assert {name for name, _ in world.got(world.client)} == {ours["id"], theirs["id"]}


def test_what_is_taken_out_while_it_is_being_fetched_went(world, monkeypatch):
    body = world.object(1)
    world.site.release(world.collection, [body], marking=GREEN)
    act, said = world.site.store.act, []

    def between(identity, name, *args, **more):
        if name == "taxii.objects" and not said:
            said.append(True)
            world.withdraw(body)
        return act(identity, name, *args, **more)

    monkeypatch.setattr(world.site.store, "act", between)
    got = world.got(world.client)
    monkeypatch.undo()
    assert (said, got) == ([True], [(body["id"], body["modified"])])
    with world.site.store.look(world.site.ingrid, "x") as work:
        assert [had.partner for had in work.served.who_has(world.collection.id, body["id"])] == [world.ally.id]
        (held,) = work.served.holdings(world.ally.id)
        assert (held.objects, held.gone) == (0, 1)


def test_whoever_decides_is_shown_only_what_they_may_see(world):
    site = world.site
    otto = site.site.identity(site.site.person(f"Otto {world.number}", Role.APPROVER))
    with site.store.act(site.ingrid, "case.add") as work:
        case = work.cases.add("Secret case").id
    secret = world.object(1, name="Only for the case")
    telling = world.object(2, description=f"see {secret['id']}")
    raw = json.dumps({"objects": [secret, telling]}).encode()
    rules = IntakeRules(marking=GREEN, pap=Pap.GREEN, case=case)
    take_bundle(site.node, site.ingrid, "share.import", io.BytesIO(raw), "here", rules)
    assert len(world.release(secret, telling).added) == 2
    shown = seen_by(world, otto)
    assert ([item.raw for item in shown.items], shown.unseen, shown.more) == ([], 2, 0)
    assert (len(seen_by(world, site.ingrid).items), seen_by(world, site.ingrid).unseen) == (2, 0)
    assert len(world.got(world.client)) == 2
    with site.store.look(otto, "x") as work:
        assert [held.objects for held in work.served.holdings(world.ally.id, seen=True)] == [0]
    done = withdraw(site.node, otto, "share.withdraw", world.collection.id, secret["id"], "wrong", along=True)
    assert (done.ids, done.unseen, [partner.id for partner, _ in done.had]) == ((secret["id"],), 1, [world.ally.id])


def seen_by(world, identity):
    found = preview(world.site.node, identity, "share.preview", world.ally.id, most=10)
    return next(each for each in found if each.collection.id == world.collection.id)


# preview and push


def test_preview_counts_all_and_calls_nothing_withheld_that_goes(world):
    world.bring(*[world.object(number, x_long="y" * 1_000_000) for number in range(20)])
    world.release(*[world.object(number) for number in range(20)])
    world.site.release(world.collection, [world.object(number) for number in range(100, 106)], marking=AMBER)
    world.got(world.low_client)
    node, ingrid = world.site.node, world.site.ingrid

    def seen(most):
        several = preview(node, ingrid, "share.preview", world.low.id, most=most)
        return next(each for each in several if each.collection.id == world.collection.id)

    found = seen(1000)
    assert (len(found.items), found.more, len(found.withheld), found.withheld_more) == (20, 0, 6, 0)
    assert 0 < len(found.has) < 20  # the first page has so many bytes
    assert {each.reason for each in found.withheld} == {"marked TLP:AMBER, above TLP:GREEN"}
    found = seen(4)
    assert (len(found.items), found.more, len(found.withheld), found.withheld_more) == (4, 16, 4, 2)


def test_what_is_pushed_names_nothing_that_stays_and_is_written_down(world):
    secret, telling = world.object(1), world.note(2, object_refs=[world.object(1)["id"]])
    world.bring(secret, marking=RED, pap=Pap.RED)
    world.bring(telling)
    remote = Remote(url="https://partner.example/root/collections/c/")
    with pytest.raises(NotAllowed, match="names an object"):
        push(world.site.node, world.site.ingrid, "share.push", remote, [telling["id"]], "asked", ask=None)


def test_a_secret_that_is_asked_for_is_not_read_before_its_sender_is_known(whole):
    """A body of somebody who may not send one is never taken into memory."""
    read = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(_message):
        pass

    scope = {
        "type": "http", "method": "POST", "path": "/nobody/collections/x/objects/", "headers": [],
        "query_string": b"", "client": ("203.0.113.9", 1),
    }  # fmt: skip
    whole.site.wire.loop.run_until_complete(whole.wire.app(scope, receive, send))
    assert read == []


def test_where_nothing_is_public_there_is_no_public_root(whole):
    assert whole.nobody.get("/public/").status == 404
    assert whole.nobody.get("/public/collections/").status == 404
    assert DAYS
