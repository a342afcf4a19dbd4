"""The pages in a real browser, at a node as `make serve` makes it: a day's work, by keys alone, for every eye, and on paper.

Chromium without a screen, through Playwright, with a virtual passkey. Nothing happens that the policy of the pages refuses.
"""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from browser_support import Person, tryout
from PIL import Image, ImageChops
from playwright.sync_api import expect, sync_playwright
from pypdf import PdfReader
from served_support import free_port

from shieldwall.playbooks.demo import RANSOM_ADDRESS
from shieldwall.playbooks.exercise import make_exercise

pytestmark = [pytest.mark.full, pytest.mark.needs("browser"), pytest.mark.xdist_group("browser")]

MAIL = f"""From: "Dark Desk" <desk@example.org>
To: it@example.com
Date: Fri, 07 May 2021 05:00:00 +0000
Subject: Your network

Pay 75 bitcoin to {RANSOM_ADDRESS} and write to us.
"""
NOISE = 6  # levels of 255 that a pixel may differ by before it counts: smoothing of letters
CHANGED = 0.002  # share of pixels that may differ
STEADY = """days => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    for (const day of days) text.data = text.data.replaceAll(new RegExp(day + " [0-9:]{5}", "g"), "2026-12-01 09:41");
    if (text.parentElement.closest(".lists, td")) text.data = text.data.replace(/[0-9]+(?= (days|jours|hours|heures|يوم))/, "60");
    if (text.parentElement.closest("section:has(#audit) p")) text.data = text.data.replace(/^[0-9]+|[0-9]+(?=[,،])/, "54");
    if (text.parentElement.closest(".spoken")) text.data = "garden banquet forest school hornet river baker";
  }
}"""
"""Makes a page say what it says each time in the same words: moments of now, ages, the size of the log, the node's own key."""


@pytest.fixture(scope="module")
def chromium(browser):
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory, chromium):
    yield from begun(tmp_path_factory.mktemp("tryout"), chromium)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, chromium):
    """Another node, on which nobody does anything: its pictures are in the docs."""
    yield from begun(tmp_path_factory.mktemp("untouched"), chromium)


def begun(folder, chromium):
    with tryout(folder / "try", free_port()) as node:
        first = Person(chromium, node)
        first.register()
        first.close()
        yield node


@pytest.fixture
def enter(chromium, node):
    """Somebody signed in; with options of the browser's context."""
    opened = []

    def enter(at=node, **options):
        person = Person(chromium, at, **options)
        opened.append(person)
        person.sign_in()
        return person

    yield enter
    for person in opened:
        person.close()


def traces(page):
    """Places of the traces that the try-out node has: the exercise, the seizure, the ransom."""
    page.goto("/traces")
    for _ in range(100):
        found = page.locator("#main a[href^='/traces/']").evaluate_all(
            "all => all.map(one => one.getAttribute('href'))"
        )
        if len(found) >= 3:
            return found[-3:]  # the newest are first
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError("the node made no traces")


def settled(page, steps):
    """The sheet after so many steps."""
    page.wait_for_selector(f"#sheet[data-steps='{steps}']")


def chosen(page):
    return page.locator(".lanes a[aria-current=true]")


