"""How soon a page can be used in a real browser: headless, on the same machine as the node, by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# Put in by the browser itself, so that the page's policy for scripts stays as it is: notes when the body says that it is ready.
_WATCH = """
new MutationObserver(() => {
  const said = document.body?.dataset.ready;
  if (said) (window.readyAt ??= {})[said] ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"] });
"""
_READ = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  return {
    ready: window.readyAt, answered: page.responseEnd, parsed: page.domInteractive,
    loaded: page.domContentLoadedEventEnd, painted: painted?.startTime ?? null,
    elements: document.getElementsByTagName("*").length,
  };
}"""


@contextmanager
def browser() -> Iterator[Browser | None]:
    """A headless browser; None where there is none, or no Playwright."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the suite goes on without it
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path)
        try:
            yield opened
        finally:
            opened.close()


def ready(opened: Browser, cookie: dict[str, str], place: str, said: str, times: int) -> dict[str, Any]:
    """Seconds from the start of the navigation until the body says that it is ready.

    Args:
        opened: The browser.
        cookie: Of the session.
        place: URL of the page.
        said: What `data-ready` must be.
        times: How often, with nothing kept by the browser (`cold`), and again in the same profile (`warm`).

    Returns:
        For `cold` and `warm`: median, least and most seconds, and the medians of answered, parsed, painted; and `elements`.

    Raises:
        BenchError: The page did not get ready.
    """
    cookies: list[Any] = [cookie]
    found: dict[str, list[dict[str, Any]]] = {"cold": [], "warm": []}
    for number in range(times + 1):
        context = opened.new_context()
        context.add_cookies(cookies)
        context.add_init_script(_WATCH)
        for runs in found.values():
            run = _visit(context, place, said)
            if number:  # the first starts the browser's own processes
                runs.append(run)
        context.close()
    return {way: _summed(runs) for way, runs in found.items()} | {"elements": found["warm"][-1]["elements"]}


def _visit(context: BrowserContext, place: str, said: str) -> dict[str, Any]:
    page = context.new_page()
    page.goto(place)
    page.wait_for_selector(f'body[data-ready="{said}"]')
    run: dict[str, Any] = page.evaluate(_READ)
    page.close()
    if not run["ready"] or said not in run["ready"]:
        raise BenchError(f"{place}: the page did not say that it is ready", hint="open it in a browser and look")
    return {**run, "ready": run["ready"][said]}


def _summed(runs: list[dict[str, Any]]) -> dict[str, float | None]:
    taken = [run["ready"] / 1e3 for run in runs]
    summed: dict[str, float | None] = {"median": median(taken), "least": min(taken), "most": max(taken)}
    for name in ("answered", "parsed", "painted"):
        there = [run[name] / 1e3 for run in runs if run[name] is not None]
        summed[name] = median(there) if there else None
    return summed
