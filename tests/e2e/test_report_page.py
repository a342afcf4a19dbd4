"""The report in a real browser: nothing overflows, text fits its box, nothing is loaded, and it prints."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from shieldwall.playbooks.demo import play

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("browser")]

PROBE = """<script>
const boxes = [...document.querySelectorAll('svg .box')].map(box => {
  const rect = box.querySelector('rect').getBBox();
  const ends = [...box.querySelectorAll('text')].map(text => text.getBBox().x + text.getBBox().width);
  return Math.max(...ends) - rect.x - rect.width;
});
const root = document.documentElement;
document.title = 'PROBE ' + JSON.stringify({
  over: root.scrollWidth - root.clientWidth, width: root.clientWidth, text: Math.max(-999, ...boxes), boxes: boxes.length,
  loaded: performance.getEntriesByType('resource').length,
});
</script></body>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    return {path.stem: path for path in play(folder, lambda _: None).files}


def drive(browser, *words):
    flags = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--no-first-run"]
    return subprocess.run([browser, *flags, *words], check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.parametrize("name", ["colonial-ransom", "colonial-seizure", "exercise", "freeze-request"])
def test_the_page_fits(browser, pages, tmp_path, name, width):
    probed = tmp_path / "probed.html"
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", pages[name].read_text(encoding="utf-8"))
    probed.write_text(page.replace("</body>", PROBE), encoding="utf-8")
    shown = drive(browser, f"--window-size={width},900", "--dump-dom", probed.as_uri())
    found = json.loads(re.search(r"<title>PROBE (\{.*?\})</title>", shown)[1])
    assert found["over"] <= 0, found
    assert found["text"] <= 0, found
    assert found["loaded"] == 0
    assert (found["boxes"] > 0) == (name != "freeze-request")


@pytest.mark.parametrize("name", ["colonial-seizure", "freeze-request"])
def test_the_page_prints(browser, pages, tmp_path, name):
    printed = tmp_path / "page.pdf"
    drive(browser, f"--print-to-pdf={printed}", "--no-pdf-header-footer", pages[name].as_uri())
    assert printed.read_bytes().startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) <= 6
