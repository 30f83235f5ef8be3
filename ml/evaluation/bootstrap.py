"""Bootstrap intervals over soundtracks.

Tracks of one soundtrack are not independent, so whole soundtracks are drawn, with replacement.
A draw is a vector of weights, how often each soundtrack was drawn; the same weights applied to
two systems give the paired difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.evaluation.metrics import Floats, Integers

DRAWS = 2000
PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0.0 <= self.high


def draws(groups: int, seed: int, count: int = DRAWS) -> Integers:
    """Weights (count, groups): each row says how often each group was drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=count)


def mean_over_tracks(values: Floats, groups: np.ndarray, weights: np.ndarray) -> Floats:
    """Mean of all tracks of the drawn soundtracks, one a draw."""
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    return (weights @ sums) / (weights @ sizes)


def mean_by_group(values: Floats, groups: np.ndarray, weights: np.ndarray) -> Floats:
    """Mean of the drawn soundtracks' own means, one a draw."""
    _, index = np.unique(groups, return_inverse=True)
    means = np.bincount(index, weights=values) / np.bincount(index)
    return (weights @ means) / weights.sum(axis=1)


def estimate(values: Floats, groups: np.ndarray, seed: int, *, macro: bool = False) -> Estimate:
    """Mean of ``values`` (Q,) with its interval over ``groups`` (Q,).

    With ``macro`` every soundtrack counts the same, however many tracks it has. Values that are
    NaN (a query without any right answer) are left out.
    """
    known = ~np.isnan(values)
    values, groups = values[known], groups[known]
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    mean = mean_by_group if macro else mean_over_tracks
    count = len(np.unique(groups))
    value = mean(values, groups, np.ones((1, count)))[0]
    low, high = np.percentile(mean(values, groups, draws(count, seed)), PERCENTILES)
    return Estimate(float(value), float(low), float(high))


def difference(ours: Floats, theirs: Floats, groups: np.ndarray, seed: int) -> Estimate:
    """Paired difference of two systems' means on the same queries, with its interval."""
    return estimate(ours - theirs, groups, seed)
