"""How long `script/server` takes until it is Ready, and until its workers are.

    python -m benchmarks.start            # on a prepared checkout, three times
    python -m benchmarks.start --fresh    # on a clone of the last commit with empty caches

It reads what the command says and prints the seconds of each step, on the clock and of a processor;
the processor's are those of all processes of the site. Ends with status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import family, processor_seconds
from benchmarks.site import ROOT, environment, scratch_folder, stop, wait_until

QUEUES = ("match", "index", "train", "maintenance")
PREPARED, FRESH = 10.0, 180.0  # seconds until Ready, at most
WORKERS = "workers ready"
# What pip and uv need to know of the network; everything else of the person's is left out.
KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_", "REQUESTS_CA_", "PIP_", "UV_")


@dataclass(frozen=True)
class Step:
    """A line that the command said (or that its workers are ready), and what it took till then."""

    line: str
    seconds: float
    processor: float


def watched(root: Path, folder: Path, given: dict[str, str], *options: str) -> Iterator[Step]:
    """Each step of a start of the checkout `root`, as it is done; then the site is stopped."""
    line = [str(root / "script" / "server"), "--port", "0", "--data", str(folder), *options]
    for log in folder.glob("logs/worker-*.log"):
        log.unlink()  # an earlier start's workers were ready, too
    began = time.monotonic()
    process = subprocess.Popen(
        line, env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def step(line: str) -> Step:
        return Step(line, time.monotonic() - began, processor_seconds(family(process.pid)))

    try:
        for said in process.stdout or ():
            if said.startswith(("==> ", "Ready: ")) and ": done in" not in said:
                yield step(said.removeprefix("==> ").strip())
            if said.startswith("Ready: "):
                break
        else:
            raise SystemExit(f"{line} ended with status {process.wait()}")
        wait_until(lambda: all(_ready(folder, queue) for queue in QUEUES), 120)
        yield step(WORKERS)
    finally:
        stop(process)


def _ready(folder: Path, queue: str) -> bool:
    log = folder / "logs" / f"worker-{queue}.log"
    return log.exists() and " ready." in log.read_text(errors="replace")


def told(title: str, steps: list[Step], goal: float) -> bool:
    """Print what each step took; whether it was Ready in time."""
    print(f"\n{title:52}{'seconds':>10}{'processor':>11}")
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if after:
            took, used = after.seconds - step.seconds, after.processor - step.processor
            print(f"  {step.line[:50]:50}{took:10.1f}{used:11.1f}")
    ready = next(step for step in steps if step.line.startswith("Ready"))
    verdict = "held" if ready.seconds < goal else "MISSED"
    print(f"  {'Ready after':50}{ready.seconds:10.1f}{ready.processor:11.1f}  ", end="")
    print(f"at most {goal:.0f} s: {verdict}", flush=True)
    return ready.seconds < goal


def prepared(times: int) -> bool:
    """Starts of this checkout on data of an earlier start."""
    held = True
    with scratch_folder() as folder:
        for number in range(times + 1):
            steps = list(watched(ROOT, folder, environment(folder), "--no-demo"))
            if number:  # the one before them made the data
                held &= told(f"start {number}", steps, PREPARED)
    return held


def fresh(*options: str) -> bool:
    """The first start of a clone, by a person who has nothing yet."""
    with _clone() as clone, scratch_folder() as folder:
        kept = {name: text for name, text in os.environ.items() if _kept(name)}
        given = {**kept, "XDG_CACHE_HOME": str(clone / "caches")}
        return told(
            "fresh clone", list(watched(clone / "soundsite", folder, given, *options)), FRESH
        )


def _kept(name: str) -> bool:
    return name.startswith(KEPT) or name.lower().endswith("_proxy")


@contextmanager
def _clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="soundsite-clone-") as scratch:
        line = ["git", "clone", "--quiet", str(ROOT), f"{scratch}/soundsite"]
        subprocess.run(line, check=True)
        yield Path(scratch)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--fresh", action="store_true", help="a clone with empty caches instead")
    parser.add_argument("--no-demo", action="store_true", help="of a clone: no demo catalogue")
    options = parser.parse_args()
    if options.fresh:
        return int(not fresh(*(["--no-demo"] if options.no_demo else [])))
    return int(not prepared(options.times))


if __name__ == "__main__":
    sys.exit(main())
