"""Templates, and what a notebook shows of a result."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from shieldwall.model.amount import btc
from shieldwall.trace.picture import lanes
from shieldwall.trace.printable import printable


@cache
def environment() -> Environment:
    """The templates of this room: escaped, strict, nothing unseen let through."""
    made = Environment(
        loader=PackageLoader("shieldwall.trace"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip
    made.filters["btc"] = btc
    return made


def _shown(value: object) -> object:
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def notebook(body: dict[str, Any]) -> str:
    """The sentence and the picture, for a notebook."""
    return environment().get_template("notebook.html.j2").render(body=body, picture=lanes(body))
