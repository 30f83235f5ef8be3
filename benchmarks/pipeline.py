"""Where the time and the memory of an answer go, beside the floor and beside others.

    python -m benchmarks.pipeline FOLDER

FOLDER is that of `benchmarks.music`. Hears a sample of its tracks stage by stage, has bliss-audio
and the notebook's way hear the same files, sends songs to a fresh site by a real browser, and
prints what each took and held. Ends with status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import av
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from benchmarks import browser, stages, uploading
from benchmarks.child import Child
from benchmarks.page import Figure
from benchmarks.peers import PEERS
from benchmarks.processes import family, megabytes, processor_seconds
from benchmarks.site import Site, fresh_site
from benchmarks.stages import FLOOR, WHOLE, Cost, Costs
from ml import isolated
from ml.audio import SAMPLE_RATE, decode
from ml.errors import SoundError
from ml.evaluation.cache import default_folder
from ml.evaluation.catalogue import find_tracks
from ml.model import Model
from ml.pretrained import DEFAULT

OTHERS = "bliss-audio", "the notebook's way"
NOTEBOOK = [sys.executable, "-W", "ignore", "-m", "benchmarks.inside.hear_notebook"]
SONG_SECONDS, LONGEST_SECONDS = 180.0, 1800.0
MANY = {"UPLOADS_AT_ONCE": "10000", "UPLOADS_PER_DAY": "100000", "QUEUE_MAX_JOBS": "10000"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--tracks", type=int, default=24, help="of all, evenly chosen")
    parser.add_argument("--uploads", type=int, default=7, help="0: no site is started")
    parser.add_argument("--jobs", type=int, default=0, help="short ones after them, such as 1000")
    options = parser.parse_args(arguments)
    found = [track.path for track in find_tracks([options.folder])]
    paths = by_ffmpeg(found[:: max(1, len(found) // options.tracks)])
    figures = list(heard(paths))
    if options.uploads:
        os.environ.update(MANY)
        with tempfile.TemporaryDirectory() as scratch, fresh_site() as site:
            figures += answered(site, paths, Path(scratch), options.uploads)
            figures += lasting(site, Path(scratch), options.jobs)
    print(f"\n{'goal':44}{'measured':>13}  {'at most':>13}")
    print(*figures, sep="\n")
    return int(not all(figure.held for figure in figures))


def by_ffmpeg(paths: list[Path]) -> list[Path]:
    """Those that have a floor; the few others only libsndfile reads."""
    found = []
    for path in paths:
        try:
            stages.decode_bare(path)
            found.append(path)
        except av.error.FFmpegError as error:
            print(f"left out: {path.name} ({error.strerror})", file=sys.stderr)
    return found


def heard(paths: list[Path]) -> Iterator[Figure]:
    """Indexing without a database: by stages, and beside others."""
    model = Model.load(DEFAULT)
    isolated.decoder()
    with threadpool_limits(1):  # as workers have it
        cold = stages.track(paths[0], model)
        tracks = [stages.track(path, model) for path in paths]
    print_stages(cold, tracks)
    others = {OTHERS[0]: bliss(paths[0]), OTHERS[1]: Child(NOTEBOOK)}
    costs = {name: [track.of[name] for track in tracks] for name in (FLOOR, WHOLE)}
    costs |= {name: asked(child, paths) for name, child in others.items()}
    print_systems(costs)
    yield Figure("CPU of indexing by that of its bare decode", ratio(costs, FLOOR), 2.0, "x")
    yield Figure("CPU of indexing by that of bliss-audio", ratio(costs, OTHERS[0]), 1.0, "x")


def bliss(path: Path) -> Child:
    """The newest bliss-audio that hears this file on this machine."""
    for peer in reversed(PEERS[:2]):
        try:
            child = peer.extractor(default_folder() / "peers").child
            child.describe(str(path))
            return child
        except SoundError as error:
            print(f"left out: {peer.name} ({error})", file=sys.stderr)
    raise SystemExit("bliss-audio does not run on this machine")


def asked(child: Child, paths: list[Path]) -> list[Cost]:
    """What the peer took for each file; it has heard the first one before."""
    child.describe(str(paths[0]))
    costs = []
    for path in paths:
        cpu, wall = processor_seconds(family(child.pid)), time.perf_counter()
        child.describe(str(path))
        passed = time.perf_counter() - wall
        costs.append(Cost(processor_seconds(family(child.pid)) - cpu, passed))
    child.close()
    return costs


def ratio(costs: dict[str, list[Cost]], other: str) -> float:
    """Of our CPU time to another's, median over the tracks."""
    pairs = zip(costs[WHOLE], costs[other], strict=True)
    return median(ours.cpu / max(theirs.cpu, 0.01) for ours, theirs in pairs)


