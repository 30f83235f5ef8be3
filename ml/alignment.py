"""Where two pieces match: their code sequences laid along each other at every lag. NumPy only.

Every window of one piece against every window of the other, by sums along the diagonals of one
similarity matrix (the cross-similarity of cover song detection: Serra et al., IEEE TASLP 16(6),
2008). What is compared is the movement within a window: a drone or a fade matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

POOL = 4  # rows of codes to one step of an alignment
MOST_STEPS = 600  # that are laid along another piece at once: 4 min
WINDOW_SECONDS = 16.0
MOST_SPANS = 3
EVERY = 4
LEAST_MOVEMENT = 0.3  # variance of unit vectors within a window, of at most 1

Moments = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Span:
    """A stretch of the query and the stretch of the other piece that it matches, in seconds."""

    query_start: float
    query_end: float
    match_start: float
    match_end: float


@dataclass(frozen=True)
class Steps:
    """A piece, or a stretch of it, ready to be laid along others.

    Attributes:
        vectors: (n, d), float32, of unit length.
        seconds: of the piece from one step to the next.
        start: where in the piece the first step lies, in seconds.
    """

    vectors: np.ndarray
    seconds: float
    start: float = 0.0

    @cached_property
    def _moments(self) -> dict[int, Moments]:
        return {}

    def moments(self, window: int) -> Moments:
        """Mean (n - w + 1, d) of each window of w vectors and the spread around it.

        Those of the last length are kept: a piece is laid along many others, whose windows are
        nearly all equally long, and may stay in memory for long.
        """
        if window not in self._moments:
            sums = np.zeros((len(self.vectors) + 1, self.vectors.shape[1]), np.float32)
            np.cumsum(self.vectors, axis=0, out=sums[1:])
            mean = (sums[window:] - sums[:-window]) / window
            variance = 1.0 - np.einsum("nd,nd->n", mean, mean)
            self._moments.clear()
            self._moments[window] = mean, np.sqrt(np.maximum(variance, LEAST_MOVEMENT))
        return self._moments[window]


@dataclass(frozen=True)
class Alignment:
    """How well the best windows lie along each other.

    Attributes:
        strength: correlation of the best window, -1 to 1; 1 for a piece and itself.
        spans: up to `MOST_SPANS`, apart from each other, best first.
    """

    strength: float
    spans: tuple[Span, ...]


def steps(
    latents: np.ndarray,
    latent_std: np.ndarray,
    row_seconds: float,
    *,
    start: float = 0.0,
) -> Steps:
    """Steps of latents (T, d), centred: colour goes, movement stays.

    Args:
        row_seconds: seconds from one row of latents to the next.
        start: of the first row, in seconds.
    """
    pool = min(POOL, len(latents))
    whole = len(latents) // pool * pool
    # einsum: a mean along a short axis takes three times as long
    pooled = np.einsum("npd->nd", latents[:whole].reshape(-1, pool, latents.shape[1])) / pool
    moved = (pooled - pooled.mean(axis=0)) / latent_std
    unit = moved / (np.sqrt(np.einsum("nd,nd->n", moved, moved))[:, None] + 1e-6)
    return Steps(unit.astype(np.float32), pool * row_seconds, start)


def parts(whole: Steps) -> list[Steps]:
    """A long piece in parts of at most `MOST_STEPS`, which share a window with the next."""
    hop = MOST_STEPS - round(WINDOW_SECONDS / whole.seconds)
    firsts = range(0, max(1, len(whole.vectors) - MOST_STEPS + hop), hop)
    return [
        Steps(whole.vectors[first : first + MOST_STEPS], whole.seconds, first * whole.seconds)
        for first in firsts
    ]


def align(query: Steps, other: Steps) -> Alignment:
    """Lay a query along another piece whose steps last nearly as long as the query's."""
    found, window = correlations(query, other)
    if not found.size:
        return Alignment(0.0, ())
    best = _best_windows(found, window)
    return Alignment(float(found.max()), tuple(_span(query, other, *each) for each in best))


