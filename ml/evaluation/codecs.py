"""Lossy codecs, as a visitor's file has gone through them: stereo, at the file's usual rate.

The encoded bytes go back in through `ml.audio.decode`, the decoder of the product.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile

from ml.audio import Waveform, decode
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


MP3_64 = Codec("mp3", "libmp3lame", 64_000, 44_100)
MP3_96 = Codec("mp3", "libmp3lame", 96_000, 44_100)
OPUS_24 = Codec("ogg", "libopus", 24_000, 48_000)


def through(
    codec: Codec, path: Path, *, start: float = 0.0, seconds: float = float("inf")
) -> Waveform:
    """A passage of a file after it went through a codec."""
    with tempfile.NamedTemporaryFile(prefix="soundsite-") as file:
        file.write(encode(codec, stereo_frames(path, codec.sample_rate), start, seconds))
        file.flush()
        return decode(file.name)


def encode(codec: Codec, frames: Iterator[av.AudioFrame], start: float, seconds: float) -> bytes:
    """The encoded passage of stereo frames that come at the codec's sample rate."""
    first = round(start * codec.sample_rate)
    last = first + seconds * codec.sample_rate
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as media:
        stream = media.add_stream(
            codec.encoder, rate=codec.sample_rate, layout="stereo", options=FAST
        )
        stream.bit_rate = codec.bit_rate
        for samples in _passage(frames, first, last):
            media.mux(stream.encode(_frame(samples, codec.sample_rate)))
        media.mux(stream.encode(None))
    return file.getvalue()


def stereo_frames(path: Path, sample_rate: int) -> Iterator[av.AudioFrame]:
    """The audio of a file as stereo float frames; by libsndfile where FFmpeg refuses it."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=sample_rate)
    started = False
    try:
        for frame in _ffmpeg_frames(path):
            started = True
            yield from resampler.resample(frame)
    except (av.error.FFmpegError, ValueError):
        if not started:
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=sample_rate)
            for frame in _libsndfile_frames(path):
                yield from resampler.resample(frame)
    yield from resampler.resample(None)


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


def _passage(frames: Iterator[av.AudioFrame], first: int, last: float) -> Iterator[np.ndarray]:
    """Samples (2, n) of the frames, from the first sample up to the last."""
    position = 0
    for frame in frames:
        end = position + frame.samples
        if end > first:
            stop = int(min(last, end)) - position
            yield np.ascontiguousarray(frame.to_ndarray()[:, max(first - position, 0) : stop])
        position = end
        if position >= last:
            return


def _frame(samples: np.ndarray, sample_rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = sample_rate
    return frame
