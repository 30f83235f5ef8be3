"""Picking tracks in a real browser: the page stays, and so does the place on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from benchmarks.browser import CHROMIUM
from tracks.models import Track

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch, live_server: LiveServer) -> Iterator[Page]:
    """Playwright runs an event loop in this thread, which Django would take for its own."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(15_000)
        yield page
        browser.close()


def test_a_track_is_picked_by_the_keyboard_without_leaving_the_page(
    live_server: LiveServer, visitor: Page, add: Callable[..., Track]
) -> None:
    one, two = add(1), add(2)
    visitor.goto(f"{live_server.url}/catalogue/")
    visitor.evaluate("window.stayed = true")
    visitor.locator(f"#like-{one.pk}").press("Enter")
    expect(visitor.locator("#basket")).to_contain_text("1 track picked.")
    expect(visitor.locator(f"#like-{one.pk}")).to_be_focused()
    expect(visitor.locator(f"#like-{one.pk}")).to_have_attribute("aria-pressed", "true")
    visitor.locator(f"#unlike-{two.pk}").click()
    expect(visitor.locator("#basket")).to_contain_text("2 tracks picked.")
    assert visitor.evaluate("window.stayed")
    visitor.get_by_role("link", name="See them and ask").click()
    expect(visitor.locator("h1")).to_have_text("Like these, unlike those")
    assert Axe().run(visitor).violations_count == 0


def test_without_scripts_a_track_is_picked_all_the_same(
    live_server: LiveServer, visitor: Page, add: Callable[..., Track]
) -> None:
    track = add(1)
    context = visitor.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    plain.goto(f"{live_server.url}{track.get_absolute_url()}")
    plain.locator(f"#like-{track.pk}").click()
    expect(plain.locator("#basket")).to_contain_text("1 track picked.")
    expect(plain.locator("h1")).to_have_text(track.title)
    context.close()
