"""Tracks that never were, mixed from real ones. NumPy only.

Each is made of a real piece and one of the ten that are nearest to it. Its vector lies between the
two, moved by noise that has the covariance of the real vectors, so that it spreads along the same
directions; its codes are a stretch of the one and then a stretch of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ml.encoding import Encoding

NEAREST = 10
NOISE = 0.8  # as a share of the spread of real vectors: nearest distances are then as real ones are
BLOCK = 1000  # tracks that are drawn together, from a seed of their own
CATALOGUE, QUERIES = 0, 1  # seeds


@dataclass(frozen=True)
class Real:
    """What the mixtures are made of.

    Attributes:
        vectors: (R, D), float32, of unit length.
        codes: of each piece, (T, Q).
        tempo: (R,), bpm.
        code_seconds: seconds from one row of codes to the next.
    """

    vectors: np.ndarray
    codes: list[np.ndarray]
    tempo: np.ndarray
    code_seconds: float

    def save(self, path: Path) -> None:
        np.savez(
            path,
            vectors=self.vectors,
            codes=np.concatenate(self.codes),
            ends=np.cumsum([len(each) for each in self.codes]),
            tempo=self.tempo,
            code_seconds=self.code_seconds,
        )

    @classmethod
    def load(cls, path: Path) -> Real:
        with np.load(path, allow_pickle=False) as kept:
            codes = np.split(kept["codes"], kept["ends"][:-1])
            return cls(kept["vectors"], codes, kept["tempo"], float(kept["code_seconds"]))


@dataclass(frozen=True)
class Mixed:
    """N tracks: which real pieces they are made of, the share of the first, and what is known.

    Attributes:
        vectors: (N, D), float32, of unit length, rounded to the half precision of the database.
        seconds, tempo: (N,).
    """

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray
    vectors: np.ndarray
    seconds: np.ndarray
    tempo: np.ndarray


class Mixer:
    """Draws tracks by number: the same number is the same track in every process."""

    def __init__(self, real: Real) -> None:
        self.real = real

    @cached_property
    def _nearest(self) -> np.ndarray:
        """(R, NEAREST) real pieces next to each."""
        apart = 1.0 - self.real.vectors @ self.real.vectors.T
        np.fill_diagonal(apart, np.inf)
        return np.argsort(apart, axis=1)[:, :NEAREST]

    @cached_property
    def _noise(self) -> np.ndarray:
        """(D, D): turns white noise into noise of the real covariance."""
        width = self.real.vectors.shape[1]
        covariance = np.cov(self.real.vectors.T) + 1e-9 * np.eye(width)
        return NOISE * np.linalg.cholesky(covariance).T

    def drawn(self, first: int, last: int, seed: int = CATALOGUE) -> Mixed:
        """The tracks of these numbers; both are multiples of BLOCK."""
        blocks = [self._block(number, seed) for number in range(first // BLOCK, last // BLOCK)]
        columns = zip(*(vars(block).values() for block in blocks), strict=True)
        return Mixed(*(np.concatenate(column) for column in columns))

    def _block(self, number: int, seed: int) -> Mixed:
        random = np.random.default_rng([seed, number])
        first = random.integers(len(self.real.vectors), size=BLOCK)
        second = self._nearest[first, random.integers(NEAREST, size=BLOCK)]
        share = random.uniform(0.5, 1.0, size=BLOCK)
        real = self.real.vectors
        vectors = share[:, None] * real[first] + (1 - share)[:, None] * real[second]
        vectors += random.normal(size=vectors.shape) @ self._noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = np.array([len(codes) for codes in self.real.codes])
        seconds = (share * rows[first] + (1 - share) * rows[second]) * self.real.code_seconds
        tempo = self.real.tempo[first] * random.normal(1.0, 0.05, size=BLOCK)
        halves = vectors.astype(np.float16).astype(np.float32)
        return Mixed(first, second, share, halves, seconds, tempo)

    def encoding(self, mixed: Mixed, which: int) -> Encoding:
        """One of the tracks as a model hears it."""
        pieces = (mixed.first, mixed.share[which]), (mixed.second, 1 - mixed.share[which])
        stretches = []
        for of, share in pieces:
            codes = self.real.codes[of[which]]
            stretches.append(codes[: max(1, round(share * len(codes)))])
        facts = {"tempo": round(float(mixed.tempo[which]), 1), "tempo_clarity": 0.5}
        seconds = float(mixed.seconds[which])
        together = np.concatenate(stretches)
        return Encoding(mixed.vectors[which], together, self.real.code_seconds, seconds, facts)


def resemblance(real: Real, mixed: Mixed) -> dict[str, list[float]]:
    """Cosine distances at the 5th, 25th, 50th, 75th and 95th percentile, real and mixed.

    The nearest are those among as many mixtures as there are real pieces.
    """
    size = len(real.vectors)
    sets = [mixed.vectors[first : first + size] for first in range(0, 20 * size, size)]
    return {
        "real pairs": _percentiles(_pairs(real.vectors)),
        "mixed pairs": _percentiles(np.concatenate([_pairs(each) for each in sets])),
        "real nearest": _percentiles(_closest(real.vectors)),
        "mixed nearest": _percentiles(np.concatenate([_closest(each) for each in sets])),
    }


def _pairs(vectors: np.ndarray) -> np.ndarray:
    apart: np.ndarray = 1.0 - vectors @ vectors.T
    return apart[np.triu_indices(len(vectors), 1)]


def _closest(vectors: np.ndarray) -> np.ndarray:
    apart = 1.0 - vectors @ vectors.T
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1))


def _percentiles(found: np.ndarray) -> list[float]:
    return [round(float(each), 3) for each in np.percentile(found, [5, 25, 50, 75, 95])]
