"""One ranking from several pieces."""

from __future__ import annotations

import numpy as np
import pytest

from ml.likeness import Piece, rank
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.several import AWAY, joint_distances, rank_several
from ml.walk import SOFTNESS

STYLES = 4


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(DEFAULT)


@pytest.fixture(scope="module")
def pieces(model: Model) -> list[Piece]:
    """Twelve pieces; those of a style are 0, 4, 8; 1, 5, 9 and so on."""
    random = np.random.default_rng(3)
    styles = random.integers(256, size=(STYLES, 20, 16))
    return [
        Piece(styles[number % STYLES][random.integers(20, size=60)], 0.5, model.space)
        for number in range(12)
    ]


def others(pieces: list[Piece], *seeds: int) -> dict[int, Piece]:
    return {key: piece for key, piece in enumerate(pieces) if key not in seeds}


def test_a_single_like_is_ranked_as_a_single_query(pieces: list[Piece]) -> None:
    candidates = others(pieces, 0)
    alone = rank(pieces[0], candidates, located=0)
    found = rank_several([pieces[0]], candidates)
    assert [match.key for match in found] == [match.key for match in alone]
    assert [match.distance for match in found] == pytest.approx(
        [match.distance for match in alone], rel=1e-6
    )


def test_what_is_like_both_likes_comes_first(pieces: list[Piece]) -> None:
    found = rank_several([pieces[0], pieces[4]], others(pieces, 0, 4))
    assert found[0].key == 8


def test_what_is_like_an_unlike_goes_back(pieces: list[Piece]) -> None:
    candidates = others(pieces, 0, 1, 5)

    def order(unlikes: list[Piece]) -> list[int]:
        likes = [pieces[0], pieces[1]]
        return [match.key for match in rank_several(likes, candidates, unlikes)]

    assert set(order([])[:3]) == {4, 8, 9}
    away = order([pieces[5]])
    assert away.index(9) > max(away.index(4), away.index(8))


def test_pieces_beside_the_candidates_change_no_distance(pieces: list[Piece]) -> None:
    seeds, unlikes = [pieces[0], pieces[4]], [pieces[1]]
    whole = rank_several(seeds, others(pieces, 0, 1, 4), unlikes)
    few = {key: pieces[key] for key in (8, 5)}
    rest = list(others(pieces, 0, 1, 4, 5, 8).values())
    found = rank_several(seeds, few, unlikes, rest)
    wanted = {match.key: match.distance for match in whole if match.key in few}
    assert {match.key: match.distance for match in found} == pytest.approx(wanted)


def test_without_candidates_there_is_no_ranking(pieces: list[Piece]) -> None:
    assert rank_several(pieces[:2], {}) == []


def test_likenesses_to_the_likes_are_averaged_and_an_unlike_only_adds() -> None:
    to_likes = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    near = 1.0 + SOFTNESS * np.log(2)  # like one of two
    plain = joint_distances(to_likes, np.empty((0, 3)))
    assert plain.tolist() == pytest.approx([near, 2.0, near])
    found = joint_distances(to_likes, np.array([[0.0, 4.0, 9.0]]))
    assert found.tolist() == pytest.approx([near + 4 * AWAY, 2.0, near])
