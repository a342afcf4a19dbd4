"""Write docs/access.md: every route of the API, and who may come in by it, as the routes' own rules say.

    .venv/bin/python tools/make_access.py

A test holds the page to the rules, and another one calls every route as every kind of caller and holds the answers to the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from shieldwall.model.access import Identity, Kind, Permission, Role
from shieldwall.web.app import ROOT, pages_with_rules, routes_with_rules
from shieldwall.web.rules import Rule

PAGE = Path(__file__).resolve().parents[1] / "docs" / "access.md"

YES, NO, SIGN_IN, CONFIRM = "yes", "no", "sign in", "passkey"
NOBODY = "nobody"
SCOPES: dict[str, frozenset[Permission]] = {
    "token: read": frozenset((Permission.READ,)),
    "token: write": frozenset((Permission.WRITE,)),
    "token: read, write": frozenset((Permission.READ, Permission.WRITE)),
    "token: audit": frozenset((Permission.AUDIT,)),
}
"""The tokens of the table; each acts for a person with every role, so that its scope alone decides."""

_TOP = f"""\
# Who may come in where

This page is made by `tools/make_access.py` out of the rules that the routes themselves are held to. A test holds it to them, and
another one calls every route as every kind of caller (and with sessions and tokens that are over, disabled people, and a banned
address) and compares what comes back. A route without a rule does not start.

- **{YES}**: comes in. What they see behind the door is decided for each object by marking, case and group: see `may_see`.
- **{CONFIRM}**: comes in with a session that showed its passkey within the last minutes; else `confirm-first` (403).
- **{NO}**: `not-allowed` (403).
- **{SIGN_IN}**: `not-signed-in` (401). So is a session or token that is over, revoked, unknown, or of someone who is disabled.

Columns with a role are sessions of a person with that role alone; someone with several may do what any of them may. A token acts
for a person, never for more than the person may, never for approvals, people or keys, and sees at most TLP:AMBER+STRICT and what
it was limited to. From an address that is banned nobody comes in (429).

Routes begin with `{ROOT}`. A refusal of someone who is known is in the audit log under the name of the act. Beside these
routes and the pages below there are only the API's description (`{ROOT}/openapi.json`) and the files under `/static`, the same
for everyone.

"""
_PAGES = f"""
## Pages

Pages have the same doors as routes; none of them is for machines. Where a route says `{SIGN_IN}`, a page that is only shown sends
the browser to sign in.

"""


def callers() -> dict[str, Identity | None]:
    """The kinds of caller by the head of their column; None for nobody."""
    people: dict[str, Identity | None] = {
        role.value: Identity(kind=Kind.PERSON, person="p", name=role.value, roles=frozenset((role,))) for role in Role
    }
    tokens = {
        name: Identity(kind=Kind.TOKEN, person="p", name=name, roles=frozenset(Role), scopes=scopes, token="t")  # noqa: S106
        for name, scopes in SCOPES.items()
    }
    return {NOBODY: None} | people | tokens


def cell(rule: Rule, identity: Identity | None) -> str:
    """What a rule says of a caller."""
    if not rule.kinds:
        return YES
    if identity is None:
        return SIGN_IN
    if not rule.admits(identity):
        return NO
    return CONFIRM if rule.confirm and identity.kind is Kind.PERSON else YES


def table(routes: Iterable[tuple[str, str, Rule]]) -> list[tuple[str, ...]]:
    """The table: its head, then method, path, act and a cell for each caller."""
    everybody = callers()
    rows = [("method", "path", "act", *everybody)]
    for method, path, rule in routes:
        cells = (cell(rule, identity) for identity in everybody.values())
        rows.append((method, path.removeprefix(ROOT), rule.act, *cells))
    return rows


def page(routes: Iterable[tuple[str, str, Rule]], pages: Iterable[tuple[str, str, Rule]]) -> str:
    """The page."""
    return _TOP + _lines(table(routes)) + _PAGES + _lines(table(pages))


def _lines(rows: list[tuple[str, ...]]) -> str:
    head, *others = rows
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line((method, f"`{path}`", f"`{act}`", *cells)) for method, path, act, *cells in others]
    return "\n".join(lines) + "\n"


def read(text: str, part: int = 0) -> list[tuple[str, ...]]:
    """The table of a page again: that of the routes (0), or of the pages (1)."""
    lines = [line for line in text.split("\n## Pages\n")[part].splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in rows if set(row) != {"---"}]


def main() -> int:
    """Write the page, or with --check say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is another")
    wanted = page(routes_with_rules(), pages_with_rules())
    if parser.parse_args().check:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted
        print("docs/access.md is as the rules say" if same else "docs/access.md is not: run tools/make_access.py")
        return 0 if same else 1
    PAGE.write_text(wanted, encoding="utf-8")
    print(f"{PAGE}: {len(table(routes_with_rules())) - 1} routes")
    return 0


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
