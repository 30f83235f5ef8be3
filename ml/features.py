"""librosa features of a sound, all from one shared spectrogram computed in blocks.

The samples are never held as a whole, and what is computed from the features goes in blocks, too:
a piece of half an hour takes little more memory than its log-mel frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from ml.audio import Samples, Sound
from ml.filters import filters

_BLOCK_FRAMES = 128  # 3 s at the default hop: what fits a cache is twice as fast
_BANDS = 16  # mel bands to one product: a band is zero nearly everywhere
ROWS = 1024  # frames that are dealt with at once: half a megabyte
_FLOOR = 1e-10  # -100 dB
FLOOR_DB = -70.0  # below the loudness of the piece; what is quieter is not heard
_HEARD_DB = 80.0


@dataclass(frozen=True)
class FeatureSettings:
    """How features are computed; part of a model's manifest, never of a site's settings."""

    sample_rate: int = 22_050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    fmin: float = 30.0
    fmax: float = 11_025.0
    n_mfcc: int = 30

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @property
    def frame_seconds(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_length / self.sample_rate


@dataclass(frozen=True)
class Features:
    """Features of one piece, float32.

    Attributes:
        log_mel: (T, n_mels), power in dB, not below -100.
        power: (T,), sum of the bands' power.
        centroid: (T,), middle of the bands' power, in Hz.
        chroma: (12,), mean linear power of the pitch classes, C first.
        settings: what they were computed with.
        duration: of the audio in seconds.
    """

    log_mel: np.ndarray
    power: np.ndarray
    centroid: np.ndarray
    chroma: np.ndarray
    settings: FeatureSettings
    duration: float

    @property
    def mfcc(self) -> np.ndarray:
        """(T, n_mfcc): the orthonormal DCT-II of the log-mel frames, as librosa defines MFCC."""
        return mfcc(self.log_mel, self.settings.n_mfcc)

    @property
    def onset_strength(self) -> np.ndarray:
        """(T,): mean rise of the log-mel bands from frame to frame, in dB.

        What lies 80 dB below the loudest is silence, whatever stirs in it.
        """
        quietest = self.log_mel.max() - _HEARD_DB
        found = np.zeros(len(self.log_mel), np.float32)
        for first in range(0, len(found), ROWS):
            before = max(first - 1, 0)
            heard = np.maximum(self.log_mel[before : first + ROWS], quietest)
            rises = np.maximum(np.diff(heard, axis=0), 0.0).mean(axis=1)
            found[before + 1 : first + ROWS] = rises
        return found


def mfcc(log_mel: np.ndarray, n_mfcc: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients (..., n_mfcc) of log-mel frames (..., n_mels) in dB."""
    return scipy.fft.dct(log_mel, axis=-1, norm="ortho")[..., :n_mfcc]


def levelled(log_mel: np.ndarray, level: float | None = None) -> np.ndarray:
    """Log-mel frames (T, n_mels) relative to the mean power of their piece, floored: no gain left.

    Args:
        level: of the piece in dB, where it is known or these are not all of its frames.
    """
    level = level_of(np.power(10.0, log_mel / 10.0).sum(axis=1)) if level is None else level
    return np.maximum(log_mel - level, FLOOR_DB).astype(np.float32)


def level_of(power: np.ndarray) -> float:
    """Mean in dB of the power (T,) of a piece's frames."""
    level: float = 10.0 * np.log10(power.mean(dtype=np.float64) + 1e-12)
    return level


def extract(sound: Sound, settings: FeatureSettings | None = None) -> Features:
    """Compute the features of a sound.

    Args:
        sound: at the settings' sample rate.
        settings: the defaults where not given.
    """
    settings = settings or FeatureSettings()
    if sound.sample_rate != settings.sample_rate:
        found, expected = sound.sample_rate, settings.sample_rate
        raise ValueError(f"waveform of {found} Hz, features expect {expected} Hz")
    bank = filters(settings.as_dict())
    groups, centres = _grouped(bank.mel), bank.centres.astype(np.float32)
    count = _count(sound, settings)
    log_mel = np.empty((count, settings.n_mels), np.float32)
    power, centroid = np.empty((2, count), np.float32)
    total = np.zeros(bank.chroma.shape[1])
    for rows, spectrum in spectrogram(sound, settings):
        mel = log_mel[rows]
        for bands, bins, weights in groups:
            mel[:, bands] = spectrum[:, bins] @ weights
        np.maximum(mel, _FLOOR, out=mel)
        power[rows] = mel.sum(axis=1)
        centroid[rows] = mel @ centres / power[rows]
        np.multiply(np.log10(mel, out=mel), 10.0, out=mel)
        total += spectrum.sum(axis=0)
    chroma = (bank.chroma @ total / count).astype(np.float32)
    return Features(log_mel, power, centroid, chroma, settings, sound.duration)


def _grouped(mel: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """Neighbouring bands, the bins that any of them hears, and their weights (bins, bands)."""
    found = []
    for first in range(0, len(mel), _BANDS):
        bands = slice(first, first + _BANDS)
        heard = np.flatnonzero(mel[bands].any(axis=0))
        bins = slice(heard[0], heard[-1] + 1) if len(heard) else slice(0, 0)
        found.append((bands, bins, np.ascontiguousarray(mel[bands, bins].T)))
    return found


def spectrogram(sound: Sound, settings: FeatureSettings) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows and their power spectrum (rows, bins), block by block; frames as librosa.stft has."""
    window, count = filters(settings.as_dict()).window, _count(sound, settings)
    for first in range(0, count, _BLOCK_FRAMES):
        rows = slice(first, min(first + _BLOCK_FRAMES, count))
        spectrum = scipy.fft.rfft(_frames(sound.samples, rows, settings) * window, axis=1)
        yield rows, np.square(spectrum.real) + np.square(spectrum.imag)


def _count(sound: Sound, settings: FeatureSettings) -> int:
    return 1 + len(sound.samples) // settings.hop_length


def _frames(samples: Samples, rows: slice, settings: FeatureSettings) -> np.ndarray:
    """Frames (rows, n_fft) around their middles, with silence before and after the sound."""
    start = rows.start * settings.hop_length - settings.n_fft // 2
    count = (rows.stop - rows.start - 1) * settings.hop_length + settings.n_fft
    heard = samples[max(start, 0) : start + count]
    before = max(-start, 0)
    if len(heard) < count:
        heard = np.pad(heard, (before, count - before - len(heard)))
    return sliding_window_view(heard, settings.n_fft)[:: settings.hop_length]
