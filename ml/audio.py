"""Decode a file to one waveform: mono as the mean of the channels, one sample rate, float32.

The same decoder serves training and matching, for two decoders never agree to the sample.
FFmpeg (PyAV) reads nearly everything; libsndfile reads a few real Ogg files that FFmpeg refuses.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

import av
import numpy as np
import soundfile
import soxr

from ml.errors import AudioError
from ml.sniff import HEAD_BYTES, refers_elsewhere, refusal, sniff

SAMPLE_RATE = 22_050
LOUDEST = 1e6  # 120 dB above full scale: damage, and its square would soon be infinite
SILENCE_PEAK = 10 ** (-60 / 20)  # a peak below -60 dBFS is nothing that can be likened
BLOCK = 1 << 16  # samples
_MOST_CHANNELS = 8
_MOST_PLANES = 8  # PyAV reads beyond the last of so many, and the process dies
_SAMPLE_RATES = range(2_000, 384_001)
# FFmpeg opens nothing by itself, and no decoder but those of music: not even to look at a cover.
_CODECS = (
    *("aac", "aac_latm", "ac3", "alac", "eac3", "flac", "mp1float", "mp2float", "mp3float"),
    *("opus", "speex", "vorbis", "wavpack", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms"),
    *sorted(name for name in av.codecs_available if name.startswith("pcm_")),
)


class Samples(Protocol):
    """Float32 of shape (n,), of which any stretch can be had."""

    def __len__(self) -> int: ...

    def __getitem__(self, stretch: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Sound:
    """Mono audio, wherever it lies.

    Attributes:
        samples: nominally in [-1, 1]; all are finite.
        sample_rate: samples a second.
    """

    samples: Samples
    sample_rate: int = SAMPLE_RATE

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Waveform(Sound):
    """A sound in one array."""

    samples: np.ndarray


AnySound = TypeVar("AnySound", bound=Sound)


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
    kept = io.BytesIO()
    with Path(source).open("rb") as file:
        write_samples(file, kept, sample_rate=sample_rate, max_seconds=max_seconds)
    samples = bounded(np.frombuffer(kept.getbuffer(), np.float32))
    return judged(Waveform(samples, sample_rate), min_seconds=min_seconds)


def write_samples(
    file: BinaryIO,
    kept: BinaryIO,
    *,
    sample_rate: int = SAMPLE_RATE,
    max_seconds: float | None = None,
) -> None:
    """Write what an open file holds, as it stands there, block by block as it is decoded.

    The file must be a real one: libsndfile reads it by its descriptor.

    Args:
        kept: for mono float32, not finite in places; what it held before is gone.

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
        _write(_av_blocks(file, container, sample_rate), kept, sample_rate, most)
    except ValueError as first:
        try:
            write_by_libsndfile(file, kept, sample_rate, most)
        except ValueError as second:
            raise AudioError("damaged", f"ffmpeg {first}; libsndfile {second}") from first


def write_by_libsndfile(
    file: BinaryIO, kept: BinaryIO, sample_rate: int = SAMPLE_RATE, most: int | None = None
) -> None:
    """The same by the second decoder alone, up to `most` samples; ValueError where it fails."""
    _write(_soundfile_blocks(file, sample_rate), kept, sample_rate, most)


def bounded(samples: np.ndarray) -> np.ndarray:
    """Decoded samples (n,); what is no number, or beyond `LOUDEST`, becomes silence."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.dot(samples, samples) <= LOUDEST**2:  # none is beyond, at a tenth of looking at each
            return samples
    return np.where(np.abs(samples) <= LOUDEST, samples, np.float32(0))


def judged(sound: AnySound, *, min_seconds: float = 0.0) -> AnySound:
    """The sound, if there is enough in it to be heard.

    Raises:
        AudioError: `silent` or `too-short`.
    """
    if sound.duration < min_seconds:
        raise AudioError("too-short", f"{sound.duration:.1f} s, at least {min_seconds:g} s")
    starts = range(0, len(sound.samples), BLOCK)
    stretches = (sound.samples[start : start + BLOCK] for start in starts)
    if not any(np.abs(stretch).max() >= SILENCE_PEAK for stretch in stretches):
        raise AudioError("silent", "no sample above -60 dBFS")
    return sound


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


def _write(
    blocks: Iterator[np.ndarray], kept: BinaryIO, sample_rate: int, most: int | None
) -> None:
    """Write mono blocks from the beginning, stopping as soon as the limit is passed."""
    kept.seek(0)
    kept.truncate()
    total = 0
    while True:
        with _told(f"stopped after {total / sample_rate:.1f} s"):
            block = next(blocks, None)
        if block is None:
            break
        kept.write(block.data)
        total += len(block)
        if most is not None and total > most:
            raise AudioError("too-long", f"more than {most / sample_rate:g} s")
    if not total:
        raise _Refused("came to the end of the file without any sound")


def _av_blocks(file: BinaryIO, container: str, sample_rate: int) -> Iterator[np.ndarray]:
    """Mono blocks by FFmpeg.

    The demuxer is named by us and reads from a file object, so that no content can make FFmpeg
    open another file.
    """
    file.seek(0)
    options = {"format_whitelist": container, "codec_whitelist": ",".join(_CODECS)}
    options["protocol_whitelist"] = "none"
    with _told("refused the header"):
        opened = av.open(file, format=container, metadata_errors="replace", options=options)
    with opened as media:
        stream = _audio_stream(media)
        _check(stream.channels, stream.rate)
        frames = in_blocks(_frames(media, stream))
        if stream.layout.name == "stereo":
            yield from _by_ffmpeg(frames, stream.rate, sample_rate)
        else:
            yield from _by_mean(frames, stream, sample_rate)


def _by_ffmpeg(
    frames: Iterator[av.AudioFrame], rate: int, sample_rate: int
) -> Iterator[np.ndarray]:
    """Stereo as mono: the mean first, so that there is half as much to resample.

    FFmpeg's downmix is 1.41 times louder than the mean, unless its weights may not exceed 1
    together.
    """
    mean = av.AudioResampler("fltp", "mono", rate, options={"rematrix_maxval": "1"})
    resampler = av.AudioResampler("fltp", "mono", sample_rate)
    for frame in _through(resampler, _through(mean, frames)):
        yield frame.to_ndarray()[0]


def _by_mean(
    frames: Iterator[av.AudioFrame], stream: av.AudioStream, sample_rate: int
) -> Iterator[np.ndarray]:
    """Any layout as mono: resampled first, for FFmpeg would weigh channels by their places."""
    channels = stream.channels  # now: frames may have others, which the resampler changes
    samples = "fltp" if channels < _MOST_PLANES else "flt"
    for frame in _through(av.AudioResampler(samples, stream.layout, sample_rate), frames):
        yield _mean(frame.to_ndarray(), channels)


def _through(
    resampler: av.AudioResampler, frames: Iterator[av.AudioFrame]
) -> Iterator[av.AudioFrame]:
    for frame in chain(frames, [None]):
        yield from filter(None, resampler.resample(frame))  # one without work gives back the None


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
        if fifo.samples >= BLOCK:
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
        for block in media.blocks(BLOCK, dtype="float32", always_2d=True):
            yield resampler.resample_chunk(block.mean(axis=1, dtype=np.float32))
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
