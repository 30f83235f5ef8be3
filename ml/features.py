"""librosa features of a waveform, all from one shared spectrogram computed in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import librosa
import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from ml.audio import Waveform

_BLOCK_FRAMES = 256  # 6 s at the default hop: what fits a cache is twice as fast
_FLOOR_DB = -100.0
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
    """Frame-wise features of one piece, float32.

    Attributes:
        log_mel: (T, n_mels), power in dB, not below -100.
        chroma: (T, 12), linear power of the pitch classes, C first.
        settings: what they were computed with.
        duration: of the audio in seconds.
    """

    log_mel: np.ndarray
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
        heard = np.maximum(self.log_mel, self.log_mel.max() - _HEARD_DB)
        rise = np.diff(heard, axis=0, prepend=heard[:1])
        return np.maximum(rise, 0.0).mean(axis=1)


def mfcc(log_mel: np.ndarray, n_mfcc: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients (..., n_mfcc) of log-mel frames (..., n_mels) in dB."""
    return scipy.fft.dct(log_mel, axis=-1, norm="ortho")[..., :n_mfcc]


def extract(waveform: Waveform, settings: FeatureSettings | None = None) -> Features:
    """Compute the features of a waveform.

    Args:
        waveform: at the settings' sample rate.
        settings: the defaults where not given.
    """
    settings = settings or FeatureSettings()
    if waveform.sample_rate != settings.sample_rate:
        found, expected = waveform.sample_rate, settings.sample_rate
        raise ValueError(f"waveform of {found} Hz, features expect {expected} Hz")
    mel, chroma = _filters(settings)
    log_mel_blocks, chroma_blocks = [], []
    for power in _power_blocks(waveform.samples, settings):
        log_mel_blocks.append(_decibels(power @ mel.T))
        chroma_blocks.append(power @ chroma.T)
    return Features(
        np.concatenate(log_mel_blocks), np.concatenate(chroma_blocks), settings, waveform.duration
    )


@lru_cache(maxsize=2)
def _filters(settings: FeatureSettings) -> tuple[np.ndarray, np.ndarray]:
    """The mel (n_mels, bins) and chroma (12, bins) filter banks."""
    mel = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
    )
    chroma = librosa.filters.chroma(sr=settings.sample_rate, n_fft=settings.n_fft, tuning=0.0)
    return mel, chroma.astype(np.float32)


def _power_blocks(samples: np.ndarray, settings: FeatureSettings) -> Iterator[np.ndarray]:
    """Blocks (frames, bins) of the centred power spectrogram, frame by frame as librosa.stft."""
    padded = np.pad(samples, settings.n_fft // 2)
    frames = sliding_window_view(padded, settings.n_fft)[:: settings.hop_length]
    window = librosa.filters.get_window("hann", settings.n_fft).astype(np.float32)
    for first in range(0, len(frames), _BLOCK_FRAMES):
        spectrum = scipy.fft.rfft(frames[first : first + _BLOCK_FRAMES] * window, axis=1)
        yield np.square(spectrum.real) + np.square(spectrum.imag)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10.0 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