def strength(query: Steps, other: Steps) -> float:
    """Correlation of the best of the windows that begin at every fourth step of the query.

    The windows in between hardly differ from these, and a third of the work is left.
    """
    blocks = _window(query, other) // EVERY
    if not blocks:
        return float(correlations(query, other)[0].max(initial=0.0))
    rows, columns = len(query.vectors) // EVERY * EVERY, len(other.vectors) - EVERY + 1
    # Sums of EVERY products by a plain product of matrices: vectors end to end, EVERY of them.
    ours = query.vectors[:rows].reshape(rows // EVERY, -1)
    theirs = np.hstack([other.vectors[step : step + columns] for step in range(EVERY)])
    sums = _diagonal_sums(ours @ theirs.T, blocks, EVERY)
    mean, movement = query.moments(blocks * EVERY)
    begun = slice(0, EVERY * len(sums), EVERY)
    moments = (mean[begun], movement[begun]), other.moments(blocks * EVERY)
    return float(_correlated(sums, blocks * EVERY, *moments).max())


def correlations(query: Steps, other: Steps) -> tuple[np.ndarray, int]:
    """Correlations (n - w + 1, m - w + 1) of all windows of both, and w, their steps."""
    window = _window(query, other)
    if window < 1:
        return np.empty((0, 0)), 0
    sums = _diagonal_sums(query.vectors @ other.vectors.T, window, 1)
    moments = query.moments(window), other.moments(window)
    return _correlated(sums, window, *moments), window


def _window(query: Steps, other: Steps) -> int:
    return min(round(WINDOW_SECONDS / other.seconds), len(query.vectors), len(other.vectors))


def _correlated(sums: np.ndarray, window: int, ones: Moments, others: Moments) -> np.ndarray:
    """Correlations from the sums of products, in the place of the sums."""
    sums -= (window * ones[0]) @ others[0].T
    sums /= (window * ones[1])[:, None]
    sums /= others[1]
    return sums


def _diagonal_sums(similarity: np.ndarray, window: int, shift: int) -> np.ndarray:
    """Sums of w consecutive entries down each diagonal, `shift` columns further in each row.

    By doubling: a few plain additions of whole arrays, where running sums would need one a row.
    """
    if window == 1:
        return similarity
    half = window // 2
    sums = _diagonal_sums(similarity, half, shift)
    doubled: np.ndarray = sums[:-half, : -half * shift] + sums[half:, half * shift :]
    if window % 2:
        doubled = doubled[:-1, :-shift] + similarity[2 * half :, 2 * half * shift :]
    return doubled


def _best_windows(found: np.ndarray, window: int) -> Iterator[tuple[int, int, int]]:
    """First step in the query and in the other, and length, of the best stretches.

    They do not overlap in the query, and each is drawn out while it still matches.
    """
    left = found.copy()
    enough = found.max() * 0.8
    for _ in range(MOST_SPANS):
        row, column = np.unravel_index(left.argmax(), left.shape)
        if left[row, column] < enough or left[row, column] <= 0:
            return
        first, last = _drawn_out(found, int(row), int(column), enough)
        yield first, int(column) + first - int(row), last - first + window
        left[max(first - window + 1, 0) : last + window] = -np.inf


def _drawn_out(found: np.ndarray, row: int, column: int, enough: float) -> tuple[int, int]:
    """First and last row of the run of good windows around one, along its diagonal."""
    diagonal = found.diagonal(column - row)
    place = row - max(row - column, 0) if column >= row else column
    bad = np.flatnonzero(diagonal < enough)
    before, after = bad[bad < place], bad[bad > place]
    first = before[-1] + 1 if len(before) else 0
    last = after[0] - 1 if len(after) else len(diagonal) - 1
    return row - place + int(first), row - place + int(last)


def _span(query: Steps, other: Steps, row: int, column: int, length: int) -> Span:
    ends = [
        steps.start + steps.seconds * step
        for steps, first in ((query, row), (other, column))
        for step in (first, first + length)
    ]
    return Span(*(round(float(end), 2) for end in ends))
