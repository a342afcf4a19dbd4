"""Every way by which the house tells something: each is tried by somebody, and held to what the model says they see.

Too much is a leak, and too little a fault as well: lists, counts and searches must be what the model says, to the last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from leaks_changes_support import Changes
from leaks_house_support import CHAIN, SUBJECTS, query
from leaks_model_support import Dice, Eye, Thing, canaries

SINGLE = {
    "case": "/cases/{}",
    "claim": "/claims/{}",
    "file": "/files/{}",
    "watch": "/watches/{}",
    "alarm": "/alarms/{}",
    "approval": "/approvals/{}",
    "job": "/jobs/{}",
}
LISTS = {
    "case": "cases",
    "claim": "claims",
    "file": "files",
    "watch": "watches",
    "alarm": "alarms",
    "approval": "approvals",
    "job": "jobs",
}
OF_CASE = (
    "/cases/{}/timeline",
    "/cases/{}/timeline?as_of=2100-01-01T00:00:00Z",
    "/cases/{}/incident",
    "/cases/{}/evidence",
    "/cases/{}/network",
    "/cases/{}/shared",
    "/cases/{}/red-flags",
    "/requests",
    "/travels",
    "//cases/{}",
    "//cases/{}/network",
    "//cases",
    "//cases?q=zq",
    "//requests?show=all",
)
"""Where something of a case is told."""

_Fits = Callable[[Thing], bool]


class Exits(Changes):  # type: ignore[misc]  # mypy does not know where helpers of tests are
    """Everything that only asks; each takes dice for its choices."""

    def leave(self, dice: Dice) -> None:
        """Some exit, by somebody."""
        dice.pick(EXITS)(self, self.anyone(dice), dice)

    # lists

    def list_one_kind(self, eye: Eye, dice: Dice) -> None:
        kind = dice.pick(list(LISTS))
        values, fits = self._filter(kind, dice)
        most = dice.pick((1, 2, 3, 7, 200, 200, 200, 200))
        found: list[dict[str, Any]] = []
        following = ""
        while True:
            path = f"/{LISTS[kind]}?" + query({**values, "most": most, "cursor": following or None})
            answer = self.ask(eye, "GET", path)
            if answer.status != 200:
                self.same(path, answer.status, self.refuses(eye, "reads"))
                return
            body = answer.json
            found += body[LISTS[kind]]
            if kind == "alarm":
                waiting = sum(not alarm.more["answered"] for alarm in self.world.seen(eye, "alarm"))
                self.same("alarms that nobody answered", body["unanswered"], waiting)
            following = body.get("next", "")
            if not following:
                break
        wanted = [thing for thing in self.world.seen(eye, kind) if fits(thing)]
        self.same(f"a list of {kind}s with {values}", _listed(kind, found), _marked(kind, wanted))

    def _filter(self, kind: str, dice: Dice) -> tuple[dict[str, Any], _Fits]:
        if dice.under(0.5):
            return {}, lambda _: True
        if kind in ("claim", "file"):
            case = self._one(dice, "case")
            if case is not None:
                return {"case": case.id}, lambda thing: thing.case == case.id
        if kind == "case":
            return {"status": "open"}, lambda thing: thing.more["status"] == "open"
        if kind == "alarm":
            watch = self._one(dice, "watch")
            if watch is not None:
                return {"watch": watch.id}, lambda thing: thing.more["watch"] == watch.id
        if kind == "watch":
            return {"active": "true"}, lambda thing: bool(thing.more["active"])
        if kind == "approval":
            return {"decision": "open"}, lambda thing: thing.more["decision"] == "open"
        if kind == "job":
            return {"state": "queued"}, lambda thing: thing.more["state"] == "queued"
        return {}, lambda _: True

    # single things

    def show_one(self, eye: Eye, dice: Dice) -> None:
        thing = self._one(dice, *SINGLE, fits=lambda each: bool(each.id))
        if thing is None:
            return
        path = self._door_of(thing, dice)
        if not eye.over and not eye.reads:
            self.same(path, self.ask(eye, "GET", path.format(thing.id)).status, 403)
        elif not self._sees_by_id(eye, thing):
            given = {"headers": {"If-None-Match": "*"}} if dice.under(0.2) else {}
            answer = self.alike(eye, "GET", path, thing.id, **given)
            self.same(path, answer.status, self.refuses(eye, "reads") or 404)
        else:
            answer = self.ask(eye, "GET", path.format(thing.id), first_only=path.endswith("/events"))
            self.same(path, answer.status, 200)
            if thing.mark and path == SINGLE[thing.kind] and thing.mark not in answer.text:
                self.same(f"{path} of {thing}", answer.text, f"something with {thing.mark}")

    def _sees_by_id(self, eye: Eye, thing: Thing) -> bool:
        """Whether somebody sees this, or the same claim in another place."""
        return any(self.world.sees(eye, each) for each in self.world.of(thing.kind) if each.id == thing.id)

    def _door_of(self, thing: Thing, dice: Dice) -> str:
        doors = [SINGLE[thing.kind]]
        if thing.kind == "file":
            doors.append("/files/{}/content")
        if thing.more.get("trace") and thing.kind == "file":
            doors += ["/traces/{}", "/traces/{}/picture.svg"] * 2
        if thing.kind == "job":
            doors += ["/jobs/{}/events"] if thing.more["state"] != "queued" else []
        return dice.pick(doors)

    # what is found

    def search(self, eye: Eye, dice: Dice) -> None:
        texts = [thing.mark or thing.id for thing in self.world.of("case", "file", "claim") if thing.mark or thing.id]
        text = dice.pick([*texts, *SUBJECTS, "zq"])
        answer = self.ask(eye, "GET", "/search?" + query({"q": text}))
        if answer.status != 200:
            self.same("search", answer.status, self.refuses(eye, "reads"))
            return
        hits = Counter((hit["kind"], hit["id"]) for hit in answer.json["hits"])
        if text in SUBJECTS:
            said = sum(claim.more["subject"] == text for claim in self.world.seen(eye, "claim"))
            (hit,) = (hit for hit in answer.json["hits"] if hit["kind"] == "address")
            self.same("a search's count", hit["title"], f"in the regtest chain store; {said} claims")
            return
        seen = self.world.seen(eye, "case", "file")
        if text == "zq":
            seen = [each for each in seen if each.mark]
        else:
            seen = [each for each in seen if text in (each.mark, each.id)]
        wanted = Counter((each.kind, each.id) for each in seen)
        wanted |= Counter({("claim", each.id): 1 for each in self.world.seen(eye, "claim") if each.id == text})
        if sum(wanted.values()) <= 50:
            self.same(f"a search for {text}", hits, wanted)

    def claims_of_a_subject(self, eye: Eye, dice: Dice) -> None:
        subject = dice.pick(SUBJECTS)
        answer = self.ask(eye, "GET", "/claims?" + query({"type": "address", "chain": CHAIN, "name": subject}))
        if answer.status != 200:
            self.same("claims of a subject", answer.status, self.refuses(eye, "reads"))
            return
        wanted = [claim for claim in self.world.seen(eye, "claim") if claim.more["subject"] == subject]
        self.same("claims of a subject", _listed("claim", answer.json["claims"]), _marked("claim", wanted))

    def known_of_a_subject(self, eye: Eye, dice: Dice) -> None:
        subject = dice.pick(SUBJECTS)
        path = (
            f"/addresses/{subject}"
            if dice.under(0.5)
            else "/subjects?" + query({"name": subject, "network": "regtest"})
        )
        answer = self.ask(eye, "GET", path)
        if answer.status != 200:
            self.same(path, answer.status, self.refuses(eye, "reads"))
            return
        known = answer.json["known"] if path.startswith("/addresses") else answer.json
        tags = [tag for tag in self.world.seen(eye, "claim") if tag.more.get("tag") and tag.more["subject"] == subject]
        standing = {tag.mark for tag in tags if not tag.more["retracted"]}
        self.same("labels of a subject", {tag["label"] for tag in known["tags"]}, standing)
        self.same("tags that were taken back", known["retracted"], sum(tag.more["retracted"] for tag in tags))

    def tag_sets(self, eye: Eye, _: Dice) -> None:
        answer = self.ask(eye, "GET", "/tag-sets")
        if answer.status != 200:
            self.same("tag sets", answer.status, self.refuses(eye, "reads"))
            return
        found = {each["name"]: (each["tags"], each["labels"]) for each in answer.json["sets"]}
        wanted = {}
        for each in self.world.seen(eye, "set"):
            tags = [tag for tag in each.more["tags"] if self.world.sees(eye, self._as_imported(each, tag))]
            wanted[each.id] = (len(tags), len({tag.mark for tag in tags}))
        self.same("tag sets", found, wanted)

    def _as_imported(self, given: Thing, tag: Thing) -> Thing:
        return Thing("claim", "", tag.mark, tag.marking, tag.pap, given.owner, given.case, given.group)

    def meetings(self, eye: Eye, _: Dice) -> None:
        answer = self.ask(eye, "GET", "/meetings")
        if answer.status != 200:
            self.same("meetings", answer.status, self.refuses(eye, "reads"))
            return
        if canaries(answer.text):
            self.same("meetings", answer.text, "no word of what meets")
        found = {(each["case"], each["contact"]) for each in answer.json["meetings"]}
        self.same("meetings", found, self.world.meetings(eye))

    # the log, people, the node

    def audit(self, eye: Eye, dice: Dice) -> None:
        newest = dice.under(0.9)
        path = "/audit?newest=true&most=50" if newest else "/audit?most=200"
        answer = self.ask(eye, "GET", path)
        self.same("the audit log", answer.status, self.refuses(eye, "audits") or 200)
        if canaries(answer.text):
            self.same("the audit log", answer.text, "ids and counts only")

    def entries(self, _: Eye, __: Dice) -> None:
        """Every new entry of the audit log, as the store has it."""
        for entry in self.new_leaves():
            if canaries(str(entry)):
                self.same("an entry of the audit log", entry, "ids and counts only")

    def groups(self, eye: Eye, _: Dice) -> None:
        answer = self.ask(eye, "GET", "/groups")
        if eye.over or eye.scopes is not None:
            self.same("groups", answer.status, 401 if eye.over else 403)
            return
        known = [group for group in self.world.groups.values() if eye.oversees or eye.person.id in group.members]
        found = {each["id"]: (each["name"], set(each["people"])) for each in answer.json["groups"]}
        self.same("groups", found, {group.id: (group.name, group.members) for group in known})

    def people(self, eye: Eye, dice: Dice) -> None:
        person = dice.pick(self.world.people)
        answer = self.ask(eye, "GET", f"/people/{person.id}")
        if eye.over or eye.scopes is not None:
            self.same("a person", answer.status, 401 if eye.over else 403)
            return
        self.same("a person", answer.status, 200 if eye.person is person or eye.oversees else 404)
        listed = self.ask(eye, "GET", "/people?most=200")
        self.same("people", listed.status, 200 if eye.oversees else 403)

    def tokens(self, eye: Eye, dice: Dice) -> None:
        everybody = dice.under(0.4)
        answer = self.ask(eye, "GET", f"/tokens?everybody={str(everybody).lower()}")
        if eye.over or eye.scopes is not None or (everybody and not eye.manages):
            self.same("tokens", answer.status, 401 if eye.over else 403)
            return
        tokens = (each for each in self.world.eyes if each.scopes is not None)
        wanted = {each.name for each in tokens if everybody or each.person is eye.person}
        self.same("tokens", {each["name"] for each in answer.json["tokens"]}, wanted)

    def the_rest(self, eye: Eye, dice: Dice) -> None:
        """What tells nothing of anybody's: it must not."""
        path = dice.pick(("/session", "/status", "/keys", "/chain", "/health", "/blocks/1", "/passkeys", "/audit/root"))
        self.ask(eye, "GET", path)

    def load(self, eye: Eye, _: Dice) -> None:
        """Whoever runs the node sees that jobs wait and run, and nothing of what they are about."""
        answer = self.ask(eye, "GET", "/work")
        self.same("the load", answer.status, self.refuses(eye, "manages") or 200)
        if answer.status == 200:
            if canaries(answer.text):
                self.same("the load", answer.text, "nothing of what jobs are about")
            wanted = {job.id for job in self.world.of("job") if job.more["state"] in ("queued", "running")}
            self.same("the load", {job["id"] for job in answer.json["work"]}, wanted)

    def mistakes(self, eye: Eye, dice: Dice) -> None:
        """Words about a mistake say nothing of what is there."""
        thing = self._one(dice, *SINGLE, fits=lambda each: bool(each.id))
        if thing is None:
            return
        path, body = dice.pick(
            (
                ("/cases", {"title": "t", "people": [thing.id[:32]], "groups": [thing.id[:32]]}),
                ("/watches", {"kind": "end", "target": thing.id[:32]}),
                ("/traces", {"targets": [thing.id[:32]]}),
                ("/markings", {"thing": "file", "id": thing.id[:32], "marking": "TLP:RED", "pap": "PAP:RED"}),
                ("/approvals", {"thing": "file", "id": thing.id[:32]}),
            )
        )
        if self.world.sees(eye, thing) or path == "/traces":
            return
        self.alike(eye, "POST", path, thing.id[:32], _placed(body, thing.id[:32]))

    def casework(self, eye: Eye, dice: Dice) -> None:
        """What belongs to a case, on its own and in its pages; and what is under way in all of them."""
        case = self._one(dice, "case")
        if case is None:
            return
        path = dice.pick(OF_CASE)
        if path.startswith("//"):
            self.ask(eye, "GET", path.format(case.id))  # a page: what it says is held to the model
        elif self.world.sees(eye, case):
            self.same(path, self.ask(eye, "GET", path.format(case.id)).status, 200)
        elif eye.reads and "{}" in path:
            self.same(path, self.alike(eye, "GET", path, case.id).status, 404)
        request = self._one(dice, "request")
        if request is None:
            return
        path = dice.pick(("/requests/{}", "/requests/{}/letter", "//requests/{}"))
        if path.startswith("//"):
            self.ask(eye, "GET", path.format(request.id))
        elif self.world.sees(eye, request):
            answer = self.ask(eye, "GET", path.format(request.id))
            if (answer.status, request.mark in answer.text) != (200, True):
                self.same(path, answer.status, f"something with {request.mark}")
        elif eye.reads:
            self.same(path, self.alike(eye, "GET", path, request.id).status, 404)
        rows = self.ask(eye, "GET", "/requests?most=200")
        if rows.status == 200:
            found = Counter(each["id"] for each in rows.json["requests"])
            wanted = Counter(thing.id for thing in self.world.seen(eye, "request"))
            if found - wanted:
                self.same("a list of requests", found, wanted)

    def a_hidden_place_in_a_list(self, eye: Eye, dice: Dice) -> None:
        """Cursors are sealed: an id is none, and the cursor of somebody else is none either."""
        other = self.anyone(dice)
        answer = self.ask(other, "GET", "/claims?most=1")
        cursor = answer.json.get("next", "") if answer.status == 200 else ""
        if cursor and other.person is not eye.person and eye.reads:
            taken = self.ask(eye, "GET", "/claims?" + query({"most": 1, "cursor": cursor}))
            self.same("the cursor of somebody else", taken.status, 422)


