"""A piece's waveform as a small picture draws it. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ml.audio import Samples, Sound

COLUMNS = 800
_AT_ONCE = 32  # columns that are read together
_FULL = 255


def peaks(sound: Sound) -> bytes:
    """The piece in `COLUMNS` equal columns.

    Returns:
        uint8 of shape (2, COLUMNS), row by row: the largest |sample| of each column, then its root
        mean square, both scaled so that the largest |sample| of the piece is 255.
    """
    edges = np.linspace(0, len(sound.samples), COLUMNS + 1)
    parts = [edges[first : first + _AT_ONCE + 1] for first in range(0, COLUMNS, _AT_ONCE)]
    found = np.array([column for part in parts for column in _columns(sound.samples, part)]).T
    found *= _FULL / (found[0].max() or 1.0)
    return np.round(found).astype(np.uint8).tobytes()


def _columns(samples: Samples, edges: np.ndarray) -> Iterator[tuple[float, float]]:
    """Largest and root mean square |sample| of the columns between neighbouring edges.

    Of a piece with fewer samples than columns some are shared.
    """
    firsts, lasts = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    stretch = samples[firsts[0] : lasts[-1]]
    for first, last in zip(firsts - firsts[0], lasts - firsts[0], strict=True):
        column = stretch[first:last]
        yield max(column.max(), -column.min()), np.sqrt(np.dot(column, column) / len(column))
