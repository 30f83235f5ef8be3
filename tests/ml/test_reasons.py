"""Reasons of pairs whose truth is known: synthesised to be alike in one thing and in no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import signal

from ml.audio import Waveform
from ml.encoding import Encoding
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.reasons import LEAST, MOST, SHARES, TYPICAL, Codes, Reason, reasons, relative, strength
from ml.synth import SAMPLE_RATE, compose, render

SECONDS = 16.0
TIME = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
QUIET = 0.2  # gain of the second of a pair, so that it is not as loud as the first

Sound = Callable[[np.ndarray], np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]


@cache
def model() -> Model:
    return Model.load(DEFAULT)


def heard(samples: np.ndarray) -> Encoding:
    return model().encode(model().features(Waveform(samples.astype(np.float32))))


def why(pair: Pair) -> list[Reason]:
    yours, theirs = pair
    return model().reasons(heard(yours), heard(theirs))


# --- what the pairs are made of --------------------------------------------------------------


def played(seed: int, style: str, tempo: float) -> np.ndarray:
    """A composed piece at a tempo of ours."""
    return render(replace(compose(seed, style), tempo=tempo), SECONDS)


def thud(time: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * (70 * time + 12 * (1 - np.exp(-30 * time)))) * np.exp(-9 * time)


def hiss(time: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(-1, 1, len(time))
    return np.diff(noise, prepend=0.0) * np.exp(-40 * time)


def drone() -> np.ndarray:
    return 0.05 * signal.sawtooth(2 * np.pi * 55 * TIME)


def air() -> np.ndarray:
    """Noise above 2.5 kHz."""
    high = signal.butter(4, 2500, "highpass", fs=SAMPLE_RATE, output="sos")
    return 0.005 * signal.sosfilt(high, np.random.default_rng(3).normal(size=len(TIME)))


def struck(moments: np.ndarray, sound: Sound, under: np.ndarray) -> np.ndarray:
    """A sound at those seconds, over another that lasts."""
    samples, once = under.copy(), 0.5 * sound(TIME[: int(0.4 * SAMPLE_RATE)])
    for moment in moments:
        start = round(moment * SAMPLE_RATE)
        samples[start : start + len(once)] += once[: len(samples) - start]
    return samples


def beats(a_minute: float) -> np.ndarray:
    return np.arange(0.1, SECONDS - 0.1, 60.0 / a_minute)


def scattered(count: int, seed: int) -> np.ndarray:
    """So many moments without a beat, at least 0.12 s apart."""
    gaps = np.random.default_rng(seed).exponential(size=count)
    return np.cumsum(0.12 + gaps * (SECONDS - 0.6 - 0.12 * count) / gaps.sum())


def pitch(note: Any) -> Any:
    """Frequency of a MIDI note."""
    return 440.0 * 2 ** ((np.asarray(note) - 69) / 12)


def swelling(samples: np.ndarray) -> np.ndarray:
    """Louder and quieter by 18 dB, twice."""
    return samples * 10 ** (-18 / 20 * (1 - np.cos(4 * np.pi * TIME / SECONDS)) / 2)


def as_loud(samples: np.ndarray, decibels: float) -> np.ndarray:
    return samples * 10 ** ((decibels - heard(samples).facts["loudness"]) / 20)


# --- pairs: what is not meant to be alike differs plainly ------------------------------------


def same_tempo(tempo: float, one: tuple[int, str], other: tuple[int, str]) -> Pair:
    """Other instruments, other notes, another pattern of the drums."""
    return played(*one, tempo), QUIET * played(*other, tempo)


def half_tempo() -> Pair:
    return struck(beats(70), thud, drone()), QUIET * struck(beats(140), hiss, air())


def same_sound(seed: int, style: str, slow: float, fast: float) -> Pair:
    """The same instruments and notes at another tempo."""
    return played(seed, style, slow), QUIET * played(seed, style, fast)


def same_key() -> Pair:
    """A held chord of pure tones, and sharp broken chords two octaves above it."""
    held = sum(np.sin(2 * np.pi * pitch(note) * TIME) for note in (50, 57, 62, 66))
    step = TIME * 6.5
    notes = np.resize([74, 78, 81, 86, 81, 78], int(step[-1]) + 1)[step.astype(int)]
    wave = signal.square(2 * np.pi * np.cumsum(pitch(notes)) / SAMPLE_RATE)
    return 0.15 * held, QUIET * 0.3 * wave * np.exp(-1.2 * (step % 1))


def same_brightness() -> Pair:
    """A tone that lasts, and short bursts of noise around its pitch."""
    band = signal.butter(2, (1400, 1800), "bandpass", fs=SAMPLE_RATE, output="sos")
    noise = signal.sosfilt(band, np.random.default_rng(1).normal(size=len(TIME)))
    bursts = noise * np.exp(-10 * (TIME * 3.1 % 1))
    return 0.4 * np.sin(2 * np.pi * 1600 * TIME), 0.3 * bursts


def same_loudness() -> Pair:
    few, many = struck(scattered(20, 1), thud, drone()), struck(scattered(70, 4), hiss, air())
    return as_loud(few, 20.0), as_loud(many, 20.0)


def same_dynamics() -> Pair:
    return swelling(drone()), QUIET * swelling(air())


def same_density() -> Pair:
    return struck(scattered(50, 1), thud, drone()), QUIET * struck(scattered(50, 2), hiss, air())


NEON, LOUNGE, CARTRIDGE, ORCHARD = (2, "neon"), (5, "lounge"), (1, "cartridge"), (3, "orchard")
PAIRS: dict[str, tuple[Callable[[], Pair], set[str]]] = {
    "same tempo, synthesisers and jazz": (lambda: same_tempo(118, NEON, LOUNGE), {"tempo"}),
    "same tempo, chips and jazz": (lambda: same_tempo(150, CARTRIDGE, LOUNGE), {"tempo"}),
    "same tempo, harp and synthesisers": (lambda: same_tempo(104, ORCHARD, NEON), {"tempo"}),
    "half the tempo": (half_tempo, {"tempo"}),
    "same synthesisers": (lambda: same_sound(*NEON, 112, 150), {"codes", "brightness"}),
    "same chips": (lambda: same_sound(*CARTRIDGE, 130, 172), {"codes", "brightness"}),
    "same jazz": (lambda: same_sound(*LOUNGE, 100, 136), {"codes", "brightness"}),
    "same key": (same_key, {"key"}),
    "same brightness": (same_brightness, {"brightness"}),
    "same loudness": (same_loudness, {"loudness"}),
    "same dynamics": (same_dynamics, {"dynamics"}),
    "same density of onsets": (same_density, {"density"}),
}


def test_the_strongest_reason_is_what_the_pair_was_made_alike_in() -> None:
    misses = {}
    for name, (pair, expected) in PAIRS.items():
        found = why(pair())
        if not found or found[0]["code"] not in expected:
            misses[name] = [(each["code"], each["strength"]) for each in found]
    assert len(PAIRS) == 12
    assert len(misses) <= 1, misses


# --- the rules of reasons --------------------------------------------------------------------

FACTS = {
    "tempo": 120.0,
    "tempo_clarity": 0.6,
    "density": 3.0,
    "loudness": 30.0,
    "dynamics": 12.0,
    "brightness": 900.0,
    "key": 0.0,
    "key_clarity": 0.8,
}


@cache
def codes() -> Codes:
    return Codes(model().space)


def piece(code: int, **changes: float) -> Encoding:
    """A piece of one code alone."""
    rows = np.full((50, 16), code, np.uint16)
    return Encoding(np.zeros(4, np.float32), rows, 0.1, 5.0, FACTS | changes)


def other(code: int = 1, **changes: float) -> Encoding:
    """Unlike `piece(0)` in everything but what is changed."""
    unlike = {
        "tempo": 85.0,
        "density": 9.0,
        "loudness": 50.0,
        "dynamics": 60.0,
        "brightness": 9000.0,
        "key": 6.0,
    }
    return piece(code, **(unlike | changes))


def told(yours: Encoding, theirs: Encoding) -> dict[str, Reason]:
    return {each["code"]: each for each in reasons(yours, theirs, codes())}


def test_two_pieces_that_are_alike_in_nothing_have_no_reason() -> None:
    assert reasons(piece(0), other(), codes()) == []


def test_a_piece_is_like_itself_for_three_reasons_of_full_strength() -> None:
    found = reasons(piece(0), piece(0), codes())
    assert len(found) == MOST
    assert all(each["strength"] > 0.99 for each in found)


@pytest.mark.parametrize("tempo", [60.2, 240.5, 120.1])
def test_half_and_double_tempo_are_alike(tempo: float) -> None:
    found = told(piece(0), other(tempo=tempo))["tempo"]
    assert (found["yours"], found["theirs"]) == (120.0, tempo)
    assert found["strength"] > 0.9


def test_a_tempo_that_is_not_clear_is_no_reason() -> None:
    assert not told(piece(0), other(tempo=120.0, tempo_clarity=0.05))
    assert not told(piece(0, tempo_clarity=0.05), other(tempo=120.0))


def test_a_few_onsets_are_not_counted() -> None:
    assert not told(piece(0, density=0.1), other(density=0.1))


def test_the_same_key_is_stronger_than_the_relative_one_and_both_must_be_clear() -> None:
    same, related = told(piece(0), other(key=0.0)), told(piece(0), other(key=21.0))
    assert same["key"]["strength"] > related["key"]["strength"] > LEAST
    assert related["key"]["clarity"] == [0.8, 0.8]
    assert not told(piece(0), other(key=0.0, key_clarity=0.3))


def test_the_relative_of_a_relative_is_the_key_itself() -> None:
    assert relative(0) == 21  # A minor of C major
    assert [relative(relative(key)) for key in range(24)] == list(range(24))


def test_what_was_heard_before_a_measure_was_known_is_not_compared_by_it() -> None:
    old = Encoding(np.zeros(4, np.float32), piece(0).codes, 0.1, 5.0, {"loudness": 30.0})
    assert set(told(old, piece(0))) == {"codes", "loudness"}


def test_shared_codes_are_counted_on_both_sides() -> None:
    mixed = other(0)
    mixed.codes[:10, 0] = 7
    found = told(piece(0), mixed)["codes"]
    assert (found["yours"], found["theirs"], found["shared"]) == (1.0, 0.8, 1)


def test_sharing_a_rare_code_is_a_stronger_reason_than_sharing_a_common_one() -> None:
    rarest, commonest = int(codes().frequency.argmin()), int(codes().frequency.argmax())
    rare = told(piece(rarest), other(rarest))["codes"]
    common = told(piece(commonest), other(commonest))["codes"]
    assert rare["strength"] > common["strength"]
    assert (rare["rare"], common["rare"]) == (1, 0)


def test_how_rare_a_code_is_depends_on_the_model_version_alone() -> None:
    again = Codes(model().space).frequency
    assert np.array_equal(again, codes().frequency)
    assert 0 < again.min() < 0.05 < 0.4 < again.max() <= 1


@pytest.mark.parametrize("code", TYPICAL)
def test_the_closer_the_stronger(code: str) -> None:
    table = TYPICAL[code]
    assert len(table) == len(SHARES)
    assert list(table) == sorted(table)
    found = [strength(code, distance) for distance in np.linspace(0, table[-1], 50)]
    assert found[0] > 0.97
    assert all(nearer >= further for nearer, further in pairwise(found))
    assert found[-1] == LEAST
    assert strength(code, 10 * table[-1]) == LEAST


def test_of_pairs_that_are_equal_no_more_are_told_to_be_further_apart_than_there_are() -> None:
    """Two of a hundred pairs have the very same tempo, so that it is no rarer than that."""
    assert strength("tempo", 0.0) == 0.98
