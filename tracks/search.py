"""The nearest tracks: 200 candidates by one vector each, then ranked by all their codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from ml.alignment import Span
from ml.encoding import Encoding
from ml.likeness import Match, Piece, score
from tracks import runtime
from tracks.filters import NO_FILTERS, Filters
from tracks.first_stage import closest
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.pieces import Known, pieces
from tracks.selectors import heard_entries


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
    version: ModelVersion,
    encoding: Encoding,
    *,
    k: int = 10,
    exclude: Track | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Found]:
    """The k tracks closest to the encoding, by that version alone, closest first.

    Args:
        version: the version that made the encoding.
        k: at most CANDIDATES.
        exclude: a track that is no answer to itself.
        filters: what an answer must fit; there are k answers if so many tracks do.
    """
    without = [] if exclude is None else [exclude.pk]
    known, beside = _to_be_ranked(version, encoding.embedding, filters, without)
    model = runtime.load(version)
    ranked = model.rank(encoding, _pieces(known), k, beside)[:k]
    why = {match.key: model.reasons(encoding, known[match.key].heard) for match in ranked}
    return _found(version, ranked, why)


def nearest_to_several(
    version: ModelVersion,
    likes: Sequence[Encoding],
    unlikes: Sequence[Encoding],
    *,
    k: int = 10,
    without: Collection[int] = (),
    filters: Filters = NO_FILTERS,
) -> list[Found]:
    """The k tracks that are closest to all of the likes and to none of the unlikes.

    What is ranked are the candidates with the largest mean cosine to the likes: those near the
    sum of their unit vectors.

    Args:
        likes, unlikes: made by the version; at least one like.
        without: ids of tracks that are no answer.
    """
    middle = np.sum([heard.embedding for heard in likes], axis=0)
    known, beside = _to_be_ranked(version, middle, filters, without)
    ranked = runtime.load(version).rank_several(likes, _pieces(known), unlikes, beside)
    return _found(version, ranked[:k], {})


def _to_be_ranked(
    version: ModelVersion, vector: np.ndarray, filters: Filters, without: Collection[int]
) -> tuple[dict[int, Known], list[Piece]]:
    """The candidates that fit, and beside them what would be candidates without the filters.

    So a track is as far away, and scored, as it is where nothing is filtered.
    """
    entries = candidates(version, vector, filters=filters, without=without)
    known = pieces.of(version, entries)
    if filters.empty:
        return known, []
    usual = candidates(version, vector, without=without)
    beside = {pk: heard_at for pk, heard_at in usual.items() if pk not in entries}
    return known, list(_pieces(pieces.of(version, beside)).values())


def candidates(
    version: ModelVersion,
    vector: Sequence[float] | np.ndarray,
    *,
    filters: Filters = NO_FILTERS,
    without: Collection[int] = (),
) -> dict[int, datetime | None]:
    """First stage: the CANDIDATES entries nearest to a vector; when each was heard, by id."""
    close = closest(version, list(vector), filters=filters, without=without)
    # Asked again: between the two queries an entry may have failed, which took its vector.
    found = heard_entries(version).filter(pk__in=close)
    return dict(found.values_list("pk", "indexed_at"))


def _pieces(known: Mapping[int, Known]) -> dict[int, Piece]:
    return {pk: each.piece for pk, each in known.items()}


def _found(
    version: ModelVersion,
    ranked: Sequence[Match],
    why: Mapping[int, Sequence[dict[str, Any]]],
) -> list[Found]:
    """The answers; without a track that has gone in the meantime."""
    tracks = _tracks(match.key for match in ranked)
    return [
        Found(
            track=tracks[match.key],
            distance=match.distance,
            score=score(match.distance, version.nearest_distances),
            same_recording=match.same_recording,
            spans=match.spans,
            reasons=tuple(why.get(match.key, ())),
        )
        for match in ranked
        if match.key in tracks
    ]


def _tracks(entries: Iterable[int]) -> dict[int, Track]:
    """By the id of the entry."""
    found = IndexEntry.objects.filter(pk__in=list(entries)).select_related("track")
    return {entry.pk: entry.track for entry in found.defer(*IndexEntry.BULKY)}
