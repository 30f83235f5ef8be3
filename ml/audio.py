"""Decode a file to one waveform: mono as the mean of the channels, one sample rate, float32.

The same decoder serves training and matching, for two decoders never agree to the sample.
FFmpeg (PyAV) reads nearly everything; libsndfile reads a few real Ogg files that FFmpeg refuses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import soundfile
import soxr

from ml.errors import AudioError
from ml.sniff import HEAD_BYTES, refers_elsewhere, refusal, sniff

SAMPLE_RATE = 22_050
LOUDEST = 1e6  # 120 dB above full scale: damage, and its square would soon be infinite
SILENCE_PEAK = 10 ** (-60 / 20)  # a peak below -60 dBFS is nothing that can be likened
_BLOCK = 1 << 16
_MOST_CHANNELS = 8
_MOST_PLANES = 8  # PyAV reads beyond the last of so many, and the process dies
_SAMPLE_RATES = range(2_000, 384_001)
# FFmpeg opens nothing by itself, and no decoder but those of music: not even to look at a cover.
_CODECS = (
    *("aac", "aac_latm", "ac3", "alac", "eac3", "flac", "mp1float", "mp2float", "mp3float"),
    *("opus", "speex", "vorbis", "wavpack", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms"),
    *sorted(name for name in av.codecs_available if name.startswith("pcm_")),
)


@dataclass(frozen=True)
class Waveform:
    """Mono audio.

    Attributes:
        samples: float32 of shape (n,), nominally in [-1, 1].
        sample_rate: samples a second.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def decode(
    source: str | Path,
    *,
    sample_rate: int = SAMPLE_RATE,
    min_seconds: float = 0.0,
    max_seconds: float | None = None,
) -> Waveform:
    """Decode the first audio stream of a file.

    Args:
        source: path of the file; its name plays no part.
        sample_rate: of the result, in Hz.
        min_seconds: least length of decoded audio.
        max_seconds: greatest length; decoding stops as soon as it is passed.

    Raises:
        AudioError: `not-audio`, `reference`, `damaged`, `silent`, `too-short` or `too-long`.
    """
    with Path(source).open("rb") as file:
        samples = read_samples(file, sample_rate=sample_rate, max_seconds=max_seconds)
    return judged(samples, sample_rate=sample_rate, min_seconds=min_seconds)


def read_samples(
    file: BinaryIO, *, sample_rate: int = SAMPLE_RATE, max_seconds: float | None = None
) -> np.ndarray:
    """What an open file holds, as it stands there: mono float32 (n,), not finite in places.

    The file must be a real one: libsndfile reads it by its descriptor.

    Raises:
        AudioError: `not-audio`, `reference`, `damaged` or `too-long`.
    """
    head = file.read(HEAD_BYTES)
    container = sniff(head)
    if container is None:
        raise refusal(head)
    if container == "mov" and refers_elsewhere(file):
        raise AudioError("reference", "the sound of this movie lies in another file")
    most = None if max_seconds is None else int(max_seconds * sample_rate)
    try:
        return _collect(_av_blocks(file, container, sample_rate), sample_rate, most)
    except ValueError as first:
        try:
            return read_by_libsndfile(file, sample_rate, most)
        except ValueError as second:
            raise AudioError("damaged", f"ffmpeg {first}; libsndfile {second}") from first


def read_by_libsndfile(
    file: BinaryIO, sample_rate: int = SAMPLE_RATE, most: int | None = None
) -> np.ndarray:
    """The same by the second decoder alone, up to `most` samples; ValueError where it fails."""
    return _collect(_soundfile_blocks(file, sample_rate), sample_rate, most)


def judged(
    samples: np.ndarray, *, sample_rate: int = SAMPLE_RATE, min_seconds: float = 0.0
) -> Waveform:
    """The waveform of decoded samples; what is no number, or beyond `LOUDEST`, becomes silence.

    Raises:
        AudioError: `silent` or `too-short`.
    """
    bounded = np.abs(samples) <= LOUDEST  # which what is not a number is not
    waveform = Waveform(np.where(bounded, samples, np.float32(0)), sample_rate)
    if waveform.duration < min_seconds:
        raise AudioError("too-short", f"{waveform.duration:.1f} s, at least {min_seconds:g} s")
    if len(samples) == 0 or np.abs(waveform.samples).max() < SILENCE_PEAK:
        raise AudioError("silent", "no sample above -60 dBFS")
    return waveform


