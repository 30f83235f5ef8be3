from __future__ import annotations

import numpy as np
import pytest

from ml.evaluation import bootstrap

GROUPS = np.array(["a"] * 2 + ["b"] * 6)
VALUES = np.array([1.0, 0.0] + [1.0] * 6)


def test_an_estimate_is_the_mean_over_tracks():
    assert bootstrap.estimate(VALUES, GROUPS, seed=0).value == pytest.approx(7 / 8)


def test_a_macro_estimate_counts_every_soundtrack_the_same():
    assert bootstrap.estimate(VALUES, GROUPS, seed=0, macro=True).value == pytest.approx(0.75)


def test_whole_soundtracks_are_drawn():
    found = bootstrap.estimate(VALUES, GROUPS, seed=0)
    assert (found.low, found.high) == (0.5, 1.0)  # "a" twice, "b" twice


def test_an_interval_without_spread_is_a_point():
    found = bootstrap.estimate(np.ones(8), GROUPS, seed=0)
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


def test_the_interval_of_many_soundtracks_is_that_of_the_normal_mean():
    rng = np.random.default_rng(1)
    values = rng.normal(size=1000)
    found = bootstrap.estimate(values, np.arange(1000), seed=0)
    half = 1.96 * values.std() / np.sqrt(1000)
    assert found.high - found.value == pytest.approx(half, rel=0.1)
    assert found.value - found.low == pytest.approx(half, rel=0.1)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values = np.random.default_rng(1).normal(size=40)
    groups = np.arange(40) % 10
    first = bootstrap.estimate(values, groups, seed=3)
    assert first == bootstrap.estimate(values, groups, seed=3)
    assert first != bootstrap.estimate(values, groups, seed=4)


def test_queries_without_a_right_answer_are_left_out():
    values = np.array([np.nan, 1.0, 0.0])
    assert bootstrap.estimate(values, np.array(["a", "b", "b"]), seed=0).value == 0.5


def test_nothing_known_is_not_a_number():
    assert np.isnan(bootstrap.estimate(np.array([np.nan]), np.array(["a"]), seed=0).value)


def test_a_paired_difference_forgets_what_both_share():
    hard = np.random.default_rng(0).normal(size=30)
    found = bootstrap.difference(hard + 0.25, hard, np.arange(30) % 5, seed=0)
    assert (found.low, found.value, found.high) == pytest.approx((0.25, 0.25, 0.25))
    assert not found.contains_zero
