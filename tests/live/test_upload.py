"""From the browser to the worker and back, with a catalogue that we composed ourselves."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg2
import pytest
import soundfile
from playwright.sync_api import Page, expect

from benchmarks import browser
from benchmarks.processes import line_of, programs
from benchmarks.site import Site, wait_until
from benchmarks.visitor import Visitor
from ml.synth import SAMPLE_RATE, compose, render
from tests.live.conftest import PIECES

pytestmark = [pytest.mark.live]


@pytest.fixture
def disguised(catalogue: list[np.ndarray], tmp_path: Path) -> Callable[[int], Path]:
    """Twenty seconds out of the middle of a piece: quieter, noisy, as an mp3 of another rate."""

    def disguise(number: int) -> Path:
        excerpt = catalogue[number][10 * SAMPLE_RATE : 30 * SAMPLE_RATE] * 0.5
        noise = np.random.default_rng(number).normal(size=excerpt.shape) * 0.003
        path = tmp_path / "something I heard.mp3"
        soundfile.write(path, excerpt + noise, SAMPLE_RATE, format="MP3")
        return path

    return disguise


@pytest.fixture
def window() -> Iterator[Page]:
    with browser.window() as page:
        yield page


@pytest.mark.browser
def test_a_newcomer_signs_up_uploads_a_disguised_excerpt_and_reads_the_name_of_its_piece(
    site: Site, window: Page, disguised: Callable[[int], Path]
) -> None:
    _sign_up(site, window, "newcomer")
    window.goto(f"{site.url}/uploads/new/")
    window.set_input_files("#audio", disguised(3))
    seen = _watch_states(window)
    window.click("#send")
    window.wait_for_url("**/uploads/*-*/")
    expect(window.locator("#answer")).to_have_attribute("data-title", "Piece 3", timeout=60_000)
    expect(window.get_by_role("heading", level=1)).to_contain_text("Piece 3")
    assert seen() <= {"QUEUED", "DECODING", "EXTRACTING", "ENCODING", "SEARCHING", "FINISHED"}
    assert len(seen()) > 1, "no stage was seen before the answer"


@pytest.mark.browser
def test_a_text_file_with_the_name_of_a_song_ends_with_a_sentence(
    site: Site, window: Page, tmp_path: Path
) -> None:
    _sign_up(site, window, "writer")
    path = tmp_path / "song.mp3"
    path.write_text("These are only words. " * 200)
    window.goto(f"{site.url}/uploads/new/")
    window.set_input_files("#audio", path)
    window.click("#send")
    window.wait_for_url("**/uploads/*-*/")
    job = window.locator("#job")
    expect(job).to_have_attribute("data-error", "not-audio", timeout=30_000)
    expect(job).to_have_attribute("data-state", "FAILED")
    assert "Traceback" not in window.content()


def test_the_command_line_agrees_with_the_site(
    site: Site, disguised: Callable[[int], Path]
) -> None:
    song = disguised(5)
    visitor = Visitor(site.url)
    visitor.sign_in(site.user, site.password)
    address = visitor.upload(song)
    wait_until(lambda: visitor.job(address)["state"] == "FINISHED", seconds=60, every=0.5)
    said = json.loads(site.manage("match", str(song), "--json").stdout)
    job = visitor.job(address)
    assert said["matches"][0]["title"] == job["title"] == "Piece 5"
    assert said["matches"][0]["score"] == float(job["score"]) > 90  # calibrated before any upload


def test_a_track_just_added_is_found_and_a_deleted_one_no_longer_is(
    site: Site, catalogue: list[np.ndarray], tmp_path: Path
) -> None:
    path, excerpt = tmp_path / "new.flac", tmp_path / "excerpt.flac"
    samples = render(compose(77), 40.0)
    soundfile.write(path, samples, SAMPLE_RATE)
    soundfile.write(excerpt, samples[12 * SAMPLE_RATE : 28 * SAMPLE_RATE], SAMPLE_RATE)
    administrator = Visitor(site.url)
    administrator.sign_in(site.admin_user, site.admin_password)
    administrator.add_track(path, "Just added")
    assert site.manage("await_index").returncode == 0
    assert _answer(administrator, excerpt) == "Just added"
    found = re.search(r'/catalogue/(\d+)/">Just added', administrator.get("/catalogue/?q=Just"))
    assert found is not None
    administrator.delete_track(int(found[1]))
    assert _answer(administrator, excerpt).startswith("Piece ")


def test_a_job_whose_worker_is_killed_is_finished_once_without_anyones_doing(
    site: Site, long_song: Path
) -> None:
    upload = _interrupted(site, long_song, signal.SIGKILL)
    wait_until(lambda: _row(site, upload)[0] in ("FINISHED", "FAILED"), seconds=120, every=0.5)
    assert _row(site, upload) == ("FINISHED", 2, PIECES)


def test_a_worker_that_is_asked_to_end_finishes_the_job_in_hand(
    site: Site, long_song: Path
) -> None:
    upload = _interrupted(site, long_song, signal.SIGTERM)
    wait_until(lambda: _row(site, upload)[0] in ("FINISHED", "FAILED"), seconds=120, every=0.5)
    assert _row(site, upload) == ("FINISHED", 1, PIECES)


@pytest.fixture
def long_song(catalogue: list[np.ndarray], tmp_path: Path) -> Path:
    """Takes a worker some seconds; no two are the same bytes, which would be answered at once."""
    path = tmp_path / "long.flac"
    soundfile.write(path, np.tile(catalogue[7], 20), SAMPLE_RATE)
    with path.open("ab") as file:
        file.write(tmp_path.name.encode())
    return path


def _interrupted(site: Site, song: Path, number: int) -> str:
    """An upload whose worker got the signal in the middle of the job."""
    visitor = site.visitor()
    (worker,) = (pid for pid in programs(site.process.pid) if "-Q match" in line_of(pid))
    upload = visitor.upload(song).strip("/").rpartition("/")[2]
    wait_until(lambda: _row(site, upload)[0] not in ("QUEUED", "FINISHED"), seconds=60, every=0.01)
    os.kill(worker, number)
    assert _row(site, upload)[0] not in ("FINISHED", "FAILED"), "the job was over too soon"
    return upload


def _answer(visitor: Visitor, song: Path) -> str:
    """The title that an upload of the song is answered with."""
    address = visitor.upload(song)
    wait_until(lambda: visitor.job(address)["state"] in ("FINISHED", "FAILED"), seconds=60)
    return visitor.job(address)["title"]


def _sign_up(site: Site, window: Page, name: str) -> None:
    window.goto(f"{site.url}/accounts/signup/")
    window.fill("[name=email]", f"{name}@example.org")
    window.fill("[name=username]", name)
    for field in ("password1", "password2"):
        window.fill(f"[name={field}]", "a-long-enough-phrase-7")
    window.locator("form:has([name=password1]) button[type=submit]").click()
    window.wait_for_url("**/uploads/new/")


def _watch_states(window: Page) -> Callable[[], set[str]]:
    """Every state that an answer of the server showed: the page's, or a fragment's."""
    states: set[str] = set()

    def read(body: str) -> None:
        states.update(part.partition('"')[0] for part in body.split('data-state="')[1:])

    window.on("response", lambda answer: read(answer.text()) if "/uploads/" in answer.url else None)
    return lambda: states


def _row(site: Site, upload: str) -> tuple[str, int, int]:
    """State, attempts and number of matches, as they stand in the database."""
    urls = json.loads((site.folder / "running.json").read_text())
    connection = psycopg2.connect(urls["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, attempt, (SELECT count(*) FROM matcher_match WHERE upload_id = u.id)"
                " FROM matcher_upload AS u WHERE u.id = %s",
                [upload],
            )
            row = cursor.fetchone()
    finally:
        connection.close()
    assert row is not None
    return row[0], row[1], row[2]
