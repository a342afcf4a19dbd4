"""A freeze request as a letter: one self-contained HTML page that prints on two sheets."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from shieldwall.cases.request import NOT_GIVEN, FreezeRequest
from shieldwall.model.amount import btc


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("shieldwall.cases"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["btc"] = btc
    environment.filters["given"] = lambda text: text or NOT_GIVEN
    return environment


def letter(request: FreezeRequest) -> str:
    """The page; fields that nobody filled in are marked, not left out."""
    return (
        _environment()
        .get_template("freeze_request.html.j2")
        .render(request=request, missing=request.missing(), not_given=NOT_GIVEN)
    )
