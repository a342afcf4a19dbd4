"""Cases, custody, requests and approvals as one machine on a node: whatever three people try, in whatever order.

After each step: custody logs are whole, nobody approved what they wrote, nothing went out that was not approved as it stands,
what is shown is what stands, and each moment of before is seen as it was then.
"""

from __future__ import annotations

from dataclasses import replace

from casework_support import Casework, answer_to
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from web_support import site_in

from shieldwall.cases import custody
from shieldwall.cases.finding import Finding
from shieldwall.cases.intake import Intake
from shieldwall.cases.pack import verifier
from shieldwall.cases.request import RequestKind
from shieldwall.cases.tracker import OUT, Deed, State
from shieldwall.cases.wording import Confidence
from shieldwall.errors import ShieldwallError
from shieldwall.model.claim import Layer
from shieldwall.node.casework import asking, holding, looking, packing, saying
from shieldwall.node.casework.filling import Filling, fill
from shieldwall.node.casework.opening import change_incident

WHO = st.sampled_from(["mara", "ingrid", "nora"])
PLACE = st.integers(0, 5)


class Cases(RuleBasedStateMachine):
    """Three people at one case, one of whom is not in it; `folders` makes a folder for each run."""

    folders = None

    @initialize()
    def begin(self):
        self.site_at = site_in(type(self).folders())
        self.site = self.site_at.__enter__()
        self.work = Casework(self.site)
        self.pieces, self.requests, self.claims = [], [], []
        self.seen = {}

    def teardown(self):
        if hasattr(self, "site_at"):
            self.site_at.__exit__(None, None, None)

    def try_(self, do):
        """Something that may be refused; a refusal changes nothing. What was seen before is kept to be looked at again."""
        self.remember()
        self.site.clock.at += 2_000_000
        try:
            return do()
        except ShieldwallError:
            return None

    def remember(self):
        view = self.work.look()
        self.seen[view.now] = self.shown(view)

    def shown(self, view):
        return (
            sorted(kept.id for some in view.findings.values() for kept in some),
            [(held.evidence.id, len(held.log)) for held in view.evidence],
            sorted((asked.row.id, asked.track.state, asked.request.narrative) for asked in view.requests),
            view.incident,
            sorted((entry.kind, entry.ref, entry.happened_at) for entry in view.entries),
        )

    def who(self, name):
        return getattr(self.work, name)

    @rule(who=WHO, sure=st.booleans(), text=st.sampled_from(["One.", "Two."]))
    def find(self, who, sure, text):
        confidence = Confidence.HIGH if sure else None
        finding = Finding(layer=Layer.INFERENCE, text=text, basis="co-spend", confidence=confidence)
        kept = self.try_(lambda: saying.add_finding(self.work.node, self.who(who), "x", self.work.case, finding))
        if kept:
            assert who != "nora"
            self.claims.append(kept.id)

    @precondition(lambda self: self.claims)
    @rule(who=WHO, place=PLACE)
    def take_back(self, who, place):
        claim = self.claims[place % len(self.claims)]
        if self.try_(lambda: saying.take_back(self.work.node, self.who(who), "x", claim, "wrong")):
            assert who != "nora"
            self.claims.remove(claim)

    @rule(who=WHO, text=st.sampled_from(["One.", "Two."]))
    def tell(self, who, text):
        self.try_(
            lambda: change_incident(self.work.node, self.who(who), "x", self.work.case, Intake({"what": text}, ()))
        )

    @rule(who=WHO)
    def acquire(self, who):
        how = holding.Acquired(method="copied", source="a server")
        given = (self.work.node, self.who(who), "x", self.work.case, "a.txt", "text/plain", b"x", how)
        held = self.try_(lambda: holding.acquire(*given))
        if held:
            assert who != "nora"
            self.pieces.append(held.evidence.id)

    @precondition(lambda self: self.pieces)
    @rule(who=WHO, place=PLACE, deed=st.sampled_from(["examined", "moved", "destroyed", "eaten"]))
    def handle(self, who, place, deed):
        piece = self.pieces[place % len(self.pieces)]
        entry = self.try_(lambda: holding.log_deed(self.work.node, self.who(who), "x", piece, deed, "work"))
        assert not (entry and who == "nora")

    @rule(who=WHO, kind=st.sampled_from([RequestKind.FREEZE, RequestKind.INFORM]))
    def draft(self, who, kind):
        def do():
            request = fill(self.work.node, self.who(who), "x", self.work.case, Filling(kind=kind, recipient="binance"))
            return asking.draft(self.work.node, self.who(who), "x", self.work.case, request)

        asked = self.try_(do)
        if asked:
            assert who != "nora"
            self.requests.append(asked.row.id)

    @precondition(lambda self: self.requests)
    @rule(
        who=WHO,
        place=PLACE,
        deed=st.sampled_from(
            ["edit", "submit", "approve", "approve", "give back", "send", "send", "answer", "withdraw", "retract"]
        ),
    )
    def ask(self, who, place, deed):
        request = self.requests[place % len(self.requests)]
        given = (self.work.node, self.who(who), "x", request)
        before = asking.look(self.work.node, self.work.mara, "x", request)
        version, content = before.row.version, before.request
        do = {
            "edit": lambda: asking.edit(*given, version, replace(content, narrative=f"{version}")),
            "submit": lambda: asking.submit(*given, version),
            "approve": lambda: asking.decide(*given, approve=True, digest=content.digest),
            "give back": lambda: asking.decide(*given, approve=False, digest=content.digest, reason="look again"),
            "send": lambda: asking.send(*given, version),
            "answer": lambda: asking.take_reply(*given, answer_to(content, outcome="refused", words=f"{version}")),
            "withdraw": lambda: asking.withdraw(*given, version),
            "retract": lambda: asking.retract(*given, version, "a mistake"),
        }[deed]
        if self.try_(do):
            assert who != "nora"

    @rule(close=st.booleans())
    def close_or_open(self, close):
        def do():
            with self.work.node.store.act(self.work.mara, "x") as inside:
                case = inside.cases.get(self.work.case)
                inside.cases.change(self.work.case, case.version, status="closed" if close else "open")

        self.try_(do)

    @rule(who=WHO)
    def pack(self, who):
        asked = packing.PackAsked(to="Court")
        file = self.try_(lambda: packing.pack_case(self.work.node, self.who(who), "x", self.work.case, asked))
        if file:
            with self.work.inside() as inside:
                raw = inside.files.read(file.id)
            report = verifier.verify(raw)
            view = self.work.look()
            sent = [asked for asked in view.requests if asked.track.sent_at is not None]
            assert report.counts["requests"] == len(sent)
            assert sum(sum(by.values()) for by in report.asserted.values()) >= len(self.claims)

    @invariant()
    def custody_is_whole(self):
        if not hasattr(self, "work"):
            return
        with self.work.inside() as inside:
            for held in holding.held_in(inside, self.work.case):
                assert custody.broken(held.log) == ()
                assert held.log[-1].sha256 == held.file.sha256

    @invariant()
    def nobody_approved_what_they_wrote(self):
        if not hasattr(self, "work"):
            return
        for asked in self.work.look().requests:
            wrote = {done.by for done in asked.deeds if done.deed in (Deed.DRAFT, Deed.SUBMIT)}
            approved = [done for done in asked.deeds if done.deed is Deed.APPROVE]
            assert not {done.by for done in approved} & wrote
            if asked.track.state in OUT | {State.RETRACTED, State.APPROVED}:
                assert approved[-1].body["digest"] == asked.request.digest

    @invariant()
    def what_stands_is_shown_and_every_moment_is_seen_as_it_was(self):
        if not hasattr(self, "work"):
            return
        view = self.work.look()
        assert sorted(kept.id for some in view.findings.values() for kept in some) == sorted(self.claims)
        for now in list(self.seen)[-3:]:
            assert self.shown(self.work.look(at=looking.AsOf(known_at=now))) == self.seen[now]


def test_three_people_at_a_case(tmp_path_factory):
    Cases.folders = staticmethod(lambda: tmp_path_factory.mktemp("machine"))
    run_state_machine_as_test(Cases, settings=settings(max_examples=8, stateful_step_count=18))
