"""Lossy codecs, as a visitor's file has gone through them: stereo, at the file's usual rate.

The encoded bytes go back in through `ml.audio.decode`, the decoder of the product.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
import soundfile

from ml.audio import Waveform, decode, in_blocks
from ml.sniff import HEAD_BYTES, sniff

BLOCK = 1 << 16
FAST = {"compression_level": "7"}  # LAME's -f: twice as fast, and no better than people use


@dataclass(frozen=True)
class Codec:
    """A lossy format: container, FFmpeg's name of the encoder, bits a second, samples a second."""

    container: str
    encoder: str
    bit_rate: int
    sample_rate: int


# At the rates that LAME chooses for so few bits.
MP3_64 = Codec("mp3", "libmp3lame", 64_000, 24_000)
MP3_96 = Codec("mp3", "libmp3lame", 96_000, 32_000)
OPUS_24 = Codec("ogg", "libopus", 24_000, 48_000)


Frames = Sequence[av.AudioFrame]


def through(
    codec: Codec, frames: Frames, *, start: float = 0.0, seconds: float = float("inf")
) -> Waveform:
    """A passage of the frames of `decoded` after it went through a codec."""
    with tempfile.NamedTemporaryFile(prefix="soundsite-") as file:
        file.write(encode(codec, frames, start, seconds))
        file.flush()
        return decode(file.name)


def encode(codec: Codec, frames: Frames, start: float, seconds: float) -> bytes:
    """The encoded passage."""
    file = io.BytesIO()
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=codec.sample_rate)
    with av.open(file, "w", format=codec.container) as media:
        stream = media.add_stream(
            codec.encoder, rate=codec.sample_rate, layout="stereo", options=FAST
        )
        stream.bit_rate = codec.bit_rate
        for frame in chain(_passage(frames, start, seconds), [None]):
            for resampled in resampler.resample(frame):
                media.mux(stream.encode(resampled))
        media.mux(stream.encode(None))
    return file.getvalue()


def decoded(path: Path) -> Frames:
    """The audio of a file as stereo float frames at its own rate.

    By libsndfile where FFmpeg refuses it; what was heard before an error is kept.
    """
    frames: list[av.AudioFrame] = []
    stereo = av.AudioResampler(format="fltp", layout="stereo")
    try:
        for frame in in_blocks(_ffmpeg_frames(path)):
            frames += stereo.resample(frame)
    except (av.error.FFmpegError, ValueError):
        if not frames:
            return list(_libsndfile_frames(path))
    return frames


def _ffmpeg_frames(path: Path) -> Iterator[av.AudioFrame]:
    with path.open("rb") as file:
        container = sniff(file.read(HEAD_BYTES))
        file.seek(0)
        with av.open(file, format=container, metadata_errors="replace") as media:
            yield from media.decode(audio=0)


def _libsndfile_frames(path: Path) -> Iterator[av.AudioFrame]:
    with soundfile.SoundFile(path) as media:
        for block in media.blocks(BLOCK, dtype="float32", always_2d=True):
            pair = block[:, [0, min(1, block.shape[1] - 1)]].T
            yield _frame(np.ascontiguousarray(pair), media.samplerate)


def _passage(frames: Frames, start: float, seconds: float) -> Iterator[av.AudioFrame]:
    """The frames of a passage, the first and the last of them cut."""
    rate = frames[0].sample_rate
    first, last = round(start * rate), (start + seconds) * rate
    position = 0
    for frame in frames:
        end = position + frame.samples
        if position >= last:
            return
        if first <= position and end <= last:
            frame.pts = None
            yield frame
        elif end > first:
            stop = int(min(last, end)) - position
            cut = frame.to_ndarray()[:, max(first - position, 0) : stop]
            yield _frame(np.ascontiguousarray(cut), rate)
        position = end


def _frame(samples: np.ndarray, sample_rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = sample_rate
    return frame
