"""Looking for tracks by words: those that have them all; where none has, those spelled alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.contrib.postgres.search import (
    SearchQuery,
    SearchRank,
    SearchVector,
    TrigramWordSimilarity,
)
from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Concat

if TYPE_CHECKING:
    from tracks.models import TrackQuerySet

# Names have no grammar: no word is taken for another's form, and none is left out.
CONFIG = "simple"
# pg_trgm's own threshold, 0.6, misses a wrong letter near the beginning of a short word.
ALIKE = 0.45
MOST_ALIKE = 100


def words() -> SearchVector:
    """All words of a track, by the expression that is indexed."""
    return SearchVector("title", "artist", "soundtrack", "genre", config=CONFIG)


def letters() -> Concat:
    """All texts of a track as one, by the expression that is indexed."""
    space = Value(" ")
    return Concat("title", space, "artist", space, "soundtrack", space, "genre")


def having_words(tracks: TrackQuerySet, query: str) -> TrackQuerySet:
    """Tracks with every word of the query, or one that begins with it; by how well they fit."""
    asked = _asked(query)
    if asked is None:
        return tracks.none()
    weighted = (
        SearchVector("title", weight="A", config=CONFIG)
        + SearchVector("artist", "soundtrack", weight="B", config=CONFIG)
        + SearchVector("genre", weight="C", config=CONFIG)
    )
    found = tracks.annotate(words=words(), rank=SearchRank(weighted, asked)).filter(words=asked)
    return found.order_by("-rank", "soundtrack", "title", "pk")


def _asked(query: str) -> SearchQuery | None:
    """None where there is no word in the query."""
    beginnings = " & ".join(f"{word}:*" for word in re.findall(r"\w+", query))
    if not beginnings:
        return None
    whole = SearchQuery(query, config=CONFIG, search_type="plain")
    return whole | SearchQuery(beginnings, config=CONFIG, search_type="raw")


def spelled_alike(tracks: TrackQuerySet, query: str) -> TrackQuerySet:
    """The MOST_ALIKE tracks with a stretch most like the query in its letters, best first."""
    found = tracks.annotate(
        letters=letters(), alike=TrigramWordSimilarity(query, letters())
    ).order_by("-alike", "soundtrack", "title", "pk")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = %s", [ALIKE])
        close = found.filter(letters__trigram_word_similar=query).values_list("pk", flat=True)
        pks = list(close[:MOST_ALIKE])
    return found.filter(pk__in=pks)
