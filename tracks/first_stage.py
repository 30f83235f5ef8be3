"""The first stage of the search: the entries nearest to one vector, by SQL alone.

Nothing here loads a model, so pages may ask, too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from math import sqrt
from operator import itemgetter

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from tracks.filters import NO_FILTERS, Filters
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.selectors import heard_entries

CANDIDATES = 200
# How many vectors HNSW keeps in view (pgvector's default is 40, fewer than the candidates).
EF_SEARCH = 300
# A comparison takes 2 microseconds for each entry that fits, a walk 25 for each that it meets: for
# CANDIDATES, these by the share that fits. Both cost the same where this times the root of all fit.
FEW = 50
# Of a comparison: its workers take 10 ms to start, which the planner does not know, and what it
# sorts is all that fits, vectors and all, where a text is looked up for the nearest alone.
COMPARING = "SET LOCAL parallel_setup_cost = 10000; SET LOCAL work_mem = '32MB'"
NEIGHBOURS = 6


def closest(
    version: ModelVersion,
    vector: Sequence[float],
    *,
    count: int = CANDIDATES,
    filters: Filters = NO_FILTERS,
    without: Collection[int] = (),
) -> list[int]:
    """Ids of the `count` entries of smallest cosine distance, closest first.

    There are fewer only where fewer fit. An approximate index walks through its neighbours and
    throws away what does not fit; it gives up after 20,000 of them, before it meets a rare one.
    So where filters leave few entries these are compared one by one, and where the walk ended
    too early, too.

    Args:
        without: ids of tracks that are no answer.
    """
    fitting = heard_entries(version).filter(filters.of_entries()).exclude(track__in=without)
    if not filters.empty and _are_few(fitting, heard_entries(version)):
        return _compared(fitting, vector, count)
    found = _walked(version, fitting, vector, count)
    if not filters.empty and len(found) < count:
        return _compared(fitting, vector, count)
    return found


def _are_few(fitting: QuerySet[IndexEntry], every: QuerySet[IndexEntry]) -> bool:
    """Whether comparing what fits is less than a walk; an error costs time and no answer."""
    fit = _planned(fitting)
    return fit <= FEW**2 or fit <= FEW * sqrt(_planned(every))  # so few are few of any number


def _planned(entries: QuerySet[IndexEntry]) -> int:
    """How many there are, as the planner expects."""
    (planned,) = json.loads(entries.explain(format="json"))
    return int(planned["Plan"]["Plan Rows"])


def neighbours(version: ModelVersion, track: Track, count: int = NEIGHBOURS) -> list[Track]:
    """The tracks whose vectors are nearest to a track's own; none where the version lacks it."""
    own = heard_entries(version).filter(track=track).values_list("embedding", flat=True).first()
    if own is None:
        return []
    found = closest(version, own, count=count, without=[track.pk])
    entries = IndexEntry.objects.select_related("track").defer(*IndexEntry.BULKY).in_bulk(found)
    return [entries[pk].track for pk in found if pk in entries]


@transaction.atomic
def _compared(entries: QuerySet[IndexEntry], vector: Sequence[float], count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(COMPARING)
    return list(exactly(entries, vector)[:count])


def _walked(
    version: ModelVersion, entries: QuerySet[IndexEntry], vector: Sequence[float], count: int
) -> list[int]:
    """Where much is thrown away, what is nearest comes late, and not in order."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL hnsw.ef_search = %s", [EF_SEARCH])
            cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        found = list(approximately(version, entries, vector)[:count])
    return [pk for pk, _ in sorted(found, key=itemgetter(1))]


def approximately(
    version: ModelVersion, entries: QuerySet[IndexEntry], vector: Sequence[float]
) -> QuerySet[IndexEntry, tuple[int, float]]:
    """Ids and distances of the version's entries, by the expression that is indexed."""
    typed = Cast("embedding", HalfVectorField(dimensions=version.embedding_dim))
    distance = CosineDistance(typed, _plain(vector))
    return entries.annotate(distance=distance).order_by("distance").values_list("pk", "distance")


def exactly(entries: QuerySet[IndexEntry], vector: Sequence[float]) -> QuerySet[IndexEntry, int]:
    """The same by an expression that no index knows: each entry is compared."""
    distance = CosineDistance("embedding", _plain(vector))
    return entries.order_by(distance, "pk").values_list("pk", flat=True)


def _plain(vector: Sequence[float]) -> list[float]:
    return [float(value) for value in vector]
