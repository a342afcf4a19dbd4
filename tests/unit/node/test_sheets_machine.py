"""Sheets as a machine: whatever is done, taken back and done again, what stands is what the steps that are done say."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pages_support import traced
from web_support import site_in

from shieldwall.errors import BadInput, Conflict, NotFound
from shieldwall.model.access import Role
from shieldwall.model.claim import Subject
from shieldwall.model.network import REGTEST
from shieldwall.node.sheets.asking import Asked
from shieldwall.node.sheets.sheet import open_sheet
from shieldwall.node.sheets.stepping import do, redo, undo
from shieldwall.store.sheets import StepState
from shieldwall.trace.arrangement import PLAIN, arranged


class Sheets(RuleBasedStateMachine):
    """One person at one trace; `folders` makes a folder for each run."""

    folders = None

    @initialize()
    def begin(self):
        self.site_at = site_in(type(self).folders())
        self.site = self.site_at.__enter__()
        caller = self.site.session(self.site.person("Mara", Role.ANALYST))
        self.mara = self.site.identity(caller.person)
        self.trace = traced(self.site, caller, marking="TLP:GREEN")
        self.done, self.undone = [], []

    def teardown(self):
        if hasattr(self, "site_at"):
            self.site_at.__exit__(None, None, None)

    def sheet(self):
        return open_sheet(self.site.node, self.mara, "sheet.show", self.trace)

    def ask(self, asked):
        try:
            step = do(self.site.node, self.mara, "sheet.step", self.trace, asked)
        except (BadInput, Conflict, NotFound):  # nothing is done that was refused
            return
        self.done.append(step.number)
        self.undone = []

    @rule(kind=st.sampled_from(["expand", "collapse", "pin", "unpin", "note", "tag", "watch"]), place=st.integers(0, 9))
    def step_on_a_box(self, kind, place):
        boxes = self.sheet().boxes()
        key = boxes[place % len(boxes)].key
        self.ask(Asked(kind=kind, key=key, text="seen", label="A desk"))

    @rule(kind=st.sampled_from(["least", "boxes"]), value=st.integers(0, 10**10))
    def step_on_the_picture(self, kind, value):
        self.ask(Asked(kind=kind, value=value))

    @rule()
    def take_back(self):
        try:
            step = undo(self.site.node, self.mara, "sheet.undo", self.trace)
        except Conflict:
            assert not self.done
            return
        assert step.number == self.done.pop()
        self.undone.append(step.number)

    @rule()
    def do_again(self):
        try:
            step = redo(self.site.node, self.mara, "sheet.redo", self.trace)
        except Conflict:
            assert not self.undone
            return
        assert step.number == self.undone.pop()
        self.done.append(step.number)

    @precondition(lambda self: hasattr(self, "trace"))
    @invariant()
    def what_stands_is_what_was_done(self):
        sheet = self.sheet()
        states = {step.number: step.state for step in sheet.steps}
        assert sorted(self.done) == [number for number, state in sorted(states.items()) if state is StepState.DONE]
        assert sorted(self.undone) == [number for number, state in sorted(states.items()) if state is StepState.UNDONE]
        bodies = [step.body for step in sheet.steps if step.state is StepState.DONE]
        assert sheet.arrangement == arranged(bodies)
        assert bodies or sheet.arrangement == PLAIN
        for step in sheet.steps:
            self.what_it_said_stands(step)

    def what_it_said_stands(self, step):
        is_done = step.state is StepState.DONE
        with self.site.store.inside(self.mara) as work:
            if "claim" in step.body:
                assert bool(work.claims.get(step.body["claim"]).claim.retracted) != is_done
            if "watch" in step.body:
                assert work.watches.get(step.body["watch"]).active == is_done


def test_a_sheet_says_what_was_done(tmp_path_factory):
    class Machine(Sheets):
        folders = staticmethod(lambda: tmp_path_factory.mktemp("site") / "site")

    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Machine, settings=settings(max_examples=6, stateful_step_count=30, deadline=None))


def test_two_notes_on_one_thing_stand_beside_each_other(tmp_path):
    with site_in(tmp_path / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara, trace = site.identity(caller.person), traced(site, caller)
        box = open_sheet(site.node, mara, "sheet.show", trace).boxes()[0]
        for text in ("one", "two"):
            do(site.node, mara, "sheet.step", trace, Asked(kind="note", key=box.key, text=text))
        sheet = open_sheet(site.node, mara, "sheet.show", trace)
        said = sheet.said[Subject("address", REGTEST.caip2, box.address)]
        assert [kept.claim.statement["text"] for kept in said if kept.claim.kind == "note"] == ["one", "two"]
        assert sheet.marks()[box.key].notes == 2
