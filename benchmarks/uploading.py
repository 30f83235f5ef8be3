"""Songs that are sent to a real site, and what passes until their answers are seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page

from benchmarks.processes import megabytes, parents
from benchmarks.site import Site, wait_until
from ml.audio import SAMPLE_RATE

# The time of every upload, the oldest first.
TIMES = """
import json
from matcher.models import Upload
rows = Upload.objects.order_by("created_at")
print(json.dumps([
    {**one.stages, "QUEUED": one.queued_at.isoformat(), "FINISHED": one.finished_at.isoformat()}
    for one in rows
], separators=(",", ":")))
"""
# By the browser's clock: Playwright looks for elements at intervals of up to half a second.
WATCH = """{
    addEventListener("click", () => sessionStorage.setItem("clicked", Date.now()), true);
    const painted = (tell) => requestAnimationFrame(() => requestAnimationFrame(tell));
    new MutationObserver((_, self) => {
        if (!document.getElementById("answer")) return;
        self.disconnect();
        painted(() => { window.seen = Date.now() - sessionStorage.getItem("clicked"); });
    }).observe(document, { childList: true, subtree: true });
}"""
STATES = ("QUEUED", "DECODING", "EXTRACTING", "ENCODING", "SEARCHING", "FINISHED")
NAMES = ("queue wait", "decode", "features", "encode", "search, align, write")
HEARING = ("decode", "features", "encode")
JOB_SECONDS, PATIENCE = 6, 600.0


@dataclass(frozen=True)
class Seen:
    """One answer: seconds from the click to its sight, and those of each stage of its job."""

    visible: float
    stages: dict[str, float]

    @property
    def beside_hearing(self) -> float:
        return self.visible - sum(self.stages[name] for name in HEARING)

    @property
    def page(self) -> float:
        """The transfer before the job, and the page that learns of its end."""
        return self.visible - sum(self.stages.values())


def mp3(source: Path, target: Path, seconds: float, skip: int = 0) -> Path:
    """A piece as an mp3 of that length, from a second of it on and again from its start."""
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    samples = np.roll(samples, -skip * rate, axis=0)
    left = round(seconds * rate)
    with soundfile.SoundFile(target, "w", rate, samples.shape[1], format="MP3") as made:
        while left > 0:
            made.write(samples[:left])
            left -= len(samples)
    return target


def see(site: Site, page: Page, songs: list[Path]) -> list[Seen]:
    """Send each song by the form, once the answer to the one before is seen."""
    page.add_init_script(WATCH)
    visible = [_visible(site, page, song) for song in songs]
    times = json.loads("".join(site.ask(TIMES)))[-len(songs) :]
    return [Seen(*pair) for pair in zip(visible, map(_stages, times), strict=True)]


def _visible(site: Site, page: Page, song: Path) -> float:
    page.goto(f"{site.url}/uploads/new/")
    page.set_input_files("#audio", song)
    page.click("#send")
    page.wait_for_url("**/uploads/*-*/")
    seen: float = wait_until(lambda: page.evaluate("window.seen"), PATIENCE)
    return seen / 1000


def _stages(times: dict[str, str]) -> dict[str, float]:
    moments = [datetime.fromisoformat(times[state]) for state in STATES]
    passed = np.diff([moment.timestamp() for moment in moments])
    return dict(zip(NAMES, passed.tolist(), strict=True))


def listener(site: Site) -> int:
    """The process that hears visitors' songs: the child of the worker of that queue."""
    (child,) = (pid for pid, parent in parents().items() if parent == site.worker("match"))
    return child


def memory_after(site: Site, folder: Path, jobs: int, step: int = 100) -> Iterator[float]:
    """Megabytes that the listener holds after each `step` of so many short jobs."""
    visitor, random = site.visitor(), np.random.default_rng(0)
    visitor.get("/uploads/new/")
    song = folder / "short.flac"
    for number in range(1, jobs + 1):
        samples = random.normal(0, 0.1, JOB_SECONDS * SAMPLE_RATE)
        soundfile.write(song, np.cumsum(samples) % 1 - 0.5, SAMPLE_RATE)
        address = visitor.hand_in(song)
        if number % step == 0:
            wait_until(lambda: visitor.job(address)["state"] == "FINISHED", PATIENCE)  # noqa: B023
            yield megabytes(listener(site))[0]
