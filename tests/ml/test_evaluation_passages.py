from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from ml.audio import Waveform
from ml.evaluation import passages
from ml.evaluation.catalogue import Track
from ml.evaluation.passages import Passage
from ml.evaluation.views import Sound, excerpt_view

RATE = 22050


@dataclass
class Named:
    match_start: float
    match_end: float


def noise(seconds, seed=0):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(int(seconds * RATE))).astype(np.float32)


def melody(seconds, seed):
    """Notes of an eighth of a second, at random."""
    rng = np.random.default_rng(seed)
    times = np.arange(RATE // 8) / RATE
    notes = [
        np.sin(2 * np.pi * 220 * 2 ** (rng.integers(36) / 12) * times) * np.exp(-8 * times)
        for _ in range(int(seconds * 8))
    ]
    return (0.3 * np.concatenate(notes)).astype(np.float32)


def test_a_span_is_right_when_it_covers_half_of_the_passage():
    passage = Passage(10.0, 20.0)
    assert passages.is_right(Named(20.0, 40.0), passage)
    assert not passages.is_right(Named(20.5, 40.0), passage)
    assert not passages.is_right(Named(40.0, 60.0), passage)


def test_a_span_over_the_whole_track_is_not_right():
    assert not passages.is_right(Named(0.0, 180.0), Passage(10.0, 20.0))


def test_a_repeat_is_right_as_a_repeat_only():
    passage = Passage(10.0, 20.0, repeats=(10.0, 70.0))
    assert passages.is_right_or_repeat(Named(72.0, 91.0), passage)
    assert not passages.is_right(Named(72.0, 91.0), passage)
    assert not passages.is_right_or_repeat(Named(100.0, 120.0), passage)


def test_a_loop_is_found_at_its_second_turn():
    song = np.concatenate([melody(12, 1), melody(12, 2), melody(12, 1)])
    found = passages.with_repeats(Waveform(song, RATE), [Passage(2.0, 8.0)])[0].repeats
    assert min(abs(place - 2.0) for place in found) < 0.05
    assert min(abs(place - 26.0) for place in found) < 0.05
    assert all(min(abs(place - 2.0), abs(place - 26.0)) < 0.2 for place in found)


def test_a_steady_sound_repeats_itself_only_where_its_frames_agree():
    found = passages.with_repeats(Waveform(noise(30), RATE), [Passage(5.0, 8.0)])[0].repeats
    assert len(found) > 0
    assert all(abs(place - 5.0) < 0.05 for place in found)


def test_a_passage_as_long_as_the_track_repeats_nowhere_else():
    found = passages.with_repeats(Waveform(melody(6, 1), RATE), [Passage(0.0, 6.0)])[0].repeats
    assert found == (0.0,)


def test_a_passage_lies_within_the_track_and_is_not_silent():
    quiet_but_for_the_end = Waveform(np.concatenate([np.zeros(60 * RATE), noise(30)]), RATE)
    for seed in range(5):
        passage = passages.choose(quiet_but_for_the_end, 20.0, np.random.default_rng(seed))
        assert 0.0 <= passage.start <= 70.0
        assert passages.cut(quiet_but_for_the_end, passage).samples.any()


def test_a_short_track_is_its_own_passage():
    passage = passages.choose(Waveform(noise(5), RATE), 20.0, np.random.default_rng(0))
    assert passage == Passage(0.0, 5.0)


@pytest.fixture
def track(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, melody(40, 3), RATE)
    return Track(path, "song.wav", "album", sha256="ab" * 32)


def test_the_halves_make_up_the_whole(track):
    sound = Sound(track, seed=0)
    halves = [sound.view(name).samples for name in ("first half", "second half")]
    assert np.array_equal(np.concatenate(halves), sound.view("whole").samples)


def test_a_treated_track_is_as_loud_as_every_other(track):
    heard = Sound(track, seed=0).view("treated middle").samples
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.1, rel=0.001)


def test_the_place_of_an_excerpt_comes_from_the_seed(track):
    starts = {Sound(track, seed).passage(20.0).start for seed in (0, 0, 1, 2)}
    assert len(starts) == 3


def test_the_short_excerpt_is_the_beginning_of_the_long_one(track):
    sound = Sound(track, seed=0)
    long, short = sound.view(excerpt_view("none")), sound.view(excerpt_view("8 s"))
    assert np.array_equal(long.samples[: len(short.samples)], short.samples)
    assert short.duration == pytest.approx(8.0)


def test_every_disguise_knows_its_passage(track):
    found = Sound(track, seed=0).passages()
    assert found["8 s"].seconds == 8.0
    assert found["pitch +1"].seconds == 20.0
    assert all(passage.repeats for passage in found.values())
