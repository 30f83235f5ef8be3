"""Likeness along the manifold of a catalogue: a short random walk between alike pieces. NumPy only.

Ranking on data manifolds: Zhou, Weston, Gretton, Bousquet and Schölkopf, NIPS 2003; diffusion for
retrieval: Donoser and Bischof, CVPR 2013. A candidate is near a query not only if it is like it,
but also if its own nearest neighbours are; that speaks against chance resemblances.
"""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 4
GO_ON = 0.7  # chance of each further step
SOFTNESS = 0.08  # distance over which likeness falls by a factor of e


def walked(distances: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Distances (M,) from a query to M candidates, in the unit of those that are given.

    A walker starts at each candidate and goes on to alike ones; the distance is minus the
    logarithm of how alike, on average, the query and the places where the walker stops are.

    Args:
        distances: (M,) from the query to each candidate.
        among: (M, M) between the candidates.
    """
    nearest = distances.min()
    likeness = np.exp((nearest - distances) / SOFTNESS)
    steps = np.eye(len(distances)) - GO_ON * _transitions(among)
    # Nothing is left of the likeness of what is very far; rounding may even leave less.
    left = np.maximum(np.linalg.solve(steps, likeness), 0.0)
    with np.errstate(divide="ignore"):
        found = nearest - SOFTNESS * np.log(left)
    return np.minimum(found, distances) - SOFTNESS * np.log(1 - GO_ON)


def _transitions(among: np.ndarray) -> np.ndarray:
    """Chances (M, M) of a step from each piece (rows) to each other; a lone piece stays."""
    count = min(NEIGHBOURS, len(among) - 1)
    if count < 1:
        return np.eye(len(among))
    apart = np.where(np.eye(len(among), dtype=bool), np.inf, among)
    rows = np.arange(len(among))[:, None]
    columns = np.argpartition(apart, count - 1, axis=1)[:, :count]
    weights = np.full(among.shape, -np.inf)  # logarithms: all neighbours of a lone piece are far
    weights[rows, columns] = -apart[rows, columns] / SOFTNESS
    weights = np.maximum(weights, weights.T)
    chances = np.exp(weights - weights.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)
