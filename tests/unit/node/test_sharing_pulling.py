"""Pulling from other servers: from our own, and from ones that misbehave as those in the field do."""

from __future__ import annotations

import json
import re

import pytest
from taxii_support import MEDIA_TYPE, indicator, new_of, taxii_in

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node import outbound
from shieldwall.node.outbound import Answer, Unreachable
from shieldwall.node.sharing.intake import IntakeRules
from shieldwall.node.sharing.pulling import PAGE, Remote, pull, subscribe
from shieldwall.node.sharing.pulling import push as send
from shieldwall.node.sharing.releasing import push
from shieldwall.node.sharing.subscribing import Subscriber

RULES = IntakeRules(marking=Marking.GREEN, pap=Pap.GREEN)
URL = "https://partner.example/root/collections/c/"
STAMPS = [f"2026-01-01T00:00:0{number}.000000Z" for number in range(10)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("pull")) as made:
        yield made


@pytest.fixture
def mara(site, request):
    """Somebody of one's own, who has pulled nothing yet."""
    return site.site.identity(site.site.person(f"Mara {request.node.name}"[:90], Role.ANALYST))


class Server:
    """Answers from a list; what it was asked is kept."""

    def __init__(self, *answers):
        self.answers, self.asked, self.waited = list(answers), [], []

    def __call__(self, _method, url, _body, _headers):
        self.asked.append(url)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def pull(self, site, identity, **more):
        return pull(
            site.node, identity, "share.pull", Remote(url=URL), RULES, ask=self, wait=self.waited.append, **more
        )


def page(*numbers, status=200, last="", media=MEDIA_TYPE, **beside):
    body = {"more": False, **beside}
    if numbers:
        body["objects"] = [indicator(number) for number in numbers]
    headers = {"content-type": media} | ({"x-taxii-date-added-last": last} if last else {})
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)


def kept(site, identity):
    with site.store.inside(identity) as work:
        mine = [each for each in work.stix.page(most=9999) if each.handling.owner == identity.person]
        return sorted(int(json.loads(each.raw)["id"][11:19], 16) for each in mine)


def test_our_own_server_is_read_from_where_it_was_left(site, mara):
    group = site.group("pulled")
    _, client = site.partner("Puller", group)
    collection = site.collection("Pulled", group)
    asked = []

    def ask(method, url, body, headers):
        asked.append(url)
        target = url.removeprefix("https://partner.example")
        found = client.ask(method, target, headers=headers, body=body)
        return Answer(status=found.status, body=found.body, headers=found.headers)

    remote = Remote(url=f"https://partner.example/pulled/collections/{collection.id}/")
    site.release(collection, [indicator(number) for number in range(PAGE + 200)])
    first = pull(site.node, mara, "share.pull", remote, RULES, ask=ask)
    assert (first.pages, first.objects, first.added, first.problem) == (2, PAGE + 200, PAGE + 200, "")
    nothing = pull(site.node, mara, "share.pull", remote, RULES, ask=ask)
    assert (nothing.pages, nothing.objects, nothing.began, nothing.reached) == (1, 0, first.reached, first.reached)
    site.release(collection, [indicator(number) for number in (5000, 5001)])
    again = pull(site.node, mara, "share.pull", remote, RULES, ask=ask)
    assert (again.objects, again.added) == (2, 2)
    whole = pull(site.node, mara, "share.pull", remote, RULES, ask=ask, again=True)
    assert (whole.objects, whole.added, whole.known) == (PAGE + 202, 0, PAGE + 202)
    assert len(kept(site, mara)) == PAGE + 202
    assert all(f"limit={PAGE}" in url for url in asked)


def test_a_server_that_leaves_next_out_is_read_by_its_dates(site, mara):
    server = Server(page(1, 2, more=True, last=STAMPS[2]), page(3, last=STAMPS[3]))
    found = server.pull(site, mara)
    assert (found.pages, found.problem, kept(site, mara)) == (2, "", [1, 2, 3])
    assert "added_after=2026-01-01T00%3A00%3A01.999999Z" in server.asked[1]  # the rest of that moment may follow


def test_filters_stay_while_next_goes_on(site, mara):
    server = Server(page(1, more=True, next="a/b&c", last=STAMPS[1]), page(2, last=STAMPS[2]))
    server.pull(site, mara)
    assert server.asked[1].endswith("&next=a%2Fb%26c")
    assert "added_after" not in server.asked[1]


