"""Casework in a real browser, as two people: from the intake to a package that holds elsewhere, and to a request for data.

The forms that travel (intake, answer) are opened as files, without a network; the package is verified by the program inside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from browser_support import Person, Tryout, tryout
from playwright.sync_api import expect, sync_playwright
from pypdf import PdfReader
from served_support import free_port

from shieldwall.cases.pack import verifier
from shieldwall.playbooks.demo import RANSOM_ADDRESS
from shieldwall.playbooks.exercise import make_exercise

pytestmark = [pytest.mark.full, pytest.mark.needs("browser"), pytest.mark.xdist_group("browser")]

TOLD = {
    "what": "The control network of the waterworks was encrypted.",
    "found": "2026-09-30T21:10",
    "group": "Northwind",
    "family": "LockBit",
    "demand": "10 BTC",
    "victim": "Halden waterworks",
    "country": "DE",
}
FILLED = {
    "offence": "Computer sabotage and extortion",
    "urgent": "deposits can be withdrawn at any time",
    "term": "60 days",
    "non_disclosure": "The holder must not be told.",
    "expires": "2027-12-31",
    "reply_to": "liaison@police.example",
}


@pytest.fixture(scope="module")
def chromium(browser):
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with tryout(tmp_path_factory.mktemp("casework") / "try", free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def people(chromium, node):
    """Whoever writes, and whoever approves, each in a browser of their own."""
    first, second = Person(chromium, node), Person(chromium, Tryout(node.url, node.second))
    for person in (first, second):
        person.register()
        person.sign_in()
    yield first, second
    for person in (first, second):
        person.clean()
        person.close()


def saved(page, locator):
    """The bytes of what a click saves."""
    with page.expect_download() as coming:
        locator.click()
    return coming.value.path().read_bytes()


def form(page, ending):
    return page.locator(f"form[action$='{ending}']")


def open_pop(page, key):
    page.locator(f"summary[data-keys={key}]").click()


@pytest.fixture(scope="module")
def case(people, chromium, tmp_path_factory):
    """Place of a case that was opened of an intake file, which was made without a network."""
    you, _ = people
    page, folder = you.page, tmp_path_factory.mktemp("intake")
    page.goto("/intake")
    sheet = folder / "intake.html"
    sheet.write_bytes(saved(page, page.get_by_role("link", name="Form as a file (English)")))
    offline = chromium.new_context(offline=True)
    victim = offline.new_page()
    victim.goto(sheet.as_uri())
    for name, text in TOLD.items():
        victim.fill(f"[name={name}]", text)
    victim.fill("[name=addresses]", make_exercise().ransom_address)
    victim.locator("[name=first_hour]").first.check()
    answers = saved(victim, victim.get_by_role("button", name="Make the intake file"))
    offline.close()
    assert json.loads(answers)["answers"]["group"] == "Northwind"
    page.fill("[name=members]", "nobody of that name")
    page.locator("details.pop summary").click()
    page.fill("[name=file]", answers.decode())
    page.fill("[name=number]", "NW-2026-0417")
    page.select_option("[name=marking]", "TLP:AMBER")
    page.select_option("[name=pap]", "PAP:GREEN")
    form(page, "/intake").get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("alert")).to_contain_text("nobody of that name")
    assert page.input_value("[name=number]") == "NW-2026-0417"  # what was typed is not lost
    you.said.clear()  # the browser tells of the 422
    page.fill("[name=members]", "colleague")
    form(page, "/intake").get_by_role("button", name="Open the case").click()
    page.wait_for_url("**/cases/*")
    return page.url.removeprefix(you.node.url)


@pytest.fixture(scope="module")
def traced(people, case):
    """The same, with a trace of the address of the note; the place of the trace."""
    you, _ = people
    page = you.page
    page.goto(case)
    expect(page.locator(".summary")).to_contain_text("1 of 12 done")
    open_pop(page, "t")
    form(page, "/trace").get_by_role("button").click()
    page.wait_for_url("**/traces/*", timeout=60_000)
    expect(page.locator(".answer")).to_contain_text("62.0 % (6.2 BTC) sits at Meridian Exchange")
    return page.url.removeprefix(you.node.url)


@pytest.fixture(scope="module")
def held(people, case, traced, chromium, tmp_path_factory):
    """Place of a freeze request that was approved by the second person, sent, and answered by the exchange."""
    you, colleague = people
    page = you.page
    page.goto(case)
    open_pop(page, "f")
    form(page, "/findings").locator("[name=text]").fill("It is likely the cashier's, and we have high confidence.")
    form(page, "/findings").get_by_role("button", name="Keep the finding").click()
    expect(page.locator(".answer")).to_contain_text("one sentence speaks of likelihood")
    you.said.clear()
    page.go_back()
    for layer, text, more in (
        ("observation", "10 BTC were paid to the address of the note.", {}),
        (
            "attribution",
            "The deposit address is Meridian's.",
            {"basis": "Meridian's own list", "likelihood": "very likely", "confidence": "moderate"},
        ),
    ):
        page.goto(case)
        open_pop(page, "f")
        asked = form(page, "/findings")
        asked.locator("[name=layer]").select_option(layer)
        asked.locator("[name=text]").fill(text)
        for name, value in more.items():
            field = asked.locator(f"[name={name}]")
            field.fill(value) if name == "basis" else field.select_option(value)
        asked.get_by_role("button", name="Keep the finding").click()
        expect(page.locator(f".on-{layer}")).to_contain_text(text)
    page.goto(f"{case}/requests/new")
    form(page, "/requests").locator("button.act").click()
    page.wait_for_url("**/requests/*")
    place = page.url.removeprefix(you.node.url)
    for name, text in FILLED.items():
        page.fill(f"[name={name}]", text)
    page.get_by_role("button", name="Save the draft").first.click()
    page.wait_for_load_state()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Letter (English)").click()
    expect(popup.value.locator("body")).to_contain_text("DRAFT. Nobody has approved this")
    popup.value.close()
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("whoever wrote it cannot")).to_be_visible()
    assert page.get_by_role("button", name="Approve").count() == 0
    other = colleague.page
    other.goto("/")
    other.locator(f"a[href='{place}']").first.click()
    decision = other.locator("section[aria-labelledby=decide]")
    expect(decision).to_contain_text("every transaction is proven to be in its block")
    expect(decision).to_contain_text("The deposit address is Meridian's.")
    expect(decision).to_contain_text("Confidence in that judgement: moderate")
    decision.get_by_role("button", name="Approve").click()
    page.goto(place)
    page.get_by_role("button", name="Make the letters and note them as sent").click()
    page.wait_for_selector("#out")
    folder = tmp_path_factory.mktemp("letters")
    for name in (
        "letter.en.html",
        "letter.en.pdf",
        "request.json",
        "request.sig.json",
        "keys.json",
        "request.csv",
        "reply.html",
    ):
        (folder / name).write_bytes(saved(page, page.locator("#out ~ ul").get_by_text(name, exact=True)))
    assert "Meridian" in PdfReader(folder / "letter.en.pdf").pages[0].extract_text()
    assert verifier.verify_signed(
        *((folder / name).read_bytes() for name in ("request.json", "request.sig.json", "keys.json"))
    )
    offline = chromium.new_context(offline=True)
    exchange = offline.new_page()
    exchange.goto((folder / "reply.html").as_uri())
    exchange.select_option("[name=outcome]", "held")
    exchange.fill("[name=amount]", "6.2")
    exchange.fill("[name=until]", "2027-11-30T12:00")
    exchange.fill("[name=contact]", "Tomas, compliance")
    answer = saved(exchange, exchange.get_by_role("button", name="Make the answer file"))
    offline.close()
    page.set_input_files(
        "[data-into=reply-file]", files=[{"name": "reply.json", "mimeType": "application/json", "buffer": answer}]
    )
    expect(page.locator("#reply-file")).to_have_value(answer.decode())
    page.get_by_role("button", name="Take in the answer").click()
    expect(page.locator(".head")).to_contain_text("6.2 BTC")
    expect(page.locator(".head")).to_contain_text("answered")
    return place


@pytest.fixture(scope="module")
def packed(people, case, held, tmp_path_factory):
    """A package of the case, as it was saved."""
    you, _ = people
    page = you.page
    page.goto(case)
    open_pop(page, "e")
    asked = form(page, "/evidence/text")
    asked.locator("[name=method]").fill("copied from the screen")
    asked.locator("[name=source]").fill("operator station 3")
    note = {"name": "READ_ME.txt", "mimeType": "text/plain", "buffer": b"Your files are ours. 10 BTC."}
    page.set_input_files("[data-raw-file]", files=[note])
    asked.get_by_role("button", name="Take into evidence").click()
    page.wait_for_url("**/evidence/*")
    expect(page.locator("main")).to_contain_text("the custody log is whole: 1 entry")
    page.goto(case)
    open_pop(page, "p")
    form(page, "/packs").locator("[name=to]").fill("Court of Halden")
    form(page, "/packs").get_by_role("button", name="Make the package").click()
    page.wait_for_url("**/files/*")
    raw = saved(page, page.get_by_role("link", name="Save the file"))
    place = tmp_path_factory.mktemp("pack") / "pack.zip"
    place.write_bytes(raw)
    return place


def verified(folder, pack):
    """What the single-file verifier says, run alone in a folder of its own."""
    (folder / "verify.py").write_bytes(zipfile.ZipFile(pack).read("verify.py"))
    return subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), str(pack)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_a_case_from_intake_to_a_package_that_holds_elsewhere(packed, tmp_path):
    told = verified(tmp_path, packed)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("GOOD")
    assert "EXERCISE" in told.stdout
    assert "transactions: inclusion proven" in told.stdout
    assert "0 transactions: not proven" in told.stdout
    names = zipfile.ZipFile(packed).namelist()
    assert [name for name in names if name.endswith("letter.en.pdf")]
    assert [name for name in names if "/reply-" in name]
    raw = bytearray(packed.read_bytes())
    raw[raw.index(b"Your files are ours") + 3] ^= 1
    changed = tmp_path / "changed.zip"
    changed.write_bytes(bytes(raw))
    told = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "verify.py"), str(changed)], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout.splitlines()[0]) == (1, "NOT GOOD: changed-file")
    assert "data/evidence/0001" in told.stdout


def test_what_was_taken_back_is_to_be_told_to_whoever_has_it(people, case, packed, held):
    you, _ = people
    page = you.page
    page.goto(case)
    page.locator(".on-attribution details.pop summary").first.click()
    page.locator(".on-attribution [name=reason]").first.fill("Meridian says that it is another's")
    page.locator(".on-attribution form button").first.click()
    expect(page.locator(".head")).to_contain_text("has something that was taken back, and must be told")
    assert page.get_by_role("button", name="They were told").count() == 2  # the exchange, and the court
    expect(page.get_by_text("1 was taken back")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("must be told that something was taken back")).to_be_visible()
    page.goto(case)
    page.get_by_role("button", name="They were told").first.click()
    page.wait_for_load_state()
    assert page.get_by_role("button", name="They were told").count() == 1


def test_colonial_data_is_asked_for_and_what_is_proven_is_told(people, tmp_path):
    you, colleague = people
    page = you.page
    page.goto("/intake")
    for name, text in {
        "title": "Pipeline",
        "number": "CP-2021-05",
        "members": "colleague",
        "victim": "Pipeline operator",
    }.items():
        page.fill(f"[name={name}]", text)
    page.fill("[name=addresses]", RANSOM_ADDRESS)
    page.fill("[name=group]", "DarkSide")
    page.select_option("[name=marking]", "TLP:AMBER")
    page.select_option("[name=pap]", "PAP:AMBER")
    form(page, "/intake").get_by_role("button", name="Open the case").click()
    page.wait_for_url("**/cases/*")
    case = page.url.removeprefix(you.node.url)
    open_pop(page, "t")
    form(page, "/trace").locator("[name=direction]").select_option("backward")
    form(page, "/trace").get_by_role("button").click()
    page.wait_for_url("**/traces/*", timeout=60_000)
    page.goto(f"{case}/requests/new")
    asked = form(page, "/requests")
    asked.locator("[name=kind][value=disclose]").check()
    asked.locator("[name=recipient]").select_option("any-exchange")
    asked.locator("button.act").click()
    page.wait_for_url("**/requests/*")
    request = page.url.removeprefix(you.node.url)
    expect(page.locator("h1")).to_contain_text("Disclose")
    expect(page.locator("table")).to_contain_text("input")  # what came from there, not what went there
    page.fill("[name='recipient.legal_entity']", "The exchange from which the payment came")
    page.fill("[name=relation]", "The ransom was bought there.")
    page.get_by_role("button", name="Save the draft").first.click()
    page.wait_for_load_state()
    page.get_by_role("button", name="Ask for approval").click()
    other = colleague.page
    other.goto(request)
    other.get_by_role("button", name="Approve").click()
    page.goto(request)
    page.get_by_role("button", name="Make the letters and note them as sent").click()
    page.wait_for_selector("#out")
    page.goto(case)
    open_pop(page, "p")
    form(page, "/packs").locator("[name=to]").fill("Prosecutor")
    form(page, "/packs").get_by_role("button", name="Make the package").click()
    page.wait_for_url("**/files/*")
    pack = tmp_path / "pack.zip"
    pack.write_bytes(saved(page, page.get_by_role("link", name="Save the file")))
    report = verifier.verify(pack.read_bytes())
    states = {each["txid"]: each["state"] for each in report.transactions}
    assert set(states.values()) >= {"txid proven", "not proven"}
    assert "EXERCISE" not in verifier.told(report)
    assert verified(tmp_path, pack).returncode == 0


@pytest.fixture(scope="module")
def screens(people, case, traced, held, packed):
    """Every screen of casework, by name."""
    you, _ = people
    page = you.page
    page.goto(case)
    evidence = page.locator("a[href^='/evidence/']").first.get_attribute("href")
    page.goto(f"{case}/requests/new")
    form(page, "/requests").locator("[name=kind][value=inform]").check()
    form(page, "/requests").locator("button.act").click()
    page.wait_for_url("**/requests/*")
    draft = page.url.removeprefix(you.node.url)
    return {
        "cases": "/cases", "intake": "/intake", "case": case, "incident": f"{case}/incident", "network": f"{case}/network",
        "red-flags": f"{case}/red-flags", "evidence": evidence, "requests": "/requests?show=all", "new": f"{case}/requests/new",
        "request": held, "draft": draft, "as-of": f"{case}?as_of=2026-01-01T00:00:00Z", "file": packed_file(page, case),
    }  # fmt: skip


def packed_file(page, case):
    page.goto(case)
    return page.locator("a[href^='/files/']").first.get_attribute("href")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_of_casework_shuts_anybody_out(people, chromium, screens, scheme):
    you, _ = people
    context = chromium.new_context(
        base_url=you.node.url, color_scheme=scheme, storage_state=you.context.storage_state()
    )
    page = context.new_page()
    axe = AXE_FILE_PATH.read_text(encoding="utf-8")
    wrong = []
    for name, place in screens.items():
        page.goto(place)
        page.evaluate(axe + "\n;0")
        found = page.evaluate("async () => (await axe.run(document)).violations")
        wrong += [
            f"{name}: {one['id']} {node['html'][:120]} {node['any'][:1]}" for one in found for node in one["nodes"]
        ]
    context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_screen_of_casework_fits_its_window(people, chromium, screens, width, language):
    you, _ = people
    size = {"width": width, "height": 844}
    kept = you.context.storage_state()
    context = chromium.new_context(base_url=you.node.url, viewport=size, locale=language, storage_state=kept)
    page = context.new_page()
    for name, place in screens.items():
        page.goto(place)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, (name, width, language)
        assert page.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
    context.close()


def test_by_keys_alone_a_case_is_worked(people, case):
    you, _ = people
    page = you.page
    page.goto("/")
    page.keyboard.press("3")
    page.wait_for_url("**/cases")
    page.goto(case)
    page.keyboard.press("f")
    page.wait_for_selector("form[action$='/findings'] [name=text]:visible")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("write down a finding")
    page.keyboard.press("Escape")
    page.goto(case)
    page.keyboard.press("r")
    page.wait_for_url("**/requests/new")
    page.keyboard.press("4")
    page.wait_for_url("**/requests")


def test_without_script_a_case_is_read_and_written(people, chromium, screens, case):
    you, _ = people
    kept = you.context.storage_state()
    context = chromium.new_context(base_url=you.node.url, java_script_enabled=False, storage_state=kept)
    page = context.new_page()
    for place in screens.values():
        page.goto(place)
        assert page.locator("main").inner_text().strip()
    page.goto(case)
    form(page, "/events").locator("[name=when]").fill("2026-10-01T07:00")
    form(page, "/events").locator("[name=text]").fill("The mayor was told.")
    form(page, "/events").get_by_role("button").click()
    assert "The mayor was told." in page.locator(".timeline").inner_text()
    context.close()
