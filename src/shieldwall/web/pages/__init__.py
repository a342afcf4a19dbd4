"""The pages of the node, a module for each screen; `ALL` is every one of them. They show and ask, and decide nothing.

A page is the same door with another answer: each has a `Rule`, what it shows is what the API gives to whoever asks, and what it
does is a form whose answer is a page. Without script everything can be read, and every form sent.

Example:
    >>> from shieldwall.web.pages.screens import SCREENS
    >>> [screen.name for screen in SCREENS]
    ['Desk', 'Trace', 'Cases', 'Requests', 'Sharing', 'Node']

What it does not know: how anything is decided; it asks the node, as the routes of the API do.
"""

from shieldwall.web.door import Routes
from shieldwall.web.pages import (
    cases,
    chain,
    desk,
    intake,
    jobs,
    node,
    requests,
    saved,
    sharing,
    sheets,
    signing,
    traces,
    watches,
)

ALL: tuple[Routes, ...] = (
    signing.pages,
    desk.pages,
    traces.pages,
    sheets.pages,
    saved.pages,
    cases.pages,
    intake.pages,
    requests.pages,
    sharing.pages,
    chain.pages,
    jobs.pages,
    watches.pages,
    node.pages,
)
