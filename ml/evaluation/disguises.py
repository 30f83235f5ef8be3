"""What happens to music before somebody asks for it, each a change of one mono waveform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from librosa.effects import pitch_shift, time_stretch
from scipy import signal

from ml.audio import Waveform
from ml.evaluation import codecs, speech
from ml.evaluation.codecs import Codec
from ml.evaluation.metrics import Floats

LEVEL_DB = -20.0
EXCERPT_SECONDS = 20.0
SHORT_SECONDS = 8.0

Change = Callable[[Floats, int, np.random.Generator], Floats]


@dataclass(frozen=True)
class Disguise:
    """One way to hide an excerpt.

    Attributes:
        change: (samples, sample rate, generator) to samples.
        codec: the excerpt goes through it first.
        seconds: length of the excerpt, before any change.
    """

    change: Change
    codec: Codec | None = None
    seconds: float = EXCERPT_SECONDS


def levelled(samples: Floats, decibels: float = LEVEL_DB) -> Floats:
    """The samples at the given RMS, in dB of full scale; silence stays silence."""
    loudness = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples * (_amplitude(decibels) / loudness) if loudness > 0 else samples


def unchanged(samples: Floats, sample_rate: int, rng: np.random.Generator) -> Floats:
    return samples


def gain(samples: Floats, sample_rate: int, rng: np.random.Generator, decibels: float) -> Floats:
    return samples * _amplitude(decibels)


def clipped(samples: Floats, sample_rate: int, rng: np.random.Generator, decibels: float) -> Floats:
    """The loudest peak driven so many dB over full scale and cut off there."""
    peak = max(float(np.abs(samples).max()), 1e-9)
    return np.clip(samples * _amplitude(decibels) / peak, -1.0, 1.0)


def band_passed(samples: Floats, sample_rate: int, rng: np.random.Generator) -> Floats:
    """A telephone: 300 Hz to 3.4 kHz."""
    band = signal.butter(4, (300.0, 3400.0), "bandpass", fs=sample_rate, output="sos")
    return signal.sosfilt(band, samples)


def with_white_noise(
    samples: Floats, sample_rate: int, rng: np.random.Generator, ratio_db: float
) -> Floats:
    return mixed(samples, rng.standard_normal(len(samples)), ratio_db)


def with_babble(
    samples: Floats, sample_rate: int, rng: np.random.Generator, ratio_db: float
) -> Floats:
    voices = speech.babble(len(samples) / sample_rate, sample_rate, rng)
    return mixed(samples, voices, ratio_db)


def with_voice(
    samples: Floats, sample_rate: int, rng: np.random.Generator, ratio_db: float
) -> Floats:
    """Somebody speaks over the music."""
    return mixed(samples, speech.voice(len(samples) / sample_rate, sample_rate, rng), ratio_db)


def mixed(samples: Floats, other: Floats, ratio_db: float) -> Floats:
    """The music with another sound so many dB below it, by RMS over the whole excerpt."""
    loudness_db = 20 * np.log10(max(float(np.sqrt(np.mean(samples**2))), 1e-9))
    added = levelled(np.resize(other, len(samples)), loudness_db - ratio_db)
    return samples + added


def in_a_room(samples: Floats, sample_rate: int, rng: np.random.Generator) -> Floats:
    """A room of 0.3 to 0.8 s reverberation, its tail as loud as the direct sound."""
    decay = rng.uniform(0.3, 0.8)
    times = np.arange(int(decay * sample_rate)) / sample_rate
    tail = rng.standard_normal(len(times)) * np.exp(-np.log(1000) * times / decay)
    tail[: int(0.005 * sample_rate)] = 0.0  # the first wall is not where the microphone is
    response = tail / np.linalg.norm(tail)
    response[0] = 1.0
    return signal.fftconvolve(samples, response)[: len(samples)]


def shifted(
    samples: Floats, sample_rate: int, rng: np.random.Generator, semitones: float
) -> Floats:
    """Another pitch, the same length."""
    return pitch_shift(samples, sr=sample_rate, n_steps=semitones)


def stretched(samples: Floats, sample_rate: int, rng: np.random.Generator, tempo: float) -> Floats:
    """Another tempo, the same pitch: above 1 it is faster."""
    return time_stretch(samples, rate=tempo)


DISGUISES: Mapping[str, Disguise] = {
    "none": Disguise(unchanged),
    "mp3 64 kbit/s": Disguise(unchanged, codec=codecs.MP3_64),
    "opus 24 kbit/s": Disguise(unchanged, codec=codecs.OPUS_24),
    "gain -12 dB": Disguise(partial(gain, decibels=-12.0)),
    "clipping +6 dB": Disguise(partial(clipped, decibels=6.0)),
    "band-pass": Disguise(band_passed),
    "white noise 10 dB": Disguise(partial(with_white_noise, ratio_db=10.0)),
    "babble 10 dB": Disguise(partial(with_babble, ratio_db=10.0)),
    "room": Disguise(in_a_room),
    "pitch +1": Disguise(partial(shifted, semitones=1.0)),
    "pitch -2": Disguise(partial(shifted, semitones=-2.0)),
    "tempo 0.93": Disguise(partial(stretched, tempo=0.93)),
    "tempo 1.07": Disguise(partial(stretched, tempo=1.07)),
    "8 s": Disguise(unchanged, seconds=SHORT_SECONDS),
    "voice-over 0 dB": Disguise(partial(with_voice, ratio_db=0.0)),
}


def disguised(disguise: Disguise, excerpt: Waveform, seed: int) -> Waveform:
    """The changed excerpt; what is too loud for a file is brought down to full scale."""
    rng = np.random.default_rng(seed)
    changed = disguise.change(excerpt.samples, excerpt.sample_rate, rng)
    changed = changed / max(1.0, float(np.abs(changed).max()))
    return Waveform(changed.astype(np.float32), excerpt.sample_rate)


def _amplitude(decibels: float) -> float:
    return 10.0 ** (decibels / 20.0)
