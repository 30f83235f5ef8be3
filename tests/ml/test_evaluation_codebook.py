from __future__ import annotations

import numpy as np
import pytest

from ml.encoding import Encoding
from ml.evaluation import codebook


def encoding(codes, **facts):
    column = np.array(codes, dtype=np.uint16)[:, None]
    return Encoding(np.ones(1, np.float32), column, 0.1, 1.0, facts)


def test_an_even_use_has_as_much_perplexity_as_codes():
    book = codebook.codebooks([encoding([0, 1]), encoding([2, 3])], ["a", "b"], np.eye(4)[None])[0]
    assert book.usage == 1.0
    assert book.perplexity == pytest.approx(4.0)
    assert book.entropy == pytest.approx({"a": 1.0, "b": 1.0})


def test_a_collapsed_codebook_shows_in_all_figures():
    book = codebook.codebooks([encoding([3, 3, 3])], ["a"], np.eye(4)[None])[0]
    assert book.usage == 0.25
    assert book.perplexity == pytest.approx(1.0)
    assert book.effective_rank == pytest.approx(1.0)
    assert book.entropy == {"a": 0.0}


def test_every_codebook_is_measured_by_itself():
    codes = np.array([[0, 1], [1, 1]], dtype=np.uint16)
    two = Encoding(np.ones(1, np.float32), codes, 0.1, 1.0, {})
    first, second = codebook.codebooks([two], ["a"], np.zeros((2, 2, 3)))
    assert (first.usage, second.usage) == (1.0, 0.5)


def test_effective_rank_counts_the_dimensions_that_are_filled():
    counts = np.array([1, 1, 1, 1])
    line = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    square = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    assert codebook.effective_rank(line, counts) == pytest.approx(1.0)
    assert codebook.effective_rank(square, counts) == pytest.approx(2.0)


def test_codes_that_nobody_uses_do_not_count_for_the_rank():
    square = np.array([[0.0, 0], [1, 0], [7, 9]])
    assert codebook.effective_rank(square, np.array([1, 1, 0])) == pytest.approx(1.0)


def test_reconstruction_is_reported_where_the_model_says_it():
    assert codebook.reconstruction_error([encoding([0])]) is None
    both = [encoding([0], reconstruction_error=0.25), encoding([0], reconstruction_error=0.75)]
    assert codebook.reconstruction_error(both) == 0.5
