"""How long trainings take, what memory, whether their input keeps up, and whether they repeat.

    python -m benchmarks.train          # the first system, on a table of FMA's size
    python -m benchmarks.train MUSIC    # that, and ours on the folder of `benchmarks.music`

Each training is the command that a train worker runs, in a process of its own. The first epoch,
in which TensorFlow builds its graph, is left out of the seconds. Ends with status 1 when a goal is
missed or two trainings with the same seed differ.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import fma
from benchmarks.processes import family, megabytes
from ml.fma import MfccTable

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = 40.0  # seconds an epoch that the first system's notebook shows
MEMORY = 1500.0  # megabytes of a train worker's child at the demo catalogue
STARVED = 0.02  # of the time of a step
FEW = 24  # pieces, a batch of them, where a training is repeated
STEPS = 30


@dataclass
class Trained:
    """What a training took.

    Attributes:
        epochs: seconds of each.
        figures: losses and the like after each.
        processor: seconds of its process and all that it started.
        megabytes: the most that its process held.
        together: the most that it and the processes that listen for it held.
    """

    listening: float = 0.0
    epochs: list[float] = field(default_factory=list)
    figures: list[dict[str, float]] = field(default_factory=list)
    processor: float = 0.0
    megabytes: float = 0.0
    together: float = 0.0

    @property
    def epoch(self) -> float:
        return median(self.epochs[1:] or self.epochs)

    def __str__(self) -> str:
        return (
            f"{self.epoch:.1f} s an epoch, {self.processor:.0f} s of a processor in all, "
            f"{self.megabytes:.0f} MB, with its listeners {self.together:.0f} MB"
        )


def train(*arguments: str) -> Trained:
    """`python -m ml.train` with these arguments."""
    command = [sys.executable, "-m", "ml.train", *arguments, "--progress", "json"]
    found, began = Trained(), time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        watch = threading.Thread(target=_watch, args=(process, found))
        watch.start()
        for line in process.stdout or ():
            with contextlib.suppress(ValueError):  # libraries may print other things
                _take(json.loads(line), found, time.monotonic() - began)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    found.processor, found.megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    return found


def _take(said: dict[str, Any], found: Trained, so_far: float) -> None:
    if said.get("stage") == "listening":
        found.listening = so_far
    elif said.get("stage") == "training":
        found.epochs.append(said["seconds"])
        found.figures.append(said["figures"])


def _watch(process: subprocess.Popen[str], found: Trained) -> None:
    """Asks for the memory of the process and its children until it has ended."""
    while process.returncode is None:
        held = sum(megabytes(pid)[1] for pid, _ in family(process.pid))
        found.together = max(found.together, held)
        time.sleep(0.2)


def first_system(work: Path, tracks: int, epochs: int) -> bool:
    """The project's first system on a generated table, twice."""
    table, options = work / "mfcc.npz", ["--config", "original", "--epochs", str(epochs)]
    MfccTable(np.arange(tracks), fma.statistics(tracks)).save(table)
    made = [work / "one.npz", work / "other.npz"]
    one, other = (train(str(table), str(path), *options) for path in made)
    _say(f"original, {tracks} x 140: {one}")
    fast = _verdict("seconds an epoch", one.epoch, NOTEBOOK)
    return fast & repeats("original", one, other, *made)


def ours(music: Path, work: Path, epochs: int) -> bool:
    """Our model on the real sets, and twice on a few pieces."""
    held = True
    for name in ("demo", "train"):
        made = train(str(music / name), str(work / name), "--epochs", str(epochs))
        pieces = sum(path.is_file() for path in (music / name).rglob("*"))
        _say(f"soundsite, {name}, {pieces} pieces: {made}; {made.listening:.0f} s of listening")
        if name == "demo":
            held &= _verdict("megabytes with its listeners", made.together, MEMORY)
    few = work / "few"
    few.write_text("".join(f"{path}\n" for path in _few(music)))
    options = ["--files", str(few), "--epochs", "2"]
    folders = [work / "one", work / "other"]
    one, other = (train(str(folder), *options) for folder in folders)
    return held & repeats("soundsite", one, other, *(folder / "space.npz" for folder in folders))


