from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ml.audio import Waveform, decode
from ml.evaluation import codecs, disguises, speech
from ml.evaluation.disguises import DISGUISES, disguised

RATE = 22050
LOSSY = (codecs.MP3_64, codecs.MP3_96, codecs.OPUS_24)


def tone(frequency, seconds=4.0, amplitude=0.25):
    times = np.arange(int(seconds * RATE)) / RATE
    return Waveform((amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32), RATE)


def decibels(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=float)))


def strongest(waveform):
    """Frequency of the strongest partial in Hz."""
    spectrum = np.abs(np.fft.rfft(waveform.samples * np.hanning(len(waveform.samples))))
    return np.argmax(spectrum) * RATE / len(waveform.samples)


def hide(name, waveform, seed=0):
    return disguised(DISGUISES[name], waveform, seed)


def test_nothing_is_changed_without_a_disguise():
    assert np.array_equal(hide("none", tone(440)).samples, tone(440).samples)


def test_gain_lowers_by_twelve_decibels():
    heard = hide("gain -12 dB", tone(440)).samples
    assert decibels(heard) == pytest.approx(decibels(tone(440).samples) - 12)


def test_clipping_drives_the_peak_over_full_scale_and_cuts_it():
    heard = np.abs(hide("clipping +6 dB", tone(440)).samples)
    assert heard.max() == 1.0
    assert np.mean(heard == 1.0) == pytest.approx(2 / 3, abs=0.02)  # |sin| > 1/2


def test_a_telephone_passes_the_middle_and_stops_bass_and_treble():
    for frequency, lost in ((1000, 0), (60, 40), (8000, 25)):
        change = decibels(hide("band-pass", tone(frequency)).samples[RATE:]) - decibels(
            tone(frequency).samples[RATE:]
        )
        assert change == pytest.approx(0, abs=0.5) if not lost else change < -lost


@pytest.mark.parametrize(
    ("name", "ratio"), [("white noise 10 dB", 10), ("babble 10 dB", 10), ("voice-over 0 dB", 0)]
)
def test_what_is_mixed_in_is_so_many_decibels_below_the_music(name, ratio):
    clean = tone(440, amplitude=0.1)
    added = hide(name, clean).samples - clean.samples
    assert decibels(clean.samples) - decibels(added) == pytest.approx(ratio, abs=0.01)


def test_a_room_rings_on_after_the_music():
    burst = Waveform(np.pad(tone(440, 1.0).samples, (0, RATE)), RATE)
    heard = hide("room", burst).samples
    assert len(heard) == len(burst.samples)
    assert -45 < decibels(heard[RATE + 500 : RATE + 4000]) - decibels(heard[:RATE]) < 0


@pytest.mark.parametrize(("name", "semitones"), [("pitch +1", 1), ("pitch -2", -2)])
def test_pitch_moves_and_the_length_stays(name, semitones):
    heard = hide(name, tone(440))
    assert heard.duration == tone(440).duration
    assert strongest(heard) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.003)


@pytest.mark.parametrize(("name", "tempo"), [("tempo 0.93", 0.93), ("tempo 1.07", 1.07)])
def test_tempo_moves_and_the_pitch_stays(name, tempo):
    heard = hide(name, tone(440))
    assert heard.duration == pytest.approx(4.0 / tempo, rel=0.001)
    assert strongest(heard) == pytest.approx(440, rel=0.003)


def test_too_loud_a_mixture_is_brought_down_to_full_scale():
    assert np.abs(hide("voice-over 0 dB", tone(440, amplitude=1.0)).samples).max() <= 1.0


def test_every_disguise_is_the_same_for_the_same_seed():
    for name in DISGUISES:
        first, again = hide(name, tone(440, 1.0), 3), hide(name, tone(440, 1.0), 3)
        assert np.array_equal(first.samples, again.samples)


def test_another_seed_is_another_noise():
    first, other = hide("white noise 10 dB", tone(440), 1), hide("white noise 10 dB", tone(440), 2)
    assert not np.array_equal(first.samples, other.samples)


@pytest.fixture
def song(tmp_path):
    """A stereo file of 6 s, another tone each second."""
    seconds = [tone(300 * (step + 1), 1.0).samples for step in range(6)]
    path = tmp_path / "song.wav"
    soundfile.write(path, np.column_stack([np.concatenate(seconds)] * 2), RATE)
    return path


@pytest.mark.parametrize("codec", LOSSY, ids=lambda codec: f"{codec.encoder} {codec.bit_rate}")
def test_a_passage_comes_out_of_a_codec_where_it_was_cut(codec, song):
    heard = codecs.through(codec, codecs.decoded(song), start=2.0, seconds=1.0)
    assert heard.sample_rate == RATE
    assert heard.duration == pytest.approx(1.0, abs=0.06)
    assert strongest(heard) == pytest.approx(900, rel=0.01)


def test_a_whole_file_keeps_its_length_through_a_codec(song):
    assert codecs.through(codecs.MP3_96, codecs.decoded(song)).duration == pytest.approx(
        6.0, abs=0.06
    )


def test_a_codec_keeps_to_its_rate(song):
    written = len(codecs.encode(codecs.MP3_64, codecs.decoded(song), 0.0, 6.0))
    assert written * 8 / 6.0 == pytest.approx(64_000, rel=0.1)


def test_a_codec_changes_what_it_encodes(song):
    heard = codecs.through(codecs.OPUS_24, codecs.decoded(song))
    clean = decode(song).samples
    count = min(len(clean), len(heard.samples))
    assert not np.allclose(heard.samples[:count], clean[:count], atol=1e-3)


def test_a_voice_speaks_in_syllables_and_pauses():
    voice = speech.voice(20.0, RATE, np.random.default_rng(0))
    assert len(voice) == 20 * RATE
    loudness = np.array([np.sqrt(np.mean(part**2)) for part in np.array_split(voice, 400)])
    assert np.mean(voice**2) == pytest.approx(1.0)
    assert (loudness < 0.05).mean() > 0.03
    assert (loudness > 0.5).mean() > 0.4


def test_babble_hardly_pauses():
    many = speech.babble(20.0, RATE, np.random.default_rng(0))
    loudness = np.array([np.sqrt(np.mean(part**2)) for part in np.array_split(many, 400)])
    assert (loudness < 0.05).mean() < 0.01


def test_levelled_silence_stays_silent():
    assert not disguises.levelled(np.zeros(10)).any()


def test_levelled_sound_has_the_wanted_loudness():
    assert decibels(disguises.levelled(tone(440).samples)) == pytest.approx(-20)
