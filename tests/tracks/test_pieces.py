"""What is kept in memory of the pieces of the catalogue, and when it is read again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from ml.encoding import Encoding
from ml.model import Model
from ml.pretrained import DEFAULT
from tests.tracks.test_search import fill
from tracks.binary import binary_rows
from tracks.models import IndexEntry, ModelVersion
from tracks.pieces import Pieces
from tracks.search import candidates, nearest
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
TRACKS = 12


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(DEFAULT)


@pytest.fixture(scope="module")
def piece(model: Model) -> Callable[[int], Encoding]:
    """A piece of its own seed."""

    def made(seed: int) -> Encoding:
        codes = np.random.default_rng(seed).integers(256, size=(300, 16)).astype(np.uint16)
        return Encoding(model.embedding(codes), codes, 0.09, 27.0, {"tempo": 90.0 + seed})

    return made


@pytest.fixture
def version(db: None, piece: Callable[[int], Encoding]) -> ModelVersion:
    version = install_model(DEFAULT)[0]
    fill(version, [piece(seed) for seed in range(TRACKS)])
    return version


def test_what_is_known_is_not_read_again(
    version: ModelVersion, piece: Callable[[int], Encoding], django_assert_num_queries: Any
) -> None:
    entries, pieces = candidates(version, piece(0).embedding), Pieces()
    first = pieces.of(version, entries)
    with django_assert_num_queries(0):
        again = pieces.of(version, entries)
    assert list(first) == list(again) == list(entries)
    assert all(again[pk] is first[pk] for pk in entries)


def test_a_track_that_was_heard_anew_is_ranked_by_what_was_heard_last(
    version: ModelVersion, piece: Callable[[int], Encoding]
) -> None:
    query = piece(99)
    before = nearest(version, query, k=TRACKS)
    assert not any(found.same_recording for found in before)
    last = before[-1].track
    IndexEntry.objects.filter(track=last).update(
        encoding=query.to_bytes(), indexed_at=timezone.now() + timedelta(seconds=1)
    )
    found = nearest(version, query, k=TRACKS)
    assert found[0].track == last
    assert found[0].same_recording


def test_no_more_is_kept_than_fits_and_what_was_asked_for_last_stays(
    version: ModelVersion, piece: Callable[[int], Encoding], django_assert_num_queries: Any
) -> None:
    entries = candidates(version, piece(0).embedding)
    size = next(iter(Pieces().of(version, entries).values())).size
    pieces = Pieces(most_bytes=3 * size)
    assert len(pieces.of(version, entries)) == TRACKS
    asked = list(entries)
    three = dict.fromkeys(asked[:3])
    three.update({pk: entries[pk] for pk in three})
    pieces.of(version, three)
    with django_assert_num_queries(0):
        pieces.of(version, three)
    with django_assert_num_queries(1):
        pieces.of(version, {asked[5]: entries[asked[5]]})


def test_an_entry_that_lost_its_vector_in_between_is_no_piece(
    version: ModelVersion, piece: Callable[[int], Encoding]
) -> None:
    entries = candidates(version, piece(0).embedding)
    gone = next(iter(entries))
    IndexEntry.objects.filter(pk=gone).update(
        state=IndexEntry.State.FAILED, error_code="damaged", embedding=None
    )
    assert gone not in Pieces().of(version, entries)


def test_what_is_read_in_binary_is_what_is_stored(version: ModelVersion) -> None:
    large = np.random.default_rng(0).bytes(300_000)
    first, last = IndexEntry.objects.order_by("pk").first(), IndexEntry.objects.latest("pk")
    assert first is not None
    IndexEntry.objects.filter(pk=first.pk).update(peaks=large)
    IndexEntry.objects.filter(pk=last.pk).update(peaks=b"")
    rows = IndexEntry.objects.order_by("pk").values_list("pk", "peaks", "encoding")
    found = [(int.from_bytes(pk), *rest) for pk, *rest in binary_rows(rows)]
    assert found == [(pk, *(bytes(one or b"") for one in rest)) for pk, *rest in rows]
    assert found[0][1] == large
    assert list(binary_rows(rows.filter(pk=0))) == []