def _few(music: Path) -> list[Path]:
    paths = sorted(path for path in (music / "demo").rglob("*") if path.is_file())
    return paths[:: max(1, len(paths) // FEW)][:FEW]


def repeats(name: str, one: Trained, other: Trained, *made: Path) -> bool:
    """Whether two trainings learned the same, bit by bit, and told the same losses.

    Those are means over many threads, whose last digit may differ.
    """
    learned = len({_digest(path) for path in made}) == 1
    told = all(
        np.allclose(list(before.values()), list(after.values()), rtol=1e-6, atol=0)
        for before, after in zip(one.figures, other.figures, strict=True)
    )
    verdict = f"{'the same' if told else 'OTHER'} losses, {'the same' if learned else 'OTHER'}"
    _say(f"{name}, two trainings with one seed: {verdict} weights")
    return told and learned


def _digest(made: Path) -> str:
    """Of all arrays that were learned."""
    digest = hashlib.sha256()
    with np.load(made) as arrays:
        for name in sorted(arrays):
            if not name.startswith("history_"):
                digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def input_of_first() -> bool:
    """Whether the first system waits for its rows."""
    import keras

    from ml.original_network import BATCH, TOGETHER, Quantizer, Trainer

    rows = fma.statistics(BATCH * TOGETHER * STEPS)[:, :, None]
    trainer = Trainer(float(rows.var()), Quantizer())
    trainer.compile(optimizer=keras.optimizers.Adam())
    return _keeps_up("original", trainer, rows, batch_size=BATCH * TOGETHER)


def input_of_ours(music: Path) -> bool:
    """Whether our model waits for its excerpts."""
    from ml.audio import decode
    from ml.excerpts import pairs
    from ml.features import extract, levelled
    from ml.fitting import BATCH, EXCERPT_FRAMES, Schedule, compiled, dataset, scaled
    from ml.settings import ModelSettings

    settings = ModelSettings()
    features = settings.features
    tracks = [levelled(extract(decode(path), features).log_mel) for path in _few(music)]
    scaling = np.zeros(features.n_mfcc), np.full(features.n_mfcc, 10.0)
    drawn = pairs(tracks, EXCERPT_FRAMES, BATCH, features, np.random.default_rng(0))
    batches = (scaled(batch, scaling) for batch in drawn)
    model = compiled(next(batches)[:, 0, 0], settings, Schedule())
    return _keeps_up("soundsite", model, dataset(batches, settings), steps_per_epoch=STEPS)


def _keeps_up(name: str, model: Any, *given: Any, **options: Any) -> bool:
    times = timed(model)
    model.fit(*given, **options, verbose=0)
    share = waited(times.numpy())
    return _verdict(f"{name}, share of a training that waits for its input", share, STARVED)


def waited(times: np.ndarray) -> float:
    """Share of the time from the first step to the last, (steps, 2), that passed between steps."""
    began, ended = times.T
    return float((began[1:] - ended[:-1]).sum() / (ended[-1] - ended[0]))


def timed(model: Any) -> Any:
    """When each step had its input, and when it had learned from it, (STEPS, 2) in seconds.

    The graph of a step tells, as `fit` runs it: between steps there is no input yet, or Keras
    does something else.
    """
    import tensorflow as tf

    times, count = tf.Variable(np.zeros((STEPS, 2))), tf.Variable(0)
    train_step = model.train_step

    def step(given: Any) -> Any:
        with tf.control_dependencies([given]):
            began = tf.timestamp()
        figures = train_step(given)
        with tf.control_dependencies([tf.identity(each) for each in model.trainable_variables]):
            ended = tf.timestamp()
        times[count].assign([began, ended])
        count.assign_add(1)
        return figures

    model.train_step = step
    return times


def _verdict(what: str, measured: float, most: float) -> bool:
    _say(f"  {what}: {measured:.3g}, at most {most:g}: {'held' if measured <= most else 'MISSED'}")
    return measured <= most


def _say(line: str) -> None:
    print(line, flush=True)


def _device() -> str:
    import tensorflow as tf

    found = [device.name for device in tf.config.list_physical_devices("GPU")]
    cores = f"{len(os.sched_getaffinity(0))} cores"
    return f"{cores}; GPU: {', '.join(found) or 'not run, there is none'}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("music", nargs="?", type=Path, metavar="MUSIC")
    parser.add_argument("--tracks", type=int, default=fma.TRACKS, help="of the first system")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soundsite-train-") as scratch:
        held = first_system(Path(scratch), options.tracks, options.epochs)
        if options.music:
            held &= ours(options.music, Path(scratch), options.epochs)
    held &= input_of_first()
    if options.music:
        held &= input_of_ours(options.music)
    _say(_device())
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
