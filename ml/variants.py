"""A query as it might have been before somebody changed its pitch or tempo. NumPy only.

Nothing is encoded again: another tempo is another pace along the latents, another pitch a linear
map of them that training has found, so codes are enough.
"""

from __future__ import annotations

import numpy as np

from ml.alignment import Steps, steps
from ml.space import Space

PACES = (0.93, 0.965, 1.035, 1.07)  # rows of the query to one row of the variant
SECONDS = 24.0  # of the query, from its middle: enough to be known again by


def variants(latents: np.ndarray, row_seconds: float, space: Space) -> list[Steps]:
    """The middle of a query in other pitches and tempi.

    Args:
        latents: (T, d) of the query.
        row_seconds: seconds from one row to the next.
    """
    count = min(len(latents), round(SECONDS / row_seconds))
    first = (len(latents) - count) // 2
    middle, start = latents[first : first + count], first * row_seconds
    found = [
        steps(space.transposed(middle, which), space.latent_std, row_seconds, start=start)
        for which in range(len(space.transpositions))
    ]
    for pace in PACES:
        paced = at_pace(middle, pace)
        found.append(steps(paced, space.latent_std, row_seconds * pace, start=start))
    return found


def at_pace(latents: np.ndarray, pace: float) -> np.ndarray:
    """Latents (T, d) read at another pace, (T / pace, d), between rows by straight lines."""
    places = np.arange(max(1, int(len(latents) / pace))) * pace
    low = np.minimum(places.astype(int), len(latents) - 1)
    high = np.minimum(low + 1, len(latents) - 1)
    share = (places - low)[:, None]
    return latents[low] * (1 - share) + latents[high] * share
