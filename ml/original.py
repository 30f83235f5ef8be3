"""The first system: 140 MFCC statistics a track, 35 codes, likeness by the sum of the codes.

It is kept as it was, to be a row in every report, and once more cured: with its inputs scaled, its
codebook moved by averages and its codes compared as histograms. TensorFlow only trains it
(`ml.original_network`); a trained model encodes with numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ml.audio import Waveform
from ml.errors import ArtefactError

COEFFICIENTS = 20
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
WIDTH = COEFFICIENTS * len(STATISTICS)
CODES = 128
LATENT = 16
STEPS = 35
LAYERS = 3
EPOCHS = 30
WEIGHTS = "original.npz"

Progress = Callable[[int, dict[str, float]], None]


def mfcc(waveform: Waveform) -> np.ndarray:
    """20 MFCCs a frame as FMA's feature table has them (arXiv:1612.01840), (20, frames)."""
    return librosa.feature.mfcc(
        y=waveform.samples, sr=waveform.sample_rate, n_mfcc=COEFFICIENTS, n_fft=2048, hop_length=512
    )


def statistics(mfcc: np.ndarray) -> np.ndarray:
    """The columns ``mfcc`` of FMA's feature table, in their order, float32 (140,).

    Seven statistics over time, each of 20 coefficients; skewness and excess kurtosis of a
    coefficient that never changes are 0.
    """
    rows = mfcc.astype(np.float64)
    spread = rows.std(axis=1)
    moving = spread > 1e-9
    standard = (rows - rows.mean(axis=1, keepdims=True)) / np.where(moving, spread, 1.0)[:, None]
    columns = (
        np.where(moving, (standard**4).mean(axis=1) - 3.0, 0.0),
        rows.max(axis=1),
        rows.mean(axis=1),
        np.median(rows, axis=1),
        rows.min(axis=1),
        np.where(moving, (standard**3).mean(axis=1), 0.0),
        spread,
    )
    return np.concatenate(columns).astype(np.float32)


@dataclass(frozen=True)
class OriginalModel:
    """A trained network, as arrays.

    Attributes:
        kernels: of the encoder's three convolutions, (width, inputs, outputs) each.
        biases: of the same, (outputs,) each.
        codebook: (16, 128), one code a column.
        centre: (140,) subtracted from the statistics; zeros where the inputs are not scaled.
        scale: (140,) they are divided by; ones where the inputs are not scaled.
        scaled: which of the two variants this is; it decides how codes are compared.
        history: the three losses by epoch.
    """

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    codebook: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    scaled: bool
    history: Mapping[str, list[float]]

    def codes(self, statistics: np.ndarray) -> np.ndarray:
        """Codes (N, 35) of statistics (N, 140)."""
        signal = ((statistics - self.centre) / self.scale)[:, :, None]
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            last = layer == LAYERS - 1
            signal = _convolve(signal, kernel, stride=1 if last else 2) + bias
            signal = signal if last else np.maximum(signal, 0.0)
        return _nearest(signal, self.codebook)

    def distances(self, queries: np.ndarray, catalogue: np.ndarray) -> np.ndarray:
        """Distances (Q, N) between codes (Q, 35) and (N, 35).

        As it was: the difference of the sums of the code numbers, which mean nothing as numbers.
        Scaled: one minus the cosine of the code histograms.
        """
        if not self.scaled:
            return np.abs(queries.sum(axis=1)[:, None] - catalogue.sum(axis=1)[None, :]) * 1.0
        return 1.0 - _histograms(queries) @ _histograms(catalogue).T

    def save(self, path: Path) -> None:
        """Write everything to one npz file."""
        arrays: dict[str, Any] = {
            "codebook": self.codebook,
            "centre": self.centre,
            "scale": self.scale,
            "scaled": np.array(self.scaled),
        }
        arrays |= {f"kernel_{i}": kernel for i, kernel in enumerate(self.kernels)}
        arrays |= {f"bias_{i}": bias for i, bias in enumerate(self.biases)}
        arrays |= {f"history_{name}": np.array(loss) for name, loss in self.history.items()}
        with path.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote, without pickle.

        Raises:
            ArtefactError: `artefact-format`, the file is not such a model.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls._from_arrays(dict(arrays))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            reason = f"not a model of the first system: {error}"
            raise ArtefactError("artefact-format", reason) from error

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        prefix = "history_"
        return cls(
            kernels=tuple(arrays[f"kernel_{i}"] for i in range(LAYERS)),
            biases=tuple(arrays[f"bias_{i}"] for i in range(LAYERS)),
            codebook=arrays["codebook"],
            centre=arrays["centre"],
            scale=arrays["scale"],
            scaled=bool(arrays["scaled"]),
            history={
                name.removeprefix(prefix): loss.tolist()
                for name, loss in arrays.items()
                if name.startswith(prefix)
            },
        )


def train(
    statistics: np.ndarray,
    *,
    scaled: bool,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> OriginalModel:
    """Train the first system; imports TensorFlow.

    Args:
        statistics: (N, 140).
        scaled: divide by the spread of each column first, let the codebook follow by moving
            averages, and compare codes as histograms; as published it did none of these, and its
            loss diverged.
        progress: called after each epoch with its number from 1 and its figures.
        checkpoints: a folder to keep the last epoch in, and to go on from.
    """
    from ml.original_network import fit

    centre, scale = np.zeros(WIDTH), np.ones(WIDTH)
    if scaled:
        centre, scale = statistics.mean(axis=0), statistics.std(axis=0) + 1e-6
    network = fit(
        (statistics - centre) / scale,
        cured=scaled,
        epochs=epochs,
        seed=seed,
        progress=progress,
        checkpoints=checkpoints,
    )
    return OriginalModel(
        kernels=network.kernels,
        biases=network.biases,
        codebook=network.codebook,
        centre=centre,
        scale=scale,
        scaled=scaled,
        history=network.history,
    )


def _convolve(signal: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Convolution (N, T, C) * (K, C, D) with TensorFlow's "same" padding."""
    width, length = len(kernel), signal.shape[1]
    steps = -(-length // stride)
    padding = max((steps - 1) * stride + width - length, 0)
    padded = np.pad(signal, ((0, 0), (padding // 2, padding - padding // 2), (0, 0)))
    windows = sliding_window_view(padded, width, axis=1)[:, ::stride]
    return np.einsum("ntck,kcd->ntd", windows, kernel)


def _nearest(latents: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Number of the code nearest to each latent: (N, T, 16) and (16, 128) to (N, T)."""
    squares = (codebook**2).sum(axis=0)
    return (squares - 2.0 * latents @ codebook).argmin(axis=2)


def _histograms(codes: np.ndarray) -> np.ndarray:
    """How often each code occurs, (N, 128), rows of unit length."""
    counts = (codes[:, :, None] == np.arange(CODES)).sum(axis=1)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def data_digest(statistics: np.ndarray) -> str:
    """Says whether two trainings saw the same data."""
    return hashlib.sha256(np.ascontiguousarray(statistics).data).hexdigest()
