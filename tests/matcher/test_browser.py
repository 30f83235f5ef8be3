"""The pages in a real browser: the upload form and the live job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from matcher import jobs
from matcher.models import RUNNING, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.looks import peaks, strip
from tests.matcher.sounds import tone
from tests.matcher.test_jobs import Found
from tracks.models import Track

pytestmark = [
    pytest.mark.browser,
]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    path.write_bytes(tone(6))
    return path


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("song.mp3", b"", "This file is empty."),
        ("notes.txt", b"hello", "This does not look like an audio file."),
        ("song.mp3", b"x" * 2_000_000, "This file is too large: up to 1 MB are taken."),
    ],
    ids=["empty", "text", "large"],
)
def test_a_file_that_will_be_refused_is_refused_before_it_is_sent(
    live_server: LiveServer, window: Page, settings: Any, name: str, content: bytes, sentence: str
) -> None:
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    window.goto(f"{live_server.url}/uploads/new/")
    file = {"name": name, "mimeType": "", "buffer": content}
    window.set_input_files("#audio", files=[file])  # type: ignore[list-item]
    expect(window.locator("#upload-error")).to_have_text(sentence)
    expect(window.locator("#send")).to_be_disabled()


def test_a_file_can_be_dropped_into_the_frame(live_server: LiveServer, window: Page) -> None:
    window.goto(f"{live_server.url}/uploads/new/")
    dropped = window.evaluate_handle(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["x"], "dropped.ogg", {type: "audio/ogg"}));
            return carried;
        }"""
    )
    window.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    expect(window.locator("#chosen")).to_contain_text("dropped.ogg")


def test_a_file_that_met_no_network_is_sent_by_itself_when_it_is_back(
    live_server: LiveServer, window: Page, song: Path
) -> None:
    window.goto(f"{live_server.url}/uploads/new/")
    window.set_input_files("#audio", song)
    window.context.set_offline(True)
    window.click("#send")
    expect(window.locator("#upload-error")).to_contain_text("You are offline")
    expect(window.locator("#chosen")).to_contain_text("song.wav")
    window.context.set_offline(False)
    window.wait_for_url("**/uploads/*-*/")
    assert Upload.objects.get().original_name == "song.wav"


def test_a_file_whose_sending_broke_off_can_be_sent_again(
    live_server: LiveServer, window: Page, song: Path
) -> None:
    window.goto(f"{live_server.url}/uploads/new/")
    window.set_input_files("#audio", song)
    window.route("**/uploads/new/", lambda route: route.abort("connectionreset"))
    window.click("#send")
    expect(window.locator("#upload-error")).to_contain_text("The connection was lost")
    window.unroute("**/uploads/new/")
    window.get_by_role("button", name="Send it again").click()
    window.wait_for_url("**/uploads/*-*/")
    assert Upload.objects.get().original_name == "song.wav"


def test_a_file_that_a_busy_site_refused_stays_chosen_and_can_be_sent_again(
    live_server: LiveServer, window: Page, song: Path, upload: Upper, settings: Any
) -> None:
    window.goto(f"{live_server.url}/uploads/new/")
    window.set_input_files("#audio", song)
    settings.QUEUE_MAX_JOBS = 1
    waiting = upload()
    window.click("#send")
    expect(window.locator("#upload-error")).to_contain_text("The site is very busy.")
    expect(window.locator("#chosen")).to_contain_text("song.wav")
    waiting.delete()
    window.get_by_role("button", name="Send it again").click()
    window.wait_for_url("**/uploads/*-*/")
    assert Upload.objects.get().original_name == "song.wav"


def test_a_page_that_lost_the_network_says_so_and_follows_on_by_itself(
    live_server: LiveServer, window: Page, upload: Upper
) -> None:
    job = upload(State.DECODING)
    window.goto(f"{live_server.url}/uploads/{job.pk}/")
    network = window.locator("#network")
    expect(network).to_be_empty()
    window.context.set_offline(True)
    expect(network).to_contain_text("follows by itself")
    window.context.set_offline(False)
    jobs.advance(job, State.EXTRACTING)
    expect(window.locator("#job")).to_have_attribute("data-state", "EXTRACTING")
    expect(network).to_be_empty()


