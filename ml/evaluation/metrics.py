"""Figures of merit of a ranking. Everything here is a closed form over small arrays.

A distance matrix has one row a query and one column a catalogue track; ``inf`` marks a track
that may not answer the query (itself, when it is left out).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Booleans = NDArray[np.bool_]


def leave_one_out(distances: Floats) -> Floats:
    """The (N, N) distances with an infinite diagonal: no track may answer for itself."""
    left_out = np.array(distances, dtype=float)
    np.fill_diagonal(left_out, np.inf)
    return left_out


def ranking(distances: Floats, seed: int) -> Integers:
    """Columns of each row by ascending distance, (Q, N).

    Equal distances are put in an order drawn from ``seed``: the columns' own order is the
    order of the files, and would give a system that ties everything a perfect album.
    """
    shuffled = np.random.default_rng(seed).permutation(distances.shape[1])
    order = np.argsort(distances[:, shuffled], axis=1, kind="stable")
    return shuffled[order]


def relevance(
    order: Integers, distances: Floats, wanted: np.ndarray, labels: np.ndarray
) -> tuple[Booleans, Booleans]:
    """Which answers, in ranked order, carry the label their query wants.

    Returns:
        relevant and allowed, both (Q, N); ``allowed`` is False where the distance is infinite,
        and such an answer is never relevant.
    """
    allowed = np.isfinite(np.take_along_axis(distances, order, axis=1))
    relevant = (labels[order] == np.asarray(wanted)[:, None]) & allowed
    return relevant, allowed


def precision_at(relevant: Booleans, k: int) -> Floats:
    """Share of relevant tracks among the first ``k`` answers of each query, (Q,)."""
    return relevant[:, :k].mean(axis=1)


def average_precision(relevant: Booleans) -> Floats:
    """Mean precision at the places of the relevant tracks, (Q,); NaN where there is none."""
    hits = relevant.cumsum(axis=1)
    places = np.arange(1, relevant.shape[1] + 1)
    total = relevant.sum(axis=1)
    summed = np.where(relevant, hits / places, 0.0).sum(axis=1)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


def first_place(order: Integers, right: Integers) -> Integers:
    """The place, counted from 1, at which each query's right answer stands, (Q,)."""
    return (order == np.asarray(right)[:, None]).argmax(axis=1) + 1


def top(places: Integers, k: int) -> Floats:
    """1.0 where the right answer is among the first ``k``, else 0.0, (Q,)."""
    return (places <= k).astype(float)


def reciprocal_rank(places: Integers) -> Floats:
    """One over the place of the right answer, (Q,)."""
    return 1.0 / places


def occurrence(order: Integers, k: int = 10) -> Integers:
    """How often each track stands among the first ``k`` answers of the others, (N,).

    ``order`` comes from left-out distances of N tracks against themselves.
    """
    count = order.shape[1]
    return np.bincount(order[:, : min(k, count - 1)].ravel(), minlength=count)


def hub_skew(occurrences: Integers) -> float:
    """Skewness of the k-occurrence: 0 for a fair catalogue, above 1 with hubs (JMLR 11:2487)."""
    if np.ptp(occurrences) == 0:
        return 0.0
    return float(stats.skew(occurrences))


def orphan_share(occurrences: Integers) -> float:
    """Share of tracks that no other track names among its first answers."""
    return float(np.mean(occurrences == 0))


def group_means(values: Floats, groups: np.ndarray) -> dict[str, float]:
    """Mean of ``values`` by group, in the groups' sorted order."""
    return {str(group): float(np.mean(values[groups == group])) for group in np.unique(groups)}


def confusion(order: Integers, labels: np.ndarray) -> tuple[list[str], Floats]:
    """Share of the first answers by soundtrack: rows ask, columns answer; each row sums to 1."""
    names = np.unique(labels)
    asked = np.searchsorted(names, labels)
    answered = asked[order[:, 0]]
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (asked, answered), 1)
    return [str(name) for name in names], counts / counts.sum(axis=1, keepdims=True)
