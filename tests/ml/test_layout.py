"""The map of embeddings: neighbours stay neighbours, and nothing jumps."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from ml import layout as module
from ml.layout import layout, place

CLUSTERS, EACH = 6, 12


def clusters(seed: int = 0) -> np.ndarray:
    """Unit vectors (72, 32) around six centres, twelve each."""
    generator = np.random.default_rng(seed)
    centres = np.repeat(generator.normal(size=(CLUSTERS, 32)), EACH, axis=0)
    found = centres + generator.normal(0, 0.4, centres.shape)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def moved(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(one - other, axis=1)


def test_the_same_embeddings_give_the_same_places_all_within_the_frame() -> None:
    places = layout(clusters())
    assert (places.shape, places.dtype) == ((CLUSTERS * EACH, 2), np.float32)
    assert places.min() >= 0
    assert places.max() <= 1
    assert np.ptp(places, axis=0).max() == pytest.approx(1.0)
    np.testing.assert_array_equal(places, layout(clusters()))


def test_neighbours_on_the_map_are_of_the_same_kind_and_to_be_trusted() -> None:
    places, kinds = layout(clusters()), np.repeat(np.arange(CLUSTERS), EACH)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert np.mean(kinds[apart.argmin(axis=1)] == kinds) > 0.95  # by chance it is 0.15
    assert trustworthiness(clusters(), places, n_neighbors=5) > 0.9


def test_a_map_that_gains_a_piece_does_not_jump() -> None:
    before = layout(clusters()[:-1])
    known = np.vstack([before, [[np.nan, np.nan]]])
    after = layout(clusters(), known)
    assert np.median(moved(after[:-1], before)) < 0.02
    kin = after[-EACH:-1].mean(axis=0)
    assert np.linalg.norm(after[-1] - kin) < 0.15


def test_a_map_of_the_same_pieces_hardly_moves() -> None:
    before = layout(clusters())
    assert np.median(moved(layout(clusters(), before), before)) < 0.02


def test_a_map_of_mostly_new_pieces_is_begun_anew() -> None:
    known = np.full((CLUSTERS * EACH, 2), np.nan)
    known[:9] = 0.5
    np.testing.assert_array_equal(layout(clusters(), known), layout(clusters()))


def test_a_new_piece_is_placed_among_its_neighbours_and_a_copy_upon_its_original() -> None:
    embeddings = clusters()
    places = layout(embeddings)
    without = np.arange(1, len(embeddings))
    (found,) = place(embeddings[without], places[without], embeddings[:1])
    assert np.linalg.norm(found - places[:EACH].mean(axis=0)) < 0.15
    np.testing.assert_allclose(place(embeddings, places, embeddings), places, atol=1e-3)
    assert place(embeddings, places, embeddings[:0]).shape == (0, 2)


def test_what_is_too_much_is_placed_among_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 48)
    embeddings = clusters()
    places, kinds = layout(embeddings), np.repeat(np.arange(CLUSTERS), EACH)
    assert places.shape == (CLUSTERS * EACH, 2)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert np.mean(kinds[apart.argmin(axis=1)] == kinds) > 0.9
    shuffled = np.random.default_rng(1).permutation(len(embeddings))
    chosen = {row.tobytes() for row in embeddings[module._chosen(embeddings)]}
    again = embeddings[shuffled]
    assert chosen == {row.tobytes() for row in again[module._chosen(again)]}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9])
def test_a_few_pieces_have_places_too(count: int) -> None:
    places = layout(clusters()[:count])
    assert places.shape == (count, 2)
    assert np.all((places >= 0) & (places <= 1))
    assert len(np.unique(places, axis=0)) == count


def test_copies_of_one_piece_lie_upon_each_other() -> None:
    same = np.repeat(clusters()[:1], 20, axis=0)
    np.testing.assert_allclose(layout(same), 0.5)


def test_the_command_lays_out_and_ends_with_its_owner(tmp_path: Path) -> None:
    given, made = tmp_path / "given.npz", tmp_path / "made.npy"
    unknown = np.full((CLUSTERS * EACH, 2), np.nan, np.float32)
    np.savez(given, embeddings=clusters(), previous=unknown)
    command = [sys.executable, "-m", "ml.layout", str(given), str(made)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.wait(60) == 0
    np.testing.assert_array_equal(np.load(io.BytesIO(made.read_bytes())), layout(clusters()))
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(60) != 0
