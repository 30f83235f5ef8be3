"""The picture of the codes: a PNG that decodes, in which what is similar looks similar."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ml.pretrained import DEFAULT
from ml.space import Space
from ml.strip import COLUMNS, ROWS, colours, png, strip

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@pytest.fixture(scope="module")
def space() -> Space:
    return Space.load(DEFAULT)


def codes_of(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, 16)).astype(np.uint16)


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (50, 50), (800, 800), (12_345, COLUMNS)])
def test_the_picture_has_a_column_a_moment_but_no_more_than_fit(
    space: Space, rows: int, columns: int
) -> None:
    assert decoded(strip(codes_of(rows), space)).shape == (ROWS, columns, 3)


def test_a_png_decodes_to_the_pixels_it_was_made_of() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 9, 3)).astype(np.uint8)
    assert np.array_equal(decoded(png(pixels)), pixels)


def test_the_picture_shows_the_colours_from_left_to_right(space: Space) -> None:
    codes = codes_of(30)
    picture = decoded(strip(codes, space))
    assert (picture == colours(codes, space)[None]).all()


def test_the_same_codes_give_the_same_bytes(space: Space) -> None:
    assert strip(codes_of(900), space) == strip(codes_of(900), space)


def test_a_code_has_its_colour_in_every_piece(space: Space) -> None:
    one, other = codes_of(40, 1), codes_of(60, 2)
    other[7] = one[3]
    assert np.array_equal(colours(one, space)[3], colours(other, space)[7])


def test_the_nearer_the_latents_the_nearer_the_colours(space: Space) -> None:
    """A change of the last codebook is a small one, of the first a large one."""
    codes = codes_of(300)
    last, first = codes.copy(), codes.copy()
    last[:, -1] = codes_of(300, 1)[:, -1]
    first[:, 0] = codes_of(300, 1)[:, 0]
    plain = colours(codes, space).astype(float)
    small = np.abs(colours(last, space) - plain).mean()
    large = np.abs(colours(first, space) - plain).mean()
    assert small < large / 4


def test_colours_follow_the_distances_of_codes(space: Space) -> None:
    """Of all codes of the first codebook: the nearest five look nearer than any five."""
    codes = np.zeros((256, 16), np.uint16)
    codes[:, 0] = np.arange(256)
    latents, seen = space.latents(codes), colours(codes, space).astype(float)
    apart = np.linalg.norm(latents[:, None] - latents[None], axis=2)
    looks = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    nearest = np.argsort(apart, axis=1)[:, 1:6]
    assert np.take_along_axis(looks, nearest, axis=1).mean() < 0.6 * looks.mean()


def test_no_colour_vanishes_on_a_light_or_a_dark_page(space: Space) -> None:
    seen = colours(codes_of(800), space).astype(float)
    for page in (BLACK, WHITE):
        assert np.linalg.norm(seen - page, axis=1).min() > 40
