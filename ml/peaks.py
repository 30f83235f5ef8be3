"""A piece's waveform as a small picture draws it. NumPy only."""

from __future__ import annotations

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
    found = np.hstack([_columns(sound.samples, part) for part in parts])
    found *= _FULL / (found[0].max() or 1.0)
    return np.round(found).astype(np.uint8).tobytes()


def _columns(samples: Samples, edges: np.ndarray) -> np.ndarray:
    """Largest and root mean square |sample| (2, n) of the columns between neighbouring edges.

    Of a piece with fewer samples than columns some are shared.
    """
    firsts, lasts = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    sizes = np.abs(np.append(samples[firsts[0] : lasts[-1]], np.float32(0)))
    pairs = np.stack([firsts, lasts], axis=1).ravel() - firsts[0]  # every other is a column
    largest = np.maximum.reduceat(sizes, pairs)[::2]
    powers = np.add.reduceat(np.square(sizes, out=sizes), pairs)[::2] / (lasts - firsts)
    return np.stack([largest, np.sqrt(powers)])
