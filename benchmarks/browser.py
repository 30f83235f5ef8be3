"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from benchmarks.site import Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def window(seconds: float = 20) -> Iterator[Page]:
    """A page that waits so long for whatever is asked of it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(seconds * 1000)
        yield page
        browser.close()


def sign_in(page: Page, site: Site) -> None:
    """As the administrator."""
    page.goto(f"{site.url}/accounts/login/?next=/admin/")
    page.fill("[name=login]", site.admin_user)
    page.fill("[name=password]", site.admin_password)
    page.locator("form:has([name=password]) button[type=submit]").click()
    page.wait_for_url("**/admin/")
