"""Nobody hears what they may not: a machine over people, groups, cases, markings and every exit, held to a plain model.

`SHIELDWALL_LEAK_STEPS` sets how many steps the long form makes (`make leaks-long`), `SHIELDWALL_LEAK_SEED` its first seed; with
`SHIELDWALL_LEAK_SHRINK` a leak that is found is made small, which takes minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from leaks_house_support import Leak
from leaks_machine_support import CHANGES, Count, run
from sqlalchemy import func, select, true
from web_support import Site, address_of, site_in

import shieldwall.store.cases
import shieldwall.store.claims
import shieldwall.store.files
import shieldwall.store.watches
from shieldwall.errors import NotFound
from shieldwall.model import access
from shieldwall.model.access import Handling, Role
from shieldwall.node.jobs import context
from shieldwall.node.watches import delivery
from shieldwall.store.schema import alarms, files, watches

SHORT, LONG = 1000, 20_000
SHRINK = bool(os.environ.get("SHIELDWALL_LEAK_SHRINK"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


def told(count: Count, least: int) -> None:
    """Say what was tried, and that it was much."""
    print(f"{count.steps} steps in {count.runs} runs: {count.tally}; {count.by_name}")  # noqa: T201 - asked for
    assert count.steps >= least
    assert count.tally.asked >= count.steps
    assert count.tally.heard >= count.steps // 2
    assert count.tally.hidden >= count.steps // 50
    assert len(count.by_name) > len(set(CHANGES)) * 3 // 4


def test_nobody_hears_what_they_may_not(site):
    told(run(site, SHORT, shrink=SHRINK), SHORT)


@pytest.mark.full
def test_nobody_hears_what_they_may_not_at_length(site):
    steps = int(os.environ.get("SHIELDWALL_LEAK_STEPS", str(LONG)))
    told(run(site, steps, int(os.environ.get("SHIELDWALL_LEAK_SEED", "1")), shrink=SHRINK), steps)


# What the machine found, each told plainly.


@pytest.fixture
def office(tmp_path):
    """Mara has a tag set of her own; Paul sees what is TLP:GREEN."""
    with site_in(tmp_path) as site:
        mara, paul = (site.session(site.person(name, Role.ANALYST)) for name in ("Mara", "Paul"))
        body = f"address,label,category\n{address_of('first')},a label,exchange\n".encode()
        path = "/tag-sets?file=a.csv&set=hers-alone&network=regtest&marking=TLP%3ARED"
        assert mara.ask("POST", path, body=body).status == 201
        yield site, mara, paul


GREEN = {"marking": "TLP:GREEN", "pap": "PAP:GREEN"}


def test_a_job_that_failed_names_no_tag_set_that_its_readers_may_not_know(office):
    site, mara, paul = office
    asked = {"targets": [address_of("watched")], "tags": ["no-such-set"], "handling": GREEN}
    job = mara.post("/traces", asked).json["id"]
    assert site.node.runner.run_one()
    answer = paul.get(f"/jobs/{job}")
    assert answer.json["state"] == "failed"
    assert "hers-alone" not in answer.text


def test_a_trace_names_no_tag_set_that_its_readers_may_not_know(office):
    site, mara, paul = office
    job = mara.post("/traces", {"targets": [address_of("watched")], "handling": GREEN}).json["id"]
    assert site.node.runner.run_one()
    trace = paul.get(f"/traces/{paul.get(f'/jobs/{job}').json['outcome']['file']}")
    assert trace.status == 200
    assert "hers-alone" not in trace.text


def test_who_runs_the_node_and_writes_is_shown_no_hidden_job_by_stopping_it(office):
    site, mara, _ = office
    both = site.session(site.person("Ada", Role.ADMINISTRATOR, Role.ANALYST))
    job = mara.post("/traces", {"targets": [address_of("watched")]}).json["id"]
    assert both.delete(f"/jobs/{job}").status == 404
    assert mara.get(f"/jobs/{job}").json["state"] == "queued"


# The machine can fail: each of these is a leak that somebody could write, and is found.


def open_query(monkeypatch, room) -> None:
    """A query that forgets who asks, and the exit behind it as well."""
    monkeypatch.setattr(room, "visible", lambda *_: true())
    monkeypatch.setattr(room, "may_see", lambda *_: True)


def cases_of_others(monkeypatch) -> None:
    """Whoever may see the marking sees the case."""

    def open_to_all(identity, _table, case=None):
        return shieldwall.store.cases.cases.c.marking <= int(identity.highest)

    monkeypatch.setattr(shieldwall.store.cases, "visible", open_to_all)
    monkeypatch.setattr(shieldwall.store.cases, "may_see", lambda *_: True)


def files_of_all(monkeypatch) -> None:
    open_query(monkeypatch, shieldwall.store.files)


def alarms_of_all(monkeypatch) -> None:
    open_query(monkeypatch, shieldwall.store.watches)


def counted_but_not_shown(monkeypatch) -> None:
    """The list is right, and the number beside it counts for everybody."""

    def unanswered(self):
        query = select(func.count()).select_from(alarms).where(alarms.c.answered_at.is_(None))
        return int(self._work.connection.execute(query).scalar_one())

    monkeypatch.setattr(shieldwall.store.watches.Watches, "unanswered", unanswered)


def found_but_not_shown(monkeypatch) -> None:
    """What is hidden is refused with other words than what is not there."""
    get = shieldwall.store.files.Files.get

    def telling(self, file_id):
        try:
            return get(self, file_id)
        except NotFound:
            there = self._work.connection.execute(select(files.c.id).where(files.c.id == file_id)).first()
            raise NotFound("that file is not for you" if there else "there is no such file") from None

    monkeypatch.setattr(shieldwall.store.files.Files, "get", telling)


def meetings_of_silent_cases(monkeypatch) -> None:
    """A silent case is told of like any other."""
    put = shieldwall.store.cases.Cases.add
    monkeypatch.setattr(
        shieldwall.store.cases.Cases, "add", lambda self, title, **given: put(self, title, **{**given, "silent": False})
    )


def mail_of_red(monkeypatch) -> None:
    """Mail carries whatever the watch's owner may see, however it is marked."""
    monkeypatch.setattr(delivery, "may_do", lambda *_: True)


