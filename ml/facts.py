"""Plain measures of a piece for the reasons shown to people: tempo, loudness, brightness, key."""

from __future__ import annotations

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d

from ml.features import Features, FeatureSettings, level_of

_TEMPO_FRAMES = 384  # of lag: 9 s
_USUAL_TEMPO, _FASTEST_TEMPO = 120.0, 320.0  # bpm
_AROUND_SECONDS = 0.5
_APART_SECONDS = 0.07
_STANDS_OUT = 1.5  # dB
# Krumhansl and Kessler's key profiles, Psychological Review 89(4), 1982.
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def facts(features: Features) -> dict[str, float]:
    """Measure a piece.

    Returns:
        tempo (bpm), tempo_clarity (correlation of the onsets with themselves a beat later),
        density (onsets a second), loudness (mean power in dB), dynamics (dB from the 10th to the
        95th percentile of frame loudness), brightness (spectral centroid in Hz), key (0 to 11
        from C major, 12 to 23 from C minor), key_clarity (correlation with that key's profile).
    """
    onsets = features.onset_strength
    loudness = 10.0 * np.log10(features.power)
    low, high = np.percentile(loudness, [10, 95])
    key, clarity = _key(features.chroma)
    tempo, tempo_clarity = _tempo(onsets, features.settings)
    return {
        "tempo": tempo,
        "tempo_clarity": tempo_clarity,
        "density": _density(onsets, features.settings),
        "loudness": round(float(level_of(features.power)), 2),
        "dynamics": round(float(high - low), 2),
        "brightness": _brightness(features.power, features.centroid),
        "key": key,
        "key_clarity": clarity,
    }


def _tempo(onsets: np.ndarray, settings: FeatureSettings) -> tuple[float, float]:
    """Tempo in bpm, 0 where nothing ever sets in, and its clarity.

    From one autocorrelation over the whole piece; librosa's by frames costs ten times more. Chosen
    as librosa.feature.tempo does: near 120 bpm rather than at half or twice of it.
    """
    lags = _autocorrelated(onsets - onsets.mean())
    if lags[0] <= 0:
        return 0.0, 0.0
    frames_a_minute = 60.0 / settings.frame_seconds
    tempi = frames_a_minute / np.arange(1, len(lags))
    unusual = np.where(tempi < _FASTEST_TEMPO, np.log2(tempi / _USUAL_TEMPO) ** 2 / 2, np.inf)
    lag = 1.0 + int(np.argmax(np.log1p(1e6 * np.maximum(lags[1:], 0.0)) - unusual))
    clarity = float(lags[min(round(lag), len(lags) - 1)] / lags[0])
    return round(frames_a_minute / _refined(lag, lags), 1), round(clarity, 3)


def _autocorrelated(onsets: np.ndarray) -> np.ndarray:
    """Of (T,), for up to `_TEMPO_FRAMES` lags."""
    padded = scipy.fft.next_fast_len(2 * len(onsets) - 1, real=True)
    spectrum = scipy.fft.rfft(onsets, padded)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    found: np.ndarray = scipy.fft.irfft(power, padded)[: min(len(onsets), _TEMPO_FRAMES)]
    return found


def _refined(lag: float, lags: np.ndarray) -> float:
    """A lag of whole frames drawn to where its 2-, 4- and 8-fold say that it is.

    Whole frames alone are tempi 5 % apart at 120 bpm.
    """
    for times in (1, 2, 4, 8):
        near = round(lag * times)
        if near + 2 >= len(lags):
            break
        top = near - 1 + int(lags[near - 1 : near + 2].argmax())
        lag = (top + _vertex(*lags[top - 1 : top + 2])) / times
    return lag


def _vertex(before: float, top: float, after: float) -> float:
    """Where the parabola through three neighbours is highest, within half a step of the middle."""
    bend = before - 2 * top + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0


def _density(onsets: np.ndarray, settings: FeatureSettings) -> float:
    """Onsets a second: peaks of the rise that stand out from what is usual around them."""
    around = round(_AROUND_SECONDS / settings.frame_seconds)
    rise = onsets - uniform_filter1d(onsets, around, mode="nearest")
    apart = round(_APART_SECONDS / settings.frame_seconds)
    found = _peaks(rise, _STANDS_OUT, apart)
    return round(len(found) / (len(onsets) * settings.frame_seconds), 2)


def _peaks(values: np.ndarray, height: float, apart: int) -> np.ndarray:
    """Places of the peaks of (T,) that are so high and so far apart; the higher of two stays.

    As scipy.signal.find_peaks, whose package would add 50 MB to every worker.
    """
    middle = values[1:-1]
    above = (middle > values[:-2]) & (middle > values[2:]) & (middle >= height)
    places = 1 + np.flatnonzero(above)
    stays = np.ones(len(places), bool)
    close = np.diff(places) < apart
    rivals = np.flatnonzero(np.append(close, False) | np.insert(close, 0, False))
    for at in rivals[np.argsort(values[places[rivals]])[::-1]]:
        if stays[at]:
            near = slice(*np.searchsorted(places, places[at] + [1 - apart, apart]))
            stays[near] = False
            stays[at] = True
    return places[stays]


def _brightness(total: np.ndarray, centroid: np.ndarray) -> float:
    """Mean centroid in Hz of the frames that are not far below the mean power."""
    loud = total > total.mean() * 1e-3
    return round(float(centroid[loud].mean()), 1) if loud.any() else 0.0


def _key(chroma: np.ndarray) -> tuple[float, float]:
    """Best key and its correlation; keys are counted from C major, minor after major."""
    if chroma.std() == 0:
        return 0.0, 0.0
    profiles = [np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
    fits = [float(np.corrcoef(chroma, profile)[0, 1]) for profile in profiles]
    best = int(np.argmax(fits))
    return float(best), round(fits[best], 3)
