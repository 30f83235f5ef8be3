"""The map as pages and scripts take it: groups, compact arrays, and neighbours for the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, QuerySet

from tracks.models import IndexEntry, Track
from tracks.selectors import mapped_entries

# The mark of each of the largest soundtracks, as an SVG path about the origin: what tells them
# apart besides their colour. The last is for all others.
MARKS = (
    "M-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0z",
    "M-.88,-.88H.88V.88H-.88z",
    "M0,-1.15L1.1,.8H-1.1z",
    "M0,-1.25L1.1,0L0,1.25L-1.1,0z",
    "M-1.1,-.8H1.1L0,1.15z",
    "M-.38,-1.1H.38V-.38H1.1V.38H.38V1.1H-.38V.38H-1.1V-.38H-.38z",
    "M-1,-1H1L.25,0L1,1H-1L-.25,0z",
    "M-1.2,-.5H1.2V.5H-1.2z",
)
OTHERS = "M-.7,0a.7,.7 0 1,0 1.4,0a.7,.7 0 1,0 -1.4,0z"
YOURS = "M0,-1.5L.37,-.5L1.43,-.46L.59,.19L.88,1.21L0,.62L-.88,1.21L-.59,.19L-1.43,-.46L-.37,-.5z"
UNITS = 10_000  # of the arrays, to one of the frame
NEAR = 3


@dataclass(frozen=True)
class Group:
    """What one mark stands for.

    Attributes:
        soundtrack: its name; empty for all others together.
        number: of its tracks.
        hue: from 1; 0 for all others.
    """

    soundtrack: str
    number: int
    hue: int
    mark: str


def groups() -> list[Group]:
    """The largest soundtracks, largest first, and then all others, if there are any."""
    counted = (
        mapped_entries()
        .order_by()
        .values_list("track__soundtrack")
        .annotate(number=Count("pk"))
        .order_by("-number", "track__soundtrack")
    )
    rows = list(counted)
    largest = [row for row in rows if row[0]][: len(MARKS)]
    found = [
        Group(name, number, hue, mark)
        for hue, ((name, number), mark) in enumerate(zip(largest, MARKS, strict=False), start=1)
    ]
    rest = sum(number for _, number in rows) - sum(group.number for group in found)
    return [*found, Group("", rest, 0, OTHERS)] if rest else found


def points() -> dict[str, list[Any]]:
    """Every track on the map as arrays of one length, beside the names that they refer to.

    `x` and `y` are whole numbers up to UNITS; `soundtrack` and `artist` are places in the lists of
    `soundtracks` and `artists`.
    """
    rows = mapped_entries().order_by("track_id")
    columns = ("track_id", "x", "y", "track__title", "track__soundtrack", "track__artist")
    ids, xs, ys, titles, ofs, bys = _columns(rows.values_list(*columns), len(columns))
    soundtracks, soundtrack = _named(ofs)
    artists, artist = _named(bys)
    return {
        "soundtracks": soundtracks,
        "artists": artists,
        "id": ids,
        "x": [round(x * UNITS) for x in xs],
        "y": [round(y * UNITS) for y in ys],
        "title": titles,
        "soundtrack": soundtrack,
        "artist": artist,
    }


def _columns(rows: QuerySet[IndexEntry, Any], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def _named(names: Sequence[str]) -> tuple[list[str], list[int]]:
    """The different names, and each name as a place in their list."""
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return list(places), [places[name] for name in names]


def listed() -> QuerySet[Track]:
    """The tracks on the map, by soundtrack and title."""
    on_it = mapped_entries().values("track_id")
    return Track.objects.filter(pk__in=on_it).order_by("soundtrack", "title", "pk")


def with_neighbours(tracks: Sequence[Track]) -> list[tuple[Track, list[Track]]]:
    """Each track with those that lie nearest to it on the map, nearest first."""
    rows = mapped_entries().order_by("track_id").values_list("track_id", "x", "y")
    ids, xs, ys = _columns(rows, 3)
    places = np.column_stack([xs, ys])
    near = {track.pk: _nearest(ids, places, track.pk) for track in tracks}
    there = Track.objects.in_bulk({pk for found in near.values() for pk in found})
    return [(track, [there[pk] for pk in near[track.pk] if pk in there]) for track in tracks]


def _nearest(ids: Sequence[int], places: np.ndarray, pk: int) -> list[int]:
    if pk not in ids:  # it has left the map since
        return []
    own = ids.index(pk)
    apart = np.square(places - places[own]).sum(axis=1)
    apart[own] = -1  # itself comes first
    return [ids[place] for place in np.argsort(apart, kind="stable")[1 : NEAR + 1]]
