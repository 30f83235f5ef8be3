"""The plain measures of a piece, on sounds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from ml.audio import SAMPLE_RATE, Waveform
from ml.facts import facts
from ml.features import extract
from ml.synth import compose, render

SECONDS = 20


def measured(samples: np.ndarray) -> dict[str, float]:
    return facts(extract(Waveform(samples.astype(np.float32))))


def clicks(a_minute: float) -> np.ndarray:
    """Short bursts of noise at a steady pace, over a faint floor."""
    random = np.random.default_rng(0)
    samples = random.normal(0, 1e-3, SECONDS * SAMPLE_RATE)
    burst = random.normal(0, 0.3, SAMPLE_RATE // 50) * np.linspace(1, 0, SAMPLE_RATE // 50)
    for start in np.arange(0.1, SECONDS - 0.1, 60.0 / a_minute):
        place = round(start * SAMPLE_RATE)
        samples[place : place + len(burst)] += burst
    return samples


@pytest.mark.parametrize("tempo", [71.0, 93.5, 118.3, 142.2])
def test_a_steady_beat_has_its_tempo_within_half_a_beat_a_minute(tempo: float) -> None:
    found = measured(clicks(tempo))
    assert min(abs(found["tempo"] - times * tempo) for times in (0.5, 1, 2)) < 0.5
    assert found["tempo_clarity"] > 0.5


@pytest.mark.parametrize("tempo", [60.0, 180.0, 300.0])
def test_every_click_is_an_onset(tempo: float) -> None:
    assert measured(clicks(tempo))["density"] == pytest.approx(tempo / 60, abs=0.1)


def test_gain_changes_nothing_but_the_loudness() -> None:
    piece = render(compose(2), 12.0)
    plain, quiet = measured(piece), measured(0.25 * piece)
    assert plain["loudness"] - quiet["loudness"] == pytest.approx(20 * np.log10(4), abs=0.1)
    for name in ("tempo", "density", "brightness", "key"):
        assert quiet[name] == pytest.approx(plain[name], rel=0.05)


def test_a_held_tone_has_hardly_an_onset() -> None:
    tone = np.sin(2 * np.pi * 220 * np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE)
    assert measured(0.3 * tone)["density"] <= 0.1


def test_steady_noise_has_no_clear_tempo_and_hardly_an_onset() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, SECONDS * SAMPLE_RATE)
    found = measured(noise)
    assert found["tempo_clarity"] < 0.15
    assert found["density"] < 0.3


def test_silence_has_measures_too() -> None:
    found = measured(np.zeros(SECONDS * SAMPLE_RATE))
    assert (found["tempo"], found["tempo_clarity"], found["density"]) == (0.0, 0.0, 0.0)
