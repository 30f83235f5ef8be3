"""Codes to likeness: closed forms and invariants."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml.alignment import align, steps
from ml.artefact import digest, verify, write_manifest
from ml.encoding import Encoding
from ml.errors import ArtefactError
from ml.gaussian import divergences, gaussians
from ml.likeness import mutual_proximity, score


def walk(rows: int, seed: int) -> np.ndarray:
    """Latents (rows, 8) that never repeat."""
    return np.random.default_rng(seed).normal(size=(rows, 8))


def test_the_divergence_of_two_unit_gaussians_is_their_squared_distance() -> None:
    one = gaussians(np.array([[0.0, 0.0]]), np.eye(2)[None])
    other = gaussians(np.array([[3.0, 4.0]]), np.eye(2)[None])
    assert divergences(one, other)[0, 0] == pytest.approx(np.log1p(2 * 25))


def test_a_gaussian_is_at_no_distance_from_itself() -> None:
    one = gaussians(np.array([[1.0, 2.0]]), np.array([[[2.0, 0.3], [0.3, 1.0]]]))
    assert divergences(one, one)[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_mutual_proximity_ranks_the_nearer_of_two_equals_first() -> None:
    one = (np.array([5.0]), np.array([1.0]))
    many = (np.array([5.0, 5.0]), np.array([1.0, 1.0]))
    near, far = mutual_proximity(np.array([2.0, 3.0]), one, many)
    assert 0 <= near < far


def test_mutual_proximity_moves_a_hub_away() -> None:
    one = (np.array([5.0]), np.array([1.0]))
    many = (np.array([3.0, 5.0]), np.array([1.0, 1.0]))  # the first is near to everything
    hub, other = mutual_proximity(np.array([3.0, 3.0]), one, many)
    assert other < hub


def test_an_excerpt_is_found_at_its_place() -> None:
    std = np.ones(8)
    piece = walk(900, 1)
    found = align(steps(piece[300:500], std), steps(piece, std), 0.2)
    assert found.strength > 0.8
    span = found.spans[0]
    assert span.match_start - span.query_start == pytest.approx(150 * 0.2, abs=0.3)


def test_a_piece_lies_along_itself_from_end_to_end() -> None:
    same = steps(walk(400, 2), np.ones(8))
    found = align(same, same, 0.2)
    assert found.strength == pytest.approx(1.0, abs=1e-5)
    assert found.spans[0].query_start == found.spans[0].match_start == 0.0
    assert found.spans[0].query_end == pytest.approx(200 * 0.2)


@pytest.mark.parametrize(("ours", "theirs"), [(60, 400), (400, 60), (3, 5), (60, 60)])
def test_spans_stay_within_both_pieces(ours: int, theirs: int) -> None:
    found = align(steps(walk(2 * ours, 3), np.ones(8)), steps(walk(2 * theirs, 4), np.ones(8)), 0.2)
    for span in found.spans:
        assert 0 <= span.query_start < span.query_end <= ours * 0.2 + 1e-6
        assert 0 <= span.match_start < span.match_end <= theirs * 0.2 + 1e-6


def test_the_score_is_the_share_of_nearest_distances_that_are_larger() -> None:
    assert score(2.5, [1.0, 2.0, 3.0, 4.0]) == 50.0
    assert score(0.0, [1.0, 2.0]) == 100.0
    assert score(9.0, [1.0, 2.0]) == 0.0


def test_an_encoding_survives_being_kept() -> None:
    kept = Encoding(
        np.ones(4, np.float32), np.arange(6, dtype=np.uint16).reshape(3, 2), 0.1, 3.5, {"tempo": 90}
    )
    again = Encoding.from_bytes(kept.to_bytes())
    assert np.array_equal(again.codes, kept.codes)
    assert np.array_equal(again.embedding, kept.embedding)
    assert (again.code_seconds, again.duration, again.facts) == (0.1, 3.5, {"tempo": 90})


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """A folder with one file and its manifest."""
    (tmp_path / "space.npz").write_bytes(b"weights")
    write_manifest(tmp_path, {"name": "small"})
    return tmp_path


def test_an_artefact_as_it_was_written_is_trusted(artefact: Path) -> None:
    assert verify(artefact, sha256=digest(artefact))["name"] == "small"


def test_changed_weights_are_refused(artefact: Path) -> None:
    (artefact / "space.npz").write_bytes(b"other weights")
    with pytest.raises(ArtefactError, match="artefact-digest"):
        verify(artefact)


def test_a_manifest_of_another_format_is_refused(artefact: Path) -> None:
    (artefact / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(ArtefactError, match="artefact-format"):
        verify(artefact)


def test_a_missing_artefact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="artefact-missing"):
        verify(tmp_path / "nowhere")
