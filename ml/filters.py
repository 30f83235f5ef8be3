"""librosa's filter banks, from a process of its own: `python -m ml.filters SETTINGS`.

librosa brings numba and scipy.signal, which would stay in every worker for four small arrays.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_ROOT = Path(__file__).resolve().parent.parent


class Filters(NamedTuple):
    """What turns windows of samples into bands, all float32.

    Attributes:
        window: (n_fft,), Hann, periodic.
        mel: (n_mels, bins), Slaney's mel scale and norm.
        chroma: (12, bins), C first.
        centres: (n_mels,), float64, of the mel bands in Hz.
    """

    window: np.ndarray
    mel: np.ndarray
    chroma: np.ndarray
    centres: np.ndarray


def filters(settings: Mapping[str, Any]) -> Filters:
    """The filters of feature settings, computed once a process."""
    return _asked(json.dumps(settings))


@lru_cache(maxsize=2)
def _asked(settings: str) -> Filters:
    command = [sys.executable, "-m", "ml.filters", settings]
    answer = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True).stdout
    with np.load(io.BytesIO(answer), allow_pickle=False) as archive:
        return Filters(**archive)


def by_librosa(settings: Mapping[str, Any]) -> Filters:
    """The same, with librosa in this process."""
    import librosa

    rate, n_fft, n_mels = settings["sample_rate"], settings["n_fft"], settings["n_mels"]
    band = {"fmin": settings["fmin"], "fmax": settings["fmax"]}
    return Filters(
        window=librosa.filters.get_window("hann", n_fft).astype(np.float32),
        mel=librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, **band),
        chroma=librosa.filters.chroma(sr=rate, n_fft=n_fft, tuning=0.0).astype(np.float32),
        centres=librosa.mel_frequencies(n_mels + 2, **band)[1:-1],
    )


if __name__ == "__main__":
    np.savez(sys.stdout.buffer, **by_librosa(json.loads(sys.argv[1]))._asdict())
