"""Measure the search over a catalogue of a million tracks.

    python -m benchmarks.scale MUSIC --tracks 1000000

MUSIC is the folder of `benchmarks.music`. Its pieces are heard (or taken from the cache of
`python -m ml.evaluate`) and mixed into as many tracks as are asked for, see
`benchmarks.scaling.mixing`; those are loaded in bulk into a site of its own, whose data lie in the
temporary folder (`TMPDIR`; a million take 4 GB, for as long as it runs). At 10,000, at 100,000 and
so on it asks as a worker does, first after a start of the database whose files are in no memory,
and prints tables. Needs root for the memory of the database's server, which is another user's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scaling.mixing import BLOCK, Mixer, Real, resemblance
from benchmarks.site import manage, scratch_folder
from ml.evaluation import views
from ml.evaluation.cache import Cache, default_folder
from ml.evaluation.catalogue import find_tracks
from ml.evaluation.collect import Collector
from ml.evaluation.ours import Encodings
from ml.pretrained import DEFAULT

SIZES = (BLOCK, 10_000, 100_000, 1_000_000)  # at the first only the cost of adding is measured
Figures = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("music", type=Path, metavar="MUSIC")
    parser.add_argument("--tracks", type=int, choices=SIZES[1:], default=SIZES[-1])
    parser.add_argument("--cache", type=Path, default=default_folder(), help="what was heard")
    options = parser.parse_args(arguments)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of what asks below, as the site's workers have it
    real = hear(options.music, options.cache)
    for name, apart in resemblance(real, Mixer(real).drawn(0, 10 * BLOCK)).items():
        print(f"{name}: {apart}", flush=True)
    with scratch_folder() as folder:
        folder.mkdir()
        folder.chmod(0o755)  # the database's user enters
        real.save(folder / "real.npz")
        for found in measured(folder, [size for size in SIZES if size <= options.tracks]):
            print(json.dumps(found), flush=True)
    return 0


def hear(music: Path, cache: Path) -> Real:
    """The real pieces, by the bundled model."""
    with Cache(cache) as kept:
        collector = Collector(_ears, kept, seed=0)
        tracks = find_tracks([music / "demo", music / "train"])
        found = collector.collect(tracks, [views.WHOLE], passages=False, report=_nobody)
    heard = found.of_catalogue(Encodings.name)
    return Real(
        vectors=np.stack([each.embedding for each in heard]),
        codes=[each.codes for each in heard],
        tempo=np.array([each.facts["tempo"] for each in heard]),
        code_seconds=heard[0].code_seconds,
    )


def _ears() -> list[Encodings]:
    return [Encodings(DEFAULT)]


def _nobody(_done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def measured(folder: Path, sizes: list[int]) -> Iterator[Figures]:
    """What each step found, one size after the other; a step begins with a start of the servers."""
    for first, last in pairwise([0, *sizes]):
        yield {"tracks": last, **_step(folder, "fill", first, last)}
        if last > BLOCK:
            evict(folder)
            yield {"tracks": last, **_step(folder, "measure", first, last)}
        yield {"tracks": last, **_step(folder, "add", first, last)}


def _step(folder: Path, step: str, first: int, last: int) -> Figures:
    given = f"{str(folder)!r}, {step!r}, {first}, {last}"
    code = f"from benchmarks.scaling.measuring import main; main({given})"
    if step == "fill" and not first:
        _run(folder, "migrate", "--verbosity", "0")
    _run(folder, "shell", "--no-imports", "-c", code)
    found: Figures = json.loads((folder / f"{step}.json").read_text(encoding="utf-8"))
    return found


def _run(folder: Path, *arguments: str) -> None:
    done = manage(folder, *arguments)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} failed:\n{done.stdout}\n{done.stderr}")


def evict(folder: Path) -> None:
    """Asks the kernel to forget the database's files, which no server has open."""
    for parent, _, names in os.walk((folder / "postgres").resolve()):
        for name in names:
            file = os.open(Path(parent, name), os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


if __name__ == "__main__":
    sys.exit(main())
