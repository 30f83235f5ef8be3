"""The systems that every report shows beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ml import artefact, original
from ml.evaluation.metrics import Floats, Integers
from ml.evaluation.mfcc import Mfcc
from ml.evaluation.systems import Item, System

RIDGE = 1e-6  # keeps the covariance of a silent or a synthetic sound invertible


class Random(System):
    """Distances drawn from a seed: what a system reaches that hears nothing."""

    name = "random"
    extractor = Mfcc.name

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        return np.random.default_rng(self.seed).random((len(queries), len(catalogue)))


class StatisticsCosine(System):
    """MFCC-140: the statistics, each scaled by its spread in the catalogue, by cosine."""

    name = "MFCC-140 cosine"
    extractor = Mfcc.name

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        return scaled_cosine(_statistics(queries), _statistics(catalogue))


class Original(System):
    """The first system, trained on the catalogue that it is asked about."""

    extractor = Mfcc.name

    def __init__(self, *, scaled: bool, seed: int) -> None:
        self.name = "original, cured" if scaled else "original"
        self.scaled, self.seed = scaled, seed
        self.model: original.OriginalModel | None = None

    def prepare(self, catalogue: Sequence[Item]) -> None:
        self.model = original.train(_statistics(catalogue), scaled=self.scaled, seed=self.seed)
        self.losses = self.model.history

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        if self.model is None:
            raise ValueError("the first system must be prepared on a catalogue before it answers")
        theirs = self.model.codes(_statistics(catalogue))
        return self.model.distances(self.model.codes(_statistics(queries)), theirs)


class OriginalArtefact(Original):
    """The first system as a model version holds it, trained before."""

    def __init__(self, folder: Path) -> None:
        manifest = artefact.verify(folder)
        super().__init__(scaled=False, seed=0)
        self.name = manifest["name"]
        self.model = original.OriginalModel.load(folder / original.WEIGHTS)
        self.losses = self.model.history

    def prepare(self, catalogue: Sequence[Item]) -> None:
        """It has learnt all it will."""


class GaussianDivergence(System):
    """One Gaussian a track, symmetrised Kullback-Leibler divergence (Mandel and Ellis 2005)."""

    name = "MFCC Gaussian KL"
    extractor = Mfcc.name

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        return symmetrised_divergence(
            np.stack([item.gaussian for item in queries]),
            np.stack([item.gaussian for item in catalogue]),
        )


class MutualProximity(System):
    """Another system's distances, made mutual: d small for both is what counts."""

    def __init__(self, inner: System) -> None:
        self.inner = inner
        self.name = f"{inner.name} + MP"
        self.extractor = inner.extractor

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        among = self.inner.distances(catalogue, catalogue, left_out=True)
        asked = among if left_out else self.inner.distances(queries, catalogue)
        return mutual_proximity(asked, among, left_out=left_out)


def baselines(seed: int) -> list[System]:
    """All of them, the weakest first."""
    divergence = GaussianDivergence()
    return [
        Random(seed),
        Original(scaled=False, seed=seed),
        Original(scaled=True, seed=seed),
        StatisticsCosine(),
        divergence,
        MutualProximity(divergence),
    ]


def scaled_cosine(queries: Floats, catalogue: Floats) -> Floats:
    """One minus the cosine, after each dimension was centred and scaled by its spread there.

    Args:
        queries: (Q, d).
        catalogue: (N, d), of which centre and spread are taken.

    Returns:
        (Q, N), between 0 and 2.
    """
    centre, scale = catalogue.mean(axis=0), catalogue.std(axis=0) + 1e-9
    return 1.0 - _unit((queries - centre) / scale) @ _unit((catalogue - centre) / scale).T


def symmetrised_divergence(queries: Floats, catalogue: Floats) -> Floats:
    """Half of KL(p||q) + KL(q||p) between Gaussians.

    Args:
        queries: (Q, d, d + 1), each the mean as first column and the covariance.
        catalogue: (N, d, d + 1).

    Returns:
        (Q, N), not negative.
    """
    one, other = _moments(queries), _moments(catalogue)
    return np.maximum((_half_divergence(one, other) + _half_divergence(other, one).T) / 2, 0.0)


def _moments(gaussians: Floats) -> tuple[Floats, Floats, Floats]:
    """Means (N, d), covariances (N, d, d) and their inverses."""
    means = gaussians[:, :, 0].astype(float)
    covariances = gaussians[:, :, 1:] + RIDGE * np.eye(means.shape[1])
    return means, covariances, np.linalg.inv(covariances)


def _half_divergence(
    one: tuple[Floats, Floats, Floats], other: tuple[Floats, Floats, Floats]
) -> Floats:
    """KL(other || one) without the log determinants, which cancel in the symmetrised sum."""
    means, _, precisions = one
    other_means, covariances, _ = other
    trace = precisions.reshape(len(means), -1) @ covariances.reshape(len(other_means), -1).T
    pulled = np.einsum("iab,ib->ia", precisions, means)
    own = (pulled * means).sum(axis=1)[:, None]
    cross = pulled @ other_means.T
    theirs = np.einsum("iab,jb->ija", precisions, other_means, optimize=True)
    square = np.einsum("ija,ja->ij", theirs, other_means)
    return (trace - means.shape[1] + own - 2 * cross + square) / 2


def mutual_proximity(asked: Floats, among: Floats, *, left_out: bool) -> Floats:
    """One minus the share of the catalogue that is farther away for both (JMLR 13:2871, eq. 2).

    The empirical form: the Gaussian one supposes bell-shaped distances, and divergences have a
    long tail. Ties, which counting makes, fall back on the distance itself.

    Args:
        asked: (Q, N) distances of the queries.
        among: (N, N) distances within the catalogue; its diagonal is not looked at.
        left_out: query i is track i.
    """
    count = among.shape[0]
    within = among.copy()
    np.fill_diagonal(within, np.nan)
    farther = np.empty(asked.shape)
    for index, row in enumerate(asked):
        others = row.copy()
        if left_out:
            others[index] = np.nan
        for_query = others[None, :] > row[:, None]
        for_track = within > row[:, None]
        farther[index] = (for_query & for_track).sum(axis=1)
    places: Integers = asked.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return 1.0 - farther / count + places / count**2


def _unit(rows: Floats) -> Floats:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _statistics(items: Sequence[Item]) -> Floats:
    return np.stack([item.statistics for item in items]).astype(float)
