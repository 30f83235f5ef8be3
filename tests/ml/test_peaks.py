"""The waveform's picture against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from ml.audio import SAMPLE_RATE, Waveform
from ml.peaks import COLUMNS, peaks


def measured(samples: np.ndarray) -> np.ndarray:
    found = np.frombuffer(peaks(Waveform(samples.astype(np.float32))), np.uint8)
    return found.reshape(2, COLUMNS).astype(int)


def test_each_column_has_its_largest_sample_and_its_root_mean_square() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0, 0.1, 37 * COLUMNS) * np.repeat(random.uniform(0, 1, COLUMNS), 37)
    columns = samples.reshape(COLUMNS, 37)
    largest = np.abs(columns).max(axis=1)
    mean = np.sqrt((columns**2).mean(axis=1))
    expected = np.round(255 * np.stack([largest, mean]) / largest.max())
    assert np.abs(measured(samples) - expected).max() <= 1


def test_the_largest_sample_of_the_piece_is_255_however_loud_it_is() -> None:
    samples = np.sin(np.arange(20 * SAMPLE_RATE) / 7)
    loud, quiet = measured(samples), measured(0.01 * samples)
    assert loud[0].max() == quiet[0].max() == 255
    assert np.abs(loud - quiet).max() <= 1


def test_a_sine_has_its_root_mean_square_at_seven_tenths() -> None:
    found = measured(np.sin(np.arange(20 * SAMPLE_RATE) / 7))
    assert np.abs(found[1] - 255 / np.sqrt(2)).max() <= 2


def test_a_single_click_stands_in_its_own_column() -> None:
    samples = np.zeros(100 * COLUMNS)
    samples[100 * 300 + 50] = -0.5
    found = measured(samples)
    assert np.flatnonzero(found[0]).tolist() == [300]


@pytest.mark.parametrize("length", [1, 7, COLUMNS - 1, COLUMNS + 1, 12_345])
def test_a_piece_of_any_length_has_all_columns(length: int) -> None:
    assert (measured(np.full(length, 0.3)) == 255).all()


def test_silence_is_flat() -> None:
    assert not measured(np.zeros(5000)).any()