def print_stages(cold: Costs, tracks: list[Costs]) -> None:
    print(f"{len(tracks)} tracks, ms of a processor (on the clock)")
    print(f"{'stage':40}{'cold, the first':>18}{'median':>18}{'worst':>18}")
    for name in cold.of:
        costs = [track.of[name] for track in tracks]
        cells = [cold.of[name], *(of_all(choose, costs) for choose in (median, max))]
        print(f"{name:40}" + "".join(f"{in_ms(cost):>18}" for cost in cells))


def print_systems(costs: dict[str, list[Cost]]) -> None:
    print(f"\n{'system':40}{'median':>18}{'worst':>18}{'all, s':>10}")
    for name, each in costs.items():
        cells = "".join(f"{in_ms(of_all(choose, each)):>18}" for choose in (median, max))
        print(f"{name:40}{cells}{sum(cost.cpu for cost in each):10.1f}")


def of_all(choose: object, costs: list[Cost]) -> Cost:
    assert callable(choose)
    return Cost(*(choose(side) for side in zip(*costs, strict=True)))


def in_ms(cost: Cost) -> str:
    return f"{1000 * cost.cpu:.1f} ({1000 * cost.wall:.1f})"


def answered(site: Site, paths: list[Path], folder: Path, count: int) -> Iterator[Figure]:
    """From the click on "send" to the sight of the answer, in a browser."""
    fill(site, paths, folder / "music")
    source = max(paths, key=lambda path: path.stat().st_size)
    songs = [
        uploading.mp3(source, folder / f"{number}.mp3", SONG_SECONDS, number)
        for number in range(count + 1)
    ]
    with browser.window(uploading.PATIENCE) as page:
        browser.sign_in(page, site)
        first, *warm = uploading.see(site, page, songs)
        long = longest(source, folder)
        uploading.see(site, page, [long])
    print(f"\n{'a song of three minutes, ms':40}{'cold, the first':>18}{'median':>18}{'worst':>18}")
    rows = {name: [one.stages[name] for one in [first, *warm]] for name in uploading.NAMES}
    rows["transfer and page"] = [one.page for one in [first, *warm]]
    rows["from the click to the answer"] = [one.visible for one in [first, *warm]]
    for name, (cold, *others) in rows.items():
        print(
            f"{name:40}" + "".join(f"{1000 * x:18.0f}" for x in (cold, median(others), max(others)))
        )
    usual = median(one.visible for one in warm)
    yield Figure("from the click to the answer, median", usual, 1.2, "s")
    beside = median(one.beside_hearing for one in warm)
    yield Figure("of that neither decoding nor hearing", beside, 0.3, "s")
    yield Figure("the first one by the others", first.visible / usual, 2.0, "x")
    held = megabytes(uploading.listener(site))[0]
    yield Figure("memory of the worker, 30 minutes heard", held, 350, "MB")
    isolated.decode(long, max_seconds=LONGEST_SECONDS)
    yield Figure("of the child that decodes them", isolated.decoder().told["kib"] / 1024, 250, "MB")


def longest(source: Path, folder: Path) -> Path:
    """A piece again and again, for as long as an upload may last."""
    path = folder / "long.flac"
    count = round((LONGEST_SECONDS - 5) * SAMPLE_RATE)
    soundfile.write(path, np.resize(decode(source).samples, count), SAMPLE_RATE)
    return path


def fill(site: Site, paths: list[Path], music: Path) -> None:
    """Index the tracks on the site."""
    music.mkdir()
    for number, path in enumerate(paths):
        shutil.copy(path, music / f"{number} {path.name}")
    for command in (["import_tracks", str(music)], ["await_index"]):
        done = site.manage(*command)
        if done.returncode:
            raise SystemExit(done.stderr)


def lasting(site: Site, folder: Path, jobs: int) -> Iterator[Figure]:
    """Whether memory grows from the hundredth job to the last."""
    if not jobs:
        return
    held = list(uploading.memory_after(site, folder, jobs))
    print(f"\nmemory of the worker, MB, after every 100 jobs: {[round(x, 1) for x in held]}")
    yield Figure(f"growth from 100 to {jobs} jobs", 100 * (held[-1] / held[0] - 1), 5, "%")


if __name__ == "__main__":
    sys.exit(main())
