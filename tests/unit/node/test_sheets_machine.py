"""Sheets as a machine: whatever is done, taken back and done again, what stands is what the steps that are done say."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pages_support import traced
from web_support import site_in

from shieldwall.errors import BadInput, Conflict, NotFound
from shieldwall.model.access import Role
from shieldwall.model.claim import Claim, Subject
from shieldwall.model.network import REGTEST
from shieldwall.node.sheets.asking import Asked
from shieldwall.node.sheets.sheet import open_sheet, said_of
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

    @rule(
        kind=st.sampled_from(["expand", "collapse", "pin", "unpin", "note", "tag", "watch"]),
        place=st.integers(0, 9),
        word=st.sampled_from(["one", "two"]),
    )
    def step_on_a_box(self, kind, place, word):
        boxes = self.sheet().boxes()
        key = boxes[place % len(boxes)].key
        self.ask(Asked(kind=kind, key=key, text=word, label=word))

    @rule(place=st.integers(0, 3), output=st.sampled_from([0, None]), why=st.sampled_from(["one", "two"]))
    def overrule(self, place, output, why):
        txids = [txid for column in self.sheet().columns for txid in column.txids]
        if txids:
            self.ask(Asked(kind="overrule", key=f"tx:{txids[place % len(txids)]}", value=output, text=why))

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
        replaced = {body["replaces"] for body in bodies if "replaces" in body}
        for step in sheet.steps:
            self.what_it_said_stands(step, replaced)

    def what_it_said_stands(self, step, replaced):
        is_done = step.state is StepState.DONE
        with self.site.store.inside(self.mara) as work:
            if "claim" in step.body:
                subject = Claim.from_dict(step.body["said"]).subject
                standing = {kept.id for kept in said_of(work, [subject]).get(subject, ())}
                assert (step.body["claim"] in standing) == (is_done and step.number not in replaced)
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


def test_a_note_after_one_taken_back_replaces_none(tmp_path):
    with site_in(tmp_path / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara = site.identity(caller.person)
        first, second = traced(site, caller), traced(site, caller)  # the same question: two files, one digest
        box = open_sheet(site.node, mara, "sheet.show", first).boxes()[0]

        def note(trace, text):
            do(site.node, mara, "sheet.step", trace, Asked(kind="note", key=box.key, text=text))

        note(first, "one")
        undo(site.node, mara, "sheet.undo", first)
        note(first, "two")
        note(first, "three")
        note(second, "four")
        said = open_sheet(site.node, mara, "sheet.show", first).said[Subject("address", REGTEST.caip2, box.address)]
        notes = [kept.claim.statement["text"] for kept in said if kept.claim.kind == "note"]
        assert notes == ["two", "three", "four"]


def test_what_was_replaced_is_said_again_when_that_is_taken_back(tmp_path):
    with site_in(tmp_path / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara, trace = site.identity(caller.person), traced(site, caller)
        box = open_sheet(site.node, mara, "sheet.show", trace).boxes()[0]

        def labels():
            said = open_sheet(site.node, mara, "sheet.show", trace).said
            found = said.get(Subject("address", REGTEST.caip2, box.address), ())
            return [each.claim.statement["label"] for each in found if each.claim.kind == "tag"]

        for label in ("one", "two"):
            do(site.node, mara, "sheet.step", trace, Asked(kind="tag", key=box.key, label=label))
        assert labels() == ["two"]
        undo(site.node, mara, "sheet.undo", trace)
        assert labels() == ["one"]
        redo(site.node, mara, "sheet.redo", trace)
        assert labels() == ["two"]
        undo(site.node, mara, "sheet.undo", trace)
        undo(site.node, mara, "sheet.undo", trace)
        assert labels() == []


def test_a_step_that_comes_between_is_not_jumped_over(tmp_path, monkeypatch):
    with site_in(tmp_path / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara, trace = site.identity(caller.person), traced(site, caller)

        def set_boxes(number):
            return do(site.node, mara, "sheet.step", trace, Asked(kind="boxes", value=number))

        set_boxes(10)
        act = site.node.store.act

        def late(identity, verb, **noted):
            monkeypatch.undo()
            set_boxes(20)  # another window is quicker
            return act(identity, verb, **noted)

        monkeypatch.setattr(site.node.store, "act", late)
        with pytest.raises(Conflict, match="another step was done meanwhile"):
            undo(site.node, mara, "sheet.undo", trace)
        steps = open_sheet(site.node, mara, "sheet.show", trace).steps
        assert [step.state for step in steps] == [StepState.DONE, StepState.DONE]


def test_a_sum_is_not_pinned_and_a_chain_that_is_not_there_not_opened(tmp_path):
    with site_in(tmp_path / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara, trace = site.identity(caller.person), traced(site, caller)
        do(site.node, mara, "sheet.step", trace, Asked(kind="least", value=10**11))
        sums = [box for box in open_sheet(site.node, mara, "sheet.show", trace).boxes() if box.kind == "others"]
        with pytest.raises(Conflict, match="sum of several"):
            do(site.node, mara, "sheet.step", trace, Asked(kind="pin", key=sums[0].key))
        with pytest.raises(NotFound, match="no such peel chain"):
            do(site.node, mara, "sheet.step", trace, Asked(kind="expand", key="run:" + "0" * 64))
