"""Feedback, links, files and the wish for a mail in a real browser, with and without JavaScript."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from matcher import shares
from matcher.models import Feedback, Notice, Share, Upload
from tests.matcher.conftest import Upper, signed_in

pytestmark = [
    pytest.mark.browser,
]

expect.set_options(timeout=15_000)  # as `signed_in` sets it for everything else


def test_a_verdict_is_given_and_taken_back_in_place_and_the_focus_stays(
    live_server: LiveServer, window: Page, answered: Upload
) -> None:
    window.goto(f"{live_server.url}/uploads/{answered.pk}/")
    good = window.locator("#good-2")
    good.press("Enter")
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(good).to_be_focused()
    expect(window.locator("#good-1")).to_have_attribute("aria-pressed", "false")
    assert Feedback.objects.get().verdict == "GOOD"
    window.locator("#not-similar-2").click()
    expect(good).to_have_attribute("aria-pressed", "false")
    window.locator("#not-similar-2").click()
    expect(window.locator("#not-similar-2")).to_have_attribute("aria-pressed", "false")
    assert not Feedback.objects.exists()
    assert window.url.endswith(f"/uploads/{answered.pk}/")


def test_everything_around_an_answer_works_without_javascript(
    live_server: LiveServer, plain_window: Page, browser: Browser, answered: Upload
) -> None:
    here = f"{live_server.url}/uploads/{answered.pk}/"
    plain_window.goto(here)
    plain_window.click("#good-1")
    expect(plain_window.locator("#good-1")).to_have_attribute("aria-pressed", "true")
    assert plain_window.url == f"{here}#feedback-1"
    with plain_window.expect_download() as taken:
        plain_window.click(".take-away >> text=CSV")
    with open(taken.value.path(), encoding="utf-8-sig", newline="") as file:
        assert [row["title"] for row in csv.DictReader(file)] == ["Piece 0", "Piece 1", "Piece 2"]
    plain_window.get_by_role("button", name="Make a link").click()
    expect(plain_window.locator("[data-copy]")).to_be_hidden()
    address = plain_window.locator(".address").inner_text()
    assert address == f"{live_server.url}/s/{Share.objects.get().token}/"
    reader = browser.new_page()
    reader.goto(address)
    expect(reader.locator("#answer")).to_have_attribute("data-title", "Piece 0")
    plain_window.get_by_role("button", name="Revoke link 1").click()
    expect(plain_window.locator(".address")).to_have_count(0)
    reader.reload()
    expect(reader.locator("h1")).to_have_text("This link has ended")
    reader.close()


def test_a_link_is_copied_by_its_button(
    live_server: LiveServer, window: Page, answered: Upload
) -> None:
    made = shares.share(answered)
    assert made is not None
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.goto(f"{live_server.url}/uploads/{answered.pk}/")
    window.click("[data-copy]")
    expect(window.locator("[data-copy]")).to_have_text("Copied")
    copied = window.evaluate("navigator.clipboard.readText()")
    assert copied == f"{live_server.url}/s/{made.token}/"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_the_wish_for_a_mail_is_made_and_unmade_in_front_of_a_waiting_job(
    request: pytest.FixtureRequest,
    live_server: LiveServer,
    owner: Any,
    upload: Upper,
    scripts: bool,
) -> None:
    page: Page = request.getfixturevalue("window" if scripts else "plain_window")
    EmailAddress.objects.create(user=owner, email="olivia@example.org", verified=True)
    page.goto(f"{live_server.url}/uploads/{upload().pk}/")
    page.click("#tell-button")
    expect(page.locator("#tell")).to_contain_text("we write to olivia@example.org")
    assert Notice.objects.exists()
    page.click("#tell-button")
    expect(page.locator("#tell-button")).to_contain_text("Tell me by e-mail")
    assert not Notice.objects.exists()


def test_whoever_follows_a_link_asks_no_other_host_and_tells_none(
    live_server: LiveServer, browser: Browser, answered: Upload
) -> None:
    made = shares.share(answered)
    assert made is not None
    reader = browser.new_page()
    asked: dict[str, str | None] = {}
    reader.on("request", lambda one: asked.update({one.url: one.headers.get("referer")}))
    reader.goto(f"{live_server.url}/s/{made.token}/", wait_until="networkidle")
    reader.close()
    assert len(asked) > 3
    assert all(url.startswith(live_server.url) for url in asked)
    assert not any(asked.values()), "an address was told"


def test_the_pages_around_an_answer_are_accessible_in_both_schemes_and_fit_a_phone(
    live_server: LiveServer, browser: Browser, owner_client: Any, answered: Upload, upload: Upper
) -> None:
    first, ended = shares.share(answered), shares.share(answered)
    assert first is not None
    assert ended is not None
    shares.revoke(answered, ended.pk)
    paths = [f"/uploads/{answered.pk}/", f"/uploads/{upload().pk}/"]
    paths += [f"/s/{first.token}/", f"/s/{ended.token}/"]
    for scheme, width in (("light", 1440), ("dark", 390)):
        context = browser.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 844},
            reduced_motion="reduce",
        )
        page = signed_in(context, live_server, owner_client)
        for path in paths:
            page.goto(live_server.url + path)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            source = page.content()
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", source), path
        context.close()
