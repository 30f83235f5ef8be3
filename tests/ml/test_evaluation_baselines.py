from __future__ import annotations

import numpy as np
import pytest

from ml.audio import Waveform
from ml.evaluation import baselines
from ml.evaluation.mfcc import Mfcc, MfccItem, middle
from ml.evaluation.systems import System


def gaussian(mean, covariance):
    return np.column_stack([mean, covariance])


class Given(System):
    """Items are their own distances: points on a line."""

    name, extractor = "given", "given"

    def distances(self, queries, catalogue, *, left_out=False):
        return np.abs(np.subtract.outer(np.array(queries), np.array(catalogue)))


def test_the_divergence_of_gaussians_is_the_closed_form():
    one = gaussian([0.0], [[1.0]])
    other = gaussian([3.0], [[4.0]])
    forward = 0.5 * (1 / 4 + 9 / 4 - 1 + np.log(4))
    backward = 0.5 * (4 + 9 - 1 - np.log(4))
    found = baselines.symmetrised_divergence(one[None], other[None])
    assert found[0, 0] == pytest.approx((forward + backward) / 2, rel=1e-4)


def test_the_divergence_is_symmetric_and_nothing_to_itself():
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(6, 20, 300)) * rng.uniform(1, 5, size=(6, 20, 1))
    items = np.stack([gaussian(f.mean(axis=1), np.cov(f)) for f in frames])
    found = baselines.symmetrised_divergence(items, items)
    assert found == pytest.approx(found.T)
    assert np.diag(found) == pytest.approx(np.zeros(6), abs=1e-6)
    assert (found[~np.eye(6, dtype=bool)] > 0).all()


def test_statistics_are_scaled_by_the_catalogue_before_the_cosine():
    tables = [np.array([0.0, 1000.0]), np.array([1.0, 3000.0]), np.array([0.0, 3000.0])]
    items = [MfccItem(table, np.zeros((1, 2))) for table in tables]
    found = baselines.StatisticsCosine().distances(items, items)
    assert found[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert found[0, 2] < found[0, 1]


def test_random_answers_are_the_same_for_the_same_seed():
    items = [None] * 5
    first = baselines.Random(7).distances(items, items)
    assert np.array_equal(first, baselines.Random(7).distances(items, items))
    assert not np.array_equal(first, baselines.Random(8).distances(items, items))


def test_mutual_proximity_counts_who_is_farther_for_both():
    points = np.array([0.0, 1.0, 3.0, 6.0])
    asked = np.abs(np.subtract.outer(points, points))
    found = baselines.mutual_proximity(asked, asked, left_out=True)
    # 0 and 1 are 1 apart: 3 and 6 are farther than that for both of them
    assert found[0, 1] == pytest.approx(1 - 2 / 4 + 1 / 16)
    # 3 and 6 are 3 apart: for 3 only 0 would do, which is not farther than 3
    assert found[2, 3] == pytest.approx(1 - 0 / 4 + 3 / 16)


def test_mutual_proximity_makes_left_out_distances_symmetric_but_for_ties():
    points = np.random.default_rng(0).normal(size=30)
    asked = np.abs(np.subtract.outer(points, points))
    found = baselines.mutual_proximity(asked, asked, left_out=True)
    counts = np.floor((1 - found) * 30 + 1)
    assert np.array_equal(counts, counts.T)


def test_a_query_that_is_no_track_may_be_likened_mutually():
    system = baselines.MutualProximity(Given())
    found = system.distances([0.1, 5.9], [0.0, 1.0, 3.0, 6.0])
    assert found.argmin(axis=1).tolist() == [0, 3]


def test_a_first_system_that_was_not_prepared_says_so():
    with pytest.raises(ValueError, match="prepared"):
        baselines.Original(scaled=True, seed=0).distances([], [])


def test_the_middle_of_a_sound_is_its_middle():
    ramp = Waveform(np.arange(100, dtype=np.float32), 10)
    assert middle(ramp, 4.0).samples.tolist() == list(range(30, 70))
    assert middle(ramp, 60.0).samples.tolist() == list(range(100))


def test_what_the_extractor_keeps_it_can_restore():
    noise = Waveform(np.random.default_rng(0).normal(size=44100).astype(np.float32), 22050)
    extractor = Mfcc()
    item = extractor.restore(extractor.extract(noise))
    assert item.statistics.shape == (140,)
    assert item.gaussian.shape == (20, 21)
    assert item.gaussian[:, 0] == pytest.approx(item.statistics[40:60], abs=1e-4)  # mean