def test_the_page_follows_the_job_to_its_answer_and_then_asks_no_more(
    live_server: LiveServer, window: Page, song: Path, tracks: list[Track]
) -> None:
    window.goto(f"{live_server.url}/uploads/new/")
    window.set_input_files("#audio", song)
    window.click("#send")
    window.wait_for_url("**/uploads/*-*/")
    job = jobs.claim()
    assert job is not None
    for state in RUNNING[1:]:
        jobs.advance(job, state)
        expect(window.locator("#job")).to_have_attribute("data-state", state.value)
        expect(window.locator("#announcement")).to_have_text(str(state.label))
    jobs.finish(job, [Found(tracks[1])], duration=6.0)
    expect(window.locator("#answer")).to_have_attribute("data-title", "Piece 1")
    expect(window).to_have_title("Sounds like Piece 1 · Soundsite")
    assert window.locator("[hx-get]").count() == 0


def test_the_list_follows_its_jobs_and_leaves_the_focus_where_it_is(
    live_server: LiveServer, window: Page, upload: Upper
) -> None:
    job = upload(State.DECODING)
    window.goto(f"{live_server.url}/uploads/")
    window.focus(f"#delete-{job.pk}")
    jobs.advance(job, State.EXTRACTING)
    expect(window.locator("#mine li")).to_have_attribute("data-state", "EXTRACTING")
    expect(window.locator(f"#delete-{job.pk}")).to_be_focused()
    expect(window.locator("#announcement")).to_have_text("1 upload is under way.")
    jobs.fail(job, "damaged")
    expect(window.locator("#mine li")).to_have_attribute("data-state", "FAILED")
    expect(window.locator("#announcement")).to_have_text("Nothing is under way any more.")
    assert window.locator("[hx-get]").count() == 0


WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) {
            const moved = one.sources.map(({ node, previousRect: from, currentRect: to }) =>
                [node?.outerHTML?.slice(0, 80), from.toJSON(), to.toJSON()]);
            if (!one.hadRecentInput) window.shifts.push([one.value, moved]);
        }
    }).observe({ type: "layout-shift" });
"""


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_the_page_follows_a_job_to_its_answer(
    live_server: LiveServer, window: Page, upload: Upper, tracks: list[Track], width: int
) -> None:
    window.set_viewport_size({"width": width, "height": 844})
    upload(content=tone(6))
    job = jobs.claim()
    assert job is not None
    window.goto(f"{live_server.url}/uploads/{job.pk}/")
    window.evaluate(WATCH_SHIFTS)
    for state in RUNNING[1:]:
        jobs.advance(job, state)
        expect(window.locator("#job")).to_have_attribute("data-state", state.value)
    pictures = {"peaks": peaks(0), "strip": strip(0)}
    jobs.finish(job, [Found(track) for track in tracks], duration=6.0, **pictures)
    expect(window.locator("#answer")).to_be_visible()
    window.wait_for_function("() => document.getAnimations().length === 0")
    window.wait_for_function(
        "() => [...document.querySelectorAll('#answer .strip')].every((one) => one.complete)"
    )
    assert window.evaluate("shifts") == []


def test_everything_works_without_javascript(
    live_server: LiveServer, plain_window: Page, song: Path, tracks: list[Track]
) -> None:
    plain_window.goto(f"{live_server.url}/uploads/new/")
    plain_window.set_input_files("#audio", song)
    plain_window.click("#send")
    plain_window.wait_for_url("**/uploads/*-*/")
    job = jobs.claim()
    assert job is not None
    for state in RUNNING[1:]:
        jobs.advance(job, state)
    jobs.finish(job, [Found(tracks[1])], duration=6.0)
    expect(plain_window.locator("#answer")).to_be_visible(timeout=10_000)  # the page refreshes


def test_the_language_is_changed_and_the_account_left_without_javascript(
    live_server: LiveServer, plain_window: Page, owner: Any, answered: Upload
) -> None:
    plain_window.goto(f"{live_server.url}/account/")
    plain_window.click("footer [value=de]")
    expect(plain_window.locator("html")).to_have_attribute("lang", "de")
    plain_window.click("text=Mein Konto löschen")
    plain_window.fill("[name=password]", "owners-pass-1")
    plain_window.click("main form button")
    expect(plain_window.locator(".notices")).to_contain_text("Ihr Konto ist gelöscht")
    assert not Upload.objects.exists()


def test_no_page_needs_another_host_or_an_inline_script_or_style(
    live_server: LiveServer, window: Page, answered: Upload
) -> None:
    asked: set[str] = set()
    window.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    for path in ("/", "/uploads/new/", "/uploads/", f"/uploads/{answered.pk}/"):
        window.goto(live_server.url + path, wait_until="networkidle")
        source = window.content()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", source)
        assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert asked == {urlsplit(live_server.url).netloc}
