"""Partners, groups, collections, releases, withdrawals, fetches in any order: everybody gets what is theirs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from taxii_support import indicator, taxii_in

from shieldwall.model.marking import Marking
from shieldwall.node.people.limits import Buckets
from shieldwall.sharing.markings import TLP_2

VERSIONS = [f"2026-01-0{day}T00:00:00.000Z" for day in range(1, 4)]
LEVELS = st.sampled_from([Marking.CLEAR, Marking.GREEN, Marking.AMBER])


@dataclass
class Friend:
    """A partner as the model knows it."""

    client: object
    id: str
    highest: Marking
    groups: set = field(default_factory=set)
    ended: bool = False
    cursors: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)  # by collection, what it went on to
    ever: set = field(default_factory=set)  # collection and identifier of all that it was ever given


class Sharing(RuleBasedStateMachine):
    """The node beside a model of plain sets."""

    site = None
    number = 0
    friends, groups, collections = Bundle("friends"), Bundle("groups"), Bundle("collections")

    @initialize()
    def begin(self):
        type(self).number += 1
        self.prefix = f"m{self.number}"
        self.all_friends, self.held, self.of, self.ceilings, self.made = [], {}, {}, {}, 0
        self.added = {}

    @rule(target=groups)
    def add_group(self):
        self.made += 1
        name = f"{self.prefix}-g{self.made}"
        return (self.site.group(name), name)

    @rule(target=friends, highest=LEVELS)
    def add_partner(self, highest):
        partner, client = self.site.partner(f"{self.prefix} p{len(self.all_friends)}", highest=highest)
        friend = Friend(client, partner.id, highest)
        self.all_friends.append(friend)
        return friend

    @rule(target=collections, group=groups, highest=LEVELS)
    def add_collection(self, group, highest):
        made = self.site.collection("C", group[0], highest=highest, writable=True)
        self.held[made.id], self.of[made.id], self.ceilings[made.id] = {}, group, highest
        return made

    @rule(friend=friends, group=groups)
    def join(self, friend, group):
        with self.site.store.act(self.site.ada, "partner.join") as work:
            work.partners.join(group[0], friend.id)
        friend.groups.add(group[0])

    @rule(friend=friends, group=groups)
    def leave(self, friend, group):
        if group[0] in friend.groups:
            with self.site.store.act(self.site.ada, "partner.leave") as work:
                work.partners.leave(group[0], friend.id)
            friend.groups.remove(group[0])

    @rule(friend=consumes(friends))
    def end(self, friend):
        with self.site.store.act(self.site.ada, "partner.end") as work:
            found = work.partners.get(friend.id)
            work.partners.change(friend.id, found.version, ended=True)
        friend.ended = True

    @rule(collection=collections, number=st.integers(0, 2), version=st.sampled_from(VERSIONS), marking=LEVELS)
    def release(self, collection, number, version, marking):
        if marking > self.ceilings[collection.id]:
            return
        body = indicator(number, modified=version)
        self.site.release(collection, [body], marking=marking)
        held, key = self.held[collection.id], (body["id"], version)
        if (collection.id, key) not in self.added:  # else there is another content of it, by a partner
            held[key] = min(marking, held.get(key, marking))

    @rule(collection=collections, number=st.integers(0, 2))
    def withdraw(self, collection, number):
        held, stix_id = self.held[collection.id], indicator(number)["id"]
        gone = [key for key in held if key[0] == stix_id]
        if gone:
            with self.site.store.act(self.site.ingrid, "share.withdraw") as work:
                work.collections.withdraw(collection.id, stix_id, "no")
            for key in gone:
                del held[key]
                self.added.pop((collection.id, key), None)

    @rule(friend=friends, highest=LEVELS)
    def change_partner(self, friend, highest):
        """Narrower or wider; who may have more from now on begins anew, as what it had passed over lies behind it."""
        with self.site.store.act(self.site.ada, "partner.change") as work:
            work.partners.change(friend.id, work.partners.get(friend.id).version, highest=highest)
        if highest > friend.highest:
            friend.cursors.clear()
        friend.highest = highest

    @rule(collection=collections, highest=LEVELS)
    def change_collection(self, collection, highest):
        with self.site.store.act(self.site.ingrid, "collection.change") as work:
            work.collections.change(collection.id, highest=highest)
        if highest > self.ceilings[collection.id]:
            for friend in self.all_friends:
                friend.cursors.pop(collection.id, None)
        self.ceilings[collection.id] = highest

    @rule(
        friend=friends,
        collection=collections,
        number=st.integers(0, 2),
        version=st.sampled_from(VERSIONS),
        marking=LEVELS,
    )
    def add_as_partner(self, friend, collection, number, version, marking):
        """What a partner adds goes to those who may have it; nothing of others goes away by it, and nothing is told of it."""
        body = indicator(number, modified=version, name=f"of {marking.name}", object_marking_refs=[TLP_2[marking]])
        path = f"/{self.of[collection.id][1]}/collections/{collection.id}/objects/"
        answer = friend.client.post(path, {"objects": [body]})
        if self.wanted(friend, collection.id) is None:
            assert answer.status in (401, 404)
            return
        held, key = self.held[collection.id], (body["id"], version)
        ceiling = min(friend.highest, self.ceilings[collection.id])
        if marking > self.ceilings[collection.id]:
            assert answer.json["failure_count"] == 0
        elif key not in held:
            assert answer.json["failure_count"] == 0
            held[key] = marking
            self.added[collection.id, key] = marking
        else:  # of this version there is another content, but for one of a partner that said the very same
            same = self.added.get((collection.id, key)) is marking
            assert answer.json["failure_count"] == (not same and held[key] <= ceiling)

    def wanted(self, friend, collection_id):
        """What a partner may have: None where there is nothing at all for it."""
        if friend.ended or self.of[collection_id][0] not in friend.groups:
            return None
        ceiling = min(friend.highest, self.ceilings[collection_id])
        return {key for key, marking in self.held[collection_id].items() if marking <= ceiling}

    @rule(collection=collections, number=st.integers(0, 2))
    def ask_who_has(self, collection, number):
        """Exactly those who were ever given it, however often it came and went."""
        with self.site.store.inside(self.site.ingrid) as work:
            had = {each.partner for each in work.served.who_has(collection.id, indicator(number)["id"])}
        assert had == {each.id for each in self.all_friends if (collection.id, indicator(number)["id"]) in each.ever}

    @rule(collection=collections, limit=st.integers(1, 3))
    def go_on(self, collection, limit):
        """Each partner takes a page from where it was, and in the end misses nothing that is still there."""
        for friend in self.all_friends:
            wanted = self.wanted(friend, collection.id)
            path = f"/{self.of[collection.id][1]}/collections/{collection.id}/objects/?match[version]=all&limit={limit}"
            after = friend.cursors.get(collection.id)
            answer = friend.client.get(path + (f"&added_after={after}" if after else ""))
            if wanted is None:
                assert answer.status in (401, 404)
                continue
            for each in answer.json.get("objects", []):
                friend.seen.setdefault(collection.id, set()).add((each["id"], each["modified"]))
                friend.ever.add((collection.id, each["id"]))
            friend.cursors[collection.id] = answer.headers.get("x-taxii-date-added-last", after)
            if not answer.json["more"]:
                assert wanted <= friend.seen.get(collection.id, set())

    @invariant()
    def everybody_gets_what_is_theirs(self):
        for friend in self.all_friends:
            for collection_id, group in self.of.items():
                path = f"/{group[1]}/collections/{collection_id}/"
                wanted = self.wanted(friend, collection_id)
                answer = friend.client.get(path + "objects/?match[version]=all")
                if wanted is None:
                    assert answer.status in (401, 404)
                    continue
                found = {(each["id"], each["modified"]) for each in answer.json.get("objects", [])}
                assert found == wanted
                friend.ever |= {(collection_id, name) for name, _ in found}
                manifest = friend.client.get(path + "manifest/?match[version]=all").json.get("objects", [])
                assert len(manifest) == len(wanted)
                newest = {name: max(v for n, v in wanted if n == name) for name, _ in wanted}
                last = friend.client.get(path + "objects/").json.get("objects", [])
                assert {(each["id"], each["modified"]) for each in last} == set(newest.items())
                first = friend.client.get(path + "objects/?match[version]=first").json.get("objects", [])
                assert len(first) == len(newest)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("machine")) as made:
        made.node.partners._pace = Buckets(1e9, 10**9)
        yield made


def run(site, **more):
    Sharing.site = site
    machine = Sharing.TestCase
    machine.settings = settings(deadline=None, **more)
    machine("runTest").runTest()


def test_everybody_gets_what_is_theirs(site):
    run(site, max_examples=12, stateful_step_count=20)


@pytest.mark.full
def test_everybody_gets_what_is_theirs_at_length(site):
    run(site, max_examples=40, stateful_step_count=40)
