"""Where the tour stops: every page in every state. A new page adds its line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from playwright.sync_api import Page, expect

VISITOR, NEWCOMER, NOBODY = "visitor", "newcomer", "nobody"
TOURIST, PHRASE = "tourist", "a-long-enough-phrase-7"  # of the newcomer, who has a second factor


@dataclass(frozen=True)
class Stop:
    """One page in one state.

    Attributes:
        name: of its pictures.
        path: of the page; `{close}` and the like are the paths of the rows in `rows.make`.
        who: VISITOR has uploads, NEWCOMER has none, NOBODY is not signed in.
        act: what is done on the page before it is looked at.
        status: that the page is answered with.
    """

    name: str
    path: str
    who: str = VISITOR
    act: Callable[[Page], None] | None = None
    status: int = 200


def show_more(page: Page) -> None:
    page.locator("#rest a").click()
    expect(page.locator("#rest .match").first).to_be_visible()


def lose_the_network(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#network")).not_to_be_empty()


def upload_without_network(page: Page) -> None:
    song = {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"sound"}
    page.set_input_files("#audio", files=[song])  # type: ignore[list-item]
    page.context.set_offline(True)
    page.click("#send")
    expect(page.locator("#upload-error")).to_be_visible()


def choose_a_text(page: Page) -> None:
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"}
    page.set_input_files("#audio", files=[text])  # type: ignore[list-item]
    expect(page.locator("#upload-error")).to_be_visible()


def sign_in_wrongly(page: Page) -> None:
    page.fill("[name=login]", "nobody")
    page.fill("[name=password]", "nothing at all")
    page.locator("form:has([name=password]) button[type=submit]").click()
    expect(page.locator(".errorlist, .notice").first).to_be_visible()


def know_the_password(page: Page) -> None:
    """Whoever gave it too long ago is asked again."""
    if "/reauthenticate/" in page.url:
        page.fill("[name=password]", PHRASE)
        page.locator("form:has([name=password]) button[type=submit]").click()


def set_an_app_up(page: Page) -> None:
    know_the_password(page)
    page.locator("#authenticator-secret").wait_for()


def use_an_app(page: Page) -> None:
    set_an_app_up(page)
    secret = page.locator("#authenticator-secret").inner_text()
    moment = next(yield_hotp_counters_from_time())
    page.fill("[name=code]", format_hotp_value(hotp_value(secret, moment)))
    page.locator("form:has([name=code]) button").first.click()
    page.locator("#recovery-codes").wait_for()


def sign_in_up_to_the_factor(page: Page) -> None:
    page.fill("[name=login]", TOURIST)
    page.fill("[name=password]", PHRASE)
    page.locator("form:has([name=password]) button[type=submit]").click()
    page.locator("[name=code]").wait_for()


def post_without_a_token(page: Page) -> None:
    page.evaluate(
        """() => {
            const form = Object.assign(document.createElement("form"), { method: "post" });
            document.body.append(form);
            form.submit();
        }"""
    )
    expect(page.locator(".error-number")).to_have_text("403")


def await_the_map(page: Page) -> None:
    expect(page.locator("#map-wait")).to_be_hidden()


def open_the_menu(page: Page) -> None:
    page.locator(".menu > summary").click()


STOPS = [
    # First and in this order: the newcomer gets a second factor, and later pages show it.
    Stop("account-factor-app", "/accounts/2fa/totp/activate/", NEWCOMER, act=set_an_app_up),
    Stop("account-recovery-codes", "/accounts/2fa/totp/activate/", NEWCOMER, act=use_an_app),
    Stop("account-recovery-codes-new", "/accounts/2fa/recovery-codes/generate/", NEWCOMER),
    Stop("account-factor-off", "/accounts/2fa/totp/deactivate/", NEWCOMER),
    Stop("landing", "/", NOBODY),
    Stop("landing-signed-in", "/", act=open_the_menu),
    Stop("sign-up", "/accounts/signup/", NOBODY),
    Stop("sign-in", "/accounts/login/", NOBODY),
    Stop("sign-in-refused", "/accounts/login/", NOBODY, act=sign_in_wrongly),
    Stop("password-reset", "/accounts/password/reset/", NOBODY),
    Stop("upload", "/uploads/new/"),
    Stop("upload-refused", "/uploads/new/", act=choose_a_text),
    Stop("upload-offline", "/uploads/new/", act=upload_without_network),
    Stop("uploads-empty", "/uploads/", NEWCOMER),
    Stop("uploads", "/uploads/"),
    Stop("queued", "{queued}"),
    Stop("running", "{running}"),
    Stop("running-offline", "{running}", act=lose_the_network),
    Stop("answer-close", "{close}", act=show_more),
    Stop("answer-not-close", "{not-close}"),
    Stop("answer-same-recording", "{same-recording}"),
    Stop("answer-long-names", "{long-names}"),
    Stop("answer-without-pictures", "{without-pictures}"),
    Stop("answer-withdrawn", "{withdrawn}"),
    Stop("answer-nothing-left", "{nothing-left}"),
    Stop("shared", "{shared}", NOBODY),
    Stop("share-ended", "{share-ended}", NOBODY, status=410),
    Stop("failed-file", "{damaged}"),
    Stop("failed-ours", "{worker-lost}"),
    Stop("delete", "{close}delete/"),
    Stop("delete-all", "/uploads/delete/"),
    Stop("catalogue", "/catalogue/", NOBODY),
    Stop("catalogue-search", "/catalogue/?q=Piece", NOBODY),
    Stop("catalogue-nothing-found", "/catalogue/?q=zither", NOBODY),
    Stop("track", "{track}", NOBODY),
    Stop("map", "/catalogue/map/", act=await_the_map),
    Stop("seeds", "/seeds/"),
    Stop("answer-question", "{question}"),
    Stop("account", "/account/"),
    Stop("account-tokens", "/account/tokens/"),
    Stop("account-delete", "/account/delete/"),
    Stop("account-email", "/accounts/email/"),
    Stop("account-sessions", "/accounts/sessions/"),
    Stop("account-factor", "/accounts/2fa/"),
    Stop("account-factor-on", "/accounts/2fa/", NEWCOMER),
    Stop("account-password-again", "/accounts/reauthenticate/"),
    Stop("account-password", "/accounts/password/change/"),
    Stop("not-found", "/nowhere/", NOBODY, status=404),
    Stop("not-allowed", "/uploads/new/", act=post_without_a_token),
    Stop("sign-in-factor", "/accounts/login/", NOBODY, act=sign_in_up_to_the_factor),
]
