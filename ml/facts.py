"""Plain measures of a piece for the reasons shown to people: tempo, loudness, brightness, key."""

from __future__ import annotations

import librosa
import numpy as np

from ml.features import Features

_TEMPO_FRAMES = 384  # of lag: 9 s
# Krumhansl and Kessler's key profiles, Psychological Review 89(4), 1982.
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def facts(features: Features) -> dict[str, float]:
    """Measure a piece.

    Returns:
        tempo (bpm), loudness (mean power in dB), dynamics (dB from the 10th to the 95th
        percentile of frame loudness), brightness (spectral centroid in Hz), key (0 to 11 from C
        major, 12 to 23 from C minor), key_clarity (correlation with that key's profile).
    """
    power = np.exp(features.log_mel * np.float32(np.log(10.0) / 10.0))
    loudness = 10.0 * np.log10(power.sum(axis=1) + 1e-10)
    low, high = np.percentile(loudness, [10, 95])
    key, clarity = _key(features.chroma)
    return {
        "tempo": _tempo(features),
        "loudness": round(float(10.0 * np.log10(power.sum(axis=1).mean() + 1e-10)), 2),
        "dynamics": round(float(high - low), 2),
        "brightness": _brightness(power, features),
        "key": key,
        "key_clarity": clarity,
    }


def _tempo(features: Features) -> float:
    """From one autocorrelation over the whole piece; librosa's by frames costs ten times more."""
    settings, onsets = features.settings, features.onset_strength
    lags = librosa.autocorrelate(onsets - onsets.mean(), max_size=_TEMPO_FRAMES)
    found = librosa.feature.tempo(
        tg=np.maximum(lags, 0.0)[:, None], sr=settings.sample_rate, hop_length=settings.hop_length
    )
    return round(float(found[0]), 1)


def _brightness(power: np.ndarray, features: Features) -> float:
    """Mean centroid of the mel bands' power in Hz."""
    settings = features.settings
    centres = librosa.mel_frequencies(settings.n_mels + 2, fmin=settings.fmin, fmax=settings.fmax)
    total = power.sum(axis=1)
    loud = total > total.mean() * 1e-3
    centroid = power[loud] @ centres[1:-1] / total[loud]
    return round(float(centroid.mean()), 1) if loud.any() else 0.0


def _key(chroma: np.ndarray) -> tuple[float, float]:
    """Best key and its correlation; keys are counted from C major, minor after major."""
    mean = chroma.mean(axis=0)
    if mean.std() == 0:
        return 0.0, 0.0
    profiles = [np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
    fits = [float(np.corrcoef(mean, profile)[0, 1]) for profile in profiles]
    best = int(np.argmax(fits))
    return float(best), round(fits[best], 3)
