"""What the baselines hear: the MFCCs of a sound, as statistics and as a Gaussian."""

from __future__ import annotations

import io
import sys
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import soxr

from ml import audio, original
from ml.audio import Waveform
from ml.evaluation.cache import source_digest
from ml.evaluation.metrics import Floats
from ml.evaluation.systems import Item

SAMPLE_RATE = 16_000
MIDDLE_SECONDS = 120.0


class MfccItem(NamedTuple):
    """What the MFCCs of a sound come to.

    Attributes:
        statistics: (140,), in the layout of FMA's feature table.
        gaussian: (20, 21), the mean as first column and the covariance.
    """

    statistics: Floats
    gaussian: Floats


class Mfcc:
    """Statistics and Gaussian of the MFCCs of the middle 120 s, at 16 kHz.

    At a higher rate the low-pass filters of lossy encoders, which are the same all over an
    album, answer in the music's place.
    """

    name = "mfcc"

    def __init__(self) -> None:
        self.fingerprint = (
            f"{source_digest([audio, original, sys.modules[__name__]])} {version('librosa')}"
        )

    def extract(self, waveform: Waveform) -> bytes:
        mfcc = original.mfcc(_resampled(middle(waveform)))
        gaussian = np.column_stack([mfcc.mean(axis=1), np.cov(mfcc)])
        return _array_bytes(np.concatenate([original.statistics(mfcc), gaussian.ravel()]))

    def restore(self, kept: bytes) -> Item:
        numbers = _array_from(kept)
        gaussian = numbers[original.WIDTH :].reshape(original.COEFFICIENTS, -1)
        return MfccItem(numbers[: original.WIDTH], gaussian)


def middle(waveform: Waveform, seconds: float = MIDDLE_SECONDS) -> Waveform:
    """The middle of a sound, or all of it where it is shorter."""
    count = int(seconds * waveform.sample_rate)
    start = max(0, (len(waveform.samples) - count) // 2)
    return Waveform(waveform.samples[start : start + count], waveform.sample_rate)


def _resampled(waveform: Waveform) -> Waveform:
    samples = soxr.resample(waveform.samples, waveform.sample_rate, SAMPLE_RATE)
    return Waveform(samples, SAMPLE_RATE)


def _array_bytes(array: np.ndarray) -> bytes:
    kept = io.BytesIO()
    np.save(kept, array, allow_pickle=False)
    return kept.getvalue()


def _array_from(kept: bytes) -> np.ndarray:
    return np.load(io.BytesIO(kept), allow_pickle=False)
