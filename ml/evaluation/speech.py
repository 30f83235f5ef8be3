"""A voice made of numbers: a source-filter syllable synthesiser, so that no package is needed.

What it says means nothing, but it has what makes speech hard to hear music through: a gliding
voiced pitch, formants that move between vowels, bursts of noise, a syllable rhythm and pauses.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import signal

from ml.evaluation.metrics import Floats

VOICES = 6
SPOKEN_SECONDS = 40.0
SEED = 1952
SYLLABLE_SECONDS = (0.12, 0.28)
PAUSE_SECONDS = (0.15, 0.6)
PAUSE_CHANCE = 0.12
BANDWIDTHS = (80.0, 100.0, 140.0, 220.0)  # Hz, of the four formants
# First four formants in Hz (Peterson and Barney 1952, means; the fourth by the usual spacing)
VOWELS = np.array(
    [
        (270, 2290, 3010, 3700),
        (390, 1990, 2550, 3600),
        (530, 1840, 2480, 3500),
        (660, 1720, 2410, 3500),
        (730, 1090, 2440, 3400),
        (570, 840, 2410, 3300),
        (300, 870, 2240, 3300),
        (490, 1350, 1690, 3300),
    ]
)


def voice(seconds: float, sample_rate: int, rng: np.random.Generator) -> Floats:
    """One voice that goes on for the given time: float64 (n,), RMS 1.

    Which of the voices it is, and where it begins, comes from ``rng``.
    """
    voices = _voices(sample_rate)
    spoken = voices[rng.integers(len(voices))]
    start, count = rng.integers(len(spoken)), int(seconds * sample_rate)
    return _levelled(np.resize(np.roll(spoken, -start), count))


def babble(seconds: float, sample_rate: int, rng: np.random.Generator) -> Floats:
    """All the voices at once: float64 (n,), RMS 1."""
    starts = rng.integers(int(SPOKEN_SECONDS * sample_rate), size=VOICES)
    rolled = [
        np.roll(spoken, -start) for spoken, start in zip(_voices(sample_rate), starts, strict=True)
    ]
    return _levelled(np.resize(np.sum(rolled, axis=0), int(seconds * sample_rate)))


@lru_cache(maxsize=1)
def _voices(sample_rate: int) -> Floats:
    """Voices, each with a pitch and a throat of its own: (VOICES, n)."""
    rng = np.random.default_rng(SEED)
    return np.stack([_speak(sample_rate, rng) for _ in range(VOICES)])


def _speak(sample_rate: int, rng: np.random.Generator) -> Floats:
    """Syllables and pauses of one voice: pitch 85 to 230 Hz, throat length 0.9 to 1.15."""
    wanted = int(SPOKEN_SECONDS * sample_rate)
    pitch, throat = rng.uniform(85, 230), rng.uniform(0.9, 1.15)
    parts: list[Floats] = []
    while sum(map(len, parts)) < wanted:
        parts.append(_syllable(pitch, throat, sample_rate, rng))
        if rng.random() < PAUSE_CHANCE:
            parts.append(np.zeros(int(rng.uniform(*PAUSE_SECONDS) * sample_rate)))
    return _levelled(np.concatenate(parts)[:wanted])


def _levelled(samples: Floats) -> Floats:
    """The same at an RMS of 1."""
    return samples / max(float(np.sqrt(np.mean(samples**2))), 1e-9)


def _syllable(pitch: float, throat: float, sample_rate: int, rng: np.random.Generator) -> Floats:
    """A consonant of noise and a vowel that glides into another."""
    count = int(rng.uniform(*SYLLABLE_SECONDS) * sample_rate)
    source = _glottis(pitch * rng.uniform(0.85, 1.2) * _glide(count, rng), sample_rate, rng)
    first, second = throat * VOWELS[rng.integers(len(VOWELS), size=2)]
    fade = np.linspace(0.0, 1.0, count)
    vowel = (1 - fade) * _formants(source, first, sample_rate)
    vowel += fade * _formants(source, second, sample_rate)
    consonant = _fricative(sample_rate, rng)
    return np.concatenate([consonant, vowel * signal.windows.tukey(count, 0.4)])


def _glide(count: int, rng: np.random.Generator) -> Floats:
    """A pitch contour around 1 that rises or falls within the syllable."""
    return np.linspace(1.0, rng.uniform(0.85, 1.1), count)


def _glottis(pitch: Floats, sample_rate: int, rng: np.random.Generator) -> Floats:
    """Pulses at the given pitch (n,) in Hz, falling by about 12 dB an octave, and some breath."""
    phase = np.cumsum(pitch) / sample_rate
    pulses = np.diff(np.floor(phase), prepend=0.0)
    tilt = np.exp(-2 * np.pi * 200 / sample_rate)
    return signal.lfilter([1.0], [1.0, -tilt], pulses + 0.01 * rng.standard_normal(len(pitch)))


def _formants(source: Floats, formants: Floats, sample_rate: int) -> Floats:
    """The source through a cascade of two-pole resonators (Klatt 1980)."""
    shaped = source
    for frequency, bandwidth in zip(formants, BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * bandwidth / sample_rate)
        feedback = (-2 * radius * np.cos(2 * np.pi * frequency / sample_rate), radius**2)
        shaped = signal.lfilter([1 + sum(feedback)], [1.0, *feedback], shaped)
    return _levelled(shaped)


def _fricative(sample_rate: int, rng: np.random.Generator) -> Floats:
    """A burst of noise in a band between 1.5 and 8 kHz; now and then none."""
    count = int(rng.uniform(0.03, 0.09) * sample_rate)
    low = rng.uniform(1500, 4000)
    band = signal.butter(2, (low, 2 * low), "bandpass", fs=sample_rate, output="sos")
    noise = signal.sosfilt(band, rng.standard_normal(count)) * rng.choice([0.0, 0.5, 1.0])
    return noise * signal.windows.hann(count)
