"""Where codes live: codebooks, scaling and a reference sample, as one npz file. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from ml.gaussian import Gaussians, divergences, gaussians

FILE = "space.npz"


@dataclass(frozen=True)
class Space:
    """What turns codes into latents and latents into likeness; float32 throughout.

    Attributes:
        input_mean, input_std: (n_mfcc,), scaling of the MFCC frames before the encoder.
        codebooks: (Q, K, d), the stages of the residual quantiser.
        latent_std: (d,), spread of the quantised latents over the training tracks.
        reference_mean, reference_covariance: (R, d) and (R, d, d), Gaussians of a sample of the
            training tracks; how far a piece is from all of them tells a hub from a neighbour.
        transpositions: (S, d + 1, d), linear maps of latents to those at other pitches; the last
            row is added (`ml.transposition`).
        axes, axes_mean: (D, P) and (P,), principal axes of the Gaussians' coordinates.
    """

    input_mean: np.ndarray
    input_std: np.ndarray
    codebooks: np.ndarray
    latent_std: np.ndarray
    reference_mean: np.ndarray
    reference_covariance: np.ndarray
    transpositions: np.ndarray
    axes: np.ndarray
    axes_mean: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Space:
        """Read `space.npz` of an artefact whose digests were checked."""
        with np.load(folder / FILE, allow_pickle=False) as archive:
            return cls(**{field.name: archive[field.name] for field in fields(cls)})

    def save(self, folder: Path) -> None:
        """Write `space.npz`."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(
            folder / FILE, **{name: array.astype(np.float32) for name, array in arrays.items()}
        )

    def latents(self, codes: np.ndarray) -> np.ndarray:
        """Quantised latents (T, d) of codes (T, Q): the sum of one vector from each codebook."""
        total = np.zeros((len(codes), self.codebooks.shape[2]), np.float32)
        for stage, book in enumerate(self.codebooks):
            total += book.take(codes[:, stage], axis=0)
        return total

    def transposed(self, latents: np.ndarray, which: int) -> np.ndarray:
        """Latents (T, d) as they would be at another pitch."""
        found = self.transpositions[which]
        moved: np.ndarray = latents @ found[:-1] + found[-1]
        return moved

    def embedding(self, gaussian: Gaussians) -> np.ndarray:
        """Unit vectors (N, D) near each other where Gaussians are: the search's first stage."""
        projected = (coordinates(gaussian, self.latent_std) - self.axes_mean) @ self.axes.T
        return projected / (np.linalg.norm(projected, axis=1, keepdims=True) + 1e-9)

    @cached_property
    def reference(self) -> Gaussians:
        """The reference sample as Gaussians."""
        return gaussians(self.reference_mean, self.reference_covariance)

    def strangeness(self, gaussian: Gaussians) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread (N,) of the log divergences of pieces from the reference sample.

        A piece that is a copy of a sample's member is told from it by leaving out what is
        closest.
        """
        distances = np.sort(divergences(gaussian, self.reference), axis=1)[:, 1:]
        return distances.mean(axis=1), distances.std(axis=1)


def coordinates(gaussian: Gaussians, latent_std: np.ndarray) -> np.ndarray:
    """Gaussians as points (N, P): scaled mean beside the logarithm of the scaled covariance.

    Log-Euclidean metric of covariances: Arsigny et al., SIAM J. Matrix Anal. 29(1), 2007.
    """
    scaled = gaussian.covariance / (latent_std[:, None] * latent_std[None, :])
    values, vectors = np.linalg.eigh(scaled)
    logarithm = (vectors * np.log(np.maximum(values, 1e-8))[:, None, :]) @ vectors.swapaxes(1, 2)
    upper = np.triu_indices(len(latent_std))
    weights = np.where(upper[0] == upper[1], 1.0, np.sqrt(2.0))
    return np.hstack([gaussian.mean / latent_std, logarithm[:, upper[0], upper[1]] * weights])