def test_a_days_work(enter, chromium, node):
    mara = enter()
    page = mara.page
    page.fill("#box", MAIL)
    page.press("#box", "Enter")
    page.wait_for_url("**/pasted/*")
    assert page.locator("tbody tr").count() == 1
    expect(page.locator("tbody tr .tag")).to_have_text("DarkSide ransom address (Colonial Pipeline)")
    page.select_option("select[name=marking]", "TLP:AMBER")
    page.click("button[autofocus]")
    page.wait_for_selector("body[data-ready=sheet]", timeout=60_000)
    expect(page.locator(".answer")).to_contain_text("75.00034246 BTC) is behind a gap in the data")
    sheet = page.url.partition("?")[0]

    before = page.locator(".lanes .box").count()
    for number in (0, 1):  # both starts pay one transaction
        page.locator(".lanes .box.seed").nth(number).click()
        page.wait_for_selector("#drawer h2:has-text('start')")
        page.keyboard.press("c")  # collapse
        settled(page, number + 1)
    assert page.locator(".lanes .box").count() < before
    page.keyboard.press("e")  # expand
    settled(page, 3)
    assert page.locator(".lanes .box").count() == before

    page.locator("table.twin tr", has_text="1DToN8Q6y3").locator("a").click()
    page.wait_for_selector("#drawer h2:has-text('gap')")
    page.keyboard.press("n")
    page.keyboard.type("The affiliate's share, by the public analysis")
    page.click("text=Keep the note")
    settled(page, 4)
    expect(page.locator("#drawer .note")).to_contain_text("The affiliate's share")
    page.keyboard.press("t")
    page.keyboard.type("Affiliate of DarkSide")
    page.click("#drawer button.act:has-text('Tag')")
    settled(page, 5)
    expect(page.locator("#drawer .known")).to_contain_text("Affiliate of DarkSide")
    page.keyboard.press("o")  # which output is change
    page.select_option("#drawer select[name=value]", "")
    page.fill("#drawer form:has(select[name=value]) textarea", "both outputs are payments")
    page.click("#drawer button.act:has-text('Overrule')")
    settled(page, 6)
    expect(page.locator("#drawer")).to_contain_text("No output is change, overruled by you")
    assert page.locator(".lanes .signs:has-text('≠')").count() > 0
    page.keyboard.press("u")  # undo
    settled(page, 7)
    assert page.locator(".lanes .signs:has-text('≠')").count() == 0
    page.locator("table.twin tr", has_text="1DToN8Q6y3").locator("a").click()
    page.wait_for_selector("#drawer h2:has-text('gap')")
    page.keyboard.press("w")  # watch
    settled(page, 8)
    expect(page.locator("#drawer")).to_contain_text("Watched")

    page.keyboard.press("s")
    page.keyboard.type("Ransom of 8 May 2021")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sheets/*")
    saved = page.url
    expect(page.locator("h1")).to_have_text("Ransom of 8 May 2021")
    expect(page.locator(".frozen")).to_contain_text("as of height 785974")
    shown = page.content()
    page.goto(sheet)
    page.wait_for_selector("body[data-ready=sheet]")
    for number in range(1, 6):
        page.keyboard.press("u")
        settled(page, number)  # who leaves while an answer is on its way sees it fail
    page.goto(saved)
    assert page.content() == shown  # it opens the same forever
    page.goto("/watches")
    assert page.locator("tbody tr").count() == 1
    mara.clean()
    page.click(".who summary")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.goto(saved)
    assert "/sign-in?next=" in page.url


def test_a_gap_leads_to_where_the_trail_is_again(enter):
    page = enter().page
    page.fill("#box", RANSOM_ADDRESS)
    page.press("#box", "Enter")
    page.wait_for_url("**/addresses/*")
    page.keyboard.press("t")
    page.wait_for_selector("body[data-ready=sheet]", timeout=60_000)
    before = page.url
    page.click("text=Trace on from there")
    page.wait_for_url(lambda url: "/traces/" in url and url != before)
    page.wait_for_selector("body[data-ready=sheet]", timeout=60_000)
    expect(page.locator(".answer")).to_contain_text("bc1qpx7vyv5tp7dm0g475ev527krg764t73dh77gls")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sheets/*")
    expect(page.locator("details.ends").first).to_contain_text("61.46816619")
    page.locator("details.ends a").first.click()
    page.wait_for_url("**/traces/*?box=*")


def test_a_key_acts_on_what_is_chosen_also_where_the_node_is_slow(enter):
    page = enter().page
    exercise = make_exercise()
    page.goto(page.url.partition("?")[0] + f"find?q={exercise.ransom_address}")
    page.keyboard.press("t")
    page.wait_for_selector("body[data-ready=sheet]", timeout=60_000)

    def slow(route):
        page.wait_for_timeout(700)
        route.continue_()

    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#drawer header")
    page.route("**/*part=drawer*", slow)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")  # before the drawer tells of it
    settled(page, 1)
    assert chosen(page).get_attribute("aria-label").startswith("6.2 BTC")
    assert "pinned" in chosen(page).get_attribute("aria-label")
    assert page.locator(".lanes .signs", has_text="◆").count() == 1
    page.unroute("**/*part=drawer*")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer header")).to_have_count(0)
    page.keyboard.press("n")
    expect(page.locator("#said")).to_contain_text("choose a box")
    page.context.set_offline(True)
    page.keyboard.press("u")
    expect(page.locator("#said")).to_contain_text("did not answer")
    page.context.set_offline(False)
    page.keyboard.press("u")
    settled(page, 2)
    assert not page.locator("#said").text_content()
    page.locator("input[name=stop]").evaluate(
        "one => { one.value = one.max; one.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    settled(page, 3)
    page.locator(".lanes .box.others").click()
    expect(page.locator("#drawer .members tr")).to_have_count(4)
    expect(page.locator("#drawer .amount")).to_contain_text("3.7997 BTC")
    page.keyboard.press("e")
    settled(page, 4)
    assert page.locator(".lanes .box.others").count() == 0


def test_by_keys_alone(enter):
    mara = enter()
    page = mara.page
    exercise = make_exercise()
    page.keyboard.press("/")
    page.keyboard.type(exercise.ransom_address)
    page.keyboard.press("Enter")
    page.wait_for_url("**/addresses/*")
    page.keyboard.press("t")
    page.wait_for_selector("body[data-ready=sheet]", timeout=60_000)
    expect(page.locator(".answer")).to_contain_text("62.0 % (6.2 BTC) sits at Meridian Exchange")
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        page.wait_for_timeout(250)
        walked.append(chosen(page).get_attribute("aria-label").split(",")[0])
    assert walked == ["10 BTC", "6.2 BTC", "2 BTC", "6.2 BTC", "10 BTC"]
    assert page.evaluate("document.activeElement.dataset.key") == chosen(page).get_attribute("data-key")
    assert page.locator("table.twin tr[aria-current=true]").count() == 1
    page.keyboard.press("e")  # the peel chain behind it
    settled(page, 1)
    assert page.locator(".lanes .box").count() > 10
    page.keyboard.press("ArrowLeft")  # from the first transaction of the chain back to the start
    page.wait_for_selector("#drawer button[data-keys=c]")
    page.keyboard.press("c")
    settled(page, 2)
    assert page.locator(".lanes .box").count() < 10
    page.keyboard.press("p")
    settled(page, 3)
    for number in (4, 5, 6):
        page.keyboard.press("u")
        settled(page, number)
    page.keyboard.press("r")
    settled(page, 7)
    assert page.locator(".lanes .box").count() > 10
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert page.locator("#keys dt").count() >= 12
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("1")
    page.wait_for_url(f"{mara.node.url}/")
    page.keyboard.press("5")
    page.wait_for_url("**/share")
    page.keyboard.press("6")
    page.wait_for_url("**/node")
    mara.clean()


def test_what_cannot_be_done_is_said_and_nothing_is_lost(enter):
    mara = enter()
    page = mara.page
    ransom = traces(page)[2]
    page.goto(ransom)
    page.wait_for_selector("body[data-ready=sheet]")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#drawer header")
    page.keyboard.press("e")
    expect(page.locator("#said")).to_contain_text("nothing is folded behind it")
    assert page.locator(".lanes .box").count() == 4
    mara.said = [text for text in mara.said if "409" not in text]  # the browser's own line on an answer of that status
    mara.clean()


def test_a_file_is_dropped(enter, tmp_path):
    mara = enter()
    page = mara.page
    transfer = page.evaluate_handle(
        """text => { const all = new DataTransfer();
        all.items.add(new File([text], "mail.eml", {type: "message/rfc822"})); return all; }""",
        MAIL,
    )
    page.dispatch_event(".box.large", "drop", {"dataTransfer": transfer})
    page.wait_for_url("**/pasted/*")
    expect(page.locator("main")).to_contain_text("read as mail")
    mara.clean()


def places(page):
    """Every screen, by name, with something chosen where one can choose."""
    exercise, seizure, ransom = traces(page)
    page.goto(exercise)
    page.wait_for_selector("body[data-ready=sheet]")
    key = page.locator(".lanes a[data-key]:has(.box)").nth(1).get_attribute("data-key")
    page.goto("/share")
    collection = page.locator("#main a[href^='/share/collections/']").first.get_attribute("href")
    return {
        "desk": "/",
        "trace": f"{exercise}?box={key}",
        "trace-ransom": ransom,
        "trace-seizure": seizure,
        "traces": "/traces",
        "node": "/node",
        "audit": "/node/audit",
        "jobs": "/jobs",
        "alarms": "/alarms",
        "watches": "/watches",
        "claims": "/claims?kind=hop",
        "share": "/share",
        "sources": "/share/sources",
        "objects": "/share/find?q=exercise",
        "collection": collection,
        "address": f"/addresses/{RANSOM_ADDRESS}",
        "transaction": "/transactions/915fb4f0a030937f2c1d2210996e8eb32b5a41b331965c7ec78961923775bd62",
        "found": f"/find?q={RANSOM_ADDRESS} and more",
        "refused": "/jobs/" + "0" * 32,
        "sign-in": "/sign-in",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_shuts_anybody_out(enter, scheme):
    mara = enter(color_scheme=scheme)
    page = mara.page
    axe = AXE_FILE_PATH.read_text(encoding="utf-8")
    wrong = []
    for name, place in places(page).items():
        page.goto(place)
        page.evaluate(axe + "\n;0")
        found = page.evaluate("async () => (await axe.run(document)).violations")
        wrong += [
            f"{name}: {one['id']} {node['html'][:120]} {node['any'][:1]}" for one in found for node in one["nodes"]
        ]
    assert not wrong, "\n".join(wrong)
    mara.said = [text for text in mara.said if "404" not in text]
    mara.clean()


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_screen_fits_its_window(enter, width, language):
    mara = enter(viewport={"width": width, "height": 844}, locale=language)
    page = mara.page
    for name, place in places(page).items():
        page.goto(place)
        assert mara.overflow() == 0, (name, width, language)
        assert page.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")


def test_without_script_everything_is_read_and_forms_are_sent(enter, chromium, node):
    mara = enter()
    kept = mara.context.storage_state()
    found = places(mara.page)
    context = chromium.new_context(base_url=node.url, java_script_enabled=False, storage_state=kept)
    try:
        page = context.new_page()
        for place in found.values():
            page.goto(place)
            assert page.locator("main").inner_text().strip()
        page.goto(found["trace"])
        assert page.locator("#drawer h2").count() == 1
        page.locator(".lanes .box").first.click()
        assert "box=" in page.url
        page.click("#drawer button:has-text('Pin')")
        assert page.locator(".lanes .signs:has-text('◆')").count() == 1
        page.click("button:has-text('Undo')")
        assert page.locator(".lanes .signs:has-text('◆')").count() == 0
        page.goto("/")
        page.fill("#box", RANSOM_ADDRESS)
        page.click("button:has-text('Find')")
        assert page.url.endswith(f"/addresses/{RANSOM_ADDRESS}")
    finally:
        context.close()


def test_the_page_of_a_trace_prints(enter):
    mara = enter()
    page = mara.page
    page.goto(places(page)["trace"])
    printed = page.pdf(format="A4")
    assert 1 <= len(PdfReader(io.BytesIO(printed)).pages) <= 5
    page.emulate_media(media="print")
    assert page.locator(".tools").is_hidden()
    assert page.locator(".top").is_hidden()
    assert page.locator("table.twin").is_visible()


SHOTS = (
    "desk", "trace", "trace-ransom", "trace-seizure", "traces", "node", "jobs", "alarms", "watches", "claims",
    "address", "transaction", "found", "refused", "sign-in",
)  # fmt: skip
KINDS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "ar": {"locale": "ar"},
    "fr": {"locale": "fr"},
}
"""Pictures of the screens in the docs: all of them in light, those of the flagship job in every other way."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_screens_look_as_the_docs_show_them(enter, untouched, root, kind):
    mara = enter(untouched, **KINDS[kind])
    page = mara.page
    wrong = []
    for name, place in places(page).items():
        if name not in SHOTS or (kind != "light" and name not in ("desk", "trace", "node")):
            continue
        page.goto(place)
        page.evaluate("document.activeElement?.blur()")
        page.evaluate(STEADY, [str((datetime.now(UTC) - timedelta(days=back)).date()) for back in (0, 1)])
        shot = page.screenshot(full_page=True, animations="disabled")
        path = root / "docs" / "images" / "pages" / f"{name}-{kind}.png"
        if os.environ.get("SHIELDWALL_SHOTS"):
            path.parent.mkdir(exist_ok=True)
            Image.open(io.BytesIO(shot)).convert("RGB").quantize(64).save(path, optimize=True)
        elif (share := difference(path, shot)) > CHANGED:
            wrong.append(
                f"{path.name}: {share:.2%} of it is different; look at it, and write it anew with `make shots`"
            )
    assert not wrong, "\n".join(wrong)


def difference(path, shot):
    """Share of the pixels in which a picture differs from the one in the docs; 1 for another size."""
    before, now = (
        Image.open(path).convert("RGB"),
        Image.open(io.BytesIO(shot)).convert("RGB").quantize(64).convert("RGB"),
    )
    if before.size != now.size:
        return 1.0
    levels = ImageChops.difference(before, now).convert("L").point(lambda level: 255 if level > NOISE else 0)
    return levels.histogram()[255] / (levels.width * levels.height)


def test_a_picture_that_changed_is_noticed(tmp_path):
    picture = Image.new("RGB", (100, 100), "#fcfbf8")
    picture.save(tmp_path / "before.png")
    made = io.BytesIO()
    picture.paste("#a02318", (10, 10, 30, 14))
    picture.save(made, "PNG")
    assert difference(tmp_path / "before.png", made.getvalue()) > CHANGED