def _placed(body: dict[str, Any], thing_id: str) -> dict[str, Any]:
    """A body with a mark where the id stands."""

    def place(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: place(each) for name, each in value.items()}
        if isinstance(value, list):
            return [place(each) for each in value]
        return "{}" if value == thing_id else value

    placed: dict[str, Any] = place(body)
    return placed


def _listed(kind: str, found: list[dict[str, Any]]) -> Counter[str]:
    """What a list shows, as the model names it."""
    if kind != "claim":
        return Counter(each["id"] for each in found)
    texts = (each["claim"]["statement"] for each in found)
    return Counter(text.get("text") or text.get("label") or "a trace" for text in texts)


def _marked(kind: str, things: list[Thing]) -> Counter[str]:
    if kind != "claim":
        return Counter(each.id for each in things)
    return Counter(each.mark or "a trace" for each in things)


EXITS: tuple[Callable[[Exits, Eye, Dice], None], ...] = (
    *(Exits.list_one_kind,) * 4,
    *(Exits.show_one,) * 5,
    Exits.search,
    Exits.claims_of_a_subject,
    Exits.known_of_a_subject,
    Exits.tag_sets,
    Exits.meetings,
    Exits.audit,
    Exits.entries,
    Exits.groups,
    Exits.people,
    Exits.tokens,
    Exits.the_rest,
    Exits.load,
    Exits.mistakes,
    *(Exits.casework,) * 3,
    Exits.a_hidden_place_in_a_list,
)
