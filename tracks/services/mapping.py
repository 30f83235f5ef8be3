"""Writes of the map: the places of a version's entries, and when they are to be found anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from tracks import nudge
from tracks.models import ModelVersion
from tracks.selectors import unmapped_versions, waiting_entries

LAY_OUT_TASK = "tracks.tasks.lay_out"


@transaction.atomic
def keep(
    version: ModelVersion,
    entries: Sequence[int],
    places: Sequence[Sequence[float]],
    as_of: datetime,
) -> None:
    """Stores places, which hold for the index of that moment.

    Args:
        entries: ids; one that has failed or gone since stays without a place.
        places: x and y of each, from 0 to 1.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracks_indexentry SET x = place.x, y = place.y"
            " FROM unnest(%s::bigint[], %s::float8[], %s::float8[]) AS place (id, x, y)"
            " WHERE tracks_indexentry.id = place.id AND embedding IS NOT NULL",
            [list(entries), [place[0] for place in places], [place[1] for place in places]],
        )
    said(version, as_of)


def said(version: ModelVersion, as_of: datetime) -> None:
    """The map of the index of that moment is as good as it gets: none is drawn until it changes."""
    ModelVersion.objects.filter(pk=version.pk).update(mapped_at=as_of)


def sweep() -> None:
    """Nudges where an index has come to rest and its map is older; indexing itself goes first."""
    if waiting_entries().exists():
        return
    for version in unmapped_versions():
        nudge.after_commit(LAY_OUT_TASK, version.pk)
