"""Damaged files on the road of an upload: what becomes of them, and of the processes that ask.

    python -m benchmarks.fuzz --files 10000 --seed 1 [MUSIC]

Pieces that the project composes in every accepted format, and the beginnings of the files below
MUSIC if it is given, are mutated and then heard as a worker hears them: size and name as the form
takes them, tags as an import reads them, decoding in a confined child, features, codes. The table
is printed as Markdown; the exit status is 1 if a worker died or met an error that nobody foresaw.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile

from benchmarks.mutations import mutated
from ml import isolated
from ml.errors import AudioError
from ml.evaluation.codecs import Codec, decoded, encode
from ml.hearing import listen
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.synth import SAMPLE_RATE, compose, render
from tracks.tags import read_tags

SECONDS, LEAST, MOST = 3.0, 1.0, 1800.0  # of the pieces; of a track, which may be the shorter
HEAD_BYTES = 64 * 1024  # of a real file: some five seconds
PIECES = 3
REAL = 40
DEAD = ("decoder-crashed", "decoder-limit")
FORMATS = {
    "mp3": Codec("mp3", "libmp3lame", 96_000, 44_100),
    "opus": Codec("ogg", "libopus", 64_000, 48_000),
    "flac": Codec("flac", "flac", 0, 44_100),
    "wav": Codec("wav", "pcm_s16le", 0, 22_050),
    "m4a": Codec("ipod", "aac", 96_000, 44_100),
    "aac": Codec("adts", "aac", 96_000, 44_100),
    "aiff": Codec("aiff", "pcm_s16be", 0, 22_050),
    "webm": Codec("webm", "libopus", 64_000, 48_000),
}
Samples = list[tuple[str, bytes]]  # format, content


@dataclass(frozen=True)
class Result:
    """What became of one file: `answered`, a code, or the name of an error nobody foresaw."""

    number: int
    kind: str
    outcome: str
    foreseen: bool
    seconds: float
    child_kib: int
    worker_kib: int


def synthetic() -> Samples:
    """The pieces in every format: Vorbis and 32-bit floats by libsndfile, the others by FFmpeg."""
    found: Samples = []
    for seed in range(PIECES):
        piece = render(compose(seed), SECONDS)
        floats = _written(piece, "WAV", "FLOAT")
        found += [("wav float", floats), ("ogg", _written(piece, "OGG", "VORBIS"))]
        with tempfile.NamedTemporaryFile() as file:
            file.write(floats)
            file.flush()
            frames = decoded(Path(file.name))
        found += [(kind, encode(codec, frames, 0, SECONDS)) for kind, codec in FORMATS.items()]
    return found


def _written(piece: np.ndarray, container: str, subtype: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, piece, SAMPLE_RATE, format=container, subtype=subtype)
    return stream.getvalue()


def real(folder: Path | None, random: Random) -> Samples:
    """The beginnings of some files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    chosen = random.sample(files, min(REAL, len(files)))
    return [(f"real {path.suffix[1:]}", _head(path)) for path in chosen]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def work(samples: Samples, seed: int, numbers: Sequence[int], results: Any, keep: str) -> None:
    """A worker: hears the files with these numbers and tells of each before and after."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its owner ends it
    model = Model.load(DEFAULT)
    model.warm_up()
    for number in numbers:
        random = Random(f"{seed} {number}")
        (kind, content), (_, other) = random.choice(samples), random.choice(samples)
        damaged = mutated(random, content, other)
        results.send(("began", number, kind))
        result = hear(number, kind, damaged, model)
        if keep and (not result.foreseen or result.outcome in DEAD):
            (Path(keep) / f"{seed}-{number}").write_bytes(damaged)
        results.send(("ended", number, result))


def hear(number: int, kind: str, content: bytes, model: Model) -> Result:
    """One file on the road of an upload."""
    began, foreseen = time.monotonic(), True
    try:
        outcome = _outcome(content, model)
    except AudioError as error:
        outcome = error.code
    except Exception as error:
        outcome, foreseen = f"{type(error).__name__}: {error}", False
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, child = time.monotonic() - began, isolated.decoder().told.get("kib", 0)
    return Result(number, kind, outcome, foreseen, seconds, child, used)


def _outcome(content: bytes, model: Model) -> str:
    if not content:
        return "empty-file"
    with tempfile.NamedTemporaryFile(prefix="soundsite-") as file:
        file.write(content)
        file.flush()
        read_tags(io.BytesIO(content))
        sound = isolated.decode(file.name, min_seconds=LEAST, max_seconds=MOST)
    heard = listen(sound, model)
    json.dumps(heard.encoding.facts, allow_nan=False)
    if not np.isfinite(heard.encoding.embedding).all():
        raise ArithmeticError("an embedding that is not finite")
    return "answered"


class Worker:
    """A process that hears every so many-th file, and is replaced when it dies."""

    def __init__(self, samples: Samples, seed: int, numbers: Sequence[int], keep: str) -> None:
        self._job = samples, seed, keep
        self.at: tuple[int, str] | None = None  # the file that it hears: number and format
        self._left = list(numbers)
        self.over = False
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.results, theirs = context.Pipe(duplex=False)
        samples, seed, keep = self._job
        arguments = (samples, seed, self._left, theirs, keep)
        self.process = context.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def told(self) -> Iterator[Result]:
        """What it says next, if that is a result; a death is one, too."""
        try:
            word, number, what = self.results.recv()
        except EOFError:
            self.process.join()
            if self.at:
                yield _death(*self.at, self.process.exitcode)
                self._left = self._left[self._left.index(self.at[0]) + 1 :]
                self.at = None
                self._start()
            elif self.process.exitcode:
                raise SystemExit("a worker could not begin") from None
            else:
                self.over = True
            return
        self.at = (number, what) if word == "began" else None
        if word == "ended":
            self._left.remove(number)
            yield what


def _death(number: int, kind: str, status: int | None) -> Result:
    return Result(number, kind, f"worker died: {status}", False, 0.0, 0, 0)


def fuzz(samples: Samples, options: argparse.Namespace) -> Iterator[Result]:
    """The results, as they come."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # as the site's workers have it
        os.environ[name] = "1"
    numbers = range(options.files)
    workers = [
        Worker(samples, options.seed, numbers[first :: options.processes], options.keep)
        for first in range(options.processes)
    ]
    by_pipe: dict[Any, Worker] = {}
    while workers := [worker for worker in workers if not worker.over]:
        by_pipe = {worker.results: worker for worker in workers}
        for pipe in wait(list(by_pipe), timeout=1.0):
            yield from by_pipe[pipe].told()


