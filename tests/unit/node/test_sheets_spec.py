"""docs/spec/sheet.md names the fields of a saved sheet and of every step, no more and no fewer, and its vector comes out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pages_support import traced
from web_support import site_in

from shieldwall.model.access import Role
from shieldwall.model.claim import Claim
from shieldwall.node.sheets.asking import STEPS, Asked, arranging
from shieldwall.node.sheets.saved import FORMAT, save
from shieldwall.node.sheets.sheet import open_sheet
from shieldwall.node.sheets.stepping import do, redo, undo
from shieldwall.trace.arrangement import KINDS, UNFOLD

HEX = "[0-9a-f]{64}"
WORD = {"text": str, "hex": str, "number": int, "boolean": bool, "list": list, "object": dict}
SOMETIMES = {"from", "again", "replaces"}  # fields that a step of a kind may go without


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "spec" / "sheet.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A saved sheet on which every kind of step was done: its bytes, the trace, its bytes, and bodies of steps by kind."""
    with site_in(tmp_path_factory.mktemp("site") / "site") as site:
        caller = site.session(site.person("Mara", Role.ANALYST))
        mara, trace = site.identity(caller.person), traced(site, caller, marking="TLP:GREEN")
        bodies = {}

        def step(kind, key="", **fields):
            body = do(site.node, mara, "sheet.step", trace, Asked(kind=kind, key=key, **fields)).body
            bodies.setdefault(body["kind"], []).append(body)

        sheet = open_sheet(site.node, mara, "sheet.show", trace)
        box = next(box for box in sheet.boxes() if box.kind == "passed")
        (txid,) = next(column.txids for column in sheet.columns if any(key == box.key for key, _ in column.incoming))
        step("pin", box.key)
        step("unpin", box.key)
        step("pin", box.key)
        step("least", value=10**11)
        sums = [box for box in open_sheet(site.node, mara, "sheet.show", trace).boxes() if box.kind == "others"]
        step("expand", sums[0].key)
        step("least", value=0)
        step("boxes", value=300)
        step("collapse", box.key)
        step("expand", box.key)
        chain = replace(sheet.columns[0], run=SimpleNamespace(transfers=[{"txid": txid}]))
        bodies[UNFOLD] = [arranging(Asked(kind="expand", key=f"run:{txid}"), [chain], sheet.arrangement)]
        step("note", box.key, text="seen")
        step("overrule", f"tx:{txid}", value=0, text="it says so")
        step("overrule", f"tx:{txid}", text="it says no more")
        for kind, fields in (("tag", {"label": "A desk"}), ("watch", {})):
            step(kind, box.key, **fields)
            undo(site.node, mara, "sheet.undo", trace)
            bodies[kind].append(redo(site.node, mara, "sheet.redo", trace).body)
        file = save(site.node, mara, "sheet.save", trace, "  For the \n judge ")
        with site.store.inside(mara) as work:
            assert work.files.get(trace).kind == "trace"
            yield work.files.read(file.id), trace, work.files.read(trace), bodies


def table(page, lead):
    """Name -> (type or fields, meaning), of the first table behind a paragraph that begins with `lead`."""
    behind = page[re.search(rf"\n\n{re.escape(lead)}", page).end() :]
    lines = re.search(r"^\|.*?(?=^[^|]|\Z)", behind, re.MULTILINE | re.DOTALL)[0].splitlines()
    found = {}
    for name, form, meaning in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]):
        names = re.findall(r"`(\w+)`", name)
        forms = form.split(", ") if form.count(", ") == len(names) - 1 else [form] * len(names)
        found |= {each: (one, meaning) for each, one in zip(names, forms, strict=True)}
    return found


def hold(named, real):
    """The names are those of `real`, and each value is of its type."""
    assert set(named) == set(real)
    for name, (form, _) in named.items():
        kind, *rest = form.replace(" or null", "").split(" of ")
        if real[name] is None:
            assert form.endswith(" or null"), name
            continue
        assert type(real[name]) is WORD[kind], name
        assert kind != "hex" or re.fullmatch(HEX, real[name]), name
        assert not rest or {WORD[rest[0]]}.issuperset(map(type, real[name])), name


def hold_sheet(page, sheet):
    hold(table(page, "## Fields") | table(page, "Copied from the trace:"), sheet)
    for name in ("trace", "arrangement"):
        hold(table(page, f"`{name}`"), sheet[name])
    assert sheet["rows"]
    for row in sheet["rows"]:
        hold(table(page, "A row:"), row)


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hold_digests(raw):
    """What a reader checks of the document alone, without the program."""
    sheet = json.loads(raw)
    assert canonical(sheet) == raw
    bare = {name: value for name, value in sheet.items() if name != "digest"}
    assert hashlib.sha256(canonical(bare)).hexdigest() == sheet["digest"]
    assert hashlib.sha256(sheet["picture"].encode()).hexdigest() == sheet["picture_sha256"]
    return sheet


def test_a_saved_sheet_has_the_fields_of_the_page(page, worked):
    raw, trace_id, trace_raw, bodies = worked
    sheet, trace = hold_digests(raw), json.loads(trace_raw)
    hold_sheet(page, sheet)
    assert sheet["format"] == FORMAT
    assert f"# Sheet: `{FORMAT}`" in page
    assert sheet["title"] == "For the judge"
    copied = table(page, "Copied from the trace:")
    assert {name: sheet[name] for name in copied} == {name: trace[name] for name in copied}
    named = {"file": trace_id, "digest": trace["digest"], "sha256": hashlib.sha256(trace_raw).hexdigest()}
    assert sheet["trace"] == named
    last = [bodies[kind][-1]["claim"] for kind in ("note", "overrule", "tag")]
    assert [Claim.from_dict(said).id for said in sheet["said"]] == last  # the tag as it was said again
    assert sheet["arrangement"]["pinned"] == bodies["pin"][-1]["keys"]


def test_steps_have_the_fields_of_the_page(page, worked):
    *_, bodies = worked
    named = {kind: set(re.findall(r"\w+", fields)) for kind, (fields, _) in table(page, "## Steps").items()}
    assert set(named) == {*STEPS, *KINDS} == {*STEPS, UNFOLD} == set(bodies)
    for kind, done in bodies.items():
        assert set().union(*done) - {"kind"} <= named[kind], kind
        assert all(named[kind] - SOMETIMES <= set(body) for body in done), kind
    assert {"from"} == named["expand"] - {"key", "keys"}
    opened = [body for body in bodies["expand"] if "from" in body]
    assert [body["keys"] for body in opened] == [[]]
    assert [body.get("again") for body in bodies["tag"]] == [None, 1]
    first, second = (body["watch"] for body in bodies["watch"])
    assert first != second


def test_the_vector_of_the_page(page):
    lines = re.findall(r"^    (.*)$", page.split("## Vector")[1], re.MULTILINE)
    hold_sheet(page, hold_digests("".join(lines).encode()))
