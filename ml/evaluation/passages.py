"""Where a passage of a track lies, and where else the same passage is played.

Game music loops: an excerpt may lie at several places of its track, and an answer that names
another of them is right. Repeats are found in log-mel frames, without any model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import fft

from ml.audio import Waveform
from ml.evaluation.metrics import Floats
from ml.features import FeatureSettings, extract

SAME_COSINE = 0.98
# Loud, dense music reaches 0.98 between any two of its passages; so what differs from the track's
# average must agree as well. Loops reach 0.82 to 0.95 here, other passages 0.2 to 0.6.
SAME_SHAPE = 0.8
RANGE_DB = 80.0
HOP = 256  # 12 ms: a loop need not be a whole number of frames long
LEAST_RMS = 10 ** (-50 / 20)
TRIES = 20


@dataclass(frozen=True)
class Passage:
    """A stretch of a track.

    Attributes:
        start: seconds from the beginning of the track.
        seconds: its length.
        repeats: starts of the passages that repeat it, itself among them.
    """

    start: float
    seconds: float
    repeats: tuple[float, ...] = ()


class SpanLike(Protocol):
    """A stretch of a track that a system names."""

    match_start: float
    match_end: float


def choose(waveform: Waveform, seconds: float, rng: np.random.Generator) -> Passage:
    """A passage from a place drawn at random, but not a silent one if there is any other."""
    seconds = min(seconds, waveform.duration)
    for _ in range(TRIES):
        passage = Passage(rng.uniform(0.0, waveform.duration - seconds), seconds)
        if np.sqrt(np.mean(cut(waveform, passage).samples ** 2)) >= LEAST_RMS:
            break
    return passage


def cut(waveform: Waveform, passage: Passage) -> Waveform:
    """The samples of a passage."""
    first = round(passage.start * waveform.sample_rate)
    count = round(passage.seconds * waveform.sample_rate)
    return Waveform(waveform.samples[first : first + count], waveform.sample_rate)


def with_repeats(waveform: Waveform, passages: Sequence[Passage]) -> list[Passage]:
    """The passages of one track, each with the places where it is played again."""
    settings = FeatureSettings(sample_rate=waveform.sample_rate, hop_length=HOP)
    log_mel = extract(waveform, settings).log_mel
    raised = np.maximum(log_mel - log_mel.max() + RANGE_DB, 0.0)
    sounds, shapes = Frames(raised), Frames(raised - raised.mean(axis=0))
    return [
        Passage(p.start, p.seconds, repeats(sounds, shapes, settings.frame_seconds, p))
        for p in passages
    ]


def repeats(
    sounds: Frames, shapes: Frames, frame_seconds: float, passage: Passage
) -> tuple[float, ...]:
    """Starts, in seconds, of the passages that sound like this one frame by frame.

    Args:
        sounds: the track's frames, above the floor.
        shapes: the same without their mean.
        frame_seconds: from one frame to the next.
        passage: of the same track.
    """
    first, length = round(passage.start / frame_seconds), len(sounds.unit)
    count = max(1, min(round(passage.seconds / frame_seconds), length - first))
    same = sounds.aligned(first, count) >= SAME_COSINE
    same &= shapes.aligned(first, count) >= SAME_SHAPE
    same[min(first, len(same) - 1)] = True
    return tuple(float(place * frame_seconds) for place in np.flatnonzero(same))


def is_right(span: SpanLike, passage: Passage) -> bool:
    """Whether a named span is this passage: it covers half of it, and is at most twice as long.

    Without the second half of the rule a span over the whole track would always be right.
    """
    shared = min(span.match_end, passage.start + passage.seconds) - max(
        span.match_start, passage.start
    )
    length = span.match_end - span.match_start
    return shared >= passage.seconds / 2 and length <= 2 * passage.seconds


def is_right_or_repeat(span: SpanLike, passage: Passage) -> bool:
    """Whether a named span is this passage or one that repeats it."""
    places = (passage.start, *passage.repeats)
    return any(is_right(span, Passage(start, passage.seconds)) for start in places)


class Frames:
    """The frames of one track, for laying its passages along it.

    Args:
        frames: (T, bands).
    """

    def __init__(self, frames: Floats) -> None:
        self.unit = frames / np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-9)
        # No longer than the track: the places where a passage would wrap round are not looked at.
        self._length = fft.next_fast_len(len(frames), real=True)
        self._spectrum = fft.rfft(self.unit, self._length, axis=0)

    def aligned(self, first: int, count: int) -> Floats:
        """Mean cosine of a passage's frames and those from every place on, (T - count + 1,)."""
        passage = fft.rfft(self.unit[first : first + count], self._length, axis=0)
        summed = np.einsum("fb,fb->f", self._spectrum, passage.conj())
        found: Floats = fft.irfft(summed, self._length)[: len(self.unit) - count + 1] / count
        return found
