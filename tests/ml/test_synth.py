"""The synthesiser: the same seed gives the same samples, and seeds clearly differ."""

from __future__ import annotations

import numpy as np
import pytest

from ml.synth import PEAK, compose, render
from ml.synth_styles import STYLES


def test_the_same_seed_gives_the_same_piece_and_the_same_samples() -> None:
    assert compose(7) == compose(7)
    np.testing.assert_array_equal(render(compose(7), 3.0), render(compose(7), 3.0))


def test_consecutive_seeds_go_through_all_styles() -> None:
    assert {compose(seed).style for seed in range(len(STYLES))} == set(STYLES)


@pytest.mark.parametrize("seed", range(12))
def test_a_piece_has_the_length_asked_for_and_one_peak(seed: int) -> None:
    samples = render(compose(seed), 12.0, sample_rate=16_000)
    assert samples.shape == (192_000,)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() == pytest.approx(PEAK)


def test_every_second_of_a_piece_is_heard() -> None:
    for seed in range(6):
        seconds = render(compose(seed), 20.0).reshape(20, -1)
        assert np.sqrt((seconds**2).mean(axis=1)).min() > 0.01


def test_a_longer_rendering_begins_like_a_shorter_one() -> None:
    short, long = render(compose(3), 8.0), render(compose(3), 16.0)
    # The master's level depends on the whole piece, the tune does not.
    assert np.corrcoef(short[:150_000], long[:150_000])[0, 1] > 0.999


def test_twenty_four_pieces_differ_in_what_was_decided_and_in_their_sound() -> None:
    pieces = [compose(seed) for seed in range(24)]
    assert len({(p.style, p.tempo, p.key, p.chords, p.melody) for p in pieces}) == 24
    spectra = np.array([_spectrum(render(piece, 10.0)) for piece in pieces])
    alike = spectra @ spectra.T - np.eye(24)
    assert alike.max() < 0.95


def test_pieces_of_one_style_have_tempos_keys_and_tunes_of_their_own() -> None:
    family = [compose(seed, "lounge") for seed in range(4)]
    assert len({piece.tempo for piece in family}) == 4
    assert len({piece.melody for piece in family}) == 4


def _spectrum(samples: np.ndarray) -> np.ndarray:
    """Mean magnitude spectrum as a unit vector, shape (1025,)."""
    frames = samples[: len(samples) // 2048 * 2048].reshape(-1, 2048)
    mean = np.abs(np.fft.rfft(frames * np.hanning(2048), axis=1)).mean(axis=0)
    return mean / np.linalg.norm(mean)
