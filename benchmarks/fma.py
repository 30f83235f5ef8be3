"""Measure the import of FMA's feature table, and the first system's training on it.

    python -m benchmarks.fma FOLDER

Writes a table of the real one's size below FOLDER (0.95 GB) and deletes it afterwards. Its
numbers are drawn by chance, so the losses say that the training is stable, and nothing more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.fma import LEVELS
from ml.original import COEFFICIENTS, EPOCHS, STATISTICS, WIDTH, OriginalModel

ROOT = Path(__file__).resolve().parent.parent
TRACKS = 106_574
# The features of arXiv:1612.01840 with the numbers of their values a frame.
FEATURES = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
# Where a statistic of an MFCC lies and how far it spreads, about as in music.
SHAPES = {
    "kurtosis": (0.5, 1.0),
    "max": (60.0, 20.0),
    "mean": (5.0, 20.0),
    "median": (5.0, 20.0),
    "min": (-60.0, 20.0),
    "skew": (0.0, 0.5),
    "std": (18.0, 6.0),
}
BLOCK = 500
# No server is asked for a table; settings only want these to be there.
SETTINGS = {
    "SECRET_KEY": "only-for-this-measurement-" * 3,
    "DATABASE_URL": "postgres://nobody:nothing@localhost:1/none",
    "REDIS_URL": "redis://localhost:1/0",
}


@dataclass(frozen=True)
class Measured:
    """What a command took."""

    seconds: float
    processor_seconds: float
    peak_megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} s, of a processor {self.processor_seconds:.0f} s, "
            f"at most {self.peak_megabytes:.0f} MB of memory"
        )


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fma", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--tracks", type=int, default=TRACKS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    work = Path(tempfile.mkdtemp(prefix="fma-", dir=options.folder))
    try:
        _run(work, options.tracks, options.epochs)
    finally:
        shutil.rmtree(work)
    return 0


def _run(work: Path, tracks: int, epochs: int) -> None:
    table, taken, model = work / "fma_metadata/features.csv", work / "mfcc.npz", work / "model.npz"
    table.parent.mkdir()
    write_features(table, tracks)
    _say(f"table: {tracks} tracks, {table.stat().st_size / 1e6:.0f} MB")
    command = ["manage.py", "import_fma", "--features-only", str(work), "--out", str(taken)]
    imported = measure(command)
    _say(f"import: {imported}; stored: {taken.stat().st_size / 1e6:.0f} MB")
    options = ["--config", "original", "--epochs", str(epochs)]
    trained = measure(["-m", "ml.train", str(taken), str(model), *options])
    _say(f"training: {epochs} epochs in {trained}; {trained.seconds / epochs:.1f} s an epoch")
    for name, losses in OriginalModel.load(model).history.items():
        finite = "all finite" if np.isfinite(losses).all() else "not all finite"
        _say(f"{name}: {losses[0]:.4g} in the first epoch, {losses[-1]:.4g} in the last, {finite}")


def write_features(path: Path, tracks: int, seed: int = 0) -> None:
    """A table of that many rows with the headers and the number format of FMA's, in blocks."""
    columns = [
        (feature, statistic, f"{number + 1:02}")
        for feature, size in FEATURES.items()
        for statistic in STATISTICS
        for number in range(size)
    ]
    centre, spread = np.array([_shape(*column) for column in columns]).T
    line = ",".join(["%d", *["%.10e"] * len(columns)]) + "\n"
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for level, names in zip(LEVELS, zip(*columns, strict=True), strict=True):
            file.write(",".join([level, *names]) + "\n")
        file.write("track_id" + "," * len(columns) + "\n")
        for start in range(0, tracks, BLOCK):
            rows = rng.normal(centre, spread, (min(BLOCK, tracks - start), len(columns)))
            file.writelines(line % (start + n + 2, *row) for n, row in enumerate(rows.tolist()))


def statistics(tracks: int, seed: int = 0) -> np.ndarray:
    """What `import_fma --features-only` would take from such a table: float32 (tracks, 140)."""
    columns = [("mfcc", name, f"{n + 1:02}") for name in STATISTICS for n in range(COEFFICIENTS)]
    centre, spread = np.array([_shape(*column) for column in columns]).T
    drawn = np.random.default_rng(seed).normal(centre, spread, (tracks, WIDTH))
    return drawn.astype(np.float32)


def _shape(feature: str, statistic: str, number: str) -> tuple[float, float]:
    """Mean and spread of a column; coefficient 1 is the loudness, later ones are smaller."""
    if feature != "mfcc":
        return 0.0, 1.0
    centre, spread = SHAPES[statistic]
    if statistic in ("skew", "kurtosis"):
        return centre, spread
    scale = 4.0 if number == "01" else 2.0 / (1.0 + int(number) / 10)
    return centre * scale, spread * scale


def measure(arguments: list[str]) -> Measured:
    """Run this interpreter with these arguments; its time and the most memory it held."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**SETTINGS, **os.environ},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    seconds = time.monotonic() - began
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
