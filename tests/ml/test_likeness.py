"""Codes to likeness: closed forms and invariants."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ml.alignment import EVERY, MOST_STEPS, Steps, align, correlations, parts, steps, strength
from ml.artefact import digest, verify, write_manifest
from ml.encoding import Encoding
from ml.errors import ArtefactError
from ml.gaussian import divergences, fit, gaussians
from ml.likeness import Piece, distinct, mutual_proximity, rank, score, strangeness
from ml.pretrained import DEFAULT
from ml.space import Space
from ml.variants import at_pace
from ml.walk import walked


def walk(rows: int, seed: int) -> np.ndarray:
    """Latents (rows, 8) that never repeat."""
    return np.random.default_rng(seed).normal(size=(rows, 8))


def laid(latents: np.ndarray) -> Steps:
    """Steps of latents whose rows are 0.1 s apart."""
    return steps(latents, np.ones(8), 0.1)


def test_the_divergence_of_two_unit_gaussians_is_their_squared_distance() -> None:
    one = gaussians(np.array([[0.0, 0.0]]), np.eye(2)[None])
    other = gaussians(np.array([[3.0, 4.0]]), np.eye(2)[None])
    assert divergences(one, other)[0, 0] == pytest.approx(np.log1p(2 * 25))


def test_a_gaussian_has_the_mean_and_the_covariance_of_its_piece() -> None:
    random = np.random.default_rng(0)
    piece = (random.normal(size=(20_000, 8)) @ random.normal(size=(8, 8)) + 5).astype(np.float32)
    found, exact = fit([piece], np.full(8, 0.5)), piece.astype(float)
    assert np.allclose(found.mean[0], exact.mean(axis=0), rtol=1e-5)
    covariance = np.cov(exact.T, bias=True) + 0.5 * np.eye(8)
    assert np.allclose(found.covariance[0], covariance, rtol=1e-4, atol=1e-4)
    assert np.allclose(found.covariance[0] @ found.precision[0], np.eye(8), atol=1e-9)


def test_a_gaussian_is_at_no_distance_from_itself() -> None:
    one = gaussians(np.array([[1.0, 2.0]]), np.array([[[2.0, 0.3], [0.3, 1.0]]]))
    assert divergences(one, one)[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_mutual_proximity_ranks_the_nearer_of_two_equals_first() -> None:
    distances = np.array([[0.0, 2.0, 3.0], [2.0, 0.0, 4.0], [3.0, 4.0, 0.0]])
    found = mutual_proximity(distances, *[(np.full(3, 5.0), np.ones(3))] * 2)
    assert 0 <= found[0, 1] < found[0, 2]
    assert np.array_equal(found, found.T)


def test_mutual_proximity_moves_a_hub_away() -> None:
    distances = np.full((3, 3), 3.0)
    mean = np.array([5.0, 3.0, 5.0])  # the second is near to everything
    found = mutual_proximity(distances, *[(mean, np.ones(3))] * 2)
    assert found[0, 2] < found[0, 1]


def test_of_two_equally_distant_pieces_the_one_among_near_ones_is_nearer() -> None:
    distances = np.array([1.0, 1.0, 0.5, 3.0])
    among = np.full((4, 4), 2.0)
    among[0, 2] = among[2, 0] = 0.2  # the first is beside one that is near
    among[1, 3] = among[3, 1] = 0.2  # the second beside one that is far
    found = walked(distances, among)
    assert found[0] < found[1]
    assert found.argmin() == 2


def test_a_walk_leaves_distances_non_negative_and_in_their_unit() -> None:
    generator = np.random.default_rng(0)
    places = generator.normal(size=(20, 3))
    among = np.linalg.norm(places[:, None] - places[None], axis=2)
    near, far = among[0].copy(), among[0] + 50.0
    assert walked(near, among).min() >= 0.0
    assert walked(far, among).min() == pytest.approx(walked(near, among).min() + 50.0)


def test_a_walk_between_two_groups_that_are_far_apart_still_ends_in_distances() -> None:
    """What rounding leaves of no likeness at all may be negative, and its logarithm no number."""
    for seed in range(700):
        random = np.random.default_rng(seed)
        places = random.normal(size=(10, 2)) * np.exp(random.normal(0, 2))
        places[:5] += random.exponential(30)
        among = np.linalg.norm(places[:, None] - places[None], axis=2)
        distances = np.linalg.norm(places - places[0] - 0.1, axis=1)
        assert np.isfinite(walked(distances, among)).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_walk_among_a_few_pieces_keeps_their_order(count: int) -> None:
    distances = np.arange(count) + 1.0
    found = walked(distances, np.full((count, count), 400.0))
    assert np.all(np.diff(found) > 0)
    assert np.all(np.isfinite(found))


def test_an_excerpt_is_found_at_its_place() -> None:
    piece = walk(900, 1)
    found = align(laid(piece[300:500]), laid(piece))
    assert found.strength > 0.8
    span = found.spans[0]
    assert span.match_start - span.query_start == pytest.approx(300 * 0.1, abs=0.3)


def test_a_piece_lies_along_itself_from_end_to_end() -> None:
    same = laid(walk(400, 2))
    found = align(same, same)
    assert found.strength == pytest.approx(1.0, abs=1e-5)
    assert found.spans[0].query_start == found.spans[0].match_start == 0.0
    assert found.spans[0].query_end == pytest.approx(40.0)


def test_a_drone_matches_no_other_drone() -> None:
    drone = 3.0 + np.random.default_rng(5).normal(0, 1e-3, (400, 8))
    ending = np.vstack([walk(400, 6), drone])
    beginning = np.vstack([drone, walk(400, 7)])
    assert align(laid(ending), laid(beginning)).strength < 0.4
    assert align(laid(ending), laid(ending)).strength == pytest.approx(1.0, abs=1e-3)


def test_an_excerpt_at_another_tempo_is_found_by_one_of_its_variants() -> None:
    generator = np.random.default_rng(8)
    piece = np.repeat(generator.normal(size=(300, 8)), 6, axis=0)  # moves every 0.6 s
    faster = at_pace(piece[600:900], 1.07)
    plain = align(laid(faster), laid(piece)).strength
    variant = steps(at_pace(faster, 0.93), np.ones(8), 0.1 * 0.93)
    found = align(variant, laid(piece))
    assert found.strength > 0.8 > plain
    assert found.spans[0].match_start == pytest.approx(60.0, abs=0.6)
    assert found.spans[0].query_end <= len(faster) * 0.1 + 1e-6


def test_a_long_piece_is_laid_along_another_in_parts_that_miss_no_window() -> None:
    whole = laid(walk(8000, 9))  # 2000 steps
    found = parts(whole)
    assert all(len(part.vectors) <= MOST_STEPS for part in found)
    assert found[-1].start * 2.5 + len(found[-1].vectors) == pytest.approx(len(whole.vectors))
    for one, other in pairwise(found):
        assert one.start + len(one.vectors) * 0.4 - other.start == pytest.approx(16.0)


def test_only_a_strength_that_stands_out_is_the_same_recording() -> None:
    assert distinct([0.5, 0.2, 0.2], 0.25) == [True, False, False]
    assert distinct([0.5] * 40, 0.25) == [False] * 40  # as like all others as each other
    assert distinct([0.5], 0.25) == [True]


@pytest.mark.parametrize(("ours", "theirs"), [(60, 400), (400, 60), (3, 5), (60, 60)])
def test_spans_stay_within_both_pieces(ours: int, theirs: int) -> None:
    found = align(laid(walk(ours, 3)), laid(walk(theirs, 4)))
    for span in found.spans:
        assert 0 <= span.query_start < span.query_end <= ours * 0.1 + 1e-6
        assert 0 <= span.match_start < span.match_end <= theirs * 0.1 + 1e-6


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


def test_codes_are_kept_in_a_byte_each_where_they_fit() -> None:
    codes = np.random.default_rng(0).integers(256, size=(1000, 16)).astype(np.uint16)
    small = Encoding(np.ones(4, np.float32), codes, 0.1, 3.5, {}).to_bytes()
    assert len(small) < codes.size + 1500
    wide = Encoding(np.ones(4, np.float32), codes + 256, 0.1, 3.5, {}).to_bytes()
    assert np.array_equal(Encoding.from_bytes(small).codes + 256, Encoding.from_bytes(wide).codes)


def test_an_encoding_that_the_release_before_kept_is_read() -> None:
    stream, meta = io.BytesIO(), b'{"code_seconds": 0.1, "duration": 3.5, "facts": {"tempo": 90}}'
    codes = np.arange(6, dtype=np.uint16).reshape(3, 2)
    arrays = {"embedding": np.ones(4, np.float32), "codes": codes}
    np.savez_compressed(stream, **arrays, meta=np.frombuffer(meta, np.uint8))
    read = Encoding.from_bytes(stream.getvalue())
    assert np.array_equal(read.codes, codes)
    assert read.facts == {"tempo": 90}


def test_a_piece_that_was_prepared_is_ranked_as_before() -> None:
    model = Space.load(DEFAULT)
    random = np.random.default_rng(2)
    codes = [random.integers(256, size=(rows, 16)) for rows in (700, 900, 1100, 300)]
    fresh = {key: Piece(each, 0.09, model) for key, each in enumerate(codes)}
    prepared = {key: Piece(each, 0.09, model) for key, each in enumerate(codes)}
    for piece in prepared.values():
        piece.prepare()
        assert "latents" not in vars(piece)
    for query in fresh.values():
        assert rank(query, prepared) == rank(query, fresh)


def test_a_piece_in_memory_keeps_the_windows_of_one_length_only() -> None:
    piece = laid(walk(400, 13))
    for seconds in (4, 8, 12, 16):
        strength(laid(walk(10 * seconds, seconds)), piece)
    assert len(piece._moments) == 1


def test_pieces_learn_their_strangeness_together_as_each_would_alone() -> None:
    space = Space.load(DEFAULT)
    random = np.random.default_rng(3)
    pieces = [Piece(random.integers(256, size=(200, 16)), 0.09, space) for _ in range(5)]
    alone = [space.strangeness(piece.gaussian) for piece in pieces]
    mean, spread = strangeness(pieces)
    assert mean == pytest.approx([each[0][0] for each in alone], abs=1e-9)
    assert spread == pytest.approx([each[1][0] for each in alone], abs=1e-9)


def test_the_strength_is_that_of_the_best_window_at_every_fourth_step() -> None:
    for rows in (300, 333, 2000):
        query, other = laid(walk(rows, 11)), laid(walk(700, 12))
        found, window = correlations(query, other)
        if window % EVERY == 0:
            assert strength(query, other) == pytest.approx(found[::EVERY].max(), abs=1e-5)
        else:
            assert strength(query, other) > 0.5 * found[::EVERY].max()


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
