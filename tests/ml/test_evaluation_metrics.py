from __future__ import annotations

import numpy as np
import pytest

from ml.evaluation import metrics

LINE = np.array([0.0, 1.0, 1.5, 10.0, 11.0])
LABELS = np.array(["a", "a", "b", "b", "b"])


@pytest.fixture
def distances():
    return metrics.leave_one_out(np.abs(LINE[:, None] - LINE[None, :]))


@pytest.fixture
def relevant(distances):
    order = metrics.ranking(distances, seed=0)
    return metrics.relevance(order, distances, LABELS, LABELS)[0]


def test_a_ranking_is_by_ascending_distance_and_the_track_itself_comes_last(distances):
    order = metrics.ranking(distances, seed=0)
    assert order[0].tolist() == [1, 2, 3, 4, 0]
    assert order[:, -1].tolist() == [0, 1, 2, 3, 4]


def test_a_track_itself_is_never_a_relevant_answer(distances):
    order = metrics.ranking(distances, seed=0)
    relevant, allowed = metrics.relevance(order, distances, LABELS, LABELS)
    assert relevant.sum(axis=1).tolist() == [1, 1, 2, 2, 2]
    assert allowed.sum(axis=1).tolist() == [4] * 5


def test_precision_counts_the_first_answers(relevant):
    assert metrics.precision_at(relevant, 1).tolist() == [1, 0, 0, 1, 1]
    assert metrics.precision_at(relevant, 2).tolist() == [0.5, 0.5, 0, 1, 1]


def test_average_precision_is_the_mean_precision_at_the_relevant_places(relevant):
    expected = [1, 1 / 2, (1 / 3 + 2 / 4) / 2, 1, 1]
    assert metrics.average_precision(relevant) == pytest.approx(expected)


def test_average_precision_without_a_relevant_track_is_unknown():
    assert np.isnan(metrics.average_precision(np.zeros((1, 3), dtype=bool)))[0]


def test_ties_do_not_favour_the_order_of_the_files():
    distances = metrics.leave_one_out(np.zeros((60, 60)))
    labels = np.repeat(np.arange(6), 10)
    scores = []
    for seed in range(30):
        order = metrics.ranking(distances, seed)
        relevant, _ = metrics.relevance(order, distances, labels, labels)
        scores.append(metrics.precision_at(relevant, 1).mean())
    assert np.mean(scores) == pytest.approx(9 / 59, abs=0.05)


def test_the_place_of_the_right_answer_counts_from_one():
    order = np.array([[2, 0, 1], [2, 0, 1]])
    places = metrics.first_place(order, np.array([2, 1]))
    assert places.tolist() == [1, 3]
    assert metrics.top(places, 1).tolist() == [1, 0]
    assert metrics.reciprocal_rank(places) == pytest.approx([1, 1 / 3])


def test_k_occurrence_sums_to_k_times_the_queries(distances):
    counts = metrics.occurrence(metrics.ranking(distances, seed=0), k=2)
    assert counts.tolist() == [2, 2, 4, 1, 1]
    assert counts.sum() == 2 * 5


def test_k_occurrence_never_counts_the_left_out_track(distances):
    assert metrics.occurrence(metrics.ranking(distances, seed=0), k=10).tolist() == [4] * 5


def test_hub_skew_is_nothing_for_a_fair_catalogue_and_positive_with_a_hub():
    assert metrics.hub_skew(np.full(8, 3)) == 0.0
    assert metrics.hub_skew(np.array([1] * 9 + [50])) == pytest.approx(8 / 3)


def test_orphans_are_the_tracks_that_nobody_names():
    assert metrics.orphan_share(np.array([0, 0, 3, 5])) == 0.5


def test_confusion_rows_ask_columns_answer(distances):
    names, shares = metrics.confusion(metrics.ranking(distances, seed=0), LABELS)
    assert names == ["a", "b"]
    assert shares == pytest.approx(np.array([[0.5, 0.5], [1 / 3, 2 / 3]]))


def test_group_means_are_by_soundtrack():
    assert metrics.group_means(np.arange(5.0), LABELS) == {"a": 0.5, "b": 3.0}
