"""The sounds that are made of one track: whole, treated, its halves, disguised excerpts."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from ml.audio import Waveform, decode
from ml.evaluation import codecs, passages
from ml.evaluation.catalogue import Track
from ml.evaluation.disguises import DISGUISES, EXCERPT_SECONDS, disguised, levelled
from ml.evaluation.passages import Passage

WHOLE = "whole"
MIDDLE = "middle"
TREATED = "treated middle"
FIRST_HALF = "first half"
SECOND_HALF = "second half"
EXCERPT = "excerpt: "
MIDDLE_SECONDS = 60.0  # encoding is slow, and what it costs shows in a minute as in ten


def excerpt_view(disguise: str) -> str:
    """Name of the view of an excerpt under a disguise."""
    return EXCERPT + disguise


class Sound:
    """One track and what is made of it, the same for the same seed."""

    def __init__(self, track: Track, seed: int) -> None:
        self.track = track
        self.seed = int.from_bytes(hashlib.sha256(f"{track.sha256}{seed}".encode()).digest()[:8])

    @cached_property
    def whole(self) -> Waveform:
        """The track as the product decodes it."""
        return decode(self.track.path)

    @cached_property
    def frames(self) -> codecs.Frames:
        """The track in stereo, for the codecs."""
        return codecs.decoded(self.track.path)

    def view(self, name: str) -> Waveform:
        """The view of that name."""
        if name.startswith(EXCERPT):
            return self._disguised(name.removeprefix(EXCERPT))
        if name == MIDDLE:
            return passages.cut(self.whole, self._middle)
        if name == TREATED:
            return self._treated()
        half = len(self.whole.samples) // 2
        parts = {WHOLE: slice(None), FIRST_HALF: slice(half), SECOND_HALF: slice(half, None)}
        return Waveform(self.whole.samples[parts[name]], self.whole.sample_rate)

    def passage(self, seconds: float) -> Passage:
        """The excerpt of that length; a shorter one is the beginning of a longer one."""
        longest = passages.choose(self.whole, EXCERPT_SECONDS, np.random.default_rng(self.seed))
        return Passage(longest.start, min(seconds, longest.seconds))

    def passages(self) -> dict[str, Passage]:
        """The passage behind each disguise, with its repeats."""
        lengths = sorted({disguise.seconds for disguise in DISGUISES.values()})
        found = passages.with_repeats(self.whole, [self.passage(length) for length in lengths])
        by_length = dict(zip(lengths, found, strict=True))
        return {name: by_length[disguise.seconds] for name, disguise in DISGUISES.items()}

    @property
    def _middle(self) -> Passage:
        seconds = min(MIDDLE_SECONDS, self.whole.duration)
        return Passage((self.whole.duration - seconds) / 2, seconds)

    def _treated(self) -> Waveform:
        """The middle, re-encoded and at one loudness."""
        start, seconds = self._middle.start, self._middle.seconds
        heard = codecs.through(codecs.MP3_96, self.frames, start=start, seconds=seconds)
        return Waveform(levelled(heard.samples), heard.sample_rate)

    def _disguised(self, name: str) -> Waveform:
        disguise = DISGUISES[name]
        passage = self.passage(disguise.seconds)
        if disguise.codec is None:
            excerpt = passages.cut(self.whole, passage)
        else:
            excerpt = codecs.through(
                disguise.codec, self.frames, start=passage.start, seconds=passage.seconds
            )
        return disguised(disguise, excerpt, self.seed)
