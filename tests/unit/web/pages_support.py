"""Pages without a browser: forms, and a site that has a saved trace."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

from web_support import Answer, Caller, Site, address_of

FORM = {"content-type": "application/x-www-form-urlencoded"}


def send(caller: Caller, path: str, **fields: Any) -> Answer:
    """A form, as a browser sends it."""
    return caller.ask("POST", "/" + path, body=urlencode(fields).encode(), headers=FORM)


def look(caller: Caller, path: str, **given: Any) -> Answer:
    """A page."""
    return caller.get("/" + path, **given)


def follow(caller: Caller, answer: Answer) -> Answer:
    """The page that a form led to."""
    assert answer.status == 303, answer.text
    return look(caller, answer.headers["location"])


def work_off(site: Site) -> None:
    """Do the jobs that wait."""
    while site.node.runner.run_one():
        pass


def traced(site: Site, caller: Caller, target: str = "", **fields: Any) -> str:
    """Id of a trace that a caller has just asked for on the page, and that was made."""
    answer = send(caller, "/traces", targets=target or address_of("payer"), **fields)
    assert answer.status == 303, answer.text
    place = answer.headers["location"]
    if place.startswith("/jobs/"):
        work_off(site)
        with site.store.inside(site.identity(caller.person)) as work:
            outcome = work.jobs.get(place.removeprefix("/jobs/")).outcome
        assert outcome is not None
        return str(outcome["file"])
    return place.removeprefix("/traces/")


def keys_in(answer: Answer) -> list[str]:
    """The keys of what can be chosen in the picture of a page, in its order."""
    return [html.unescape(key) for key in re.findall(r'<a href="[^"]*" data-key="([^"]*)"', answer.text)]