@pytest.mark.parametrize(
    ("answers", "said", "taken"),
    [
        ([page(1, more=True, next="x", last=STAMPS[1])], "same page|one that was sent", [1]),
        ([page(1, more=True)], "neither where nor", [1]),
        ([page(1, more=True, last=STAMPS[1])], "nothing new|same page", [1]),
        ([page(more=True, last=STAMPS[1])], "nothing new", []),
        ([page(1, more=True, next="a", last=STAMPS[5]), page(2, last=STAMPS[1])], "back in time", [1]),
        ([page(1, more=True, next="a", last=STAMPS[1]), page(status=500)], "answered 500", [1]),
        ([page(status=302)], "elsewhere", []),
        ([page(status=401, title="who are you\x1b[2J")], r"answered 401 \(who are you\[2J\)", []),
        ([page(status=404)], "answered 404", []),
        ([Answer(status=200, body=b"<html>", headers={"content-type": "text/html"})], "not TAXII", []),
        ([Answer(status=200, body=b"[1", headers={"content-type": MEDIA_TYPE})], "no JSON", []),
        ([Answer(status=200, body=b"[]", headers={"content-type": MEDIA_TYPE})], "no envelope", []),
        ([Answer(status=200, body=b'{"objects": 7}', headers={"content-type": MEDIA_TYPE})], "object", []),
    ],
)
def test_a_server_that_misbehaves_is_left_with_a_sentence_and_never_in_a_loop(site, mara, answers, said, taken):
    server = Server(*answers)
    found = server.pull(site, mara)
    assert len(server.asked) < 10
    assert kept(site, mara) == taken
    if found.refusals:
        assert said == "object"
    else:
        assert re.search(said, found.problem), found.problem


def test_what_came_before_the_end_is_not_asked_for_again(site, mara):
    Server(page(1, more=True, next="a", last=STAMPS[1]), page(status=500)).pull(site, mara)
    server = Server(page(2, last=STAMPS[2]))
    found = server.pull(site, mara)
    assert (found.began, found.reached) == ("2026-01-01T00:00:00.999999Z", STAMPS[2])
    assert "added_after=2026-01-01T00%3A00%3A00.999999Z" in server.asked[0]


def test_nothing_is_lost_where_a_server_gives_several_the_same_moment_and_fails_between_their_pages(site, mara):
    Server(page(1, more=True, next="a", last=STAMPS[1]), page(status=500)).pull(site, mara)
    server = Server(page(1, 2, 3, last=STAMPS[1]))  # all of that moment
    server.pull(site, mara)
    assert "added_after=2026-01-01T00%3A00%3A00.999999Z" in server.asked[0]
    assert kept(site, mara) == [1, 2, 3]


@pytest.mark.parametrize("last", ["", "yesterday", "2026-99-01T00:00:00Z"])
def test_a_server_that_says_no_date_is_read_from_the_beginning_each_time(site, mara, last):
    for _ in range(2):
        server = Server(page(1, last=last))
        assert server.pull(site, mara).reached == ""
        assert "added_after" not in server.asked[0]


def test_a_server_that_is_busy_is_asked_again_a_little_later(site, mara):
    busy = page(status=429)
    told = Answer(status=503, body=b"{}", headers={"retry-after": "7"})
    server = Server(busy, told, Unreachable("no connection"), page(1, last=STAMPS[1]))
    assert server.pull(site, mara).problem == ""
    assert server.waited == [2.0, 7.0, 8.0]
    server = Server(Answer(status=503, body=b"{}", headers={"retry-after": "99999"}))
    assert "503" in server.pull(site, mara).problem
    assert server.waited == [60.0] * 3


def test_two_people_read_the_same_collection_each_for_themselves(site, mara):
    other = site.site.identity(site.site.person("Another reader", Role.ANALYST))
    for identity in (mara, other):
        assert Server(page(1, last=STAMPS[1])).pull(site, identity).began == ""


@pytest.mark.parametrize(
    "url", ["https://x.example/", "https://x.example/collections/c/?a=b", "ftp://x/collections/c/"]
)
def test_what_is_no_collection_is_not_asked(site, mara, url):
    with pytest.raises(UsageError):
        pull(site.node, mara, "share.pull", Remote(url=url), RULES)


def test_networks_inside_are_not_reached_unless_that_was_declared(site, mara, monkeypatch):
    monkeypatch.setattr(outbound, "system_resolve", lambda *_: ["127.0.0.1"])
    with pytest.raises(UsageError, match="must not be reached"):
        pull(site.node, mara, "share.pull", Remote(url=URL), RULES)


def test_only_what_may_go_to_others_is_pushed(site, mara):
    ingrid = site.ingrid
    with site.store.act(ingrid, "stix.add") as work:
        work.stix.add(
            new_of(indicator(9000 + number), Handling(pap=pap, owner=ingrid.person, marking=marking))
            for number, (marking, pap) in enumerate(
                [(Marking.GREEN, Pap.GREEN), (Marking.AMBER_STRICT, Pap.GREEN), (Marking.GREEN, Pap.RED)]
            )
        )
    sent = []

    def ask(method, url, body, headers):
        sent.append((method, url, json.loads(body)))
        return Answer(status=202, body=b'{"status": "complete", "success_count": 1}', headers={})

    remote = Remote(url=URL)
    status = push(site.node, ingrid, "share.push", remote, [indicator(9000)["id"]], "asked for", ask=ask)
    assert status["success_count"] == 1
    assert sent == [("POST", URL + "objects/", {"objects": [indicator(9000)]})]
    for number in (9001, 9002):
        with pytest.raises(NotAllowed):
            push(site.node, ingrid, "share.push", remote, [indicator(number)["id"]], "asked for", ask=ask)
    with pytest.raises(NotAllowed):
        push(site.node, mara, "share.push", remote, [indicator(9000)["id"]], "asked for", ask=ask)
    with pytest.raises(NotFound):
        push(site.node, ingrid, "share.push", remote, [indicator(9999)["id"]], "asked for", ask=ask)
    assert len(sent) == 1
    with pytest.raises(Unreachable, match="403"):
        send(remote, [b"{}"], ask=lambda *_: Answer(status=403, body=b"{}"))


