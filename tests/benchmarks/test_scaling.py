"""The mixed catalogue: drawn again alike, and loaded as it was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from benchmarks.scaling.loading import give_encodings, load
from benchmarks.scaling.measuring import nearest_by_numpy
from benchmarks.scaling.mixing import BLOCK, QUERIES, Mixer, Real, resemblance
from ml.model import Model
from ml.pretrained import DEFAULT
from tracks.first_stage import closest
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import nearest
from tracks.services.versions import make_search_index

PIECES = 40


@pytest.fixture(scope="module")
def real() -> Real:
    """Pieces that cluster: each strays from one of four."""
    model, random = Model.load(DEFAULT), np.random.default_rng(0)
    styles = random.integers(256, size=(4, 24, 16))
    codes = []
    for number in range(PIECES):
        chosen = styles[number % 4][random.integers(24, size=200)]
        strayed = random.random(chosen.shape) < 0.3
        codes.append(np.where(strayed, random.integers(256, size=chosen.shape), chosen))
    vectors = np.stack([model.embedding(each) for each in codes])
    return Real(vectors, codes, random.uniform(60, 180, PIECES), 0.093)


def test_a_number_is_the_same_track_wherever_it_is_drawn(real: Real, tmp_path: Path) -> None:
    real.save(tmp_path / "real.npz")
    again = Mixer(Real.load(tmp_path / "real.npz")).drawn(BLOCK, 2 * BLOCK)
    whole = Mixer(real).drawn(0, 2 * BLOCK)
    assert np.array_equal(whole.vectors[BLOCK:], again.vectors)
    assert np.array_equal(whole.second[BLOCK:], again.second)
    queries = Mixer(real).drawn(0, BLOCK, QUERIES)
    assert not np.array_equal(queries.vectors, whole.vectors[:BLOCK])


def test_mixtures_are_about_as_far_apart_as_real_pieces(real: Real) -> None:
    found = resemblance(real, Mixer(real).drawn(0, BLOCK))
    assert found["mixed pairs"][2] == pytest.approx(found["real pairs"][2], rel=0.25)


@pytest.mark.django_db
def test_what_is_loaded_is_found_as_numpy_finds_it_and_ranked_by_its_codes(real: Real) -> None:
    mixer = Mixer(real)
    load(mixer, 0, BLOCK)
    load(mixer, BLOCK, 2 * BLOCK)
    version = ModelVersion.objects.get()
    make_search_index(version)
    assert Track.objects.count() == IndexEntry.objects.count() == 2 * BLOCK
    kept = IndexEntry.objects.get(pk=BLOCK + 7).embedding
    assert kept == pytest.approx(mixer.drawn(BLOCK, 2 * BLOCK).vectors[6], abs=1e-6)
    queries = mixer.drawn(0, BLOCK, QUERIES)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off")  # compared one by one
    near = nearest_by_numpy(mixer, 2 * BLOCK, queries.vectors[:3])
    for vector, numbers in zip(queries.vectors, near, strict=False):
        assert closest(version, vector.tolist())[:10] == (numbers[:10] + 1).tolist()
    give_encodings(mixer, np.sort(near[0]))
    found = nearest(version, mixer.encoding(queries, 0))
    assert len(found) == 10
    assert {one.track.pk for one in found} <= set((near[0] + 1).tolist())
