"""The first stage against exact search, on vectors that cluster as music does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from ml.encoding import Encoding
from tracks.first_stage import CANDIDATES, approximately
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import candidates
from tracks.selectors import heard_entries
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
DIMENSIONS, CLUSTERS, TRACKS = 32, 40, 2000


def heard(vector: np.ndarray) -> Encoding:
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return Encoding(unit, np.zeros((4, 2), np.uint16), 0.5, 2.0, {})


def clustered(count: int, seed: int) -> list[Encoding]:
    """Encodings near the same centres, whatever the seed."""
    centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIMENSIONS))
    random = np.random.default_rng(seed)
    spread = 0.6 * random.normal(size=(count, DIMENSIONS))
    return [heard(vector) for vector in centres[random.integers(CLUSTERS, size=count)] + spread]


def fill(version: ModelVersion, encodings: list[Encoding]) -> None:
    tracks = Track.objects.bulk_create(
        Track(title=f"Track {n}", sha256=f"{n:064x}", size=1, audio=f"tracks/{n}.ogg")
        for n in range(len(encodings))
    )
    IndexEntry.objects.bulk_create(
        IndexEntry(
            track=track,
            model_version=version,
            state=IndexEntry.State.INDEXED,
            embedding=encoding.embedding.tolist(),
            encoding=encoding.to_bytes(),
            indexed_at=timezone.now(),
        )
        for track, encoding in zip(tracks, encodings, strict=True)
    )


def titles(entries: Iterable[int]) -> set[str]:
    return set(Track.objects.filter(entries__in=list(entries)).values_list("title", flat=True))


@pytest.fixture
def wide(db: None, artefact_folder: Callable[..., Path]) -> ModelVersion:
    return install_model(artefact_folder("wide", embedding_dim=DIMENSIONS))[0]


def prefer_the_index() -> None:
    """A small table is scanned by choice; large ones are not."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")


def test_the_index_finds_what_exact_search_finds(wide: ModelVersion) -> None:
    encodings = clustered(TRACKS, seed=1)
    fill(wide, encodings)
    vectors = np.array([encoding.embedding for encoding in encodings])
    order = list(IndexEntry.objects.order_by("track_id").values_list("pk", flat=True))
    prefer_the_index()
    recalls = []
    for query in clustered(20, seed=2):
        exact = np.argsort(-(vectors @ query.embedding))[:CANDIDATES]
        found = set(candidates(wide, query.embedding))
        recalls.append(len(found & {order[index] for index in exact}) / CANDIDATES)
    assert np.mean(recalls) > 0.98


def test_the_query_is_answered_by_the_versions_own_index(wide: ModelVersion) -> None:
    fill(wide, clustered(50, seed=1))
    prefer_the_index()
    vector = clustered(1, seed=2)[0].embedding
    plan = approximately(wide, heard_entries(wide), vector)[:CANDIDATES].explain()
    assert f"tracks_hnsw_{wide.pk}" in plan


def test_vectors_of_another_version_are_never_candidates(
    wide: ModelVersion, artefact_folder: Callable[..., Path]
) -> None:
    other, _ = install_model(artefact_folder("other", embedding_dim=DIMENSIONS))
    encodings = clustered(4, seed=1)
    fill(wide, encodings[:2])
    IndexEntry.objects.filter(track__title="Track 0").update(model_version=other)
    assert titles(candidates(wide, encodings[0].embedding)) == {"Track 1"}


def test_a_track_can_be_left_out_of_its_own_search(wide: ModelVersion) -> None:
    encodings = clustered(3, seed=1)
    fill(wide, encodings)
    own = Track.objects.get(title="Track 1")
    found = candidates(wide, encodings[1].embedding, without=[own.pk])
    assert titles(found) == {"Track 0", "Track 2"}


def test_entries_without_a_vector_are_no_candidates(
    wide: ModelVersion, add: Callable[..., Track]
) -> None:
    add(1)
    assert candidates(wide, clustered(1, seed=2)[0].embedding) == {}