# sources that are pulled without anybody asking


def subscribed(site, identity, server, *, url=URL, every=60):
    subscribe(site.node, identity, "share.subscribe", Remote(url=url, authorization="Bearer x"), RULES, every=every)
    return Subscriber(site.node, site.node._identity_of, ask=server, wait=server.waited.append)


def the_source(site, identity):
    with site.store.inside(identity) as work:
        (found,) = (each for each in work.sources.all() if each.handling.owner == identity.person)
        return found


def test_a_source_is_pulled_when_its_time_has_come_and_says_how_it_went(site, mara):
    server = Server(page(1, 2, last=STAMPS[2]), page(last=""), page(status=500))
    subscriber = subscribed(site, mara, server)
    assert subscriber.tick() == 1
    source = the_source(site, mara)
    assert (source.state["reached"], source.state["problem"], source.state["objects"]) == (STAMPS[2], "", 2)
    assert source.good_at is not None
    assert kept(site, mara) == [1, 2]
    assert subscriber.tick() == 0
    site.site.clock.at += 61_000_000
    assert subscriber.tick() == 1
    assert "added_after=2026-01-01T00%3A00%3A02" in server.asked[1]
    site.site.clock.at += 61_000_000
    assert subscriber.tick() == 1
    again = the_source(site, mara)
    assert "500" in again.state["problem"]
    assert (again.state["reached"], again.good_at < again.tried_at) == (STAMPS[2], True)
    with site.store.act(mara, "share.unsubscribe") as work:
        work.sources.end(source.id)
    site.site.clock.at += 61_000_000
    assert subscriber.tick() == 0


def test_who_may_no_longer_come_in_pulls_nothing_and_keeps_no_other_waiting(site, mara):
    other = site.site.identity(site.site.person("Leaving", Role.ANALYST))
    server = Server(page(7, last=STAMPS[1]))
    subscribed(site, other, server, url=URL.replace("/c/", "/d/"))
    subscriber = subscribed(site, mara, server)
    with site.store.act(site.ada, "person.disable") as work:
        work.people.disable(other.person, 1)
    assert subscriber.tick() == 2
    assert (len(server.asked), kept(site, mara), kept(site, other)) == (1, [7], [])
    with site.store.act(mara, "share.unsubscribe") as work:
        work.sources.end(the_source(site, mara).id)


def test_a_source_belongs_to_whoever_made_it(site, mara):
    other = site.site.identity(site.site.person("Not theirs", Role.ANALYST))
    subscribed(site, mara, Server(page(1)))
    source = the_source(site, mara)
    with site.store.look(other, "source.list") as work:
        assert [each for each in work.sources.all() if each.handling.owner == mara.person] == []
    with pytest.raises(NotFound), site.store.act(other, "share.unsubscribe") as work:
        work.sources.end(source.id)
    for every in (1, 10**9):
        with pytest.raises(UsageError, match="between pulls"):
            subscribe(site.node, mara, "share.subscribe", Remote(url=URL), RULES, every=every)
    with site.store.act(mara, "share.unsubscribe") as work:
        work.sources.end(source.id)
    with pytest.raises(Conflict), site.store.act(mara, "share.unsubscribe") as work:
        work.sources.end(source.id)


def test_who_pulls_by_hand_changes_no_subscription(site, mara):
    subscribed(site, mara, Server(page(last="")), every=900)
    before = the_source(site, mara)
    remote, rules = Remote(url=URL, authorization="Bearer another"), IntakeRules(marking=Marking.AMBER, pap=Pap.RED)
    pull(site.node, mara, "share.pull", remote, rules, ask=Server(page(1, last=STAMPS[1])), wait=lambda _: None)
    after = the_source(site, mara)
    assert (after.target, after.every, after.state["reached"]) == (before.target, 900, STAMPS[1])
    with site.store.inside(mara) as work:
        (held,) = (each for each in work.stix.page(most=9999) if each.handling.owner == mara.person)
        assert (held.handling.marking, held.source) == (Marking.AMBER, before.id)


@pytest.mark.parametrize("fault", ["0001-01-01T00:00:00Z", OverflowError("x")])
def test_what_nobody_foresaw_is_noted_with_the_source_and_keeps_no_other_waiting(site, mara, fault):
    def strange(*_):
        if isinstance(fault, Exception):
            raise fault
        return page(1, last=fault, more=True)

    subscribe(site.node, mara, "share.subscribe", Remote(url=URL, authorization="Bearer x"), RULES, every=900)
    Subscriber(site.node, site.node._identity_of, ask=strange, wait=lambda _: None).tick()
    assert the_source(site, mara).state["problem"]
