"""How light the page of an answer is, in a real Chromium.

`python -m benchmarks.page` starts a fresh site with composed pieces, has an excerpt answered and
loads the answer again and again, each time with nothing in the browser's cache. It prints what it
measured beside the goals and ends with status 1 when one of them is missed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

from benchmarks import browser
from benchmarks.composed import SECONDS, compare
from benchmarks.site import Site, fresh_site, wait_until

WARM, LOADS = 6, 15  # the first loads find web processes that have not read their templates yet
PHONE = {"width": 390, "height": 844}

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# The sound is not part of the page: it comes when somebody listens.
ASSETS = """() => performance.getEntriesByType("resource")
    .filter((one) => one.initiatorType !== "audio")
    .reduce((sum, one) => sum + one.transferSize, 0)"""
WATCH_SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
# From the pause of yours to the first sound of theirs.
WATCH_GAP = """() => {
    let paused = 0;
    const yours = document.getElementById("yours");
    yours.addEventListener("pause", () => { paused = performance.now(); });
    document.getElementById("theirs-1").addEventListener("playing", () => {
        window.gap = performance.now() - paused;
    });
}"""


@dataclass(frozen=True)
class Figure:
    """One measure and the most that it may be."""

    name: str
    measured: float
    most: float
    unit: str

    @property
    def held(self) -> bool:
        return self.measured <= self.most

    def __str__(self) -> str:
        verdict = "held" if self.held else "MISSED"
        measured, most = (f"{value:10.4g} {self.unit:2}" for value in (self.measured, self.most))
        return f"{self.name:44}{measured}  {most}  {verdict}"


def measure(site: Site, page: Page, excerpt: Path) -> Iterator[Figure]:
    shifts = follow(site, page, excerpt)
    address = page.url
    body = page.request.get(address).body()
    yield Figure("first contentful paint, median of cold loads", paint(page, address), 200, "ms")
    yield Figure("HTML of the page", len(body) / 1000, 60, "kB")
    yield Figure(
        "transferred for everything else but sound", page.evaluate(ASSETS) / 1000, 150, "kB"
    )
    yield Figure("layout shift while polling", shifts, 0, "")
    yield Figure("gap between yours and theirs", gap(page), 100, "ms")


def follow(site: Site, page: Page, excerpt: Path) -> float:
    """How much was shifted from the upload to its answer, on a phone's screen."""
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"{site.url}/uploads/new/")
    page.set_input_files("#audio", excerpt)
    page.click("#send")
    page.wait_for_url("**/uploads/*-*/")
    page.locator("#answer").wait_for(timeout=120_000)
    shifted: float = page.evaluate("shifted")
    return shifted


def paint(page: Page, address: str) -> float:
    """Milliseconds to the first contentful paint, of several loads with an empty cache."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    times = []
    for _ in range(WARM + LOADS):
        page.goto(address)
        times.append(wait_until(lambda: page.evaluate(FIRST_PAINT)))
    return median(times[WARM:])


def gap(page: Page) -> float:
    """Milliseconds of silence when a span of yours ends and that of theirs begins."""
    page.evaluate(WATCH_GAP)
    page.locator("#answer .span").first.click()
    measured: float = wait_until(lambda: page.evaluate("window.gap"), 2 * SECONDS)
    return measured


@contextmanager
def signed_in(site: Site) -> Iterator[Page]:
    with browser.window() as page:
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        browser.sign_in(page, site)
        yield page


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, fresh_site() as site, signed_in(site) as page:
        figures = list(measure(site, page, compare(site, Path(scratch))))
    print(f"{'':44}{'measured':>13}  {'at most':>13}")
    for figure in figures:
        print(figure)
    return int(not all(figure.held for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
