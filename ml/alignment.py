"""Where two pieces match: their code sequences laid along each other at every lag. NumPy only.

Every window of the query against every place of the other piece, by sums along the diagonals of
one similarity matrix (the "cross-similarity" of cover song detection, Serra et al., 2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

POOL = 2  # rows of codes to one step of an alignment, at least
MOST_STEPS = 600  # of the query; a longer one is pooled further, so that an hour costs a minute
WINDOW_SECONDS = 8.0
MOST_SPANS = 3


@dataclass(frozen=True)
class Span:
    """A stretch of the query and the stretch of the other piece that it matches, in seconds."""

    query_start: float
    query_end: float
    match_start: float
    match_end: float


@dataclass(frozen=True)
class Alignment:
    """How well the best windows lie along each other.

    Attributes:
        strength: mean cosine of the best window, -1 to 1; 1 for a piece and itself.
        spans: up to `MOST_SPANS`, apart from each other, best first.
    """

    strength: float
    spans: tuple[Span, ...]


def pool_for(rows: int) -> int:
    """How many rows of codes make one step for a query of so many rows."""
    return max(POOL, -(-rows // MOST_STEPS))


def steps(latents: np.ndarray, latent_std: np.ndarray, pool: int = POOL) -> np.ndarray:
    """Unit vectors (T / pool, d) of latents (T, d), centred: colour goes, movement stays."""
    pool = min(pool, len(latents))
    whole = len(latents) // pool * pool
    pooled = latents[:whole].reshape(-1, pool, latents.shape[1]).mean(axis=1)
    moved = (pooled - pooled.mean(axis=0)) / latent_std
    return moved / (np.linalg.norm(moved, axis=1, keepdims=True) + 1e-6)


def align(query: np.ndarray, other: np.ndarray, step_seconds: float) -> Alignment:
    """Lay two pieces along each other.

    Args:
        query, other: unit vectors (n, d) and (m, d) as `steps` makes them.
        step_seconds: seconds from one row to the next.
    """
    window = min(round(WINDOW_SECONDS / step_seconds), len(query), len(other))
    if window < 1:
        return Alignment(0.0, ())
    means = _diagonal_means(query @ other.T, window)
    spans = tuple(_best_spans(means, window, step_seconds))
    return Alignment(float(means.max()), spans)


def _diagonal_means(similarity: np.ndarray, window: int) -> np.ndarray:
    """Means (n - w + 1, m - w + 1) of w consecutive entries down each diagonal."""
    n, m = similarity.shape
    sums = _skewed(similarity).cumsum(axis=0, dtype=np.float64)
    sums[window:] -= sums[:-window].copy()
    rows = np.arange(n - window + 1)[:, None]
    columns = np.arange(m - window + 1)[None, :]
    found: np.ndarray = sums[rows + window - 1, n - 1 - rows + columns] / window
    return found


def _skewed(similarity: np.ndarray) -> np.ndarray:
    """(n, n + m - 1) with entry (i, j) at (i, n - 1 - i + j): a diagonal becomes a column."""
    n, m = similarity.shape
    padded = np.zeros((n, n + m), similarity.dtype)
    padded[:, :m] = similarity[::-1]
    width = n + m - 1  # one less than the padding: each row starts one further to the right
    return padded.ravel()[: n * width].reshape(n, width)[::-1]


def _best_spans(means: np.ndarray, window: int, step_seconds: float) -> Iterator[Span]:
    """The best windows that do not overlap in the query, each drawn out while it still matches."""
    left = means.copy()
    enough = means.max() * 0.8
    for _ in range(MOST_SPANS):
        row, column = np.unravel_index(left.argmax(), left.shape)
        if left[row, column] < enough or left[row, column] <= 0:
            return
        first, last = _drawn_out(means, int(row), int(column), enough)
        length = last - first + window
        start = column + first - row
        ends = (first, first + length, start, start + length)
        yield Span(*(round(float(end * step_seconds), 2) for end in ends))
        left[max(first - window + 1, 0) : last + window] = -np.inf


def _drawn_out(means: np.ndarray, row: int, column: int, enough: float) -> tuple[int, int]:
    """First and last row of the run of good windows around one, along its diagonal."""
    diagonal = means.diagonal(column - row)
    place = row - max(row - column, 0) if column >= row else column
    bad = np.flatnonzero(diagonal < enough)
    before, after = bad[bad < place], bad[bad > place]
    first = before[-1] + 1 if len(before) else 0
    last = after[0] - 1 if len(after) else len(diagonal) - 1
    return row - place + int(first), row - place + int(last)
