"""One Gaussian a piece, and how far two of them are apart. NumPy only.

Symmetrised Kullback-Leibler divergence of one Gaussian a piece: Mandel and Ellis, ISMIR 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gaussians:
    """N Gaussians of dimension d.

    Attributes:
        mean: (N, d).
        covariance: (N, d, d).
        precision: (N, d, d), the inverse of the covariance.
    """

    mean: np.ndarray
    covariance: np.ndarray
    precision: np.ndarray


def gaussians(mean: np.ndarray, covariance: np.ndarray) -> Gaussians:
    """From means (N, d) and covariances (N, d, d)."""
    return Gaussians(mean, covariance, np.linalg.inv(covariance))


def fit(pieces: Sequence[np.ndarray], floor: np.ndarray) -> Gaussians:
    """Fit one Gaussian to the latents (T, d) of each piece.

    Args:
        floor: (d,), variance added to each dimension: what quantisation blurs is not evidence.
    """
    moments = [_moments(piece) for piece in pieces]
    spread = np.stack([covariance for _, covariance in moments]) + np.diag(floor.astype(float))
    return gaussians(np.stack([mean for mean, _ in moments]), spread)


def _moments(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d), by products of matrices in the latents' own precision."""
    count = len(latents)
    mean = np.ones(count, latents.dtype) @ latents / count
    apart = latents - mean
    return mean, apart.T @ apart / count


def joined(each: Sequence[Gaussians]) -> Gaussians:
    """Several sets of Gaussians as one."""
    return Gaussians(
        np.concatenate([some.mean for some in each]),
        np.concatenate([some.covariance for some in each]),
        np.concatenate([some.precision for some in each]),
    )


def divergences(ones: Gaussians, others: Gaussians) -> np.ndarray:
    """Logarithms (N, M) of one plus the symmetrised Kullback-Leibler divergences.

    The logarithm makes them nearly normal, which the correction of hubs supposes.
    """
    centre = others.mean.mean(axis=0)
    apart = _under(ones, others, centre) + _under(others, ones, centre).T
    return np.log1p(np.maximum(apart - 2 * ones.mean.shape[1], 0.0))


def _under(ones: Gaussians, others: Gaussians, centre: np.ndarray) -> np.ndarray:
    """Trace and distance of the means (N, M) under the precision of each of the first.

    Multiplied out, so that all is matrix products; the centre keeps the terms small.
    """
    mean, means = ones.mean - centre, others.mean - centre
    spread = others.covariance + means[:, :, None] * means[:, None, :]
    weighted = np.einsum("nij,nj->ni", ones.precision, mean)
    own = np.einsum("ni,ni->n", weighted, mean)
    return _flat(ones.precision) @ _flat(spread).T - 2 * weighted @ means.T + own[:, None]


def _flat(matrices: np.ndarray) -> np.ndarray:
    return matrices.reshape(len(matrices), -1)
