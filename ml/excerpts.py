"""Pairs of excerpts of one track, plain and disguised, as training input. NumPy only.

Disguises work on log-mel frames, where they cost almost nothing: what a gain, an equaliser, a
noise floor, a telephone or a change of pitch or tempo does to the bands is known well enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ml.features import FLOOR_DB, FeatureSettings
from ml.transposition import transposed


def pairs(
    tracks: Sequence[np.ndarray],
    frames: int,
    batch: int,
    settings: FeatureSettings,
    generator: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Endless batches (batch, 2, 2, frames, n_mels): tracks, excerpts, (plain, disguised).

    Args:
        tracks: levelled log-mel frames of each track, each (T, n_mels).
        frames: length of an excerpt.
        batch: tracks in a batch.
        settings: of the frames.
    """
    weight = np.sqrt([len(track) for track in tracks])
    weight /= weight.sum()
    while True:
        few = batch > len(tracks)
        chosen = generator.choice(len(tracks), batch, replace=few, p=weight)
        yield np.stack([_pair(tracks[track], frames, settings, generator) for track in chosen])


def _pair(
    track: np.ndarray, frames: int, settings: FeatureSettings, generator: np.random.Generator
) -> np.ndarray:
    """(2, 2, frames, n_mels): two excerpts of a track, each plain and disguised."""
    views = []
    for _ in range(2):
        plain = _varied(track, frames, settings, generator)
        views.append(np.stack([plain, _disguised(plain, generator)]))
    return np.stack(views)


def _varied(
    track: np.ndarray, frames: int, settings: FeatureSettings, generator: np.random.Generator
) -> np.ndarray:
    """An excerpt, now and then at another tempo or pitch."""
    tempo = generator.uniform(0.92, 1.08) if generator.random() < 0.3 else 1.0
    source = cut(track, int(np.ceil(frames * tempo)), generator).astype(np.float32)
    if tempo != 1.0:
        source = source[(np.arange(frames) * tempo).astype(int)]
    if generator.random() < 0.3:
        source = transposed(source, generator.uniform(-2.5, 2.5), settings)
    return source[:frames]


def cut(track: np.ndarray, frames: int, generator: np.random.Generator) -> np.ndarray:
    """Consecutive frames from a random place; a track that is too short is looped."""
    if len(track) < frames:
        track = np.tile(track, (-(-frames // len(track)), 1))
    start = generator.integers(0, len(track) - frames + 1)
    return track[start : start + frames]


def _disguised(frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gain, equaliser, noise and band limits, each in some of the cases."""
    bands = frames.shape[1]
    out = frames + generator.normal(0, 3)
    if generator.random() < 0.5:
        out = out + _smooth_curve(bands, generator) * generator.uniform(0, 3)
    if generator.random() < 0.3:
        noise = generator.uniform(-55, -30) + _smooth_curve(bands, generator) * 6
        out = np.logaddexp(out * _NEPER, (noise + _grain(out.shape, generator)) * _NEPER) / _NEPER
    if generator.random() < 0.2:
        out[:, : generator.integers(0, 20)] -= 40
        out[:, bands - generator.integers(0, 48) :] -= 40
    return np.maximum(out, FLOOR_DB).astype(np.float32)


_NEPER = np.log(10.0) / 10.0


def _grain(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """The unrest of a noise's band levels, in dB."""
    return generator.normal(0, 2, shape)


def _smooth_curve(bands: int, generator: np.random.Generator) -> np.ndarray:
    """A random curve over the bands, unit scale, three slow waves."""
    place = np.linspace(0, np.pi, bands)
    waves = generator.normal(size=3)
    return sum(wave * np.cos((n + 1) * place) for n, wave in enumerate(waves)) / np.sqrt(1.5)