class _Refused(ValueError):
    """What one decoder did with the file instead of decoding it, as the end of a sentence."""


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn the errors of both libraries into ours, without the path that both like to print."""
    try:
        yield
    except (av.error.FFmpegError, soundfile.LibsndfileError) as error:
        raise _Refused(f"{what}: {_words(error)}") from error


def _words(error: Any) -> str:
    """The reason alone, to stand within a sentence."""
    text = getattr(error, "error_string", "") or getattr(error, "strerror", "") or "no reason given"
    text = text.removeprefix("Error : ").strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _collect(blocks: Iterator[np.ndarray], sample_rate: int, most: int | None) -> np.ndarray:
    """Join mono blocks, stopping as soon as the limit is passed."""
    parts: list[np.ndarray] = []
    total = 0
    while True:
        with _told(f"stopped after {total / sample_rate:.1f} s"):
            block = next(blocks, None)
        if block is None:
            break
        parts.append(block)
        total += len(block)
        if most is not None and total > most:
            raise AudioError("too-long", f"more than {most / sample_rate:g} s")
    if not total:
        raise _Refused("came to the end of the file without any sound")
    return np.concatenate(parts)


def _av_blocks(file: BinaryIO, container: str, sample_rate: int) -> Iterator[np.ndarray]:
    """Mono blocks by FFmpeg.

    The demuxer is named by us and reads from a file object, so that no content can make FFmpeg
    open another file. Resampled with all channels and averaged after: FFmpeg's own downmix is
    1.41 times louder than the mean.
    """
    file.seek(0)
    options = {"format_whitelist": container, "codec_whitelist": ",".join(_CODECS)}
    options["protocol_whitelist"] = "none"
    with _told("refused the header"):
        opened = av.open(file, format=container, metadata_errors="replace", options=options)
    with opened as media:
        stream = _audio_stream(media)
        channels = stream.channels  # now: frames may have others, which the resampler changes
        _check(channels, stream.rate)
        samples = "fltp" if channels < _MOST_PLANES else "flt"
        resampler = av.AudioResampler(format=samples, layout=stream.layout, rate=sample_rate)
        for frame in chain(in_blocks(_frames(media, stream)), [None]):
            for resampled in resampler.resample(frame):
                yield _mean(resampled.to_ndarray(), channels)


def _audio_stream(media: av.container.InputContainer) -> av.AudioStream:
    if not media.streams.audio:
        raise _Refused("found no audio stream")
    stream: av.AudioStream = media.streams.audio[0]
    codec = stream.codec_context
    if codec is None or codec.name not in _CODECS:
        raise _Refused(f"found {codec.name if codec else 'a codec'} that is not read")
    codec.thread_count = 1  # more gain nothing here, and a child may have none
    return stream


def _mean(samples: np.ndarray, channels: int) -> np.ndarray:
    """Of the channels: mono (n,) from (channels, n), or from (1, n * channels)."""
    if len(samples) == channels:
        return samples.mean(axis=0, dtype=np.float32)
    return samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def _check(channels: int, rate: int) -> None:
    if not 1 <= channels <= _MOST_CHANNELS:
        raise _Refused(f"found {channels} channels, at most {_MOST_CHANNELS} are read")
    if rate not in _SAMPLE_RATES:
        low, high = _SAMPLE_RATES[0], _SAMPLE_RATES[-1]
        raise _Refused(f"found {rate} samples a second, {low} to {high} are read")


def in_blocks(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """The same samples in fewer frames: those of Vorbis are so short that handling them took longer
    than decoding."""
    fifo = av.AudioFifo()
    for frame in frames:
        frame.pts = None
        fifo.write(frame)
        if fifo.samples >= _BLOCK:
            yield fifo.read()
    if fifo.samples:
        yield fifo.read(partial=True)


def _frames(media: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    """Decoded frames; after the first good one, damage is skipped (trailing garbage is common)."""
    seen = False
    packets = media.demux(stream)
    while True:
        try:
            packet = next(packets)
            for frame in packet.decode():
                seen = True
                yield frame
        except StopIteration:
            return
        except av.error.InvalidDataError:
            if not seen:
                raise


def _soundfile_blocks(file: BinaryIO, sample_rate: int) -> Iterator[np.ndarray]:
    """Mono blocks by libsndfile, resampled by soxr."""
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    with _told("refused the header"):
        opened = soundfile.SoundFile(file.fileno(), closefd=False)
    with opened as media:
        _check(media.channels, media.samplerate)
        resampler = soxr.ResampleStream(media.samplerate, sample_rate, 1, dtype="float32")
        for block in media.blocks(_BLOCK, dtype="float32", always_2d=True):
            yield resampler.resample_chunk(block.mean(axis=1, dtype=np.float32))
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