def results_as_open_as_asked(monkeypatch) -> None:
    """What a job makes is handled as whoever asked said, not as what went into it."""
    monkeypatch.setattr(context, "joint", lambda first, *_: first)


def canaries_in_the_log(monkeypatch) -> None:
    """Somebody writes a file's name into the audit log."""
    add = shieldwall.store.files.Files.add

    def noting(self, name, *given, **more):
        self._work.note(name=name)
        return add(self, name, *given, **more)

    monkeypatch.setattr(shieldwall.store.files.Files, "add", noting)


def a_watch_that_is_shown_to_all(monkeypatch) -> None:
    """One way to one thing does not ask who comes."""

    def get(self, watch_id):
        for row in self._rows(select(watches).where(watches.c.id == watch_id)):
            return self._watch(row)
        raise NotFound("there is no such watch")

    monkeypatch.setattr(shieldwall.store.watches.Watches, "get", get)


PLANTED = (
    cases_of_others,
    files_of_all,
    alarms_of_all,
    counted_but_not_shown,
    found_but_not_shown,
    meetings_of_silent_cases,
    mail_of_red,
    results_as_open_as_asked,
    canaries_in_the_log,
    a_watch_that_is_shown_to_all,
)


@pytest.mark.parametrize("plant", PLANTED[1:2], ids=lambda plant: plant.__name__)
def test_a_planted_leak_is_found(site, monkeypatch, plant):
    plant(monkeypatch)
    with pytest.raises(Leak):
        run(site, 3000, shrink=False)


@pytest.mark.full
@pytest.mark.parametrize("plant", PLANTED[:1] + PLANTED[2:], ids=lambda plant: plant.__name__)
def test_every_planted_leak_is_found(site, monkeypatch, plant):
    plant(monkeypatch)
    with pytest.raises(Leak):
        run(site, 20_000, shrink=False)


@pytest.mark.full
def test_too_little_is_found_as_well(site, monkeypatch):
    """Where the program hides what somebody may see, the machine says so."""

    def stricter(identity, thing):
        handling = thing if isinstance(thing, Handling) else thing.handling
        return access.may_see(identity, handling) and handling.group is None

    monkeypatch.setattr(shieldwall.store.claims, "may_see", stricter)
    with pytest.raises(Leak):
        run(site, 5000, shrink=False)