def table(results: Sequence[Result], seconds: float) -> str:
    """Markdown: what became of how many, and the worst of them."""
    outcomes = Counter(result.outcome for result in results if result.foreseen)
    dead = sum(outcomes[code] for code in DEAD)
    killed = sum(result.outcome.startswith("worker died") for result in results)
    slowest = max(results, key=lambda result: result.seconds)
    largest = max(results, key=lambda result: result.child_kib)
    rows = [
        ("files", f"{len(results):,} in {seconds / 60:.0f} min"),
        ("answered", f"{outcomes.pop('answered', 0):,}"),
        *((f"refused: `{code}`", f"{count:,}") for code, count in outcomes.most_common()),
        ("deaths of a decoding child", f"{dead:,}"),
        ("errors nobody foresaw", f"{sum(not one.foreseen for one in results) - killed:,}"),
        ("**deaths of a worker**", f"**{killed:,}**"),
        ("slowest file", f"{slowest.seconds:.1f} s ({slowest.kind}, {slowest.outcome})"),
        ("largest child", f"{largest.child_kib / 1024:.0f} MB ({largest.kind}, {largest.outcome})"),
        ("largest worker", f"{max(one.worker_kib for one in results) / 1024:.0f} MB"),
    ]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {what} |" for name, what in rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("music", type=Path, nargs="?", metavar="MUSIC")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", default="", metavar="FOLDER", help="for files that did harm")
    options = parser.parse_args(arguments)
    samples = synthetic() + real(options.music, Random(options.seed))
    began, results = time.monotonic(), []
    with contextlib.suppress(KeyboardInterrupt):  # then the table is of the files until then
        for result in fuzz(samples, options):
            results.append(result)
            if not result.foreseen or result.outcome in DEAD:
                print(f"{result.number} ({result.kind}): {result.outcome}", file=sys.stderr)
            if len(results) % 500 == 0:
                print(f"{len(results)} files, {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(results, time.monotonic() - began))
    return 0 if all(result.foreseen for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
