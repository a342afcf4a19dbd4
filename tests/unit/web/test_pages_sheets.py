"""The page of a trace: steps by forms, one picture and one table, and nothing that anybody wrote is obeyed by a browser."""

from __future__ import annotations

import csv
import html
import io
import re
from xml.etree import ElementTree as ET

import pytest
from pages_support import FORM, follow, keys_in, look, send, traced, work_off
from web_support import address_of, site_in

from shieldwall.model.access import Role
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import REGTEST

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202e\x1b[2J"


@pytest.fixture
def site(tmp_path):
    with site_in(tmp_path / "site") as site:
        yield site


@pytest.fixture
def mara(site):
    return site.session(site.person("Mara", Role.ANALYST))


@pytest.fixture
def trace(site, mara):
    return traced(site, mara, marking="TLP:GREEN")


def step(caller, trace, **fields):
    return send(caller, f"/traces/{trace}/steps", **fields)


def claims_of(site, caller, name, kind="address"):
    with site.store.inside(site.identity(caller.person)) as work:
        return work.claims.find(Subject(kind, REGTEST.caip2, name))


def test_the_picture_and_its_table_twin_show_the_same(mara, trace):
    page = look(mara, f"/traces/{trace}")
    keys = [key for key in keys_in(page) if not key.startswith(("tx:", "run:"))]
    rows = [html.unescape(key) for key in re.findall(r'<tr data-key="([^"]*)"', page.text)]
    assert sorted(keys) == sorted(rows)
    assert len(keys) > 2
    text = look(mara, f"/traces/{trace}/table.csv")
    assert text.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(text.text)))
    assert sorted(row["key"] for row in table) == sorted(rows)


def test_what_is_chosen_stands_in_the_address_and_is_marked_in_both(mara, trace):
    key = keys_in(look(mara, f"/traces/{trace}"))[0]
    page = look(mara, f"/traces/{trace}?box={key}").text
    assert page.count('aria-current="true"') == 3  # the box, its row, and the language
    assert '<h2><span class="kind' in page
    alone = look(mara, f"/traces/{trace}?box={key}&part=drawer").text
    assert "<svg" not in alone
    assert 'id="drawer"' in alone
    assert "Choose a box" in look(mara, f"/traces/{trace}?box=nothing").text
    assert look(mara, f"/traces/{trace}?box=nothing&part=drawer").status == 404


def test_one_window_does_not_take_back_what_another_did(mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if ":" in key and not key.startswith("tx:"))
    page = follow(mara, step(mara, trace, kind="pin", key=key)).text
    (last,) = re.findall(r'name="last" value="([0-9]+)"', page)
    assert follow(mara, step(mara, trace, kind="note", key=key, text="from the other window")).status == 200
    answer = send(mara, f"/traces/{trace}/undo", last=last)
    assert answer.status == 409
    assert "another step was done meanwhile" in answer.text
    page = look(mara, f"/traces/{trace}?box={key}").text
    assert "from the other window" in page
    (last,) = re.findall(r'name="last" value="([0-9]+)"', page)
    assert "from the other window" not in follow(mara, send(mara, f"/traces/{trace}/undo", last=last)).text


def test_the_drawer_shows_the_transaction_its_proof_and_its_bytes(mara, trace):
    page = look(mara, f"/traces/{trace}")
    key = next(key for key in keys_in(page) if key.startswith("tx:"))
    drawer = look(mara, f"/traces/{trace}?box={key}&part=drawer").text
    assert key.removeprefix("tx:") in drawer
    assert "proven to be in its block" in drawer
    assert re.search(r'<code class="raw">[0-9a-f]{100,}</code>', drawer)


def test_steps_are_taken_back_and_done_again(site, mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if ":" in key and not key.startswith("tx:"))
    assert follow(mara, step(mara, trace, kind="pin", key=key)).text.count("◆") == 2  # on the box, and in the legend
    assert follow(mara, step(mara, trace, kind="note", key=key, text="first")).status == 200
    page = follow(mara, step(mara, trace, kind="note", key=key, text="second")).text
    assert "first" in page
    assert "second" in page
    page = follow(mara, send(mara, f"/traces/{trace}/undo")).text
    assert "second" not in page
    assert "first" in page
    page = follow(mara, send(mara, f"/traces/{trace}/redo")).text
    assert "second" in page
    for _ in range(3):
        assert send(mara, f"/traces/{trace}/undo").status == 303
    assert send(mara, f"/traces/{trace}/undo").status == 409
    page = look(mara, f"/traces/{trace}?box={key}").text
    assert "first" not in page
    assert page.count("◆") == 1


