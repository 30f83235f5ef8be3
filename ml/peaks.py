"""A piece's waveform as a small picture draws it. NumPy only."""

from __future__ import annotations

import numpy as np

from ml.audio import Waveform

COLUMNS = 800
_FULL = 255


def peaks(waveform: Waveform) -> bytes:
    """The piece in `COLUMNS` equal columns.

    Returns:
        uint8 of shape (2, COLUMNS), row by row: the largest |sample| of each column, then its root
        mean square, both scaled so that the largest |sample| of the piece is 255.
    """
    columns = [_measured(column) for column in _columns(waveform.samples)]
    found = np.array(columns).T
    found *= _FULL / (found[0].max() or 1.0)
    return np.round(found).astype(np.uint8).tobytes()


def _columns(samples: np.ndarray) -> list[np.ndarray]:
    """Equal stretches; of a piece with fewer samples than columns some are shared."""
    edges = np.linspace(0, len(samples), COLUMNS + 1)
    firsts, lasts = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
    return [samples[first:last] for first, last in zip(firsts, lasts, strict=True)]


def _measured(column: np.ndarray) -> tuple[float, float]:
    """Largest and root mean square |sample|."""
    return float(np.abs(column).max()), float(np.sqrt(np.mean(np.square(column), dtype=np.float64)))
