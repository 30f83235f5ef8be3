"""The life of a model version in a real browser, while somebody uploads all the time.

`python -m benchmarks.versions MUSIC` imports tracks into a fresh site, trains a version by the
administration's form, kills its worker after the first epoch, evaluates, indexes and activates the
version and rolls back, and tells which version answered the uploads meanwhile.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks import browser
from benchmarks.site import Site, fresh_site, wait_until
from benchmarks.visitor import Visitor

SECONDS = 3600.0  # that one step may take
PAUSE = 2.0  # between two uploads
DRAWN = """() => {
    const canvas = document.querySelector("#curves canvas");
    return canvas ? Chart.getChart(canvas).data.labels.length : 0;
}"""


@dataclass
class Uploads:
    """One sound, sent again and again by one person, each time soon after the last was answered.

    Each time with one more byte behind it: the same bytes would be answered from what is known.
    """

    site: Site
    song: Path
    answered: Counter[str] = field(default_factory=Counter)  # by version
    failed: list[str] = field(default_factory=list)
    sent: int = 0

    @cached_property
    def visitor(self) -> Visitor:
        """Signed in once: sign-ins are limited."""
        return self.site.visitor()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._send_until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _send_until(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            self.send()

    def send(self) -> str:
        """The version that answered."""
        self.sent += 1
        with tempfile.NamedTemporaryFile(suffix=self.song.suffix) as file:
            file.write(self.song.read_bytes() + bytes(self.sent))
            file.flush()
            page = self.visitor.upload(Path(file.name))
        ended = ("FINISHED", "FAILED")
        job = wait_until(
            lambda: found if (found := self.visitor.job(page))["state"] in ended else None, 300, 0.5
        )
        assert job is not None
        if job["state"] == "FAILED":
            self.failed.append(job["error"])
        else:
            self.answered[job["version"]] += 1
        return job.get("version", "")


class Walk:
    """An administrator's way through the pages of the model versions."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        browser.sign_in(page, site)

    def train(self, name: str, epochs: int, overrides: dict[str, Any]) -> None:
        """Asks for a training; the job's page is open then."""
        self.page.goto(f"{self.site.url}/admin/tracks/modelversion/train")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=overrides]", json.dumps(overrides))
        self.page.fill("[name=epochs]", str(epochs))
        self.page.get_by_role("button", name="Train", exact=True).click()
        self.page.wait_for_url("**/job/*/change/")

    def curves(self, epochs: int) -> None:
        """Waits, without loading the page anew, until its curves have so many points."""
        wait_until(lambda: self.page.evaluate(DRAWN) >= epochs, SECONDS, every=0.2)

    def finished(self) -> None:
        self.page.get_by_text("Finished").first.wait_for(timeout=SECONDS * 1000)

    def open_version(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.wait_for_url("**/modelversion/*/change/")

    def press(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).click()

    def reached(self, state: str) -> None:
        """Waits, loading the page again, until the version is in that state."""

        def seen() -> bool:
            self.page.reload()
            return self.page.locator(f'#version[data-state="{state}"]').count() == 1

        wait_until(seen, SECONDS, every=1)


def walk(
    page: Page, site: Site, uploads: Uploads, *, epochs: int, overrides: dict[str, Any]
) -> dict[str, float]:
    """The whole life of a version named "mine"; gives back the seconds of each step."""
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds[name] = time.monotonic() - began

    steps = Walk(page, site)
    with uploads.going_on():
        with step("train, worker killed after the first epoch"):
            steps.train("mine", epochs, overrides)
            steps.curves(1)
            site.kill_worker("train")
            steps.curves(epochs)
            steps.finished()
        steps.open_version("mine")
        with step("evaluate"):
            steps.press("Evaluate")
            steps.finished()
        steps.open_version("mine")
        with step("index"):
            steps.press("Index")
            steps.reached("READY")
        with step("activate"):
            steps.press("Activate")
    assert uploads.send() == "mine"
    with step("roll back"):
        steps.press("Roll back")
    assert uploads.send() == "soundsite-1"
    return seconds


def fill(site: Site, tracks: list[Path]) -> None:
    """Imports the files and waits until they are indexed."""
    with tempfile.TemporaryDirectory() as folder:
        for track in tracks:
            place = Path(folder, track.parent.name, track.name)
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(track.resolve())
        for command in (["import_tracks", folder], ["await_index"]):
            done = site.manage(*command)
            assert done.returncode == 0, done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path, metavar="MUSIC")
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    files = sorted(path for path in options.music.rglob("*") if path.is_file())
    chosen = files[:: max(len(files) // options.tracks, 1)][: options.tracks]
    with fresh_site() as site, browser.window() as page:
        fill(site, chosen)
        uploads = Uploads(site, chosen[0])
        seconds = walk(page, site, uploads, epochs=options.epochs, overrides={})
        said = page.locator("#version").inner_text()
    for name, length in seconds.items():
        print(f"{name}: {length:.0f} s")
    print(f"uploads answered by version: {dict(uploads.answered)}; failed: {uploads.failed}")
    print(said)
    raise SystemExit(bool(uploads.failed))


if __name__ == "__main__":
    main()