def test_a_tag_is_known_to_the_next_trace_and_gone_when_taken_back(site, mara, trace):
    watched = address_of("watched")
    keys = keys_in(look(mara, f"/traces/{trace}"))
    drawers = {key: look(mara, f"/traces/{trace}?box={key}&part=drawer").text for key in keys}
    key = next(key for key, text in drawers.items() if f"/addresses/{watched}" in text and "tx:" not in key)
    page = follow(mara, step(mara, trace, kind="tag", key=key, label="Desk of Eve", category="exchange"))
    assert "Desk of Eve" in page.text
    again = traced(site, mara, marking="TLP:GREEN")
    assert "Desk of Eve" in look(mara, f"/traces/{again}").text
    assert send(mara, f"/traces/{trace}/undo").status == 303
    third = traced(site, mara, marking="TLP:GREEN")
    assert "Desk of Eve" not in look(mara, f"/traces/{third}").text
    assert "Desk of Eve" in look(mara, f"/traces/{again}").text  # a saved trace opens the same forever


def test_change_is_overruled_with_a_reason(site, mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if key.startswith("tx:"))
    page = follow(mara, step(mara, trace, kind="overrule", key=key, value="0", text="the note says so")).text
    assert "output 0 is change" in page
    assert "overruled by Mara" in page
    (kept,) = claims_of(site, mara, key.removeprefix("tx:"), "transaction")
    assert (kept.claim.kind, kept.claim.layer.value) == ("change-overrule", "inference")
    assert step(mara, trace, kind="overrule", key=key, value="99", text="no such output").status in (400, 422)
    assert step(mara, trace, kind="overrule", key=key, value="0", text=" ").status == 422
    page = follow(mara, send(mara, f"/traces/{trace}/undo")).text
    assert "overruled by Mara" not in page


def test_an_address_is_watched_and_watched_no_more(site, mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if not key.startswith(("tx:", "run:", "others")))
    assert "Watched" in follow(mara, step(mara, trace, kind="watch", key=key)).text
    assert "from trace-" in look(mara, "/watches").text
    send(mara, f"/traces/{trace}/undo")
    assert "stopped" in look(mara, "/watches").text


def test_a_saved_sheet_stays_as_it_was(site, mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if not key.startswith(("tx:", "run:")))
    step(mara, trace, kind="note", key=key, text="as it was")
    saved = send(mara, f"/traces/{trace}/save", title="For the judge")
    place = saved.headers["location"]
    before = follow(mara, saved).text
    assert "For the judge" in before
    assert "as it was" in before
    send(mara, f"/traces/{trace}/undo")
    step(mara, trace, kind="least", value="100000000000")
    assert look(mara, place).text == before
    shown = mara.get(place.replace("/sheets/", "/sheets/")).json["sheet"]
    assert shown["said"][0]["statement"]["text"] == "as it was"
    assert shown["trace"]["file"] == trace


def test_nobody_sees_the_sheet_of_somebody_else(site, mara, trace):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if not key.startswith(("tx:", "run:")))
    step(mara, trace, kind="pin", key=key)
    step(mara, trace, kind="note", key=key, text="for all who see the trace")
    otto = site.session(site.person("Otto", Role.ANALYST))
    page = look(otto, f"/traces/{trace}?box={key}").text
    assert "for all who see the trace" in page  # what is said is a claim
    assert page.count("◆") == 1  # how it is arranged is one's own
    assert send(otto, f"/traces/{trace}/undo").status == 409


def test_who_may_not_see_a_trace_learns_nothing_of_it(site, mara):
    trace = traced(site, mara)  # TLP:RED: hers alone
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if not key.startswith(("tx:", "run:")))
    place = send(mara, f"/traces/{trace}/save").headers["location"]
    step(mara, trace, kind="note", key=key, text="for nobody else")
    for name, roles, highest in (("Otto", (Role.ANALYST,), Marking.RED), ("Vera", (Role.VIEWER,), Marking.CLEAR)):
        other = site.session(site.person(name, *roles, highest=highest))
        asked = [
            look(other, f"/traces/{trace}"),
            look(other, f"/traces/{trace}?box={key}&part=drawer"),
            look(other, f"/traces/{trace}/table.csv"),
            look(other, place),
            send(other, f"/traces/{trace}/steps", kind="pin", key=key),
            send(other, f"/traces/{trace}/undo"),
        ]
        assert {answer.status for answer in asked} == {404}
        for answer in (*asked, look(other, "/traces"), look(other, "/claims?kind=note"), look(other, "/jobs")):
            assert "for nobody else" not in answer.text
            assert trace not in answer.text.replace(f"/traces/{trace}", "") or answer.status == 404


def test_whoever_may_only_read_arranges_but_says_nothing(site, mara, trace):
    vera = site.session(site.person("Vera", Role.VIEWER))
    key = next(key for key in keys_in(look(vera, f"/traces/{trace}")) if not key.startswith(("tx:", "run:")))
    assert step(vera, trace, kind="pin", key=key).status == 303
    for fields in ({"kind": "note", "text": "x"}, {"kind": "tag", "label": "x"}, {"kind": "watch"}):
        assert step(vera, trace, key=key, **fields).status == 403
    assert send(vera, f"/traces/{trace}/save").status == 403
    page = look(vera, f"/traces/{trace}?box={key}").text
    assert 'data-keys="n"' not in page
    assert 'data-keys="p"' in page


