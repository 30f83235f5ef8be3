"""What the answer page's words rest on: every figure of docs/design/answer.md.

    python -m benchmarks.answers FOLDER

FOLDER is that of `benchmarks.music`; its demo catalogue is encoded by the bundled model. Prints how
far apart two tracks usually are in each measure that is given as a reason (`ml.reasons.TYPICAL`),
how often the closest track is of the same soundtrack by its score, and the scores of sounds that
are no music.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from scipy import signal

from ml.audio import SAMPLE_RATE, Waveform, decode
from ml.encoding import Encoding
from ml.evaluation import speech
from ml.evaluation.catalogue import find_tracks
from ml.likeness import Piece, score, timbre_distances
from ml.model import Model
from ml.pool import pool
from ml.pretrained import DEFAULT
from ml.reasons import APART, CLEAR_KEY, SHARES, Codes, codes_apart, relative

LEASTS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 101)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args(arguments).folder
    tracks = find_tracks([folder / "demo"])
    with pool(_load) as listeners:
        heard = list(listeners.map(_hear, [track.path for track in tracks]))
    print(*differences(heard), sep="\n")
    model = Model.load(DEFAULT)
    pieces = [_piece(each, model) for each in heard]
    distances, closest = left_out(pieces)
    soundtracks = np.array([track.soundtrack for track in tracks])
    print(*by_score(distances, soundtracks[closest] == soundtracks), sep="\n")
    for name, samples in unmusical():
        found = timbre_distances(_piece(_encoded(Waveform(samples), model), model), pieces).min()
        print(f"| {name} | {score(float(found), distances.tolist()):.1f} |")
    return 0


_model: list[Model] = []  # of a process of the pool


def _load() -> None:
    _model.append(Model.load(DEFAULT))


def _hear(path: Path) -> Encoding:
    return _encoded(decode(path), _model[0])


def _encoded(waveform: Waveform, model: Model) -> Encoding:
    return model.encode(model.features(waveform))


def _piece(heard: Encoding, model: Model) -> Piece:
    return Piece(heard.codes, heard.code_seconds, model.space)


def differences(heard: list[Encoding]) -> Iterator[str]:
    """Lines of `ml.reasons.TYPICAL`, and how many pairs share a key."""
    codes = Codes(Model.load(DEFAULT).space)
    shares = [codes.shares(each.codes) for each in heard]
    apart = [codes_apart(one, other, codes) for one, other in combinations(shares, 2)]
    yield _line("codes", apart)
    pairs = list(combinations([each.facts for each in heard], 2))
    for code, measure in APART.items():
        found = [measure(one, other) for one, other in pairs]
        yield _line(code, [each for each in found if each is not None])
    clear = [each.facts["key"] for each in heard if each.facts["key_clarity"] >= CLEAR_KEY]
    keys = list(combinations(clear, 2))
    same = np.mean([one == other for one, other in keys])
    related = np.mean([relative(one) == other for one, other in keys])
    yield f"keys: {len(clear)} clear, {same:.3f} of their pairs the same, {related:.3f} relative"


def _line(code: str, apart: list[float]) -> str:
    quantiles = ", ".join(f"{value:.4g}" for value in np.quantile(apart, SHARES[1:]))
    return f'"{code}": (0.0, {quantiles}),  # {len(apart)} pairs'


def left_out(pieces: list[Piece]) -> tuple[np.ndarray, np.ndarray]:
    """Distance (N,) of each piece to its closest other, and which that is."""
    distances, closest = [], []
    for index, piece in enumerate(pieces):
        others = [other for other in range(len(pieces)) if other != index]
        found = timbre_distances(piece, [pieces[other] for other in others])
        distances.append(found.min())
        closest.append(others[int(found.argmin())])
    return np.array(distances), np.array(closest)


def by_score(distances: np.ndarray, right: np.ndarray) -> Iterator[str]:
    """How often the closest track is of the same soundtrack, by score."""
    scores = np.array([score(each, distances.tolist()) for each in distances])
    for least, most in pairwise(LEASTS):
        among = (scores >= least) & (scores < most)
        yield f"| {least} to {min(most, 100)} | {among.sum()} | {right[among].mean():.2f} |"


def unmusical(seconds: float = 20.0) -> Iterator[tuple[str, np.ndarray]]:
    """Sounds that are no music, by name; float32 at `SAMPLE_RATE`."""
    count = int(seconds * SAMPLE_RATE)
    for name, slope in (("white noise", 0.0), ("pink noise", 0.5), ("brown noise", 1.0)):
        yield name, _noise(count, slope)
    for seed in range(3):
        spoken = speech.voice(seconds, SAMPLE_RATE, np.random.default_rng(seed))
        yield f"speech, voice {seed + 1}", (0.1 * spoken).astype(np.float32)
    spoken = speech.babble(seconds, SAMPLE_RATE, np.random.default_rng(0))
    yield "six voices at once", (0.1 * spoken).astype(np.float32)
    time = np.arange(count) / SAMPLE_RATE
    for method in ("logarithmic", "linear"):
        swept = signal.chirp(time, 20, seconds, 10_000, method)
        yield f"sine sweep, {method}", (0.5 * swept).astype(np.float32)
    yield "sine, 440 Hz", (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    yield "square wave, 50 Hz", (0.3 * signal.square(2 * np.pi * 50 * time)).astype(np.float32)


def _noise(count: int, slope: float) -> np.ndarray:
    """Gaussian noise whose amplitude falls with the frequency to that power from 20 Hz on."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0)
    samples = np.fft.irfft(spectrum / frequencies**slope, count)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
