"""What people do in the house: make, change, open and close things, gain and lose rights; each change is in the model as well.

Where somebody tries at what they may not see, the answer must be the one about what is not there.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from typing import Any

from leaks_house_support import CHAIN, OPERATOR, PAPS, SUBJECTS, Hook, House, Leak, Post, query, ranks
from leaks_model_support import READERS, RED, TELLING, TLP, WRITERS, Dice, Eye, Thing, canaries, canary, opens
from sqlalchemy import select
from web_support import address_of

from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.operators import NODE
from shieldwall.store.jobs import State
from shieldwall.store.schema import claims, file_parts, files, jobs
from shieldwall.store.watches import NewAlarm

PAYER = address_of("payer")  # whose money goes to all subjects
LEASE = 3600 * 1_000_000
_turns = itertools.count()


FURNITURE = (
    *("add_case", "add_case", "add_case", "add_claim", "add_claim", "add_tags", "add_tags", "add_tags", "add_tags"),
    *(
        "add_file",
        "add_file",
        "add_watch",
        "add_watch",
        "ring",
        "ask_job",
        "ask_job",
        "work",
        "ask_approval",
        "ask_approval",
        "add_finding",
        "add_request",
        "add_request",
    ),
)


class Changes(House):  # type: ignore[misc]  # mypy does not know where helpers of tests are
    """Everything that changes something; each takes dice for its choices."""

    def furnish(self, dice: Dice) -> None:
        """So that there is something to see from the first step on."""
        for name in FURNITURE:
            getattr(self, name)(dice)
            self.settle()

    # cases

    def add_case(self, dice: Dice) -> None:
        eye = self.writer(dice)
        asked = self.handling(dice, eye)
        title, silent = canary(), dice.under(0.3)
        people = dice.some([person.id for person in self.world.people], 0.3)
        groups = dice.some(list(self.world.groups), 0.2)
        body = {"title": title, "silent": silent, "people": people, "groups": groups}
        answer = self.ask(eye, "POST", "/cases", {**body, "marking": asked["marking"], "pap": asked["pap"]})
        self.same("opening a case", answer.status, self.refuses(eye, "writes") or 201)
        if answer.status == 201:
            case_id, maker = answer.json["id"], eye.person.id
            asked = {"marking": asked["marking"], "pap": asked["pap"], "case": case_id}
            state = {"people": {maker, *people}, "groups": set(groups), "silent": silent}
            self.keep("case", case_id, title, asked, maker, status="open", contact=maker, **state)

    def _etag(self, eye: Eye, case: Thing) -> dict[str, str]:
        answer = self.ask(eye, "GET", f"/cases/{case.id}")
        return {"If-Match": answer.headers.get("etag", '"x"')}

    def change_case(self, dice: Dice) -> None:
        eye = self.writer(dice)
        case = self._reach(dice, eye, "case")
        if case is None:
            return
        body: dict[str, Any] = {}
        if dice.under(0.4):
            body["title"] = canary()
        if dice.under(0.4):
            body["silent"] = dice.under(0.5)
        if dice.under(0.3):
            body["status"] = dice.pick(("open", "open", "closed"))
        if dice.under(0.3):
            body["marking"], body["pap"] = dice.pick(TLP), "PAP:RED"
        if dice.under(0.2):
            body["contact"] = dice.pick(self.world.people).id
        if not self.world.sees(eye, case):
            self.alike(eye, "PATCH", "/cases/{}", case.id, body, headers={"If-Match": '"x"'})
            return
        answer = self.ask(eye, "PATCH", f"/cases/{case.id}", body, headers=self._etag(eye, case))
        if answer.status != 200:
            return
        case.mark = body.get("title", case.mark)
        case.marking = TLP.index(body["marking"]) if "marking" in body else case.marking
        case.pap = 3 if "pap" in body else case.pap
        case.more |= {name: body[name] for name in ("silent", "status", "contact") if name in body}

    def set_members(self, dice: Dice) -> None:
        eye = self.writer(dice)
        case = self._reach(dice, eye, "case")
        if case is None:
            return
        people = dice.some([person.id for person in self.world.people])
        body = {"people": people, "groups": dice.some(list(self.world.groups), 0.3)}
        if dice.under(0.8):
            body["people"] = [*{*people, case.more["contact"]}]
        if not self.world.sees(eye, case):
            self.alike(eye, "PUT", "/cases/{}/members", case.id, body, headers={"If-Match": '"x"'})
            return
        answer = self.ask(eye, "PUT", f"/cases/{case.id}/members", body, headers=self._etag(eye, case))
        if answer.status == 200:
            case.more |= {"people": set(body["people"]), "groups": set(body["groups"])}

    # what is worked in a case

    def add_finding(self, dice: Dice) -> None:
        eye, text = self.writer(dice), canary()
        case = self._reach(dice, eye, "case")
        if case is None:
            return
        body = {"layer": "observation", "text": text}
        if not self.world.sees(eye, case):
            self.alike(eye, "POST", "/cases/{}/findings", case.id, body)
            return
        answer = self.ask(eye, "POST", f"/cases/{case.id}/findings", body)
        if answer.status == 201:
            owner = eye.person.id
            self.keep(
                "claim", answer.json["id"], text, self._as(case), owner, subject=f"case {case.id}", retracted=False
            )

    def add_request(self, dice: Dice) -> None:
        eye, text = self.writer(dice), canary()
        case = self._reach(dice, eye, "case")
        if case is None:
            return
        if not self.world.sees(eye, case):
            self.alike(eye, "POST", "/cases/{}/requests", case.id, {"kind": "inform"})
            return
        made = self.ask(eye, "POST", f"/cases/{case.id}/requests", {"kind": "inform"})
        if made.status != 201:
            return
        content = {**made.json["content"], "narrative": text}
        body = {"version": made.json["version"], "content": content}
        answer = self.ask(eye, "PUT", f"/requests/{made.json['id']}", body)
        if answer.status == 200:
            self.keep("request", made.json["id"], text, self._as(case), eye.person.id)

    def change_request(self, dice: Dice) -> None:
        """Mark a request more strictly than its case, or try whatever deed comes next."""
        eye = self.writer(dice)
        request = self._reach(dice, eye, "request")
        if request is None:
            return
        if not self.world.sees(eye, request):
            self.alike(eye, "POST", "/requests/{}/deeds", request.id, {"deed": "submit", "version": 2})
            return
        there = self.ask(eye, "GET", f"/requests/{request.id}")
        if there.status != 200:
            return
        if dice.under(0.4):
            marking = dice.pick(TLP)
            body = {"version": there.json["version"], "content": {**there.json["content"], "marking": marking}}
            if self.ask(eye, "PUT", f"/requests/{request.id}", body).status == 200:
                request.marking = max(request.marking, TLP.index(marking), self.world.case(str(request.case)).marking)
            return
        body = {"deed": dice.pick(("submit", "withdraw", "send")), "version": there.json["version"]}
        self.ask(eye, "POST", f"/requests/{request.id}/deeds", body)

    def _as(self, case: Thing) -> dict[str, Any]:
        return {"marking": TLP[case.marking], "pap": f"PAP:{PAPS[case.pap]}", "case": case.id}

    # claims and tags

    def add_claim(self, dice: Dice) -> None:
        eye, subject, text = self.writer(dice), dice.pick(SUBJECTS), canary()
        asked = self.handling(dice, eye)
        body = {
            "subject": {"type": "address", "chain": CHAIN, "name": subject},
            "kind": "note",
            "statement": {"text": text},
            "layer": "observation",
            **asked,
        }
        answer = self.ask(eye, "POST", "/claims", body)
        if answer.status == 201:
            thing = self.keep("claim", answer.json["id"], text, asked, eye.person.id, subject=subject, retracted=False)
            self.world.put(subject, thing.case)

    def retract(self, dice: Dice) -> None:
        eye = self.writer(dice)
        claim = self._reach(dice, eye, "claim", fits=lambda thing: bool(thing.id) and not thing.more["retracted"])
        if claim is None:
            return
        reason = canary()
        if not self.world.sees(eye, claim):
            self.alike(eye, "POST", "/claims/{}/retraction", claim.id, {"reason": reason})
            return
        answer = self.ask(eye, "POST", f"/claims/{claim.id}/retraction", {"reason": reason})
        if answer.status == 201:
            claim.bears.add(reason)
            claim.more["retracted"] = True

    def add_tags(self, dice: Dice) -> None:
        """A set of one marking, or one that is open and closed in parts."""
        eye, name, asked = self.writer(dice), canary(), self.handling(dice, self.writer(dice))
        where = {part: asked.get(part) for part in ("case", "group")}
        tags = [(dice.pick(SUBJECTS), canary()) for _ in range(1 + dice.number(2))]
        if dice.under(0.3):
            tags = [*tags[:1], (dice.pick(SUBJECTS), canary())]
            packs = [_pack(tags[:1], public=True), _pack(tags[1:], public=False)]
            options, body = {"file": "packs.zip", "pap": asked["pap"]}, _zip(packs)
            markings = [0, RED]
        else:
            lines = ["address,label,category", *(f"{subject},{label},exchange" for subject, label in tags)]
            options, body = (
                {"file": "tags.csv", "marking": asked["marking"], "pap": asked["pap"]},
                "\n".join(lines).encode(),
            )
            markings = [TLP.index(asked["marking"])] * len(tags)
        path = "/tag-sets?" + query({**options, **where, "set": name, "network": "regtest"})
        answer = self.ask(eye, "POST", path, raw=body)
        if answer.status != 201:
            return
        owner, pap = eye.person.id, PAPS.index(asked["pap"].removeprefix("PAP:"))
        made = []
        for (subject, label), marking in zip(tags, markings, strict=True):
            tag = Thing("claim", "", label, marking, pap, owner, where["case"], where["group"])
            tag.more = {"subject": subject, "retracted": False, "tag": True}
            self.world.things.append(tag)
            self.world.put(subject, tag.case)
            made.append(tag)
        for tag in made:  # who sees one of its tags sees the set's name
            tag.bears.add(name)
        self.world.things.append(
            Thing("set", name, "", min(markings), pap, owner, where["case"], where["group"], more={"tags": made})
        )

    # files

    def add_file(self, dice: Dice) -> None:
        eye = self.writer(dice)
        asked, name, content = self.handling(dice, eye), canary(), canary()
        path = "/files?" + query({"name": f"{name}.txt", **asked})
        answer = self.ask(eye, "POST", path, raw=f"{dice.pick(SUBJECTS)}\n{content}\n".encode())
        if answer.status == 201:
            self.keep("file", answer.json["id"], name, asked, eye.person.id).bears.add(content)

    # watches

    def add_watch(self, dice: Dice) -> None:
        eye, subject, note = self.writer(dice), dice.pick(SUBJECTS), canary()
        asked = self.handling(dice, eye)
        body = {"kind": "address", "target": subject, "note": note, "channels": ["mail", "webhook"], "handling": asked}
        answer = self.ask(eye, "POST", "/watches", body)
        if answer.status == 201:
            self.keep("watch", answer.json["id"], note, asked, eye.person.id, active=True, subject=subject)
            self.world.put(subject, asked.get("case"))

    def stop_watch(self, dice: Dice) -> None:
        self._end(dice, "watch", "DELETE", "/watches/{}", lambda watch: watch.more.update(active=False))

    def answer_alarm(self, dice: Dice) -> None:
        self._end(dice, "alarm", "POST", "/alarms/{}/answer", lambda alarm: alarm.more.update(answered=True))

    def cancel_job(self, dice: Dice) -> None:
        def over(job: Thing) -> None:
            if job.more["state"] == "queued":
                job.more["state"] = "cancelled"

        self._end(dice, "job", "DELETE", "/jobs/{}", over)

    def _end(self, dice: Dice, kind: str, method: str, path: str, change: Any) -> None:
        eye = self.writer(dice)
        thing = self._reach(dice, eye, kind)
        if thing is None:
            return
        if not self.world.sees(eye, thing):
            self.alike(eye, method, path, thing.id)
        elif self.ask(eye, method, path.format(thing.id)).status == 200:
            change(thing)

    def ring(self, dice: Dice) -> None:
        """The node rings for a watch, and tells whoever it may outside."""
        watch = self._one(dice, "watch", fits=lambda thing: thing.more["active"])
        if watch is None:
            return
        marking, pap = max(watch.marking, dice.pick((0, 0, 2, 4))), max(watch.pap, dice.pick((0, 0, 3)))
        handling = Handling(
            marking=Marking(marking), pap=Pap(pap), owner=watch.owner, case=watch.case, group=watch.group
        )
        say, step = canary(), canary()
        body = {"event": "received", "say": say, "do": [{"say": step}]}
        store = self.site.store
        with store.act(NODE, "watch.ring") as work:
            found = next(each for each in work.watches.active() if each.id == watch.id)
            ways = list(self.site.node.deliverer.ways(found.target["channels"], handling))
            (rang,) = work.watches.ring(
                found, dict(found.seen), [NewAlarm(event=(str(next(_turns)),), body=body, handling=handling)], ways
            )
        alarm = Thing("alarm", rang.id, say, marking, pap, watch.owner, watch.case, watch.group, {step})
        alarm.more = {"answered": False, "watch": watch.id, "waiting": {way for way, _ in ways}}
        self.world.things.append(alarm)

    def deliver(self, _: Dice) -> None:
        """What leaves the node carries no more than its channel may."""
        self.site.node.deliverer.tick(1000)
        posted = list(self.posted)
        self.posted.clear()
        heard: dict[str, set[str]] = {"webhook": set(), "mail": set()}
        for to, text in posted:
            heard["webhook" if to == Hook().url else "mail"] |= canaries(text.replace(to, ""))
        wanted: dict[str, set[str]] = {"webhook": set(), "mail": set()}
        for alarm in self.world.of("alarm"):
            for channel in alarm.more["waiting"]:
                if self._told(alarm, channel):
                    wanted[channel] |= {alarm.mark, *alarm.bears}
            alarm.more["waiting"] = set()
        self.same("what left the node", heard, wanted)
        self.tally.let_out += sum(map(len, heard.values()))

    def _told(self, alarm: Thing, channel: str) -> bool:
        if alarm.pap > TELLING:
            return False
        if channel == "webhook":  # an endpoint is in no case and no group, and owns nothing
            return alarm.case is None and alarm.group is None and alarm.marking <= min(int(Hook().highest), RED - 1)
        owner = next(person for person in self.world.people if person.id == alarm.owner)
        eye = next(
            (eye for eye in self.world.eyes if eye.person is owner and eye.scopes is None and not eye.over), None
        )
        return eye is not None and alarm.marking <= int(Post().highest) and self.world.sees(eye, alarm)

    # jobs

    def ask_job(self, dice: Dice) -> None:
        """A trace, or a screening of a file that they see or not."""
        eye = self.writer(dice)
        asked = self.handling(dice, eye)
        body: dict[str, Any] = {"targets": [dice.pick((*SUBJECTS, PAYER, PAYER, PAYER))], "handling": asked}
        if dice.under(0.3):
            body["tags"] = ["nothing-is-called-so"]
        path, file = "/traces", self._one(dice, "file")
        if file is not None and dice.under(0.4):
            path, body = "/jobs", {"kind": "screening", "params": {"file": file.id, "hops": 0}, "handling": asked}
        answer = self.ask(eye, "POST", path, body)
        if answer.status == 202:
            self.keep("job", answer.json["id"], "", asked, eye.person.id, state="queued")

    def work(self, dice: Dice) -> None:
        """A worker takes a job: in truth, or one whose stage and outcome bear canaries."""
        waiting = [job for job in self.world.of("job") if job.more["state"] == "queued"]
        if not waiting:
            return
        if dice.under(0.5):
            self.site.node.runner.run_one()
            self._take_in(waiting[0])
            return
        store = self.site.store
        with store.upkeep(NODE) as work:
            job = work.jobs.claim(f"worker {next(_turns)}", LEASE)
        assert job is not None
        thing = next(each for each in waiting if each.id == job.id)
        stage = canary()
        with store.upkeep(NODE) as work:
            work.jobs.heartbeat(job, LEASE, (stage, 1, 2))
        thing.bears.add(stage)
        thing.more["state"] = "running"
        self.running.append((thing, job))

    def finish(self, dice: Dice) -> None:
        if not self.running:
            return
        thing, job = self.running.pop(dice.number(len(self.running)))
        said = canary()
        with self.site.store.act(NODE, "job.finish") as work:
            work.jobs.finish(job, State.DONE, {"sentence": said})
        thing.bears.add(said)
        thing.more["state"] = "done"

    def _take_in(self, job: Thing) -> None:
        """What a job made is in the model as the store has it; that nobody learns by it what they may not see is held here."""
        with self.site.store.inside(OPERATOR) as work:
            row = work.connection.execute(select(jobs).where(jobs.c.id == job.id)).one()
            outcome = json.loads(row.outcome_sealed or b"{}")
            job.more["state"] = row.state
            _handle(job, row)
            self._derive(job, canaries(json.dumps(outcome)))
            if row.state != "done":
                return
            kept = work.connection.execute(select(files).where(files.c.id == outcome["file"])).one()
            parts = select(file_parts.c.content_sealed).where(file_parts.c.file_id == kept.id)
            content = b"".join(work.connection.execute(parts).scalars()).decode()
            file = Thing("file", kept.id, "", 0, 0, kept.owner, more={"trace": kept.kind == "trace"})
            _handle(file, kept)
            self.world.things.append(file)
            self._derive(file, canaries(content))
            for claim_id in outcome.get("claims", ()):
                key = work.claims.row_id(claim_id)
                made = work.connection.execute(select(claims).where(claims.c.id == key)).first()
                claim = Thing("claim", claim_id, "", 0, 0, job.owner, more={"retracted": False, "trace": True})
                _handle(claim, made)
                body = json.loads(made.body_sealed)
                claim.more["subject"] = body["subject"]["name"]
                self.world.things.append(claim)
                self._derive(claim, canaries(json.dumps(body)))
                self.world.put(claim.more["subject"], claim.case)

    def _derive(self, thing: Thing, found: set[str]) -> None:
        for eye in self.world.eyes:
            if self.world.sees(eye, thing):
                for each in found:
                    if not self.world.may_read(eye, each):
                        raise Leak(f"{eye.person.name} would hear {each} by {thing}: {self._whose(each)}")
        thing.bears |= found

    # markings and approvals

    def _remarking(self, dice: Dice, eye: Eye) -> tuple[Thing, dict[str, Any]] | None:
        thing = self._reach(
            dice, eye, "claim", "file", "case", fits=lambda each: bool(each.id) and not each.more.get("retracted")
        )
        if thing is None:
            return None
        asked = self.handling(dice, eye)
        if thing.kind == "case":
            asked = {"marking": asked["marking"], "pap": asked["pap"]}
        elif dice.under(0.6):
            asked |= {"case": thing.case, "group": thing.group}
        if dice.under(0.5):
            asked |= {"marking": TLP[max(thing.marking, TLP.index(asked["marking"]))], "pap": "PAP:RED"}
        return thing, {"thing": thing.kind, "id": thing.id, **asked}

    def remark(self, dice: Dice) -> None:
        eye = self.writer(dice)
        chosen = self._remarking(dice, eye)
        if chosen is None:
            return
        thing, body = chosen
        if not self.world.sees(eye, thing):
            self.alike(eye, "POST", "/markings", thing.id, body | {"id": "{}"})
        elif self.ask(eye, "POST", "/markings", body).status == 200:
            self._apply(thing, body)

    def ask_approval(self, dice: Dice) -> None:
        eye = self.writer(dice)
        chosen = self._remarking(dice, eye)
        if chosen is None:
            return
        thing, change = chosen
        body = change | {"reason": canary()}
        if dice.under(0.4):
            body["seen_by"] = self.handling(dice, eye)
        if not self.world.sees(eye, thing):
            self.alike(eye, "POST", "/approvals", thing.id, body | {"id": "{}"})
            return
        answer = self.ask(eye, "POST", "/approvals", body)
        if answer.status == 201:
            asked = body.get("seen_by")
            made = self.keep("approval", answer.json["id"], body["reason"], asked or {}, eye.person.id, decision="open")
            if not asked:
                made.marking, made.pap, made.owner = thing.marking, thing.pap, thing.owner
                made.case, made.group = thing.case, thing.group
            made.more |= {"change": change, "by": eye.person.id}

    def decide(self, dice: Dice) -> None:
        able = [
            eye for eye in self.world.eyes if "approver" in eye.person.roles and eye.scopes is None and not eye.over
        ]
        eye = dice.pick(able) if able and dice.under(0.8) else self.anyone(dice)
        request = self._reach(
            dice,
            eye,
            "approval",
            fits=lambda each: each.more["decision"] == "open" and each.more["by"] != eye.person.id,
        )
        approve = dice.under(0.7)
        if request is None:
            return
        if not self.world.sees(eye, request):
            self.alike(eye, "POST", "/approvals/{}/decision", request.id, {"approve": approve})
            return
        answer = self.ask(eye, "POST", f"/approvals/{request.id}/decision", {"approve": approve})
        if answer.status != 200:
            return
        request.more["decision"] = "approved" if approve else "refused"
        change = request.more["change"]
        if approve:
            fits = [t for t in self.world.of(change["thing"]) if t.id == change["id"] and not t.more.get("retracted")]
            self._apply(fits[0], change)

    def withdraw(self, dice: Dice) -> None:
        def over(request: Thing) -> None:
            request.more["decision"] = "withdrawn"

        self._end(dice, "approval", "DELETE", "/approvals/{}", over)

    def _apply(self, thing: Thing, change: dict[str, Any]) -> None:
        """A thing is handled otherwise; a claim with another marking is a new one, and the old one is taken back.

        Where the new one is stricter, the old one is as hidden; else whoever could read it still can.
        """
        marking, pap = ranks(change)
        if thing.kind == "case":
            thing.marking, thing.pap = marking, pap
            return
        if thing.kind == "claim" and (marking, pap) != (thing.marking, thing.pap):
            new = Thing("claim", self._became(), thing.mark, marking, pap, thing.owner, more=dict(thing.more))
            new.bears |= {text for text in thing.bears if thing.more.get("trace")}
            new.more["tag"] = False
            thing.more["retracted"] = True
            if not opens(thing, marking, pap, change.get("case"), change.get("group")):
                thing.marking, thing.pap = marking, pap
                thing.case, thing.group = change.get("case"), change.get("group")
            self.world.things.append(new)
            thing = new
        thing.marking, thing.pap = marking, pap
        thing.case, thing.group = change.get("case"), change.get("group")
        if thing.kind == "claim" and thing.case is not None:
            self.world.put(thing.more["subject"], thing.case)

    def _became(self) -> str:
        size = self.site.store.audit_size()
        return next(
            entry["detail"]["became"] for entry in reversed(self.site.leaves(size - 3)) if "became" in entry["detail"]
        )

    # rights

    def change_person(self, dice: Dice) -> None:
        person = dice.pick(self.world.people)
        roles = set(dice.some([role.value for role in Role], 0.4)) or {"viewer"}
        roles = person.roles if dice.under(0.5) else roles
        highest = dice.pick((1, 2, 3, 4, 4))
        with self.site.store.act(OPERATOR, "test.change") as work:
            version = work.people.get(person.id).version
            wanted = frozenset(Role(role) for role in roles)
            spare = any(
                each is not person and each.active and "administrator" in each.roles for each in self.world.people
            )
            if "administrator" in person.roles and not spare:
                return  # the node keeps its last administrator
            work.people.change(person.id, version, roles=wanted, highest=Marking(highest))
        person.roles, person.highest = roles, highest

    def disable(self, dice: Dice) -> None:
        out = [person for person in self.world.people if not person.active]
        person = dice.pick(out if out and dice.under(0.7) else self.world.people)
        spare = any(each is not person and each.active and "administrator" in each.roles for each in self.world.people)
        if "administrator" in person.roles and not spare:
            return
        with self.site.store.act(OPERATOR, "test.disable") as work:
            version = work.people.get(person.id).version
            change = work.people.disable if person.active else work.people.enable
            change(person.id, version)
        person.active = not person.active
        for eye in self.world.eyes:
            if eye.person is person and not person.active:
                eye.revoked = True
        if person.active:
            self.open_session(person)

    def change_group(self, dice: Dice) -> None:
        group, person = dice.pick(list(self.world.groups.values())), dice.pick(self.world.people)
        with self.site.store.act(OPERATOR, "test.group") as work:
            (work.people.leave if person.id in group.members else work.people.join)(group.id, person.id)
        group.members ^= {person.id}

    def issue_token(self, dice: Dice) -> None:
        person = dice.pick(self.world.people)
        able = [*("read" for _ in person.roles & READERS), *("write" for _ in person.roles & WRITERS)]
        able += ["audit"] if "auditor" in person.roles else []
        if person.active and able:
            highest = min(dice.number(RED), person.highest)
            self.open_token(person, highest, set(dice.some(able, 0.7)) or {able[0]})

    def revoke_token(self, dice: Dice) -> None:
        tokens = [eye for eye in self.world.eyes if eye.scopes is not None and not eye.revoked]
        if not tokens:
            return
        token = dice.pick(tokens)
        owner = next((e for e in self.world.eyes if e.person is token.person and e.scopes is None and not e.over), None)
        if owner is not None:
            self.same("revoking", self.ask(owner, "DELETE", f"/tokens/{token.caller.token}").status, 200)
            token.revoked = True

    def _reach(self, dice: Dice, eye: Eye, *kinds: str, fits: Any = None) -> Thing | None:
        """Mostly one that somebody sees."""
        seen = [thing for thing in self.world.seen(eye, *kinds) if fits is None or fits(thing)]
        return dice.pick(seen) if seen and dice.under(0.7) else self._one(dice, *kinds, fits=fits)

    def _one(self, dice: Dice, *kinds: str, fits: Any = None) -> Thing | None:
        found = [thing for thing in self.world.of(*kinds) if fits is None or fits(thing)]
        return dice.pick(found) if found else None


def _handle(thing: Thing, row: Any) -> None:
    thing.marking, thing.pap, thing.owner = row.marking, row.pap, row.owner
    thing.case, thing.group = row.case_id, row.group_id


def _pack(tags: list[tuple[str, str]], *, public: bool) -> bytes:
    entries = [
        {"address": subject, "label": label, "currency": "BTC", "category": "exchange", "source": "https://example.org"}
        for subject, label in tags
    ]
    return json.dumps({"title": "A pack", "creator": "A desk", "is_public": public, "tags": entries}).encode()


def _zip(packs: list[bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for number, pack in enumerate(packs):
            archive.writestr(f"pack{number}.yaml", pack)
    return raw.getvalue()
