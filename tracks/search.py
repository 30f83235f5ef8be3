"""The nearest tracks: 200 candidates by one vector each, then ranked by all their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from ml.alignment import Span
from ml.encoding import Encoding
from ml.likeness import score
from tracks import runtime
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.selectors import heard_entries

CANDIDATES = 200
# How many vectors HNSW keeps in view (pgvector's default is 40, fewer than the candidates).
EF_SEARCH = 400


@dataclass(frozen=True)
class Found:
    """One answer.

    Attributes:
        track: of the catalogue.
        distance: final distance of the second stage, smaller is closer.
        score: 0 to 100, see `ml.likeness.score`.
        same_recording: the query is a copy or an excerpt of this very track.
        spans: where the two match, in seconds.
        reasons: why they are alike, the strongest first, see `ml.reasons.reasons`.
    """

    track: Track
    distance: float
    score: float
    same_recording: bool
    spans: tuple[Span, ...]
    reasons: tuple[dict[str, Any], ...] = ()


def nearest(
    version: ModelVersion, encoding: Encoding, *, k: int = 10, exclude: Track | None = None
) -> list[Found]:
    """The k tracks closest to the encoding, by that version alone, closest first.

    Args:
        version: the version that made the encoding.
        k: at most CANDIDATES.
        exclude: a track that is no answer to itself.
    """
    entries = {entry.pk: entry for entry in candidates(version, encoding, exclude=exclude)}
    heard = {pk: Encoding.from_bytes(entry.heard) for pk, entry in entries.items()}
    model = runtime.load(version)
    return [
        Found(
            track=entries[match.key].track,
            distance=match.distance,
            score=score(match.distance, version.nearest_distances),
            same_recording=match.same_recording,
            spans=match.spans,
            reasons=tuple(model.reasons(encoding, heard[match.key])),
        )
        for match in model.rank(encoding, heard, k)[:k]
    ]


def candidates(
    version: ModelVersion, encoding: Encoding, *, exclude: Track | None = None
) -> list[IndexEntry]:
    """First stage: the CANDIDATES entries of smallest cosine distance, with their tracks."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL hnsw.ef_search = %s", [EF_SEARCH])
            cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        close = list(by_distance(version, encoding, exclude=exclude)[:CANDIDATES])
    # Asked again: between the two queries an entry may have failed, which took its vector.
    found = heard_entries(version).filter(pk__in=close)
    return list(found.select_related("track").defer("embedding", "peaks", "strip"))


def by_distance(
    version: ModelVersion, encoding: Encoding, *, exclude: Track | None = None
) -> QuerySet[IndexEntry, int]:
    """Ids of the version's entries by cosine distance, by the expression that is indexed."""
    vector = [float(value) for value in encoding.embedding]
    typed = Cast("embedding", HalfVectorField(dimensions=version.embedding_dim))
    entries = heard_entries(version)
    if exclude is not None:
        entries = entries.exclude(track=exclude)
    return entries.order_by(CosineDistance(typed, vector)).values_list("pk", flat=True)
