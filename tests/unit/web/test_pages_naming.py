"""What the program calls things has a name for people: on every page, in every language."""

from __future__ import annotations

import pytest

from shieldwall.cases.clocks import SPANS, STARTS
from shieldwall.cases.custody import Copy
from shieldwall.cases.custody import Deed as CustodyDeed
from shieldwall.cases.incident import CHOICES
from shieldwall.cases.recipients import NEEDS
from shieldwall.cases.relation import RELATIONS
from shieldwall.cases.request import RequestKind
from shieldwall.cases.tracker import Deed, Outcome, State
from shieldwall.model.access import Role
from shieldwall.model.claim import Layer
from shieldwall.model.words import ENGLISH
from shieldwall.node.jobs.kinds import KINDS as JOBS
from shieldwall.node.kinds import kinds
from shieldwall.node.sheets.asking import STEPS
from shieldwall.store.cases import STATUSES
from shieldwall.store.files import KINDS as FILES
from shieldwall.store.timeline import KINDS as TIMELINE
from shieldwall.web.pages.naming import NAMES, name_in_words
from shieldwall.web.words import LANGUAGES, words_of

USED = {
    "job": JOBS,
    "file": FILES,
    "claim": kinds(),
    "role": [role.value for role in Role],
    "step": STEPS,
    "case": STATUSES,
    "entry": TIMELINE,
    "request": [kind.value for kind in RequestKind],
    "request_state": [state.value for state in State],
    "deed": [deed.value for deed in Deed],
    "result": [outcome.value for outcome in Outcome],
    "needs": NEEDS,
    "copy": [each.value for each in Copy],
    "custody": [each.value for each in CustodyDeed],
    "layer": [layer.value for layer in Layer],
    "relation": RELATIONS,
    "answer": CHOICES,
    "span": SPANS,
    "start": STARTS,
}


@pytest.mark.parametrize("what", USED)
def test_the_program_has_no_word_without_a_name_and_no_name_without_a_word(what: str) -> None:
    assert set(NAMES[what]) == set(USED[what])


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_names_are_translated(language: str) -> None:
    words = words_of(language)
    alike = {
        text
        for names in NAMES.values()
        for word, text in names.items()
        if name_in_words(words, next(what for what in NAMES if NAMES[what] is names), word) == text
    }
    same = "note observation attribution transaction service incident cluster original infrastructure relation"  # in French
    assert alike <= set(same.split())


def test_what_has_no_name_keeps_its_own() -> None:
    assert name_in_words(ENGLISH, "stage", "checking scripts") == "checking scripts"
