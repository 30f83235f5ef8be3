"""A tour in a real Chromium: every page in every state, on a phone and on a desk, light and dark.

The pictures lie in test-results/tour afterwards, to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from benchmarks import browser
from benchmarks.site import ROOT, Site, wait_until
from ml.synth import SAMPLE_RATE
from tests.live.stops import NEWCOMER, NOBODY, PHRASE, STOPS, TOURIST, VISITOR, Stop

pytestmark = [pytest.mark.live, pytest.mark.browser]

PICTURES = ROOT / "test-results" / "tour"
POLICY = "Content Security Policy"
# Width and scheme of each picture; axe looks where it says so.
LOOKS = [(1440, "light", True), (1440, "dark", False), (390, "light", False), (390, "dark", True)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def refused() -> list[str]:
    """What browsers refused to load or run since the last stop, in their words."""
    return []


@pytest.fixture(scope="module")
def people(site: Site, chromium: Browser, refused: list[str]) -> dict[str, Page]:
    """A page of each who looks around, signed in once."""
    pages = {who: chromium.new_page() for who in (VISITOR, NEWCOMER, NOBODY)}
    for page in pages.values():
        page.on("console", lambda said: refused.append(said.text) if POLICY in said.text else None)
        page.set_default_timeout(60_000)
        page.emulate_media(reduced_motion="reduce")
    browser.sign_in_visitor(pages[VISITOR], site)
    _sign_up(pages[NEWCOMER], site)
    return pages


def _sign_up(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/accounts/signup/")
    page.fill("[name=email]", f"{TOURIST}@example.org")
    page.fill("[name=username]", TOURIST)
    for field in ("password1", "password2"):
        page.fill(f"[name={field}]", PHRASE)
    page.locator("form:has([name=password1]) button[type=submit]").click()
    page.wait_for_url("**/uploads/new/")


@pytest.fixture(scope="module")
def paths(
    site: Site, catalogue: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Where the rows of each state are shown; the queued one waits as long as the tour lasts."""
    song = tmp_path_factory.mktemp("Heard") / "reference for the chase.flac"
    soundfile.write(song, catalogue[4][8 * SAMPLE_RATE : 36 * SAMPLE_RATE], SAMPLE_RATE)
    visitor = site.visitor()
    page = visitor.upload(song)
    wait_until(lambda: visitor.job(page)["state"] == "FINISHED", seconds=120, every=0.2)
    upload = page.strip("/").rpartition("/")[2]
    with site.held("match"):
        said = site.ask(f"from tests.live import rows; rows.make('{upload}', '{TOURIST}')")
        yield dict(word.split("=", 1) for word in said)
        site.ask(f"from tests.live import rows; rows.forget('{upload}')")


@pytest.mark.parametrize("stop", STOPS, ids=[stop.name for stop in STOPS])
def test_a_page_is_accessible_and_fits_in_every_look(
    site: Site, people: dict[str, Page], paths: dict[str, str], refused: list[str], stop: Stop
) -> None:
    page = people[stop.who]
    answer = page.goto(site.url + stop.path.format(**paths))
    assert answer is not None
    assert answer.status == stop.status
    try:
        if stop.act:
            stop.act(page)
        for width, scheme, axe in LOOKS:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            _look(page, PICTURES / f"{stop.name}-{width}-{scheme}.png", width, axe=axe)
        assert refused == []
    finally:
        refused.clear()
        page.goto("about:blank")  # the page must not go on when the network is back
        page.context.set_offline(False)


ELSEWHERE = ["/api/v1/docs", "/admin/", "/admin/tracks/track/", "/admin/tracks/job/import/"]


def test_the_other_pages_ask_for_nothing_that_their_policy_refuses(
    site: Site, chromium: Browser, refused: list[str]
) -> None:
    refused.clear()
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda said: refused.append(said.text) if POLICY in said.text else None)
    browser.sign_in(page, site)
    for path in ELSEWHERE:
        page.goto(site.url + path, wait_until="networkidle")
    page.close()
    assert refused == []


# Pictures that are loaded only when somebody scrolls to them are wanted now.
ALL_IMAGES = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
}))"""


def _look(page: Page, picture: Path, width: int, *, axe: bool) -> None:
    page.evaluate(ALL_IMAGES)
    page.screenshot(path=picture, full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} px wide"
    if axe:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
