"""Where a person's uploads lie on the map: among the tracks that answer them."""

from __future__ import annotations

import math
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from matcher.models import Match, State, Upload
from matcher.selectors import uploads_of
from tracks.selectors import mapped_entries

CLOSEST = 5
MOST = 200  # uploads, the newest
# Distance over which the weight of a match falls by a factor of e; that of `ml.walk`.
SOFTNESS = 0.08

Place = tuple[float, float]


def points_of(owner: User | AnonymousUser) -> list[dict[str, Any]]:
    """The newest answered uploads of this person that have a place, newest first.

    Nothing is computed anew for a place: it is the weighted mean of those of the closest matches.
    """
    answered = uploads_of(owner, closest=CLOSEST).filter(state=State.FINISHED)[:MOST]
    matches = {upload: _closest(upload) for upload in answered}
    places = _places([match for closest in matches.values() for match in closest])
    found = ((upload, _place(closest, places)) for upload, closest in matches.items())
    return [_point(upload, place) for upload, place in found if place]


def _closest(upload: Upload) -> list[Match]:
    closest: list[Match] = upload.ranked  # type: ignore[attr-defined]
    return closest


def _places(matches: list[Match]) -> dict[int, Place]:
    """Where the tracks of these matches lie."""
    rows = mapped_entries().filter(track__in={match.track_id for match in matches})
    found = rows.values_list("track_id", "x", "y")
    return {track: (x, y) for track, x, y in found if x is not None and y is not None}


def _place(matches: list[Match], places: dict[int, Place]) -> Place | None:
    """The mean of the matches' places, the closer the heavier; None where none of them has one."""
    there = [(match, places[match.track_id]) for match in matches if match.track_id in places]
    if not there:
        return None
    nearest = min(match.distance for match, _ in there)
    weights = [math.exp((nearest - match.distance) / SOFTNESS) for match, _ in there]
    x, y = (
        sum(weight * place[axis] for weight, (_, place) in zip(weights, there, strict=True))
        / sum(weights)
        for axis in (0, 1)
    )
    return x, y


def _point(upload: Upload, place: Place) -> dict[str, Any]:
    """With the addresses of its page and, unless it is a question without a file, of its sound."""
    audio = reverse("matcher:audio", args=[upload.pk]) if upload.audio else ""
    return {
        "title": upload.original_name,
        "x": round(place[0], 4),
        "y": round(place[1], 4),
        "page": upload.get_absolute_url(),
        "audio": audio,
    }
