"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.site import Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def window(seconds: float = 20) -> Iterator[Page]:
    """A page that waits so long for whatever is asked of it."""
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(seconds * 1000)
        yield page


def sign_in(page: Page, site: Site) -> None:
    """As the administrator."""
    _enter(page, site.url, site.admin_user, site.admin_password, "/admin/")


def sign_in_visitor(page: Page, site: Site) -> None:
    """As the demo user."""
    _enter(page, site.url, site.user, site.password, "/uploads/")


def _enter(page: Page, url: str, user: str, password: str, after: str) -> None:
    page.goto(f"{url}/accounts/login/?next={after}")
    page.fill("[name=login]", user)
    page.fill("[name=password]", password)
    page.locator("form:has([name=password]) button[type=submit]").click()
    page.wait_for_url(f"**{after}")
