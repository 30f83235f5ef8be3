"""Do hundreds of waiting pages hold up a site, or keep it from taking uploads?

`python -m benchmarks.polling` starts a fresh `script/server` (two web processes), holds its worker,
lets 500 jobs of as many people wait, and opens their pages with locust: each polls on the page's
own schedule. A stand-in ends a job every two seconds, so places move as they do in reality. Others
send files in meanwhile. It prints the times of the polls and ends with status 1 when a goal is
missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from statistics import quantiles

import soundfile

from benchmarks.site import ROOT, Site, fresh_site
from benchmarks.waiters import GATHER, WORK
from ml.synth import SAMPLE_RATE, compose, render

WAITING, SENDERS = 500, 5
EACH = 2.0  # seconds that a job takes
RAMP, MEASURED = 20, 60  # seconds
GOAL = 50.0  # milliseconds, of 95 % of the polls

Measured = list[tuple[str, float, int]]


def measure(site: Site, folder: Path) -> Measured:
    """What locust saw: what was asked, milliseconds, status."""
    gather = GATHER.format(waiting=WAITING, senders=SENDERS, apart=EACH)
    (folder / "people").write_text(site.manage("shell", "--no-imports", "-c", gather).stdout)
    soundfile.write(folder / "song.wav", render(compose(1), 10.0), SAMPLE_RATE)
    seconds = RAMP + MEASURED
    work = WORK.format(seconds=seconds, each=EACH)
    stand_in = threading.Thread(target=site.manage, args=("shell", "--no-imports", "-c", work))
    with site.held("match"):
        stand_in.start()
        _locust(site.url, folder, seconds)
        stand_in.join()
    found: Measured = json.loads((folder / "result").read_text())
    return found


def _locust(url: str, folder: Path, seconds: int) -> None:
    """In a process of its own: gevent changes everything that waits."""
    people = WAITING + SENDERS
    line = [sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "pollers.py")]
    line += ["--headless", "--only-summary", "--host", url, "--run-time", f"{seconds}s"]
    line += ["--users", str(people), "--spawn-rate", str(people / RAMP)]
    files = {"PEOPLE": "people", "SONG": "song.wav", "RESULT": "result"}
    given = {f"POLLING_{name}": str(folder / file) for name, file in files.items()}
    with (folder / "terminal").open("wb") as terminal:
        subprocess.run(
            line, env=os.environ | given, stdout=terminal, stderr=terminal, timeout=3 * seconds,
            check=False,
        )  # fmt: skip


def told(measured: Measured) -> bool:
    """Print the figures; whether the goals were met."""
    polls = [milliseconds for name, milliseconds, _ in measured if name == "poll"]
    cuts = quantiles(polls, n=100)
    p50, p95, p99 = (cuts[at - 1] for at in (50, 95, 99))
    answers = Counter(status for name, _, status in measured if name == "poll")
    sent = Counter(status for name, _, status in measured if name == "upload")
    print(f"polls: {len(polls) / MEASURED:.0f} a second, {dict(sorted(answers.items()))}")
    print(f"p50 {p50:.0f} ms, p95 {p95:.0f} ms (at most {GOAL:.0f}), p99 {p99:.0f} ms")
    print(f"uploads accepted: {sent[201]} of {sent.total()}")
    return p95 <= GOAL and set(answers) <= {200, 204, 286} and set(sent) == {201}


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, fresh_site() as site:
        return int(not told(measure(site, Path(scratch))))


if __name__ == "__main__":
    sys.exit(main())
