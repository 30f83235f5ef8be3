"""Decoding by content, checked against what was written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ml.audio import SAMPLE_RATE, decode
from ml.errors import AudioError
from ml.sniff import HEAD_BYTES, sniff

RATE = 44_100


def tone(seconds: float, frequency: float = 440.0, level: float = 0.5) -> np.ndarray:
    """A sine (n,), float32."""
    time = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def flac() -> bytes:
    """Six seconds of a tone."""
    stream = io.BytesIO()
    soundfile.write(stream, tone(6.0), RATE, format="FLAC")
    return stream.getvalue()


def code_of(path: Path, **limits: float) -> str:
    """The code with which decoding a file fails."""
    with pytest.raises(AudioError) as failure:
        decode(path, **limits)
    return failure.value.code


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_tone_keeps_its_length_level_and_pitch_in_every_format(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"tone.{ending}"
    soundfile.write(path, tone(3.0), RATE)
    waveform = decode(path)
    assert waveform.duration == pytest.approx(3.0, abs=0.1)
    middle = waveform.samples[22_050:44_100]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert np.abs(np.fft.rfft(middle)).argmax() == 440


def test_stereo_becomes_the_mean_of_its_channels(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.column_stack([tone(2.0), np.zeros(2 * RATE, np.float32)]), RATE)
    assert np.abs(decode(path).samples[5000:-5000]).max() == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize(
    ("ending", "channels"), [("ogg", 1), ("ogg", 2), ("wav", 2), ("wav", 3), ("wav", 6)]
)
def test_any_layout_and_rate_becomes_the_mean_of_its_channels(
    tmp_path: Path, ending: str, channels: int
) -> None:
    path = tmp_path / f"wide.{ending}"
    wide = np.column_stack([tone(2.0, level=0.1 * (side + 1)) for side in range(channels)])
    for rate in (SAMPLE_RATE, RATE):
        soundfile.write(path, wide[:: RATE // rate], rate)
        found = np.abs(decode(path).samples[5000:-5000]).max()
        assert found == pytest.approx(0.05 * (channels + 1), rel=0.03)


def test_the_name_of_a_file_plays_no_part(tmp_path: Path) -> None:
    path = tmp_path / "really.txt"
    soundfile.write(path, tone(1.0), RATE, format="OGG", subtype="VORBIS")
    assert decode(path).duration == pytest.approx(1.0, abs=0.1)


def test_text_named_as_music_is_not_audio(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_text("la la la\n" * 5000)
    assert code_of(path) == "not-audio"


def test_an_empty_file_is_not_audio(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    path.touch()
    assert code_of(path) == "not-audio"


def test_a_playlist_is_not_audio() -> None:
    assert sniff(b"#EXTM3U\n#EXTINF:1,x\nfile:///etc/passwd\n") is None


def test_an_mp3_behind_a_cover_that_is_larger_than_the_head_is_read(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    soundfile.write(path, tone(3.0), RATE)
    cover = HEAD_BYTES + 50_000
    size = bytes(cover >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\x00\x00" + size + bytes(cover) + path.read_bytes())
    assert decode(path).duration == pytest.approx(3.0, abs=0.1)


def test_a_header_without_music_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(b"fLaC" + bytes(range(256)) * 20)
    assert code_of(path) == "damaged"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"fLaC" + bytes(range(256)) * 20,
            "ffmpeg refused the header: invalid data found when processing input; "
            "libsndfile refused the header: file contains data in an unimplemented format",
        ),
        (
            flac()[:600],
            "ffmpeg stopped after 0.0 s: invalid data found when processing input; "
            "libsndfile stopped after 0.0 s: flac decoder lost sync",
        ),
        (
            flac()[:64] + bytes(20_000),
            "ffmpeg came to the end of the file without any sound; "
            "libsndfile stopped after 0.0 s: flac decoder lost sync",
        ),
    ],
)
def test_a_damaged_file_says_what_either_decoder_did_and_never_where_it_lies(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(content)
    with pytest.raises(AudioError) as failure:
        decode(path)
    assert failure.value.detail == told


def test_silence_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros(RATE, np.float32), RATE)
    assert code_of(path) == "silent"


def test_limits_hold_for_what_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(3.0), RATE)
    assert code_of(path, min_seconds=5.0) == "too-short"
    assert code_of(path, max_seconds=2.0) == "too-long"


def test_a_truncated_file_gives_what_it_still_holds(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, tone(6.0), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.0 < decode(path).duration < 5.0