@pytest.mark.parametrize("field", ["note", "tag", "title", "q", "watch"])
def test_script_in_any_text_stays_text(site, mara, trace, field):
    key = next(key for key in keys_in(look(mara, f"/traces/{trace}")) if not key.startswith(("tx:", "run:")))
    if field == "note":
        pages = [follow(mara, step(mara, trace, kind="note", key=key, text=HOSTILE)), look(mara, "/claims?kind=note")]
    elif field == "tag":
        pages = [follow(mara, step(mara, trace, kind="tag", key=key, label=HOSTILE, category=HOSTILE[:99]))]
        pages += [look(mara, "/"), look(mara, f"/traces/{traced(site, mara, marking='TLP:GREEN')}")]
    elif field == "title":
        pages = [follow(mara, send(mara, f"/traces/{trace}/save", title=HOSTILE)), look(mara, "/traces")]
    elif field == "q":
        pages = [
            follow(mara, send(mara, "/find", q=HOSTILE)),
            follow(mara, send(mara, "/find", q=HOSTILE + "\n" * 3 + "x")),
        ]
    else:
        send(mara, f"/addresses/{address_of('first')}/watch", note=HOSTILE)
        pages = [look(mara, "/watches")]
    for page in pages:
        assert page.status == 200, page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "49" not in re.findall(r"alert\(2\)&gt;(.{4})", page.text)
        assert "\x1b" not in page.text
        assert "\u202e" not in page.text


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_every_page_is_well_formed_in_every_language(site, mara, trace, language):
    key = keys_in(look(mara, f"/traces/{trace}"))[0]
    place = send(mara, f"/traces/{trace}/save").headers["location"]
    for path in (
        "/", "/traces", f"/traces/{trace}", f"/traces/{trace}?box={key}", place, "/node", "/jobs", "/alarms",
        "/watches", "/claims", f"/addresses/{address_of('watched')}", f"/find?q={address_of('watched')}+x", "/sign-in",
    ):  # fmt: skip
        page = look(mara, path, headers={"accept-language": language})
        assert page.status == 200, (path, page.text)
        assert page.headers["content-language"] == language
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page.text
        for picture in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL):
            ET.fromstring(picture)  # noqa: S314 - our own
        assert len(re.findall(r' id="([^"]+)"', page.text)) == len(set(re.findall(r' id="([^"]+)"', page.text)))
        assert " style=" not in page.text
        assert not re.search(r" on[a-z]+=", page.text)


def test_bad_forms_are_answered_with_a_page(mara, trace):
    for body, status in ((b"\xff\xfe", 422), (b"&" * 5000, 422), (b"kind=nothing", 400), (b"", 400)):
        answer = mara.ask("POST", f"//traces/{trace}/steps", body=body, headers=FORM)
        assert answer.status == status, answer.text
        assert "That did not work" in answer.text
    for fields in ({"kind": "least"}, {"kind": "boxes", "value": "x"}, {"kind": "expand", "key": "nothing"}):
        assert step(mara, trace, **fields).status in (404, 422)
    partial = mara.ask(
        "POST", f"//traces/{trace}/steps", body=b"kind=expand&key=nothing", headers={**FORM, "hx-request": "true"}
    )
    assert partial.headers["hx-retarget"] == "#said"


def test_a_pasted_mail_is_kept_and_says_what_it_names(site, mara):
    head = "From: a@example.org\nTo: b@example.org\nDate: Mon, 30 Nov 2026 10:00:00 +0000\nSubject: pay\n\n"
    mail = f"{head}pay to {address_of('watched')} now"
    answer = send(mara, "/find", q=mail)
    page = follow(mara, answer).text
    assert address_of("watched") in page
    assert "TLP:RED" in page
    with site.store.inside(site.identity(mara.person)) as work:
        file = work.files.get(answer.headers["location"].removeprefix("/pasted/"))
        assert work.files.read(file.id).decode() == mail
    otto = site.session(site.person("Otto", Role.ANALYST))
    assert look(otto, answer.headers["location"]).status == 404
    dropped = mara.ask(
        "POST", "//find?file=mail.eml", body=mail.encode(),
        headers={"content-type": "application/octet-stream", "x-requested-with": "drop"},
    )  # fmt: skip
    assert dropped.text.startswith("/pasted/")
    vera = site.session(site.person("Vera", Role.VIEWER))
    assert address_of("watched") in send(vera, "/find", q=mail).text  # shown, and not kept


def test_one_thing_is_gone_to_at_once(mara):
    assert send(mara, "/find", q=address_of("watched")).headers["location"] == f"/find?q={address_of('watched')}"
    answer = look(mara, f"/find?q={address_of('watched')}")
    assert answer.headers["location"] == f"/addresses/{address_of('watched')}"
    assert send(mara, "/find", q=" ").headers["location"] == "/"


def test_a_failed_trace_says_what_was_asked_and_why_it_failed(site, mara):
    wrong = "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fx"
    answer = send(mara, "/traces", targets=wrong)
    work_off(site)
    page = look(mara, answer.headers["location"]).text
    assert wrong in page
    assert "checksum does not hold" in page
    assert f'href="/traces?target={wrong}"' in page
    assert "UnknownAddress" not in page
